"""Product of two matrices that are both computed at run time: a: [..., M, K], b: [..., K, N].

Float: operands broadcast like NumPy's. Integer: attributes multiplier, pre_shift, q_min, q_max; both zero
points are subtracted in the loop. One operand may be a constant that `dense` can't take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs, Tensor
from ..ir.types import F32, I8, I16, Quant, TensorType
from ..numerics.fixedpoint import requantize
from ..numerics.quantization import quantize
from .base import Arrays, Case, Const, Kernel, Loop, Nest, Op, QuantizeRule, Site
from .contraction import float_params, quantized_params
from .importing import OnnxNode
from .indexing import affine, broadcast_strides, names, nested, read, strides_of
from .integer_end import accumulator_c, narrowed, output_c, reach, shifted
from .lowering import Lowering

# What the kernel's accumulators hold before the zero points are taken off
MAX_TERMS = 32767


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    a, b = types[0], types[1]
    if a.rank < 2 or b.rank < 2 or a.shape[-1] != b.shape[-2]:
        raise ModelError(f"matmul takes [..., M, K] and [..., K, N], got {a} and {b}")
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError as error:
        raise ModelError(f"matmul of {a} and {b}: the leading axes don't broadcast") from error
    return (TensorType((*(int(d) for d in batch), a.shape[-2], b.shape[-1]), a.dtype),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (arrays[0] @ arrays[1],)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    a, b = (
        x.astype(np.float64) - t.type.quant.zero  # type: ignore[union-attr]
        for x, t in zip(arrays, site.inputs, strict=True)
    )
    acc = (a @ b).astype(np.int64)
    y = requantize(acc, site.attrs["multiplier"], site.attrs["pre_shift"]) + site.y.quant.zero  # type: ignore[union-attr]
    return (narrowed(site, y),)


def accumulator(site: Site) -> np.ndarray:
    """Every product at its largest."""
    return shifted(np.asarray([_sum_bound(site)], np.int64), site)


def _sum_bound(site: Site) -> int:
    return site.x.shape[-1] * reach(site, 0) * reach(site, 1)


def lower(low: Lowering) -> None:
    a, b = _operand(low, 0), _operand(low, 1)
    scale = a.type.quant.scale0 * b.type.quant.scale0 / low.y_quant.scale0  # type: ignore[union-attr]
    bound = a.shape[-1] * 2 ** (a.type.dtype.bits + b.type.dtype.bits)
    m = low.multiplier(np.asarray([scale]), bound)
    attrs = {"multiplier": int(m.value[0]), "pre_shift": m.pre_shift, **low.limits()}
    low.emit("matmul", [a.name, b.name], attrs)


def _operand(low: Lowering, index: int) -> Tensor:
    """An activation, or a constant with one scale: int16 next to int16."""
    if not low.is_constant(index):
        return low.activation(index)
    known = low.quantized(index)
    if known and known.type.dtype == I8 and known.type.quant and known.type.quant.is_per_tensor:
        return known
    real = low.real(index)
    dtype = I16 if low.is_wide else I8
    quant = Quant.per_tensor(float(np.abs(real).max(initial=0)) / dtype.range[1] or 1.0)
    q = quantize(real, TensorType(real.shape, dtype, quant))
    return low.draft.tensors[low.constant("matrix", q, quant)]


def macs(site: Site) -> int:
    return site.y.size * site.x.shape[-1]


def _accepts(kind: str, site: Site) -> str | None:
    a, b = site.inputs
    if a.is_constant or b.is_constant:
        return "takes two matrices computed at run time"
    if {a.type.dtype.name, b.type.dtype.name, site.y.dtype.name} != {kind}:
        return f"takes {kind}, got {a.type.dtype} and {b.type.dtype}"
    if a.type.rank != 3 or b.type.rank != 3 or a.shape[0] != b.shape[0]:
        return "takes [B, M, K] and [B, K, N]"
    if a.shape[2] > MAX_TERMS:
        return f"takes at most {MAX_TERMS} terms"
    return None


def _params(site: Site) -> dict[str, int | float]:
    (_, m, k), n = site.x.shape, site.y.shape[2]
    sizes: dict[str, int | float] = {"m": m, "k": k, "n": n}
    if site.is_float:
        return {**sizes, **float_params(site)}
    a, b = (t.type.quant.zero for t in site.inputs)  # type: ignore[union-attr]
    zeros = {"a_zero_point": a, "b_zero_point": b, "multiplier": site.attrs["multiplier"]}
    return {**sizes, **zeros, **quantized_params(site)}


def _kernel(kind: str) -> Kernel:
    return Kernel(
        f"tml_matmul_{kind}",
        "matmul",
        accepts=lambda site: _accepts(kind, site),
        params=_params,
        activations=(0, 1),
        cycles=lambda site: 5.0 * macs(site) + 15.0 * site.y.size,
    )


def _nest(site: Site) -> Nest:
    batch = site.y.shape[:-2]
    a, b = (t.shape for t in site.inputs)
    variables = (*names(len(batch), "n"), "r", "c") if batch else ("r", "c")
    left = affine((*variables, "k"), (*_batch_strides(a, batch), a[-1], 0, 1))
    right = affine((*variables, "k"), (*_batch_strides(b, batch), 0, 1, b[-1]))
    out = f"y0[{affine(variables, strides_of(site.y.shape))}]"
    terms = _float_terms if site.is_float else _integer_terms
    body = terms(site, read(site, 0, left), read(site, 1, right), out)
    return Nest(
        nested(variables, site.y.shape, body), cycles=12.0 * macs(site) + 15.0 * site.y.size
    )


def _batch_strides(shape: tuple[int, ...], batch: tuple[int, ...]) -> tuple[int, ...]:
    matrix = prod(shape[-2:])
    return tuple(matrix * s for s in broadcast_strides(shape[:-2], batch))


def _float_terms(site: Site, left: str, right: str, out: str) -> tuple[Loop | str, ...]:
    loop = Loop("k", site.x.shape[-1], (f"sum += {left} * {right};",))
    return "float sum = 0.0F;", loop, f"{out} = sum;"


def _integer_terms(site: Site, left: str, right: str, out: str) -> tuple[Loop | str, ...]:
    a, b = (-t.type.quant.zero for t in site.inputs)  # type: ignore[union-attr]
    kind = accumulator_c(site, _sum_bound(site))
    product = f"((int32_t){left} + {a}) * ((int32_t){right} + {b})".replace("+ -", "- ").replace(
        " + 0)", ")"
    )
    product = f"({kind}){product}" if kind != "int32_t" else product
    return (
        f"{kind} acc = 0;",
        Loop("k", site.x.shape[-1], (f"acc += {product};",)),
        f"{out} = {output_c(site, 'acc', str(site.attrs['multiplier']))};",
    )


def emit_matmul(node: OnnxNode) -> None:
    """An ONNX MatMul that is no `dense`: batches are brought to one leading axis where they agree."""
    a, b = node.type(0), node.type(1)
    if a.dtype != b.dtype or a.dtype != F32 or min(a.rank, b.rank) < 1:
        node.refuse(f"MatMul takes two f32 matrices, got {a} and {b}")
    if _is_matrix_of_weights(node, 0) and b.rank > 1:
        _emit_weights_left(node)
        return
    left = _reshaped(node, node.inputs[0], (1, *a.shape) if a.rank == 1 else a.shape)
    right = _reshaped(node, node.inputs[1], (*b.shape, 1) if b.rank == 1 else b.shape)
    y = node.emit("matmul", _one_batch_axis(node, left, right), hint="product")
    node.emit("reshape", [y], {"shape": _result_shape(a.shape, b.shape)}, out=0)


def _is_matrix_of_weights(node: OnnxNode, index: int) -> bool:
    maker = node.draft.producer(node.inputs[index])
    behind = (
        node.draft.tensors[maker.inputs[0]]
        if maker and maker.op == "dequantize"
        else node.tensor(index)
    )
    return behind.is_constant and behind.type.rank == 2


def _result_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    try:
        batch = np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        batch = a[:-2]  # refused by the shape rule
    return (*batch, *(a[-2:-1] if len(a) > 1 else ()), *(b[-1:] if len(b) > 1 else ()))


def _one_batch_axis(node: OnnxNode, a: str, b: str) -> tuple[str, str]:
    """[B, M, K] and [B, K, N]; one matrix on the right takes all rows of the left; else as they are."""
    left, right = (node.draft.tensors[t].shape for t in (a, b))
    if prod(right[:-2]) == 1:
        return _reshaped(node, a, (1, prod(left[:-1]), left[-1])), _reshaped(
            node, b, (1, *right[-2:])
        )
    if left[:-2] == right[:-2]:
        batch = prod(left[:-2])
        return _reshaped(node, a, (batch, *left[-2:])), _reshaped(node, b, (batch, *right[-2:]))
    return a, b


def _reshaped(node: OnnxNode, tensor: str, shape: tuple[int, ...]) -> str:
    known = node.draft.tensors[tensor]
    if known.shape == shape:
        return tensor
    if known.data is not None:
        return node.constant(f"{tensor}.matrix", known.data.reshape(shape))
    return node.emit("reshape", [tensor], {"shape": shape}, hint="matrix")


def _emit_weights_left(node: OnnxNode) -> None:
    """W @ x with a constant matrix W: dense on the transposed x, transposed back."""
    rank = node.type(1).rank
    turn = {"perm": (*range(rank - 2), rank - 1, rank - 2)}
    if node.type(0).shape[1] != node.type(1).shape[-2]:
        node.refuse(f"MatMul of {node.type(0)} and {node.type(1)}")
    columns = node.emit("transpose", [node.inputs[1]], turn, hint="columns")
    y = node.emit("dense", [columns, node.rearranged(0, lambda w: w, 0)], hint="product")
    node.emit("transpose", [y], turn, out=0)


def _runs(site: Site, runs: int) -> Mapping[str, Any] | None:
    """Matrices of a stack, or rows that meet one constant matrix."""
    a, b = site.inputs
    if b.is_constant and b.type.rank <= 2:
        return site.attrs if a.type.rank >= 2 else None
    stacked = a.type.rank == b.type.rank >= 3 and not (a.is_constant or b.is_constant)
    return site.attrs if stacked else None


def _case(name: str, a: Any, b: Any, **options: Any) -> Case:
    return Case(name, "MatMul", (a, b), **options)


OP = Op(
    "matmul",
    infer,
    reference,
    integer,
    accumulator=accumulator,
    runs=_runs,
    quantize=QuantizeRule(lower),
    kernels=(_kernel("i8"), _kernel("f32")),
    nest=_nest,
    macs=macs,
    summary="MatMul of two tensors computed at run time",
    cases=(
        _case("one_by_one", (1, 1), (1, 1)),
        _case("matrices", (3, 7), (7, 5)),
        _case("heads", (1, 2, 5, 8), (1, 2, 8, 5)),
        _case("broadcast_left", (4, 3), (2, 3, 5)),
        _case("broadcast_right", (2, 4, 3), (3, 5)),
        _case("broadcast_both", (2, 1, 4, 3), (1, 3, 3, 2)),
        _case("vector_left", (6,), (6, 4)),
        _case("vector_right", (2, 4, 6), (6,)),
        _case("vectors", (9,), (9,)),
        _case("constant_left", Const(shape=(4, 6)), (6, 3)),
        _case("constant_left_batch", Const(shape=(4, 6)), (2, 6, 3)),
        _case(
            "constant_batch",
            (2, 4, 6),
            Const(np.linspace(-127, 127, 36).round().reshape(2, 6, 3) / 64),
        ),
        _case("constant_vector", (2, 6), Const(shape=(6,))),
    ),
)
