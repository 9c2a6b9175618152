"""Operators written with others where ONNX itself gives no definition: norms, quantisation with values of
run time, and legacy forms. There is no such node in a graph."""

from __future__ import annotations

import numpy as np

from ..ir.types import DTYPES, F32, U8, DType, plain_values
from ..numerics.minifloats import E8M0
from .base import Case, Op
from .batch_normalization import is_trained
from .cast import ONNX_TYPES
from .einsum import emit_matmul
from .elementwise import emit as _f
from .fold import emit as fold
from .formulas import converted
from .importing import OnnxNode, never_emitted
from .slice import normal_axis
from .softmax import along_last


def _like(node: OnnxNode, value: float, dtype: np.dtype) -> str:
    return node.constant("number", np.asarray(value, dtype))


def _shaped(node: OnnxNode, name: str, shape: tuple[int, ...]) -> str:
    return node.emit("reshape", [name], {"shape": shape})


def _channelwise(node: OnnxNode, index: int, rank: int, axis: int = 1) -> str:
    """One value for each channel, to go with all elements of it."""
    size = node.type(index).size
    return _shaped(node, node.inputs[index], (size, *(1,) * (rank - axis - 1)))


def arithmetic(node: OnnxNode, name: str, *inputs: str, out: int | None = None) -> str:
    """By the op for float32, which has an int8 form, where it serves."""
    if all(node.draft.tensors[n].type.dtype == F32 for n in inputs):
        return node.emit(name, inputs, out=out, hint=name)
    return _f(node, name, *inputs, out=out)


def _normalized(node: OnnxNode, x: str, mean: str, variance: str) -> str:
    kind = node.type(0).dtype.numpy
    spread = arithmetic(
        node,
        "sqrt",
        arithmetic(node, "add", variance, _like(node, node.attr("epsilon", 1e-5), kind)),
    )
    return arithmetic(node, "div", arithmetic(node, "sub", x, mean), spread)


def _moments(node: OnnxNode, axes: tuple[int, ...]) -> tuple[str, str]:
    mean = fold(node, "mean", node.inputs[0], axes)
    off = arithmetic(node, "sub", node.inputs[0], mean)
    return mean, fold(node, "mean", arithmetic(node, "mul", off, off), axes)


def from_instance_norm(node: OnnxNode) -> None:
    rank = node.type(0).rank
    y = _normalized(node, node.inputs[0], *_moments(node, tuple(range(2, rank))))
    y = arithmetic(node, "mul", y, _channelwise(node, 1, rank))
    arithmetic(node, "add", y, _channelwise(node, 2, rank), out=0)


def from_batch_norm(node: OnnxNode) -> None:
    x = node.type(0)
    mean, variance = (_channelwise(node, k, x.rank) for k in (3, 4))
    if (node.opset < 14 and is_trained(node)) or not node.attr("spatial", 1):
        node.refuse("BatchNormalization in training mode, of an opset before 14, is not supported")
    if node.attr("training_mode", 0):
        axes = (0, *range(2, x.rank))
        old, (mean, variance) = (mean, variance), _moments(node, axes)
        momentum = node.attr("momentum", 0.9)
        for index, (before, now) in enumerate(zip(old, (mean, variance), strict=True), start=1):
            if index < len(node.outputs) and node.outputs[index]:
                kept = arithmetic(node, "mul", before, _like(node, momentum, x.dtype.numpy))
                new = arithmetic(node, "mul", now, _like(node, 1 - momentum, x.dtype.numpy))
                both = arithmetic(node, "add", kept, new)
                node.emit("reshape", [both], {"shape": (x.shape[1],)}, out=index)
    y = arithmetic(
        node,
        "mul",
        _normalized(node, node.inputs[0], mean, variance),
        _channelwise(node, 1, x.rank),
    )
    arithmetic(node, "add", y, _channelwise(node, 2, x.rank), out=0)


def from_lp_normalization(node: OnnxNode) -> None:
    """x / norm, and 0 where the norm is 0."""
    x, p = node.type(0), node.attr("p", 2)
    axis = normal_axis(node, node.attr("axis", -1), x.rank)
    if p == 2 and x.dtype == F32 and x.size:
        along_last(node, axis, lambda name, out: _unit(node, name, x.shape[axis], out))
        return
    norm = fold(node, f"l{p}", node.inputs[0], (axis,))
    some = arithmetic(node, "maximum", norm, _like(node, _smallest(x.dtype), x.dtype.numpy))
    arithmetic(node, "div", node.inputs[0], some, out=0)


