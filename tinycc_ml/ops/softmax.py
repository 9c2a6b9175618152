"""exp(x) / sum(exp(x)) along the last axis; other axes are brought there by transposes at import.

Integer (numerics.md): d = max - x, 0..255; t = table[d] = round(exp(-scale_x * d) * 2^15);
r = floor(t * factor / sum(t)), factor = round(2^8 / scale_y); y = clamp(zero_y + ((r + 128) >> 8)).
With int16, d goes to 65535 and t is the product of two tables, of the upper and the lower eight bits of d.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs, Tensor
from ..ir.types import F32, TensorType
from ..numerics.fixedpoint import round_half_up, rounding_shift
from ..numerics.quantization import UNIT
from . import runs
from .base import Arrays, Case, Kernel, Loop, Nest, Op, Overlap, QuantizeRule, Site
from .importing import OnnxNode
from .indexing import nested, read
from .integer_end import narrowed
from .intervals import Interval
from .lowering import Lowering
from .pooling import same_type

# t: in 2^-15
TERM_BITS = 15
# t * factor must stay below 2^32 with t up to 2^15, and the sum of the t as well
MAX_FACTOR = 2**17 - 1
MAX_LENGTH = 2**16
# the same with a product of 64 bits
MAX_WIDE_FACTOR = 2**32 - 1


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    if types[0].rank < 1:
        raise ModelError(f"softmax takes at least one axis, got {types[0]}")
    return (TensorType(types[0].shape, types[0].dtype),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    e = np.exp(arrays[0] - arrays[0].max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    x, table = arrays[0].astype(np.int64), arrays[1].astype(np.int64)
    t = terms(table, x.max(axis=-1, keepdims=True) - x)
    r = t * site.attrs["factor"] // t.sum(axis=-1, keepdims=True)
    y = site.y.quant.zero + ((r + 128) >> 8)  # type: ignore[union-attr]
    return (narrowed(site, y),)


def terms(table: np.ndarray, d: np.ndarray) -> np.ndarray:
    """exp of 0..-d steps, in 2^-15."""
    if table.size == 256:
        return table[d]
    return rounding_shift(table[d >> 8] * table[256 + (d & 255)], 15)


def _interval(site: Site, operands: Sequence[Interval]) -> tuple[Interval, ...]:
    """Of each t from how far its value can lie below the largest; then t rises, what it is divided by else falls."""
    x, table = operands[0], site.const(1).astype(np.int64)
    least, most = (
        terms(table, d) for d in (x.high.max() - x.low, np.maximum(x.low.max() - x.high, 0))
    )
    rest = most.sum() - most, least.sum() - least
    r = [
        t * site.attrs["factor"] // np.maximum(t + s, 1)
        for t, s in zip((least, most), rest, strict=True)
    ]
    low, high = (narrowed(site, site.y.quant.zero + ((v + 128) >> 8)) for v in r)  # type: ignore[union-attr]
    return (Interval(low, high),)


def lower(low: Lowering) -> None:
    x = low.activation(0)
    factor = int(round_half_up(256.0 / low.y_quant.scale0))
    most = MAX_WIDE_FACTOR if low.is_wide else MAX_FACTOR
    if not 0 < factor <= most:
        least = f"1/{(most + 1) // 256}"
        low.refuse(f"its result has a scale of {low.y_quant.scale0:g}, wanted {least} or more")
    low.emit("softmax", [x.name, terms_table(low, x, x.shape[-1])], {"factor": factor})


def terms_table(low: Lowering, x: Tensor, count: int) -> str:
    """What `terms` reads, for sums of `count` of them."""
    if count > MAX_LENGTH:
        low.refuse(f"it goes over {count} values, wanted at most {MAX_LENGTH}")
    steps = x.type.quant.scale0 * np.arange(256)  # type: ignore[union-attr]
    if x.type.dtype.bits == 16:
        steps = np.concatenate([256 * steps, steps])
    values = round_half_up(np.exp(-steps) * 2.0**TERM_BITS)
    return low.constant("exp", values.astype(np.uint16))


def _sizes(site: Site) -> dict[str, int | float]:
    return {"rows": site.x.size // site.x.shape[-1], "n": site.x.shape[-1]}


def _i8_params(site: Site) -> dict[str, int | float]:
    return {**_sizes(site), "k": site.attrs["factor"], "y_zero_point": site.y.quant.zero}  # type: ignore


def _takes(kind: str) -> Callable[[Site], str | None]:
    return lambda site: same_type(site, kind)


def term_c(site: Site) -> str:
    """The C expression of `terms` for an int32 d."""
    tables = ("d",) if site.inputs[1].type.size == 256 else ("d >> 8", "256 + (d & 255)")
    first, *rest = (f"(uint32_t){read(site, 1, index)}" for index in tables)
    return f"({first} * {rest[0]} + 16384U) >> 15" if rest else first


def _nest(site: Site) -> Nest:
    """With int16 anywhere; see the formula above."""
    n, zero = site.x.shape[-1], site.y.quant.zero  # type: ignore[union-attr]
    rows, at = site.x.size // n, f"{n}U * r + i"
    place, term = f"const int32_t d = peak - x0[{at}];", term_c(site)
    low, high = site.y.dtype.range
    value = f"(int32_t)((({site.attrs['factor']}ULL * t) / sum + 128U) >> 8)"
    body = (
        f"int32_t peak = x0[{n}U * r];",
        "uint32_t sum = 0U;",
        Loop("i", n, (f"peak = x0[{at}] > peak ? x0[{at}] : peak;",)),
        Loop("i", n, (place, f"sum += {term};")),
        Loop("i", n, (
            place,
            f"const uint32_t t = {term};",
            f"y0[{at}] = ({site.y.dtype.c})tml_clamp_i32({zero} + {value}, {low}, {high});",
        )),
    )  # fmt: skip
    in_place = (0,) if site.x.dtype == site.y.dtype else ()
    return Nest(nested(("r",), (rows,), body), in_place=in_place, cycles=250.0 * site.x.size)


KERNELS = (
    Kernel(
        "tml_softmax_i8", "softmax", accepts=_takes("i8"), params=_i8_params,
        arrays=lambda site: (("table", site.const(1)),), per_image=False, overlaps=lambda site: (Overlap(),),
        cycles=lambda site: 42.0 * site.x.size - 34.0,
    ),
    Kernel(
        "tml_softmax_f32", "softmax", accepts=_takes("f32"), params=_sizes, per_image=False, overlaps=lambda site: (Overlap(),),
        cycles=lambda site: 140.0 * site.x.size,
    ),
)  # fmt: skip


def transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any] | None:
    return site.attrs if permutation[-1] == len(permutation) - 1 else None


def importer(op: str) -> Callable[[OnnxNode], None]:
    def from_onnx(node: OnnxNode) -> None:
        x, old = node.type(0), node.opset < 13
        axis = node.attr("axis", 1 if old else -1)
        if x.dtype != F32 or not -x.rank <= axis < x.rank:
            node.refuse(f"{node.op_type} of {x} along axis {axis}")
        axis %= x.rank
        if old and axis < x.rank - 1:
            _flattened(node, op, axis)
        else:
            along_last(node, axis, lambda name, out: node.emit(op, [name], out=out))

    return from_onnx


def _flattened(node: OnnxNode, op: str, axis: int) -> None:
    """Before opset 13 all axes from `axis` on count as one."""
    shape = node.type(0).shape
    flat = (prod(shape[:axis]), prod(shape[axis:]))
    x = node.emit("reshape", [node.inputs[0]], {"shape": flat}, hint="flat")
    node.emit("reshape", [node.emit(op, [x])], {"shape": shape}, out=0)


def along_last(node: OnnxNode, axis: int, emit: Callable[[str, int | None], str]) -> None:
    """`emit` makes result 0 or a tensor of its own of the operand of that name, along the last axis: other axes are
    brought there, and back."""
    rank = node.type(0).rank
    if axis == rank - 1:
        emit(node.inputs[0], 0)
        return
    perm = (*(i for i in range(rank) if i != axis), axis)
    back = tuple(perm.index(i) for i in range(rank))
    x = node.emit("transpose", [node.inputs[0]], {"perm": perm}, hint="moved")
    node.emit("transpose", [emit(x, None)], {"perm": back}, out=0)


def cases(name: str, **options: Any) -> tuple[Case, ...]:
    return (
        Case("one", name, ((1, 1),), **options),
        Case("row", name, ((1, 10),), low=-8.0, high=8.0, **options),
        Case("rows", name, ((2, 3, 5),), {"axis": -1}, **options),
        Case("channels", name, ((1, 4, 3, 2),), {"axis": 1}, **options),
        Case("first_axis", name, ((3, 4),), {"axis": 0}, **options),
        Case("flattened_opset_11", name, ((2, 3, 4),), {"axis": 1}, opset=11, **options),
        Case("last_axis_opset_11", name, ((2, 3, 4),), {"axis": 2}, opset=11, **options),
    )


OP = Op(
    "softmax",
    infer,
    reference,
    integer,
    interval=_interval,
    runs=runs.along_last,
    quantize=QuantizeRule(lower, UNIT, judges_input=True),
    kernels=KERNELS,
    nest=_nest,
    transposed=transposed,
    onnx={"Softmax": importer("softmax")},
    cases=cases("Softmax"),
    summary="Softmax",
)
