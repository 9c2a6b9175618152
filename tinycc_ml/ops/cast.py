"""Another element type: ONNX Cast. Integers wrap; floats beyond an integer type become its nearest value,
those beyond one of less than 8 bits the low bits of their whole part.

Integer (numerics.md §11): of quantised values a table; whole numbers and bool become quantised values as
y = clamp(zero_y + rounding_shift(clamp(x, -reach, reach) * factor, shift)).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import DTYPES, U64, DType, TensorType
from ..numerics.fixedpoint import WIDE_MAX, rounding_shift, shared_multipliers
from ..numerics.minifloats import E8M0, ROUND_MODES
from . import runs
from .base import Arrays, Case, Element, Nest, Op, QuantizeRule, Site
from .elementwise import cast_c, nest_of
from .elementwise_integer import emit_table
from .formulas import converted
from .importing import OnnxNode
from .indexing import nested, read
from .integer_end import narrowed
from .lowering import Lowering
from .rows import pixelwise

# TensorProto.DataType to our names
ONNX_TYPES = {
    1: "f32", 2: "u8", 3: "i8", 4: "u16", 5: "i16", 6: "i32", 7: "i64", 9: "bool", 11: "f64", 12: "u32", 13: "u64",
    10: "f16", 16: "bf16", 17: "e4m3fn", 18: "e4m3fnuz", 19: "e5m2", 20: "e5m2fnuz", 21: "u4", 22: "i4", 23: "e2m1",
    24: "e8m0", 25: "u2", 26: "i2", 27: "e2m3", 28: "e3m2",
}  # fmt: skip
_NAMES = {8: "string"}


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    return (TensorType(types[0].shape, DTYPES[attrs["dtype"]]),)


def _rounding(attrs: Attrs) -> tuple[bool, str]:
    """What a cast to a float of 8 bits or less makes of values that it does not hold."""
    return attrs.get("saturate", True), attrs.get("round_mode", "up")


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    with np.errstate(all="ignore"):
        return (converted(arrays[0], DTYPES[attrs["dtype"]].numpy, *_rounding(attrs)),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    attrs = site.attrs
    if "reach" not in attrs:  # an input that is read as the integers it holds
        return reference(arrays, attrs)
    x = np.clip(arrays[0].astype(np.int64), -attrs["reach"], attrs["reach"])
    y = rounding_shift(x * attrs["factor"], attrs["shift"]) + site.y.quant.zero  # type: ignore[union-attr]
    return (narrowed(site, y),)


def _lower(low: Lowering) -> None:
    x = low.draft.tensors[low.node.inputs[0]].type
    if x.dtype.is_real:
        emit_table(low, low.activation(0), lambda real: reference([real], low.attrs)[0])
        return
    if x.dtype.is_storage or x.dtype == U64:
        low.refuse(f"it takes {x}")
    scale, steps = low.y_quant.scale0, 1 << low.y.dtype.bits
    reach = int(steps * scale) + 1  # what lies beyond saturates
    m = shared_multipliers((min(1 / scale, steps),), reach, WIDE_MAX)
    attrs = {"reach": reach, "factor": m.value[0], "shift": m.shift}
    low.emit("cast", [low.node.inputs[0]], {**low.attrs, **attrs})


def _quantised(site: Site) -> Nest:
    attrs, zero, (first, last) = site.attrs, site.y.quant.zero, site.y.dtype.range  # type: ignore[union-attr]
    step = (
        f"int64_t v = {read(site, 0, 'i')};",
        f"v = v < -{attrs['reach']} ? -{attrs['reach']} : v > {attrs['reach']} ? {attrs['reach']} : v;",
        f"v = v * {attrs['factor']} + {zero << attrs['shift']}LL;",
        f"y0[i] = ({site.y.dtype.c})tml_wide_sum(v, {attrs['shift']}, {first}, {last});",
    )
    size = site.y.size
    return Nest(nested(("i",), (size,), step), cycles=20.0 * size)


def _element(site: Site) -> Element:
    return Element(cast_c(site.x.dtype, site.y.dtype, *_rounding(site.attrs)), 6.0)


def _nest(site: Site) -> Nest:
    if "reach" in site.attrs:
        return _quantised(site)
    return nest_of(site, _element(site))


def _emit(node: OnnxNode, dtype: str) -> None:
    data, attrs = node.tensor(0).data, {"dtype": dtype, **_asked(node, DTYPES[dtype])}
    if data is not None:
        node.give(0, reference([data], attrs)[0])
    elif node.type(0).dtype.name == dtype:
        node.rename(0, node.inputs[0])
    else:
        node.emit("cast", [node.inputs[0]], attrs, out=0)


def _asked(node: OnnxNode, dtype: DType) -> dict[str, object]:
    """The attributes that matter to this type and are not the default."""
    asked: dict[str, object] = {}
    mode = node.attr("round_mode", "up")
    if mode not in ROUND_MODES:
        node.refuse(f"{node.op_type}: the round_mode {mode!r} is none of {', '.join(ROUND_MODES)}")
    if dtype.is_mini and not node.attr("saturate", 1):
        asked["saturate"] = False
    if dtype.numpy == E8M0 and mode != "up":
        asked["round_mode"] = mode
    return asked


def from_onnx(node: OnnxNode) -> None:
    to = node.attr("to")
    if to not in ONNX_TYPES:
        node.refuse(f"Cast of {node.type(0)} to the ONNX type {_NAMES.get(to, to)}")
    _emit(node, ONNX_TYPES[to])


def from_cast_like(node: OnnxNode) -> None:
    _emit(node, node.type(1).dtype.name)


OP = Op(
    "cast",
    infer,
    reference,
    integer,
    quantize=QuantizeRule(_lower),
    nest=_nest,
    element=_element,
    rows=pixelwise,
    runs=runs.aligned,
    elementwise=True,
    halves=True,
    transposed=lambda site, permutation: site.attrs,
    onnx={"Cast": from_onnx, "CastLike": from_cast_like},
    summary="Cast, CastLike",
    cases=(
        Case("same", "Cast", ((2, 3),), {"to": 1}),
        Case("to_int32", "Cast", ((2, 5),), {"to": 6}),
        Case("to_int8", "Cast", ((7,),), {"to": 3}),
        Case("to_bool", "Cast", ((3, 4),), {"to": 9}),
    ),
)
