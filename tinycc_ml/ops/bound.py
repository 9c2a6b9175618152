"""Operators whose result's shape depends on values: those must be known, and then the result is a constant.
There is no such node in a graph."""

from __future__ import annotations

from functools import partial

import numpy as np

from .base import Op
from .gather import from_onnx as gather
from .importing import OnnxNode, never_emitted

# The inputs that decide the shape; with them known, and all others, the node is folded before it comes here
_DECIDE = {
    "Range": (0, 1, 2), "ConstantOfShape": (0,), "NonZero": (0,), "Unique": (0,), "NonMaxSuppression": (0, 1, 2, 3, 4),
    "HannWindow": (0,), "HammingWindow": (0,), "BlackmanWindow": (0,), "MelWeightMatrix": (0, 1, 2, 3, 4),
}  # fmt: skip


def _ask(node: OnnxNode) -> None:
    for k in _DECIDE[node.op_type]:
        if node.has(k):
            node.const(k)
    node.refuse(f"{node.op_type} of these operands is not supported")


def _from_compress(node: OnnxNode) -> None:
    """The elements that a condition, which must be known, picks."""
    x = node.type(0)
    name = node.inputs[0]
    if "axis" not in node.attrs:
        name = node.emit("reshape", [name], {"shape": (x.size,)})
    kept = np.flatnonzero(node.const(1, "condition").ravel())
    picked = node.constant("kept", kept)
    gather(node.with_inputs(name, picked))


OP = Op(
    "value_bound",
    never_emitted,
    onnx={**{name: partial(_ask) for name in _DECIDE}, "Compress": _from_compress},
    summary="Range, ConstantOfShape, NonZero, Unique, NonMaxSuppression, Compress, windows, of known values",
)
