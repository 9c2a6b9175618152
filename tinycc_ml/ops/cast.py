"""Another element type: ONNX Cast. To floats of another width it does nothing, for floats are f32 here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import DTYPES, F32, TensorType
from .base import Arrays, Case, Nest, Op, Site
from .importing import OnnxNode
from .indexing import nested

# TensorProto.DataType to our names
_ONNX_TYPES = {
    1: "f32", 2: "u8", 3: "i8", 4: "u16", 5: "i16", 6: "i32", 7: "i64", 9: "bool", 12: "u32", 13: "u64",
}  # fmt: skip
_FLOATS = (1, 10, 11, 16)  # float, half, double, bfloat16


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    return (TensorType(types[0].shape, DTYPES[attrs["dtype"]]),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    with np.errstate(invalid="ignore"):
        return (arrays[0].astype(DTYPES[attrs["dtype"]].numpy),)


def _nest(site: Site) -> Nest:
    value = "x0[i] != 0" if site.y.dtype.name == "bool" else f"({site.y.dtype.c})x0[i]"
    return Nest(nested(("i",), (site.y.size,), (f"y0[i] = {value};",)), cycles=6.0 * site.y.size)


def from_onnx(node: OnnxNode) -> None:
    to = node.attr("to")
    if to in _FLOATS and node.type(0).dtype == F32:
        node.rename(0, node.inputs[0])
        return
    if to not in _ONNX_TYPES:
        node.refuse(f"Cast of {node.type(0)} to the ONNX type {to}")
    node.emit("cast", [node.inputs[0]], {"dtype": _ONNX_TYPES[to]}, out=0)


OP = Op(
    "cast",
    infer,
    reference,
    nest=_nest,
    elementwise=True,
    transposed=lambda site, permutation: site.attrs,
    onnx={"Cast": from_onnx},
    summary="Cast",
    cases=(
        Case("same", "Cast", ((2, 3),), {"to": 1}),
        Case("to_int32", "Cast", ((2, 5),), {"to": 6}, integer=False),
        Case("to_int8", "Cast", ((7,),), {"to": 3}, integer=False),
    ),
)
