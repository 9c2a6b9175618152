"""The same bits as another element type of that width: BitCast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import DTYPES, TensorType
from .base import Arrays, Nest, Op, Site
from .cast import ONNX_TYPES
from .importing import OnnxNode


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    dtype = DTYPES[attrs["dtype"]]
    if dtype.bits != types[0].dtype.bits or dtype.bits < 8:
        raise ModelError(f"the bits of {types[0]} as {dtype}")
    return (TensorType(types[0].shape, dtype),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x = np.ascontiguousarray(arrays[0])
    return (x.view(DTYPES[attrs["dtype"]].numpy).reshape(arrays[0].shape),)


def _nest(site: Site) -> Nest:
    return Nest((f"tml_copy(y0, x0, {site.y.bytes}U);",), cycles=2.0 * site.y.bytes)


def from_onnx(node: OnnxNode) -> None:
    to = node.attr("to")
    if to not in ONNX_TYPES:
        node.refuse(f"BitCast of {node.type(0)} to the ONNX type {to}")
    node.emit("bit_cast", [node.inputs[0]], {"dtype": ONNX_TYPES[to]}, out=0)


OP = Op(
    "bit_cast",
    infer,
    reference,
    nest=_nest,
    halves=True,
    onnx={"BitCast": from_onnx},
    summary="BitCast",
)
