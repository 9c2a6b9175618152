"""Elements of an axis by constant indices. Evenly spaced ones (a single index, a range) become a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from . import runs
from .base import Arrays, Case, Const, Nest, Op, QuantizeRule, Site
from .channels import Channels, Cut, Links, linked, ranks
from .importing import OnnxNode
from .indexing import affine, index_table, nested, table_read
from .intervals import channels_of, rising
from .lowering import Lowering
from .slice import emit_slice, normal_axis


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: axis, indices (of that axis, from 0)."""
    x, axis, indices = types[0], attrs["axis"], attrs["indices"]
    if not 0 <= axis < x.rank or not indices or min(indices) < 0 or max(indices) >= x.shape[axis]:
        raise ModelError(f"gather of {x}: indices {list(indices)[:8]} of axis {axis}")
    return (x.with_shape((*x.shape[:axis], len(indices), *x.shape[axis + 1 :])),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (np.take(arrays[0], np.asarray(attrs["indices"]), axis=attrs["axis"]),)


def _integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return reference(arrays, site.attrs)


def lower(low: Lowering) -> None:
    low.emit("gather", [low.activation(0).name], low.attrs)


def _channels(site: Site) -> Channels:
    if site.attrs["axis"] != site.y.rank - 1:
        every = np.arange(channels_of(site.y))
        return linked(site, [Links(every, every)], lambda cut: site.attrs)
    taken = np.asarray(site.attrs["indices"])

    def attrs(cut: Cut) -> Mapping[str, Any]:
        indices = ranks(cut.operands[0])[taken[~cut.result]]
        return {**site.attrs, "indices": tuple(indices.tolist())}

    return linked(site, [Links(taken, np.arange(len(taken)))], attrs)


def _nest(site: Site) -> Nest:
    axis, table = site.attrs["axis"], index_table(site.attrs["indices"])
    outer, size, inner = (
        prod(site.x.shape[:axis]),
        site.x.shape[axis],
        prod(site.x.shape[axis + 1 :]),
    )
    extents, variables = (outer, len(table), inner), ("r", "k", "i")
    target = affine(variables, (len(table) * inner, inner, 1))
    source = f"{inner}U * {table_read('at', table, 'k')} + {affine(('r', 'i'), (size * inner, 1))}"
    body = (f"y0[{target}] = x0[{source}];",)
    return Nest(nested(variables, extents, body), (("at", table),), cycles=9.0 * site.y.size)


def transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any]:
    return {**site.attrs, "axis": permutation[site.attrs["axis"]]}


def from_onnx(node: OnnxNode) -> None:
    x = node.type(0)
    axis = normal_axis(node, node.attr("axis", 0), x.rank)
    indices = node.const(1, "indices").astype(np.int64)
    size = x.shape[axis]
    if indices.size == 0 or indices.min() < -size or indices.max() >= size:
        node.refuse(f"Gather of {x}: indices {indices.ravel().tolist()[:8]} of axis {axis}")
    y = _emit(node, axis, (indices.ravel() % size).tolist())
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    node.emit("reshape", [y], {"shape": shape}, out=0)


def _emit(node: OnnxNode, axis: int, indices: list[int]) -> str:
    step = indices[1] - indices[0] if len(indices) > 1 else 1
    evenly = range(indices[0], indices[0] + step * len(indices), step) if step else ()
    if list(evenly) == indices:
        return emit_slice(node, node.inputs[0], {axis: range(indices[0], indices[-1] + step, step)})
    return node.emit("gather", [node.inputs[0]], {"axis": axis, "indices": tuple(indices)})


def _case(name: str, x: tuple[int, ...], indices: Any, **attrs: Any) -> Case:
    return Case(name, "Gather", (x, Const(indices, dtype="int64")), attrs)


OP = Op(
    "gather",
    infer,
    reference,
    _integer,
    interval=rising(_integer),
    channels=_channels,
    runs=runs.beside("axis"),
    quantize=QuantizeRule(lower, "input"),
    nest=_nest,
    transposed=transposed,
    onnx={"Gather": from_onnx},
    summary="Gather with constant indices",
    cases=(
        _case("one_index", (4, 3), 2),
        _case("last_index", (2, 5), -1, axis=1),
        _case("shuffled", (2, 6, 3), [5, 0, 3, 3, 1], axis=1),
        _case("matrix_of_indices", (4, 2), [[0, 3], [1, 2]]),
        _case("backwards", (5, 2), [3, 2, 1]),
        _case("repeated", (3,), [1, 1, 1]),
    ),
)
