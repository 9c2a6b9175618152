"""Elements found by indices that are computed at run time: the gathers, and the scatters that write so.

How indices name elements of a tensor (`mode`): "axis": whole slices along an axis; "elements": the
coordinate along an axis, one for each element; "nd": the leading coordinates, behind `batch` axes.
An index beyond the end stands for the last element, here as in C (tml_index).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Case, Const, Loop, Nest, Op, QuantizeRule, Site
from .importing import OnnxNode
from .indexing import affine, names, nested, read, strides_of
from .lowering import Lowering
from .lut import rescaled
from .slice import normal_axis

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Walk:
    """Loops over all elements that indices name: their extents, the place of the index (or of its first
    coordinate) as strides, and the place of an element: strides, and for each coordinate (size, stride)."""

    extents: Shape
    index: Shape
    element: Shape
    coordinates: tuple[tuple[int, int], ...]


def walk_of(x: Shape, indices: Shape, attrs: Attrs) -> Walk:
    mode, axis, strides = attrs["mode"], attrs["axis"], strides_of(x)
    if mode == "elements":
        rest = tuple(0 if a == axis else s for a, s in enumerate(strides))
        return Walk(indices, strides_of(indices), rest, ((x[axis], strides[axis]),))
    if mode == "axis":
        outer, inner = prod(x[:axis]), prod(x[axis + 1 :])
        extents = (outer, prod(indices), inner)
        return Walk(extents, (0, 1, 0), (x[axis] * inner, 0, 1), ((x[axis], inner),))
    depth, batch = indices[-1], prod(x[:axis])
    each, inner = prod(indices[axis:-1]), prod(x[axis + depth :])
    coordinates = tuple((x[axis + k], strides[axis + k]) for k in range(depth))
    return Walk((batch, each, inner), (each * depth, depth, 0), (prod(x[axis:]), 0, 1), coordinates)


def result_shape(x: Shape, indices: Shape, attrs: Attrs) -> Shape:
    """Of what is gathered, or of the updates that are scattered."""
    mode, axis = attrs["mode"], attrs["axis"]
    if mode == "elements":
        return indices
    if mode == "axis":
        return (*x[:axis], *indices, *x[axis + 1 :])
    return (*indices[:-1], *x[axis + indices[-1] :])


def _check(types: Sequence[TensorType], attrs: Attrs) -> None:
    x, indices, (mode, axis) = types[0], types[1], (attrs["mode"], attrs["axis"])
    fits = {
        "axis": axis < x.rank,
        "elements": axis < x.rank == indices.rank
        and all(i <= d for a, (i, d) in enumerate(zip(indices.shape, x.shape)) if a != axis),  # noqa: B905
        "nd": indices.rank > axis and indices.shape[-1:] <= (x.rank - axis,)
        and indices.shape[:axis] == x.shape[:axis],
    }[mode]  # fmt: skip
    if not fits or not indices.dtype.is_integer:
        raise ModelError(f"{x} can't be indexed by {indices} ({mode}, axis {axis})")


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: mode, axis (with nd: the number of batch axes)."""
    _check(types, attrs)
    return (types[0].with_shape(result_shape(types[0].shape, types[1].shape, attrs)),)


def _addresses(x: Shape, indices: np.ndarray, attrs: Attrs) -> np.ndarray:
    """The flat places of all elements, in the order of the loops."""
    walk, flat = walk_of(x, indices.shape, attrs), indices.ravel().astype(np.int64)
    at = np.indices(walk.extents).reshape(len(walk.extents), -1)
    first, place = (
        np.tensordot(np.asarray(s, np.int64), at, 1) for s in (walk.index, walk.element)
    )
    for k, (size, stride) in enumerate(walk.coordinates):
        i = flat[first + k] if flat.size else first[:0]
        place = place + stride * np.clip(np.where(i < 0, i + size, i), 0, max(size - 1, 0))
    return place.astype(np.int64)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, indices = arrays[0], arrays[1]
    made = x.ravel()[_addresses(x.shape, indices, attrs)]
    return (made.reshape(result_shape(x.shape, indices.shape, attrs)),)


def _loops(site: Site, body: str) -> tuple[Loop | str, ...]:
    """`body` for each element: {at} its place in x0, {k} its number."""
    walk = walk_of(site.x.shape, site.inputs[1].shape, site.attrs)
    variables = names(len(walk.extents))
    terms = [affine(variables, walk.element)] if any(walk.element) else []
    for k, (size, stride) in enumerate(walk.coordinates):
        index = read(site, 1, affine(variables, walk.index, k))
        terms.append(f"{stride}U * tml_index((int64_t){index}, {size}U)")
    number = affine(variables, strides_of(walk.extents))
    text = body.replace("{at}", " + ".join(terms) or "0").replace("{k}", number)
    return nested(variables, walk.extents, (text,))