def _unit(node: OnnxNode, x: str, size: int, out: int | None) -> str:
    """x / sqrt(sum of x^2): of the mean in place of the sum, 1 / sqrt(size) as much."""
    gain = node.constant("gain", np.asarray([size**-0.5], np.float32))
    rank = node.draft.tensors[x].type.rank
    attrs = {"axis": rank - 1, "centered": False, "epsilon": _smallest(F32)}
    return node.emit("normalize", [x, gain], attrs, out=out)


def _smallest(dtype: DType) -> float:
    """What divides 0 and changes no norm that is larger."""
    return float(np.finfo(dtype.numpy).tiny)


def _parameter(node: OnnxNode, index: int) -> str:
    """A scale or zero point, one for all, for each channel or for each block, as x needs it."""
    x, given, name = node.type(0), node.type(index), node.inputs[index]
    if given.size == 1:
        return _shaped(node, name, ())
    axis = normal_axis(node, node.attr("axis", 1), x.rank)
    block = node.attr("block_size", 0)
    if not block:
        return _channelwise(node, index, x.rank, axis)
    count = given.shape[axis]
    wide = _shaped(node, name, (*given.shape[: axis + 1], 1, *given.shape[axis + 1 :]))
    shape = (*given.shape[: axis + 1], block, *given.shape[axis + 1 :])
    wide = node.emit("expand", [wide], {"shape": shape})
    wide = _shaped(node, wide, (*given.shape[:axis], count * block, *given.shape[axis + 1 :]))
    if count * block == x.shape[axis]:
        return wide
    cut = tuple(x.shape)
    return node.emit(
        "slice", [wide], {"starts": (0,) * x.rank, "steps": (1,) * x.rank, "shape": cut}
    )


def _in(node: OnnxNode, dtype: str, *operands: int) -> OnnxNode:
    """The node with these operands, where they are given, in another type."""
    inputs = list(node.inputs)
    for k in operands:
        if node.has(k):
            inputs[k] = node.emit("cast", [inputs[k]], {"dtype": dtype})
    return node.with_inputs(*inputs)


def _has_zero_point(node: OnnxNode) -> bool:
    return node.has(2) and not (node.is_const(2) and not plain_values(node.const(2)).any())


def _output_dtype(node: OnnxNode, default: DType) -> DType:
    code = node.attr("output_dtype", 0)
    if code not in (0, *ONNX_TYPES):
        node.refuse(f"{node.op_type} to the ONNX type {code}")
    return DTYPES[ONNX_TYPES[code]] if code else default


def from_dequantize(node: OnnxNode) -> None:
    """(x - zero point) * scale, in the type of the scale. Of constants at once, so that they may be weights."""
    dtype, kind = _output_dtype(node, node.type(1).dtype), node.type(1).dtype.name
    between = "f32" if node.type(0).dtype.is_half else "i32"
    if all(node.is_const(k) for k in range(len(node.inputs)) if node.has(k)):
        node.give(0, converted(_dequantized(node, DTYPES[between].numpy), dtype.numpy))
        return
    of = _in(node, between, 0, 2)
    x = of.inputs[0]
    if _has_zero_point(node):
        x = _f(node, "sub", x, _parameter(of, 2))
    same = dtype.name == kind
    x = node.emit("cast", [x], {"dtype": kind}) if kind != between else x
    y = _f(node, "mul", x, _parameter(of, 1), out=0 if same else None)
    if not same:
        node.emit("cast", [y], {"dtype": dtype.name}, out=0)


def _dequantized(node: OnnxNode, between: np.dtype) -> np.ndarray:
    x = plain_values(node.const(0)).astype(between)
    if node.has(2):
        x = x - _values(node, 2).astype(between)
    scale = _values(node, 1)
    return x.astype(scale.dtype) * scale


def _values(node: OnnxNode, index: int) -> np.ndarray:
    """What `_parameter` makes, of a constant."""
    x, values = node.type(0), plain_values(node.const(index))
    if values.size == 1:
        return values.reshape(())
    axis = normal_axis(node, node.attr("axis", 1), x.rank)
    block = node.attr("block_size", 0)
    if not block:
        return values.reshape(values.size, *(1,) * (x.rank - axis - 1))
    return np.repeat(values, block, axis).take(range(x.shape[axis]), axis)


