"""Every step-th element of some axes, either way round: ONNX Slice and Split with constant bounds.

Attributes, an entry for each axis: starts (first index taken), steps (not 0), shape (of the result).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Case, Const, Nest, Op, Overlap, QuantizeRule, Site
from .channels import Channels, Cut, Links, linked, ranks
from .importing import OnnxNode
from .indexing import strides_of
from .intervals import rising
from .lowering import Lowering
from .moving import moved


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, shape = types[0], tuple(attrs["shape"])
    bounds = zip(x.shape, attrs["starts"], attrs["steps"], shape, strict=True)
    for axis, (size, start, step, count) in enumerate(bounds):
        inside = 0 <= start < size and 0 <= start + step * (count - 1) < size
        if count < 0 or (count and not inside):
            raise ModelError(
                f"slice of {x}: {count} elements from {start} by {step} along axis {axis}"
            )
    return (x.with_shape(shape),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    bounds = zip(attrs["starts"], attrs["steps"], attrs["shape"], strict=True)
    return (arrays[0][tuple(_taken(*bound) for bound in bounds)].copy(),)


def _taken(start: int, step: int, count: int) -> slice:
    """`count` elements from `start` by `step`; backwards, what comes before the first is no index."""
    end = start + step * count
    return slice(start, end if end >= 0 else None, step) if count else slice(0)


def _integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return reference(arrays, site.attrs)


def lower(low: Lowering) -> None:
    low.emit("slice", [low.activation(0).name], low.attrs)


def _runs(site: Site, runs: int) -> Mapping[str, Any]:
    """A leading axis of 1 is taken as it is."""
    steps = (1, *site.attrs["steps"][1:])
    return {**site.attrs, "shape": (runs, *site.y.shape[1:]), "steps": steps}


def _channels(site: Site) -> Channels | None:
    """Neighbours of the last axis stay neighbours."""
    if site.y.rank == 0 or abs(site.attrs["steps"][-1]) != 1:
        return None
    every = np.arange(site.y.shape[-1])
    taken = site.attrs["starts"][-1] + site.attrs["steps"][-1] * every

    def attrs(cut: Cut) -> Mapping[str, Any]:
        first = ranks(cut.operands[0])[taken[~cut.result][0]]
        shape = (*site.y.shape[:-1], int((~cut.result).sum()))
        return {**site.attrs, "starts": (*site.attrs["starts"][:-1], int(first)), "shape": shape}

    return linked(site, [Links(taken, every)], attrs)


def _nest(site: Site) -> Nest:
    source = strides_of(site.x.shape)
    offset = sum(start * s for start, s in zip(site.attrs["starts"], source, strict=True))
    walk = tuple(step * s for step, s in zip(site.attrs["steps"], source, strict=True))
    nest = moved(site.y.shape, strides_of(site.y.shape), walk, site.y.dtype, x=offset)
    # what is one run may be copied to bytes that end where it begins
    lead = site.y.bytes - offset * site.y.dtype.bytes
    return replace(nest, overlaps=() if _parts(site) is None else (Overlap(0, lead),))


def _parts(site: Site) -> tuple[int, ...] | None:
    """Neighbours along one axis, where those before it are of size 1, are a part of x."""
    cut = [k for k, size in enumerate(site.x.shape) if site.y.shape[k] != size]
    axis = min(cut, default=0)
    steps = (site.attrs["steps"][k] for k, size in enumerate(site.y.shape) if size > 1)
    if len(cut) > 1 or prod(site.x.shape[:axis]) != 1 or set(steps) - {1} or not site.y.size:
        return None
    start = site.attrs["starts"][axis] if cut else 0
    return (-start * prod(site.x.shape[axis + 1 :]),)


def transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any]:
    """Entry k speaks of the untransposed axis permutation[k]."""
    back = [permutation.index(axis) for axis in range(len(permutation))]
    return {name: tuple(site.attrs[name][k] for k in back) for name in ("starts", "steps", "shape")}


def emit_slice(
    node: OnnxNode, x: str, ranges: Mapping[int, range], out: int | None = None, hint: str = "slice"
) -> str:
    """A slice that takes `ranges` of the axes named in it and all of the others."""
    full = [ranges.get(axis, range(size)) for axis, size in enumerate(node.draft.tensors[x].shape)]
    attrs = {
        "starts": tuple(r.start for r in full),
        "steps": tuple(r.step for r in full),
        "shape": tuple(len(r) for r in full),
    }
    return node.emit("slice", [x], attrs, out=out, hint=hint)


def normal_axis(node: OnnxNode, axis: int, rank: int) -> int:
    """An axis counted from the front. ModelError when there is no such axis."""
    if not -rank <= axis < rank:
        node.refuse(f"{node.op_type}: axis {axis} of a tensor with {rank} axes")
    return axis % rank


def from_slice(node: OnnxNode) -> None:
    x = node.type(0)
    starts, ends = _bounds(node, 1, "starts"), _bounds(node, 2, "ends")
    axes = _bounds(node, 3, "axes", range(len(starts)))
    steps = _bounds(node, 4, "steps", [1] * len(starts))
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        node.refuse(f"Slice of {x}: starts {starts}, ends {ends}, axes {axes}, steps {steps}")
    ranges = {}
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        at = normal_axis(node, axis, x.rank)
        ranges[at] = range(*slice(start, _end(end, step, x.shape[at]), step).indices(x.shape[at]))
    emit_slice(node, node.inputs[0], ranges, out=0)


def _bounds(
    node: OnnxNode, index: int, name: str, default: Sequence[int] | None = None
) -> list[int]:
    """An input, or before opset 10 an attribute."""
    if node.has(index):
        return [int(v) for v in node.const(index, name).ravel()]
    return list(node.attr(name) if default is None else node.attr(name, default))


def _end(end: int, step: int, size: int) -> int | None:
    """Far below 0 going backwards means: including the first element."""
    return None if step < 0 and end < -size else end


def from_split(node: OnnxNode) -> None:
    x = node.type(0)
    axis = normal_axis(node, node.attr("axis", 0), x.rank)
    start = 0
    for k, size in enumerate(_split_sizes(node, x.shape[axis])):
        if node.outputs[k]:
            emit_slice(node, node.inputs[0], {axis: range(start, start + size)}, out=k)
        start += size


def _split_sizes(node: OnnxNode, length: int) -> list[int]:
    """Given sizes, or equal parts of which the last may be smaller."""
    sizes = node.attr("split", None)
    if node.has(1):
        sizes = node.const(1, "split").ravel().tolist()
    count = len(node.outputs)
    if sizes is None:
        part = -(-length // node.attr("num_outputs", count))
        sizes = [min(part, length - k * part) for k in range(count)]
    if len(sizes) != count or sum(sizes) != length or min(sizes) < 0:
        node.refuse(f"Split of {length} elements into {list(sizes)} for {count} outputs")
    return list(sizes)


def _ints(*values: int) -> Const:
    return Const(list(values), dtype="int64")


OP = Op(
    "slice",
    infer,
    reference,
    _integer,
    interval=rising(_integer),
    channels=_channels,
    runs=_runs,
    quantize=QuantizeRule(lower, "input"),
    nest=_nest,
    parts=_parts,
    transposed=transposed,
    onnx={"Slice": from_slice, "Split": from_split},
    summary="Slice and Split with constant bounds",
    cases=(
        Case("one_element", "Slice", ((1,), _ints(0), _ints(1))),
        Case("leading_axes", "Slice", ((4, 5, 3), _ints(1, 0), _ints(3, 4))),
        Case("negative_axis", "Slice", ((4, 5), _ints(1), _ints(-1), _ints(-1))),
        Case("steps", "Slice", ((4, 9), _ints(1), _ints(9), _ints(1), _ints(3))),
        Case("backwards", "Slice", ((3, 6), _ints(-1), _ints(-100), _ints(1), _ints(-2))),
        Case(
            "both_backwards",
            "Slice",
            ((4, 5), _ints(2, 4), _ints(-9, 0), _ints(0, 1), _ints(-1, -2)),
        ),
        Case("beyond_the_end", "Slice", ((2, 5), _ints(2), _ints(1 << 40), _ints(1))),
        Case("split_equal", "Split", ((6, 2),), outputs=3),
        Case("split_sizes", "Split", ((2, 7), _ints(3, 4)), {"axis": -1}, outputs=2),
        Case("split_attribute", "Split", ((5, 2),), {"split": [1, 4]}, opset=11, outputs=2),
        Case("split_num_outputs", "Split", ((7, 2),), {"num_outputs": 3}, opset=18, outputs=3),
    ),
)
