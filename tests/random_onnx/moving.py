"""Operators that move values: shapes, slices, gathers and scatters, padding."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from .entry import Entry
from .writer import Skip, Value, Writer


def whole(w: Writer, values: Sequence[int]) -> Value:
    return w.constant(np.asarray(values, np.int64))


def axes_of(
    w: Writer, op: str, x: Value, axes: Sequence[int] | None, since: int = 13, **attrs: object
) -> Value:
    """A node whose axes are an attribute before opset `since`, and an input from there on."""
    if w.opset < since:
        return w.node(op, [x], exact=True, axes=axes, **attrs)
    return w.node(op, [x, None if axes is None else whole(w, axes)], exact=True, **attrs)


def _split(w: Writer, count: int) -> list[int]:
    """Factors of a number of elements."""
    shape: list[int] = []
    while count > 1 and len(shape) < 3 and w.chance(0.7):
        factor = w.rng.choice([d for d in range(1, count + 1) if count % d == 0])
        shape.append(factor)
        count //= factor
    return [*shape, count] if count > 1 or w.chance(0.3) else shape


def _reshape(w: Writer) -> None:
    x = w.any()
    shape = _split(w, x.array.size)
    if shape and w.chance(0.4):
        shape[w.whole(0, len(shape) - 1)] = -1
    kept = [k for k, d in enumerate(shape[: x.rank]) if d == x.shape[k]]
    for k in kept:
        shape[k] = 0 if w.chance(0.4) else shape[k]
    w.node("Reshape", [x, whole(w, shape)], exact=True)


def _transpose(w: Writer) -> None:
    x = w.any()
    perm = w.rng.sample(range(x.rank), x.rank) if w.chance(0.8) else None
    w.node("Transpose", [x], exact=True, perm=perm or None)


def _flatten(w: Writer) -> None:
    x = w.any()
    w.node("Flatten", [x], exact=True, axis=w.whole(-x.rank, x.rank))


def _squeeze(w: Writer) -> None:
    x = w.pick(lambda v: 1 in v.shape) or w.input(w.floats((1, *w.shape(0, 3))))
    ones = [k for k, d in enumerate(x.shape) if d == 1]
    axes = [w.one_of(a, a - x.rank) for a in w.rng.sample(ones, w.whole(1, len(ones)))]
    axes_of(w, "Squeeze", x, axes if w.chance(0.7) else None)


def _unsqueeze(w: Writer) -> None:
    x = w.any(0, 4)
    rank = x.rank + w.whole(1, min(2, 5 - x.rank))
    axes_of(w, "Unsqueeze", x, w.axes(rank)[: rank - x.rank])


def _expand(w: Writer) -> None:
    x = w.any(0, 4)
    shape = [w.one_of(2, 3) if d == 1 and w.chance(0.7) else w.one_of(d, 1) for d in x.shape]
    w.node("Expand", [x, whole(w, [*([2] if w.chance(0.3) else []), *shape])], exact=True)


def _tile(w: Writer) -> None:
    x = w.any()
    w.node("Tile", [x, whole(w, [w.one_of(1, 1, 2, 3) for _ in x.shape])], exact=True)


def _concat(w: Writer) -> None:
    x = w.any(1)
    axis = w.axis(x.rank)

    def fits(v: Value) -> bool:
        rest = (list(v.shape), list(x.shape))
        if v.kind != x.kind or v.rank != x.rank:
            return False
        return all(r.pop(axis) is not None for r in rest) and rest[0] == rest[1]

    others = [w.pick(fits) or x for _ in range(w.whole(0, 2))]
    if x.kind == np.float32 and w.chance(0.3):
        others.append(w.constant(w.floats(x.shape)))
    w.node("Concat", w.rng.sample([x, *others], len(others) + 1), exact=True, axis=axis)


def _split_node(w: Writer) -> None:
    x = w.any(1)
    axis = w.axis(x.rank)
    size, count = x.shape[axis], w.whole(1, min(3, x.shape[axis]))
    cuts = sorted(w.rng.sample(range(1, size), count - 1))
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
    if w.opset >= 18 and w.chance(0.4):
        w.node("Split", [x], count, exact=True, axis=axis, num_outputs=count)
    elif w.opset >= 13:
        w.node("Split", [x, whole(w, sizes)], count, exact=True, axis=axis)
    else:
        w.node("Split", [x], count, exact=True, axis=axis, split=sizes)


def _slice(w: Writer) -> None:
    x = w.any(1)
    axes = w.axes(x.rank)
    bounds = []
    for axis in axes:
        size, step = x.shape[axis], w.one_of(1, 1, 2, -1, -2)
        a, b = sorted(w.rng.sample(range(size + 1), 2))
        start, end = (a, b) if step > 0 else (b - 1, a - 1)
        if end == -1 or w.chance(0.15):
            end = 1 << 40 if step > 0 else -(1 << 40)
        elif w.chance(0.3) and end < size:
            end -= size
        bounds.append((start - size if w.chance(0.3) else start, end, step))
    starts, ends, steps = zip(*bounds, strict=True)
    plain = all(s == 1 for s in steps) and w.chance(0.5)
    last = None if plain else whole(w, steps)
    w.node("Slice", [x, whole(w, starts), whole(w, ends), whole(w, axes), last], exact=True)


def _pad(w: Writer) -> None:
    x = w.any(1, 4)
    if x.kind == np.bool_ and w.opset < 13:
        raise Skip
    modes = ["constant", "constant", "edge", "reflect", *(["wrap"] if w.opset >= 19 else [])]
    mode = w.rng.choice(modes)
    most = [d - 1 if mode == "reflect" else min(d, 2) for d in x.shape]
    pads = [w.whole(0, min(2, m)) if w.chance(0.6) else 0 for m in (*most, *most)]
    if mode == "constant" and min(x.shape) > 1 and w.chance(0.2):
        pads[0] = -1
    value = None
    if mode == "constant" and w.chance(0.6):
        value = w.constant(np.asarray(1, x.kind))
    w.node("Pad", [x, whole(w, pads), value], exact=True, mode=mode)


def _depth_to_space(w: Writer) -> None:
    x = w.input(w.floats((w.whole(1, 2), 4 * w.whole(1, 3), w.whole(1, 3), w.whole(1, 4))))
    w.node("DepthToSpace", [x], exact=True, blocksize=2, mode=w.one_of("DCR", "CRD"))


def _space_to_depth(w: Writer) -> None:
    def fits(v: Value) -> bool:
        return v.rank == 4 and v.kind == np.float32 and not (v.shape[2] % 2 or v.shape[3] % 2)

    x = w.pick(fits) or w.input(w.floats((1, w.whole(1, 3), 4, 2 * w.whole(1, 3))))
    w.node("SpaceToDepth", [x], exact=True, blocksize=2)


def indices(w: Writer, size: int, shape: Sequence[int]) -> Value:
    """Indices of an axis, some from the end; constants or an input."""
    made = w.numbers.integers(-size, size, tuple(shape)).astype(w.one_of(np.int32, np.int64))
    return w.constant(made) if w.chance(0.5) else w.input(made)


def _gather(w: Writer) -> None:
    x = w.any(1, 4)
    axis = w.axis(x.rank)
    w.node("Gather", [x, indices(w, x.shape[axis], w.shape(0, 2))], exact=True, axis=axis)


def _gather_elements(w: Writer) -> None:
    x = w.any(1)
    axis = w.axis(x.rank)
    shape = [w.whole(1, d) for d in x.shape]
    shape[axis] = w.whole(1, 4)
    w.node("GatherElements", [x, indices(w, x.shape[axis], shape)], exact=True, axis=axis)


def _gather_nd(w: Writer) -> None:
    x = w.any(1)
    depth, shape = w.whole(1, x.rank), w.shape(0, 2)
    parts = [w.numbers.integers(-x.shape[k], x.shape[k], shape) for k in range(depth)]
    w.node("GatherND", [x, w.constant(np.stack(parts, -1).astype(np.int64))], exact=True)


def _scatter_elements(w: Writer) -> None:
    x = w.real(1)
    axis = w.axis(x.rank)
    shape = [w.whole(1, d) for d in x.shape]
    at = np.argsort(w.numbers.random(shape), axis).astype(np.int64)  # no index twice
    reductions = [None, *(["add", "mul"] if w.opset >= 16 else []), *(["max", "min"] if w.opset >= 18 else [])]  # fmt: skip
    updates = w.input(w.floats(shape))
    w.node("ScatterElements", [x, w.constant(at), updates], axis=axis, reduction=w.one_of(*reductions))  # fmt: skip


def _scatter_nd(w: Writer) -> None:
    x = w.real(1)
    rows = w.rng.sample(range(x.shape[0]), w.whole(1, x.shape[0]))
    updates = w.input(w.floats((len(rows), *x.shape[1:])))
    reduction = w.one_of(None, "add", "mul") if w.opset >= 16 else None
    at = w.constant(np.asarray(rows, np.int64)[:, None])
    w.node("ScatterND", [x, at, updates], reduction=reduction)


def _one_hot(w: Writer) -> None:
    depth, rank = w.whole(2, 5), w.whole(0, 3)
    x = indices(w, depth, w.shape(rank, rank))
    values = w.constant(np.asarray([0.5, 2.0], np.float32))
    number = w.constant(np.asarray(depth, np.int64))
    w.node("OneHot", [x, number, values], exact=True, axis=w.axis(x.rank + 1))


def _trilu(w: Writer) -> None:
    x = w.any(2)
    k = w.constant(np.asarray(w.whole(-2, 2), np.int64)) if w.chance(0.6) else None
    w.node("Trilu", [x, k], exact=True, upper=w.flag())


def _reverse_sequence(w: Writer) -> None:
    x = w.real(2)
    batch = w.flag()
    lengths = w.numbers.integers(1, x.shape[1 - batch] + 1, x.shape[batch])
    given = w.constant(lengths.astype(np.int64))
    w.node("ReverseSequence", [x, given], exact=True, batch_axis=batch, time_axis=1 - batch)


def _compress(w: Writer) -> None:
    x = w.any(1)
    axis = w.axis(x.rank) if w.chance(0.7) else None
    size = x.array.size if axis is None else x.shape[axis]
    keep = w.numbers.random(size) < 0.6
    keep[w.whole(0, size - 1)] = True
    w.node("Compress", [x, w.constant(keep)], exact=True, axis=axis)


def _shape_math(w: Writer) -> None:
    """A new shape computed from that of a tensor, as exporters write it."""
    x = w.any(1, 4)
    sizes = w.node("Shape", [x])
    first = w.node("Gather", [sizes, w.constant(np.asarray([0], np.int64))])
    shape = w.node("Concat", [first, whole(w, [prod(x.shape[1:])])], axis=0)
    w.node("Reshape", [x, shape], exact=True)


MOVING = (
    Entry("Reshape", _reshape),
    Entry("Transpose", _transpose),
    Entry("Flatten", _flatten),
    Entry("Squeeze", _squeeze),
    Entry("Unsqueeze", _unsqueeze),
    Entry("Expand", _expand),
    Entry("Tile", _tile),
    Entry("Concat", _concat),
    Entry("Split", _split_node),
    Entry("Slice", _slice),
    Entry("Pad", _pad),
    Entry("DepthToSpace", _depth_to_space),
    Entry("SpaceToDepth", _space_to_depth),
    Entry("Gather", _gather),
    Entry("GatherElements", _gather_elements),
    Entry("GatherND", _gather_nd, 12),
    Entry("ScatterElements", _scatter_elements),
    Entry("ScatterND", _scatter_nd),
    Entry("OneHot", _one_hot),
    Entry("Trilu", _trilu, 14),
    Entry("ReverseSequence", _reverse_sequence),
    Entry("Compress", _compress),
    Entry("Shape", _shape_math),
)
