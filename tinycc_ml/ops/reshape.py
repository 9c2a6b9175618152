"""Another shape for the same values in the same order: Reshape, Flatten, Squeeze, Unsqueeze. No code."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from . import runs
from .base import Arrays, Case, Const, Op, QuantizeRule, Site
from .channels import Channels, Cut, Links, linked
from .importing import OnnxNode
from .intervals import channels_of, rising
from .lowering import Lowering


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    if prod(attrs["shape"]) != types[0].size:
        raise ModelError(f"reshape of {types[0]} to {list(attrs['shape'])}: the sizes differ")
    return (types[0].with_shape(attrs["shape"]),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (arrays[0].reshape(attrs["shape"]),)


def lower(low: Lowering) -> None:
    low.emit("reshape", [low.activation(0).name], low.attrs)


def _channels(site: Site) -> Channels | None:
    """Where rows of channels are put together or cut up evenly."""
    before, after = channels_of(site.x), channels_of(site.y)
    if site.y.rank == 0 or max(before, after) % min(before, after):
        return None
    every = np.arange(max(before, after))

    def attrs(cut: Cut) -> dict[str, tuple[int, ...]]:
        return {"shape": (*site.y.shape[:-1], int((~cut.result).sum()))}

    return linked(site, [Links(every % before, every % after)], attrs)


def _integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return reference(arrays, site.attrs)


def from_reshape(node: OnnxNode) -> None:
    if node.opset < 5:
        node.refuse("Reshape of an opset before 5")
    x, wanted = node.type(0), [int(d) for d in node.const(1, "shape").ravel()]
    if not node.attr("allowzero", 0):
        wanted = [x.shape[i] if d == 0 and i < x.rank else d for i, d in enumerate(wanted)]
    if wanted.count(-1) > 1 or any(d < -1 for d in wanted):
        node.refuse(f"Reshape of {x} to {wanted}")
    if -1 in wanted:
        rest = prod(d for d in wanted if d != -1)
        if rest == 0 or x.size % rest:
            node.refuse(f"Reshape of {x} to {wanted}: the sizes differ")
        wanted[wanted.index(-1)] = x.size // rest
    node.emit("reshape", [node.inputs[0]], {"shape": wanted}, out=0)


def from_flatten(node: OnnxNode) -> None:
    x, axis = node.type(0), node.attr("axis", 1)
    axis = axis + x.rank if axis < 0 else axis
    if not 0 <= axis <= x.rank:
        node.refuse(f"Flatten: axis {axis} of {x}")
    shape = (prod(x.shape[:axis]), prod(x.shape[axis:]))
    node.emit("reshape", [node.inputs[0]], {"shape": shape}, out=0)


def _axes(node: OnnxNode) -> tuple[int, ...] | None:
    """Axes are an attribute before opset 13 and a (constant) input since."""
    if node.has(1):
        return tuple(int(a) for a in node.const(1, "axes").ravel())
    axes = node.attr("axes", None)
    return None if axes is None else tuple(axes)


def _normal(node: OnnxNode, axes: Sequence[int], rank: int) -> tuple[int, ...]:
    found = tuple(a + rank if a < 0 else a for a in axes)
    if any(not 0 <= a < rank for a in found) or len(set(found)) != len(found):
        node.refuse(f"{node.op_type}: axes {list(axes)} for {rank} axes")
    return found


def from_squeeze(node: OnnxNode) -> None:
    x, axes = node.type(0), _axes(node)
    gone = (
        _normal(node, axes, x.rank) if axes else tuple(i for i, d in enumerate(x.shape) if d == 1)
    )
    if any(x.shape[a] != 1 for a in gone):
        node.refuse(f"Squeeze of {x}: axes {list(gone)} are not all of size 1")
    shape = tuple(d for i, d in enumerate(x.shape) if i not in gone)
    node.emit("reshape", [node.inputs[0]], {"shape": shape}, out=0)


def from_unsqueeze(node: OnnxNode) -> None:
    x, axes = node.type(0), _axes(node)
    if axes is None:
        node.refuse("Unsqueeze needs axes")
    rank = x.rank + len(axes)
    new = _normal(node, axes, rank)
    old = iter(x.shape)
    shape = tuple(1 if i in new else next(old) for i in range(rank))
    node.emit("reshape", [node.inputs[0]], {"shape": shape}, out=0)


OP = Op(
    "reshape",
    infer,
    reference,
    _integer,
    interval=rising(_integer),
    channels=_channels,
    runs=runs.shaped,
    quantize=QuantizeRule(lower, "input"),
    alias=True,
    halves=True,
    onnx={
        "Reshape": from_reshape,
        "Flatten": from_flatten,
        "Squeeze": from_squeeze,
        "Unsqueeze": from_unsqueeze,
    },
    summary="Reshape, Flatten, Squeeze, Unsqueeze",
    cases=(
        Case("reshape", "Reshape", ((2, 3, 4), Const([0, -1], dtype="int64"))),
        Case("flatten", "Flatten", ((2, 3, 4),), {"axis": 2}),
        Case("squeeze", "Squeeze", ((1, 3, 1, 4), Const([0, -2], dtype="int64"))),
        Case("unsqueeze", "Unsqueeze", ((3, 4), Const([0, -1], dtype="int64"))),
    ),
)