def from_quantize(node: OnnxNode) -> None:
    """x / scale + zero point: rounded before the sum and limited for an integer type, else as Cast rounds."""
    dtype = node.type(2).dtype if node.has(2) else _output_dtype(node, U8)
    x = node.type(0)
    served = dtype.bits <= 16 if dtype.is_integer else dtype.is_mini and dtype.numpy != E8M0
    if x.dtype != F32 or not served:
        node.refuse(f"QuantizeLinear of {x} to {dtype}")
    y = _f(node, "div", node.inputs[0], _parameter(node, 1))
    y = _f(node, "round", y) if dtype.is_integer else y
    if _has_zero_point(node):
        y = _f(node, "add", y, _parameter(_in(node, "f32", 2), 2))
    if dtype.is_integer:
        low, high = (_like(node, v, x.dtype.numpy) for v in dtype.range)
        y = _f(node, "minimum", _f(node, "maximum", y, low), high)
    whole = dtype.is_integer or node.attr("saturate", 1)
    attrs = {"dtype": dtype.name} if whole else {"dtype": dtype.name, "saturate": False}
    node.emit("cast", [y], attrs, out=0)


def _scale_and_zero(node: OnnxNode, index: int, axis: int) -> tuple[str, str]:
    """Inputs `index` and the one behind it: one for all, or one for each element of an axis of x."""
    found = []
    for k in (index, index + 1):
        size = node.type(k).size
        shape = () if size == 1 else (size, *(1,) * (node.type(0).rank - 1 - axis))
        found.append(_shaped(node, node.inputs[k], shape))
    return found[0], node.emit("cast", [found[1]], {"dtype": "i32"})


def from_qlinear_matmul(node: OnnxNode) -> None:
    """int32 sums of products, scaled by (scale of a) * (scale of b) / (scale of y), rounded."""
    operands, scales = [], []
    for at, rank in ((0, node.type(0).rank), (3, node.type(3).rank)):
        scale, zero = _scale_and_zero(node, at + 1, rank - 2 if at == 0 else rank - 1)
        whole = node.emit("cast", [node.inputs[at]], {"dtype": "i32"})
        operands.append(_f(node, "sub", whole, zero))
        scales.append(scale)
    acc = node.emit("cast", [emit_matmul(node, operands[0], operands[1])], {"dtype": "f32"})
    y_scale, y_zero = _scale_and_zero(node, 6, node.type(0).rank - 1)
    factor = _f(node, "div", _f(node, "mul", *scales), y_scale)
    y = _f(node, "round", _f(node, "mul", acc, factor))
    y = _f(node, "add", y, node.emit("cast", [y_zero], {"dtype": "f32"}))
    dtype = node.type(7).dtype
    low, high = (_like(node, v, np.dtype(np.float32)) for v in dtype.range)
    y = _f(node, "minimum", _f(node, "maximum", y, low), high)
    node.emit("cast", [y], {"dtype": dtype.name}, out=0)


def from_pad(node: OnnxNode) -> None:
    """A constant border of a value that is computed: padded with zeros, then put where the mask says."""
    from .pad import full_pads

    x, pads = node.type(0), full_pads(node, node.type(0).rank)
    if node.attr("mode", "constant") != "constant" or min(pads, default=0) < 0 or not node.has(2):
        node.refuse(f"Pad of {x} by {list(pads)}")
    zero = 0.0 if x.dtype.is_float else 0
    y = node.emit("pad", [node.inputs[0]], {"pads": pads, "mode": "constant", "value": zero})
    pairs = tuple(zip(pads[: x.rank], pads[x.rank :], strict=True))
    mask = node.constant("inside", np.pad(np.ones(x.shape, bool), pairs))
    _f(node, "where", mask, y, _shaped(node, node.inputs[2], ()), out=0)


OP = Op(
    "composed",
    never_emitted,
    onnx={"LpNormalization": from_lp_normalization},
    cases=(
        Case("unit_rows", "LpNormalization", ((3, 5),)),
        Case("unit_channels", "LpNormalization", ((1, 4, 3, 2),), {"axis": 1}),
        Case("unit_sums", "LpNormalization", ((2, 6),), {"p": 1}, off=2.0),
    ),
    generic={
        "InstanceNormalization": from_instance_norm,
        "BatchNormalization": from_batch_norm,
        "DequantizeLinear": from_dequantize,
        "QuantizeLinear": from_quantize,
        "QLinearMatMul": from_qlinear_matmul,
        "Pad": from_pad,
    },
    summary="InstanceNormalization, LpNormalization; norms and quantisation with values of run time",
)
