"""Another element type: ONNX Cast. Integers wrap; floats beyond an integer type become its nearest value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import DTYPES, TensorType
from .base import Arrays, Case, Element, Nest, Op, Site
from .elementwise import cast_c, nest_of
from .formulas import converted
from .importing import OnnxNode
from .rows import pixelwise

# TensorProto.DataType to our names
ONNX_TYPES = {
    1: "f32", 2: "u8", 3: "i8", 4: "u16", 5: "i16", 6: "i32", 7: "i64", 9: "bool", 11: "f64", 12: "u32", 13: "u64",
    10: "f16", 16: "bf16",
}  # fmt: skip
_NAMES = {8: "string"}


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    return (TensorType(types[0].shape, DTYPES[attrs["dtype"]]),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    with np.errstate(all="ignore"):
        return (converted(arrays[0], DTYPES[attrs["dtype"]].numpy),)


def _element(site: Site) -> Element:
    return Element(cast_c(site.x.dtype, site.y.dtype), 6.0)


def _nest(site: Site) -> Nest:
    return nest_of(site, _element(site))


def _emit(node: OnnxNode, dtype: str) -> None:
    data = node.tensor(0).data
    if data is not None:
        node.give(0, converted(data, DTYPES[dtype].numpy))
    elif node.type(0).dtype.name == dtype:
        node.rename(0, node.inputs[0])
    else:
        node.emit("cast", [node.inputs[0]], {"dtype": dtype}, out=0)


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
    nest=_nest,
    element=_element,
    rows=pixelwise,
    elementwise=True,
    halves=True,
    transposed=lambda site, permutation: site.attrs,
    onnx={"Cast": from_onnx, "CastLike": from_cast_like},
    summary="Cast, CastLike",
    cases=(
        Case("same", "Cast", ((2, 3),), {"to": 1}),
        Case("to_int32", "Cast", ((2, 5),), {"to": 6}, integer=False),
        Case("to_int8", "Cast", ((7,),), {"to": 3}, integer=False),
    ),
)