def _indices(site: Site) -> Mapping[int, int]:
    """The fewest that a coordinate has."""
    walk = walk_of(site.x.shape, site.inputs[1].type.shape, site.attrs)
    return {1: min((size for size, _ in walk.coordinates), default=1)}


def lower(low: Lowering) -> None:
    """The same on int8; a table of constants (an embedding) takes the quantisation of the result."""
    low.emit("gather_at", [rescaled(low, 0), low.node.inputs[1]], low.attrs)


_HEADER = ("common/tml_integer.h",)


def _nest(site: Site) -> Nest:
    body = f"y0[{{k}}] = {read(site, 0, '{at}')};"
    return Nest(_loops(site, body), includes=_HEADER, cycles=14.0 * site.y.size)


REDUCTIONS: Mapping[str, tuple[np.ufunc | None, str]] = {
    "none": (None, "{v}"),
    "add": (np.add, "({t})({u}{y} + {u}{v})"),
    "mul": (np.multiply, "({t})({u}{y} * {u}{v})"),
    "max": (np.maximum, "{y} > {v} ? {y} : {v}"),
    "min": (np.minimum, "{y} < {v} ? {y} : {v}"),
}


def _scatter_infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Operands: x, indices, updates. Attributes: mode, axis, reduction."""
    _check(types, attrs)
    x, indices, updates = types
    if updates.shape != result_shape(x.shape, indices.shape, attrs) or updates.dtype != x.dtype:
        raise ModelError(f"scatter of {updates} into {x} at {indices}")
    sums = attrs["reduction"] in ("add", "mul") and x.dtype.kind == "bool"
    if attrs["reduction"] not in REDUCTIONS or sums:
        raise ModelError(f"scatter into {x} with the reduction {attrs['reduction']!r}")
    return (x,)


def _scatter_reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, indices, updates = arrays
    y, places = x.ravel().copy(), _addresses(x.shape, indices, attrs)
    rule = REDUCTIONS[attrs["reduction"]][0]
    if rule is None:
        y[places] = updates.ravel()
    else:
        with np.errstate(all="ignore"):
            rule.at(y, places, updates.ravel())
    return (y.reshape(x.shape),)


def _scatter_nest(site: Site) -> Nest:
    text = REDUCTIONS[site.attrs["reduction"]][1].replace("{t}", site.y.dtype.c)
    wide = "uint64_t" if site.y.dtype.bits == 64 else "uint32_t"
    text = text.replace("{u}", "" if site.is_float else f"({wide})")
    text = text.replace("{y}", "y0[{at}]").replace("{v}", read(site, 2, "{k}"))
    copy = Loop("i", site.x.size, (f"y0[i] = {read(site, 0, 'i')};",))
    cycles = 4.0 * site.x.size + 16.0 * site.inputs[2].type.size
    return Nest((copy, *_loops(site, f"y0[{{at}}] = {text};")), includes=_HEADER, cycles=cycles)


def _lower_scatter(low: Lowering) -> None:
    """The same on int8: with one scale, values go by their integers, and larger ones have larger integers."""
    if low.attrs["reduction"] in ("add", "mul"):
        low.refuse(f"its reduction is {low.attrs['reduction']!r}, wanted none, max or min")
    inputs = [rescaled(low, 0), low.node.inputs[1], rescaled(low, 2)]
    low.emit("scatter", inputs, low.attrs)


def emit_gather(node: OnnxNode, x: str, indices: str, mode: str, axis: int, out: int | None = None) -> str:  # fmt: skip
    return node.emit("gather_at", [x, indices], {"mode": mode, "axis": axis}, out=out)


def _axis(node: OnnxNode, mode: str) -> int:
    if mode == "nd":
        return int(node.attr("batch_dims", 0))
    return normal_axis(node, node.attr("axis", 0), node.type(0).rank)


def _from_gather(mode: str, node: OnnxNode) -> None:
    emit_gather(node, node.inputs[0], node.inputs[1], mode, _axis(node, mode), 0)


def _from_scatter(mode: str, node: OnnxNode) -> None:
    attrs = {"mode": mode, "axis": _axis(node, mode), "reduction": node.attr("reduction", "none")}
    node.emit("scatter", node.inputs[:3], attrs, out=0)


def _from_reverse_sequence(node: OnnxNode) -> None:
    """Element t of a row is element length - 1 - t of it, as long as t < length."""
    from .elementwise import emit

    x, time, batch = node.type(0), node.attr("time_axis", 0), node.attr("batch_axis", 1)
    time, batch = time % x.rank, batch % x.rank
    steps = node.constant("steps", np.arange(x.shape[time]).reshape(_only(x.shape, time)))
    lengths = node.emit("reshape", [node.inputs[1]], {"shape": _only(x.shape, batch)})
    one = node.constant("one", np.asarray(1, np.int64))
    back = emit(node, "sub", emit(node, "sub", lengths, one), steps)
    at = emit(node, "where", emit(node, "less", steps, lengths), back, steps)
    at = node.emit("expand", [at], {"shape": x.shape})
    emit_gather(node, node.inputs[0], at, "elements", time, 0)


def _from_tensor_scatter(node: OnnxNode) -> None:
    """Updates into a cache, for each element of the batch from an index on; round and round if circular."""
    from .elementwise import emit

    x, updates = node.type(0), node.type(1)
    axis = normal_axis(node, node.attr("axis", -2), x.rank)
    at = node.constant("steps", np.arange(updates.shape[axis]).reshape(_only(updates.shape, axis)))
    if node.has(2):
        first = node.emit("reshape", [node.inputs[2]], {"shape": _only(x.shape, 0)})
        at = emit(node, "add", at, first)
    if node.attr("mode", "linear") == "circular":
        at = emit(node, "mod", at, node.constant("size", np.asarray(x.shape[axis])))
    at = node.emit("expand", [at], {"shape": updates.shape})
    attrs = {"mode": "elements", "axis": axis, "reduction": "none"}
    node.emit("scatter", [node.inputs[0], at, node.inputs[1]], attrs, out=0)


def _from_max_unpool(node: OnnxNode) -> None:
    """Each value to the place that its pool found it at, all others 0."""
    x, kernel = node.type(0), node.attr("kernel_shape")
    if node.has(2):
        node.refuse("MaxUnpool with the input output_shape is not supported")
    rank = len(kernel)
    strides, pads = node.attr("strides", (1,) * rank), node.attr("pads", (0,) * 2 * rank)
    size = tuple(
        (d - 1) * strides[a] + kernel[a] - pads[a] - pads[a + rank]
        for a, d in enumerate(x.shape[2:])
    )
    shape = (*x.shape[:2], *size)
    zeros = node.constant("zeros", np.zeros(prod(shape), x.dtype.numpy))
    values, at = (node.emit("reshape", [n], {"shape": (x.size,)}) for n in node.inputs[:2])
    attrs = {"mode": "elements", "axis": 0, "reduction": "none"}
    y = node.emit("scatter", [zeros, at, values], attrs)
    node.emit("reshape", [y], {"shape": shape}, out=0)


def _only(shape: Shape, axis: int) -> Shape:
    return tuple(d if a == axis else 1 for a, d in enumerate(shape))


def _at(indices: object) -> Const:
    return Const(indices, dtype="int64")


OPS = (
    Op(
        "gather_at", infer, reference, quantize=QuantizeRule(lower, "input"), nest=_nest, indices=_indices,
        generic={"Gather": partial(_from_gather, "axis")},
        onnx={
            "GatherElements": partial(_from_gather, "elements"), "GatherND": partial(_from_gather, "nd"),
            "ReverseSequence": _from_reverse_sequence,
        },
        cases=(
            Case("elements", "GatherElements", ((3, 4), _at([[2, 0, 1, -1]])), {"axis": 0}),
            Case("nd", "GatherND", ((3, 4), _at([[2, 1], [0, 3]]))),
            Case("reversed", "ReverseSequence", ((4, 3), _at([4, 2, 1])), {"time_axis": 0, "batch_axis": 1}),
        ),
        summary="Gather, GatherElements, GatherND, ReverseSequence with indices of run time",
    ),
    Op(
        "scatter", _scatter_infer, _scatter_reference, quantize=QuantizeRule(_lower_scatter),
        nest=_scatter_nest, indices=_indices,
        onnx={
            "ScatterElements": partial(_from_scatter, "elements"), "Scatter": partial(_from_scatter, "elements"),
            "ScatterND": partial(_from_scatter, "nd"), "TensorScatter": _from_tensor_scatter,
            "MaxUnpool": _from_max_unpool,
        },
        summary="ScatterElements, ScatterND",
        cases=(
            Case("elements", "ScatterElements", ((3, 4), _at([[1, 0, 2, -1], [0, 2, 1, 1]]), (2, 4)), {"axis": 0}),
            Case("largest", "ScatterND", ((4, 3), _at([[2], [0], [2]]), (3, 3)), {"reduction": "max"}, opset=18),
            Case("into_constant", "ScatterND", (Const(shape=(5,)), _at([[4], [1]]), (2,))),
            Case("old", "Scatter", ((3, 3), _at([[1, 0, 2], [0, 2, 1]]), (2, 3)), {"axis": 0}, opset=10),
            Case("sums", "ScatterElements", ((2, 3), _at([[0, 0, 2]]), (1, 3)), {"axis": 1, "reduction": "add"}, opset=18, integer=False),
        ),
    ),
)  # fmt: skip
