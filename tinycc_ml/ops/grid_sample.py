"""Values at places that are computed: x at the coordinates of a grid, by the nearest element, linearly or
cubically along every axis."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Loop, Nest, Op, Site
from .importing import OnnxNode
from .indexing import affine, nested, read, strides_of, typed_c

# Weights of the neighbours at a fraction f behind an element, and the first neighbour's offset
_WEIGHTS = {
    "nearest": (("1.0F",), 0),
    "linear": (("1.0F - f", "f"), 0),
    "cubic": (
        (
            "((-0.75F * (f + 1.0F) + 3.75F) * (f + 1.0F) - 6.0F) * (f + 1.0F) + 3.0F",
            "(1.25F * f - 2.25F) * f * f + 1.0F",
            "(1.25F * (1.0F - f) - 2.25F) * (1.0F - f) * (1.0F - f) + 1.0F",
            "((-0.75F * (2.0F - f) + 3.75F) * (2.0F - f) - 6.0F) * (2.0F - f) + 3.0F",
        ),
        -1,
    ),
}
PADDINGS = ("zeros", "border", "reflection")


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Operands: x [N, C, ...], grid [N, ..., axes], its last axis from the last axis of x to the first.
    Attributes: mode, padding, corners (-1 and 1 are the middles of the outer elements, not their ends)."""
    x, grid = types
    rank = x.rank - 2
    if grid.shape[-1:] != (rank,) or grid.shape[0] != x.shape[0] or not x.dtype.is_float or x.dtype != grid.dtype:  # fmt: skip
        raise ModelError(f"samples of {x} at {grid}")
    return (x.with_shape((*x.shape[:2], *grid.shape[1:-1])),)


def _reflected(at: np.ndarray, low: float, high: float) -> np.ndarray:
    """Mirrored at the borders until it is between them."""
    span = max(high - low, 1e-30)
    away = np.where(at < low, low - at, np.where(at > high, at - high, 0))
    turns = np.floor(away / span)
    rest = away - turns * span
    even = turns % 2 == 0
    below = np.where(even, low + rest, high - rest)
    above = np.where(even, high - rest, low + rest)
    return np.where(at < low, below, np.where(at > high, above, at))


def _borders(size: int, attrs: Attrs) -> tuple[float, float]:
    return (0.0, size - 1.0) if attrs["corners"] else (-0.5, size - 0.5)


def _neighbours(place: np.ndarray, size: int, attrs: Attrs) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:  # fmt: skip
    """Of one axis: index, weight and whether it counts, for each neighbour."""
    weights, first = _WEIGHTS[attrs["mode"]]
    base = np.rint(place) if attrs["mode"] == "nearest" else np.floor(place)
    f = place - base
    found = []
    for k, text in enumerate(weights):
        weight = np.broadcast_to(eval(text.replace("F", ""), {"f": f}), f.shape)
        at = base + first + k
        counts = np.ones(at.shape, bool)
        if attrs["padding"] == "zeros":
            counts = (at >= 0) & (at < size)
        elif attrs["padding"] == "reflection":
            at = np.trunc(_reflected(at, *_borders(size, attrs)))
        found.append((np.clip(np.nan_to_num(at), 0, size - 1).astype(np.int64), weight, counts))
    return found


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, grid = arrays
    spatial = x.shape[2:]
    axes = []
    for a, size in enumerate(spatial):
        g = grid[..., len(spatial) - 1 - a].reshape(len(x), -1)
        place = (g + 1) / 2 * (size - 1) if attrs["corners"] else ((g + 1) * size - 1) / 2
        if attrs["padding"] == "border":
            place = np.clip(place, 0, size - 1)
        elif attrs["padding"] == "reflection":
            place = _reflected(place, *_borders(size, attrs)).astype(x.dtype)
        axes.append(_neighbours(place, size, attrs))
    y = np.zeros((*x.shape[:2], axes[0][0][0].shape[1]), x.dtype)
    batch = np.arange(len(x))[:, None]
    for taps in product(*axes):
        weight = np.prod([np.where(c, w, 0) for _, w, c in taps], axis=0).astype(x.dtype)
        at: tuple[Any, ...] = (batch, slice(None), *(i for i, _, _ in taps))
        value = x[at]
        y += np.moveaxis(value, -1, 1) * weight[:, None]
    return (y.reshape(*x.shape[:2], *grid.shape[1:-1]),)


