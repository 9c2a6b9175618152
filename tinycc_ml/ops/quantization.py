"""Between real numbers and integers: quantize, dequantize, requantize.

What the integers mean stands on the tensor type (Quant), so these ops have no operand but x. In a
float graph they mark what the integer passes turn into integer ops; those that stay are at its ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..ir.graph import Attrs
from ..ir.rewrite import Draft
from ..ir.types import DTYPES, F32, Quant, TensorType
from ..numerics import quantization
from .base import Arrays, Case, Const, Nest, Op, Site
from .cast import ONNX_TYPES
from .channels import channelwise
from .importing import OnnxNode
from .indexing import c_float, nested
from .intervals import rising
from .rows import Rows, pixelwise


def type_from(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """The quantised type: attributes dtype, scale, zero_point and axis (absent: one scale)."""
    quant = Quant(tuple(attrs["scale"]), tuple(attrs["zero_point"]), attrs.get("axis"))
    return (TensorType(types[0].shape, DTYPES[attrs["dtype"]], quant),)


def quant_attrs(type_: TensorType) -> dict[str, object]:
    """The attributes of a quantize or requantize that gives `type_`."""
    quant = type_.quant
    assert quant is not None
    attrs: dict[str, object] = {
        "dtype": type_.dtype.name,
        "scale": quant.scale,
        "zero_point": quant.zero_point,
    }
    return attrs if quant.axis is None else {**attrs, "axis": quant.axis}


def _quantize_reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x = np.asarray(arrays[0], np.float32)
    return (quantization.quantize(x, type_from([TensorType(x.shape, F32)], attrs)[0]),)


def _integer_quantize(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return (quantization.quantize(np.asarray(arrays[0], np.float32), site.y),)


def _dequantize(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return (quantization.dequantize(arrays[0], site.x),)


def _requantize(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    """Exact shift of the zero point: uint8 to int8 and back, same scale."""
    moved = arrays[0].astype(np.int64) + _zero_point_step(site)
    low, high = site.y.dtype.range
    return (np.clip(moved, low, high).astype(site.y.dtype.numpy),)


def _zero_point_step(site: Site) -> int:
    return site.y.quant.zero - site.x.quant.zero  # type: ignore[union-attr]


def _quantize_nest(site: Site) -> Nest:
    """q = clamp(round(x / scale) + zero), halves to even: one division, as ONNX defines it."""
    quant, (low, high) = site.y.quant, site.y.dtype.range
    scaled = f"x0[i] / {c_float(quant.scale0)}"  # type: ignore[union-attr]
    body = (
        f"y0[i] = ({site.y.dtype.c})tml_quantize_f32({scaled}, {quant.zero}, {low}, {high});",  # type: ignore[union-attr]
    )
    return Nest(
        nested(("i",), (site.y.size,), body),
        includes=("common/tml_float.h",),
        cycles=30.0 * site.y.size,
    )


def _dequantize_nest(site: Site) -> Nest:
    quant = site.x.quant
    zero = quant.zero  # type: ignore[union-attr]
    body = (f"y0[i] = (float)(x0[i] - {zero}) * {c_float(quant.scale0)};",)  # type: ignore[union-attr]
    if zero == 0:
        body = (f"y0[i] = (float)x0[i] * {c_float(quant.scale0)};",)  # type: ignore[union-attr]
    if zero < 0:
        body = (f"y0[i] = (float)(x0[i] + {-zero}) * {c_float(quant.scale0)};",)  # type: ignore[union-attr]
    return Nest(nested(("i",), (site.y.size,), body), cycles=8.4 * site.y.size)


def _requantize_nest(site: Site) -> Nest:
    low, high = site.y.dtype.range
    step = _zero_point_step(site)
    moved = f"(int32_t)x0[i] {'-' if step < 0 else '+'} {abs(step)}"
    body = (f"y0[i] = ({site.y.dtype.c})tml_clamp_i32({moved}, {low}, {high});",)
    return Nest(nested(("i",), (site.y.size,), body), cycles=8.4 * site.y.size)


def _moved(site: Site, permutation: tuple[int, ...]) -> dict[str, object]:
    """Attributes after x is given untransposed: the channel axis is where the permutation took it from."""
    attrs = dict(site.attrs)
    if attrs.get("axis") is not None:
        attrs["axis"] = permutation[attrs["axis"]]
    return attrs


def _onnx_quant(node: OnnxNode, default: str) -> tuple[Quant, str]:
    """Scale, zero point, axis and integer type of a QuantizeLinear or DequantizeLinear."""
    if node.attr("block_size", 0):
        node.refuse(f"{node.op_type} with blocks is not supported")
    scale = node.const(1, "scale").astype(np.float64).ravel()
    zero = node.const(2, "zero point").ravel() if node.has(2) else np.zeros(scale.shape, default)
    if not np.all(np.isfinite(scale)) or scale.min(initial=1) <= 0:
        node.refuse(f"{node.op_type}: a scale must be positive and finite")
    dtype = node.type(2).dtype.name if node.has(2) else default
    if scale.size == 1:
        return Quant.per_tensor(scale[0], int(zero[0])), dtype
    axis = node.attr("axis", 1)
    rank = node.type(0).rank
    axis = axis + rank if axis < 0 else axis
    if axis >= rank or node.type(0).shape[axis] != scale.size or zero.size != scale.size:
        node.refuse(f"{node.op_type}: {scale.size} scales for axis {axis} of {node.type(0)}")
    return Quant(tuple(scale.tolist()), tuple(int(z) for z in zero), axis), dtype


def _check_one_scale(node: OnnxNode, quant: Quant) -> None:
    if quant.axis is not None and not node.is_const(0):
        node.refuse(f"{node.op_type} of values of run time with a scale for each channel")


def from_quantize(node: OnnxNode) -> None:
    quant, dtype = _onnx_quant(node, ONNX_TYPES.get(node.attr("output_dtype", 0), "u8"))
    _check_one_scale(node, quant)
    if node.type(0).dtype != F32 or dtype not in ("i8", "u8", "i16", "u16"):
        node.refuse(f"QuantizeLinear of {node.type(0)} to {dtype}")
    type_ = TensorType(node.type(0).shape, DTYPES[dtype], quant)
    node.emit("quantize", [node.inputs[0]], quant_attrs(type_), out=0, quant=quant)


def from_dequantize(node: OnnxNode) -> None:
    """The quantisation goes onto the type of the input tensor, which must not mean two things."""
    if node.attr("output_dtype", 0) not in (0, 1):
        node.refuse(f"DequantizeLinear to the ONNX type {node.attr('output_dtype')}")
    node = _in_bytes(node)
    x = node.tensor(0)
    quant, _ = _onnx_quant(node, x.type.dtype.name)
    _check_one_scale(node, quant)
    if not x.type.dtype.is_integer:
        node.refuse(f"DequantizeLinear of {x.type}")
    name = x.name
    if x.type.quant not in (None, quant):
        if not x.is_constant:
            node.refuse(f"{x.name!r} is dequantised with two different scales")
        name = node.constant(f"{x.name}.{node.outputs[0]}", x.value)
        x = node.draft.tensors[name]
    _set_quant(node.draft, name, quant)
    node.emit("dequantize", [name], out=0)


def _in_bytes(node: OnnxNode) -> OnnxNode:
    """With x of less than 8 bits as int8 or uint8; of constants when they are compiled."""
    x = node.tensor(0)
    if not x.type.dtype.is_small:
        return node
    wide = DTYPES[x.type.dtype.rom]
    if x.data is None:
        name = node.emit("cast", [x.name], {"dtype": wide.name})
    else:
        name = node.constant(f"{x.name}.{wide}", x.data.astype(wide.numpy))
    return node.with_inputs(name, *node.inputs[1:])


def on_real_values(node: OnnxNode, from_float: Callable[[OnnxNode], None]) -> None:
    """Import an operator that keeps the quantisation of its integers: dequantize, the float one, quantize.
    Constants of the same element type are values of that quantisation (what Pad fills with)."""
    x = node.type(0)
    if x.quant is None or not x.quant.is_per_tensor:
        node.refuse(f"{node.op_type} takes f32, or integers with one scale, got {x}")
    real = node.emit("dequantize", [node.inputs[0]])
    operands = tuple(_real_constant(node, k, x) for k in range(1, len(node.inputs)))
    y = node.draft.fresh(f"{node.outputs[0]}.float")
    from_float(replace(node, inputs=(real, *operands), outputs=(y,)))
    node.emit("quantize", [y], quant_attrs(x), out=0, quant=x.quant)


def _real_constant(node: OnnxNode, k: int, x: TensorType) -> str:
    if not node.is_const(k) or node.type(k).dtype != x.dtype:
        return node.inputs[k]
    return node.constant(f"{node.inputs[k]}.real", quantization.dequantize(node.const(k), x))


def _set_quant(draft: Draft, name: str, quant: Quant) -> None:
    """Also for what the integers come from, through ops that only move them."""
    from . import op_of

    tensor = draft.tensors[name]
    draft.set_tensor(replace(tensor, type=replace(tensor.type, quant=quant)))
    maker = draft.producer(name)
    if maker is None or not quant.is_per_tensor:
        return
    rule = op_of(maker).quantize
    if rule is not None and rule.output == "input":
        for source in maker.inputs:
            type_ = draft.tensors[source].type if source else None
            if type_ is not None and type_.quant is None and type_.dtype == tensor.type.dtype:
                _set_quant(draft, source, quant)


def _float_of(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    return (TensorType(types[0].shape, F32),)


def _rows(site: Site) -> Rows | None:
    """Scales that differ from row to row are not told apart."""
    quants = (site.x.quant, site.y.quant)
    by_row = site.attrs.get("axis") == 1 or any(q is not None and q.axis == 1 for q in quants)
    return None if by_row else pixelwise(site)


OPS = (
    Op(
        "quantize", type_from, _quantize_reference, _integer_quantize, nest=_quantize_nest, rows=_rows, transposed=_moved,
        onnx={"QuantizeLinear": from_quantize}, summary="Real values to integers: QuantizeLinear",
        cases=(
            Case("to_i8", "QuantizeLinear", ((3, 4), Const(0.02), Const(3, dtype="int8")), integer=False),
            Case("to_u8", "QuantizeLinear", ((3, 4), Const([0.02]), Const([128], dtype="uint8")), integer=False),
        ),
    ),
    Op(
        "dequantize", _float_of, integer=_dequantize, nest=_dequantize_nest, rows=_rows,
        transposed=lambda site, permutation: {}, onnx={"DequantizeLinear": from_dequantize},
        summary="Integers to real values: DequantizeLinear",
    ),
    Op(
        "requantize", type_from, integer=_requantize, interval=rising(_requantize),
        channels=channelwise(0, where=lambda site: "axis" not in site.attrs), nest=_requantize_nest, rows=_rows, transposed=_moved,
        summary="Exact change of zero point and sign: uint8 at the API, int8 inside",
    ),
)  # fmt: skip