def _axis_lines(site: Site, a: int) -> list[str]:
    """C that finds the place on an axis: b{a}, the element before it, and w{a}[], the neighbours' weights."""
    size, attrs, rank = site.x.shape[2 + a], site.attrs, site.x.rank - 2
    g = read(site, 1, f"{affine(('n', 'p'), (prod(site.y.shape[2:]) * rank, rank), rank - 1 - a)}")
    place = f"({g} + 1.0F) / 2.0F * {size - 1}.0F" if attrs["corners"] else f"(({g} + 1.0F) * {size}.0F - 1.0F) / 2.0F"  # fmt: skip
    low, high = _borders(size, attrs)
    if attrs["padding"] == "border":
        place = f"fminf(fmaxf({place}, 0.0F), {size - 1}.0F)"
    elif attrs["padding"] == "reflection":
        place = f"tml_reflect_f32({place}, {low}F, {high}F)"
    weights, first = _WEIGHTS[attrs["mode"]]
    whole = "rintf" if attrs["mode"] == "nearest" else "floorf"
    return [
        f"const float q{a} = fminf(fmaxf({place}, -1.0e6F), 1.0e6F);",
        f"const int32_t b{a} = (int32_t){whole}(q{a}) + {first};".replace(" + -", " - "),
        *([] if len(weights) == 1 else [f"const float f{a} = q{a} - floorf(q{a});"]),
        f"const float w{a}[{len(weights)}] = {{{', '.join(w.replace(' f', f' f{a}').replace('(f', f'(f{a}') if w != 'f' else f'f{a}' for w in weights)}}};",
    ]  # fmt: skip


def _index(site: Site, a: int) -> str:
    """C of a neighbour's index on an axis, brought inside."""
    size, at = site.x.shape[2 + a], f"b{a} + (int32_t)k{a}"
    if site.attrs["padding"] == "reflection":
        low, high = _borders(size, site.attrs)
        at = f"(int32_t)tml_reflect_f32((float)({at}), {low}F, {high}F)"
    return f"const int32_t i{a} = {at};"


def _nest(site: Site) -> Nest:
    x, y, rank = site.x, site.y, site.x.rank - 2
    taps = len(_WEIGHTS[site.attrs["mode"]][0])
    lines = [line for a in range(rank) for line in _axis_lines(site, a)]
    inside = " && ".join(f"i{a} >= 0 && i{a} < {x.shape[2 + a]}" for a in range(rank))
    limited = [
        f"const size_t j{a} = (size_t)(i{a} < 0 ? 0 : i{a} > {d - 1} ? {d - 1} : i{a});" for a, d in enumerate(x.shape[2:])
    ]  # fmt: skip
    value = read(site, 0, affine(("n", "c", *(f"j{a}" for a in range(rank))), strides_of(x.shape)))
    weight = " * ".join(f"w{a}[k{a}]" for a in range(rank))
    test = f"if ({inside}) " if site.attrs["padding"] == "zeros" else ""
    body = (
        *(_index(site, a) for a in range(rank)),
        *limited,
        f"{test}{{ acc += {weight} * {value}; }}",
    )
    points = prod(y.shape[2:])
    target = affine(("n", "c", "p"), (y.shape[1] * points, points, 1))
    each = ("float acc = 0.0F;", *nested([f"k{a}" for a in range(rank)], (taps,) * rank, body), f"y0[{target}] = acc;")  # fmt: skip
    loops = nested(("n", "p"), (y.shape[0], points), (*lines, Loop("c", y.shape[1], each)))
    return Nest(
        _typed(loops, site), includes=("math.h", "common/tml_reflect.h"),
        cycles=20.0 * y.size * taps**rank,
    )  # fmt: skip


def _typed(body: Sequence[Loop | str], site: Site) -> tuple[Loop | str, ...]:
    return tuple(
        Loop(p.var, p.extent, _typed(p.body, site))
        if isinstance(p, Loop)
        else typed_c(p, site.x.dtype).replace("tml_reflect_f32", f"tml_reflect_{site.x.dtype.name}")
        for p in body
    )


def from_onnx(node: OnnxNode) -> None:
    mode = {"bilinear": "linear", "bicubic": "cubic"}.get(node.attr("mode", "linear"), node.attr("mode", "linear"))  # fmt: skip
    padding = node.attr("padding_mode", "zeros")
    if mode not in _WEIGHTS or padding not in PADDINGS or min(node.type(0).shape) < 1:
        node.refuse(f"GridSample of {node.type(0)} in the mode {mode!r} with padding {padding!r}")
    attrs = {"mode": mode, "padding": padding, "corners": bool(node.attr("align_corners", 0))}
    node.emit("grid_sample", node.inputs[:2], attrs, out=0)


OP = Op(
    "grid_sample",
    infer,
    reference,
    nest=_nest,
    onnx={"GridSample": from_onnx},
    summary="GridSample",
)
