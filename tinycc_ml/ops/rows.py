"""How rows of an image hang together: what a band of rows of a node's result is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .windows import Window

if TYPE_CHECKING:
    from .base import Site

Span = tuple[int, int]  # first row, and the one behind the last
Maker = Callable[["Site"], "Rows | None"]


@dataclass(frozen=True)
class Rows:
    """At one site with images [1, H, W, C]: rows [first, end) of the result are what the op makes of the rows
    `reads(first, end)` of each of `operands` and of all of the others, with the attributes `attrs(first, end)`.
    reads gives None where the op can't make them so."""

    operands: tuple[int, ...]
    reads: Callable[[int, int], Span | None]
    attrs: Callable[[int, int], Mapping[str, Any]]


def pixelwise(site: Site) -> Rows | None:
    """Each row of the result is made of the same row of those operands that have as many."""
    height = site.y.shape[1] if site.y.rank == 4 else 0
    operands = []
    for index, tensor in enumerate(site.inputs):
        rows = tensor.shape[-3] if tensor.type.rank >= 3 else 1
        if rows == 1:
            continue
        if tensor.is_constant or tensor.type.rank != 4 or rows != height:
            return None
        operands.append(index)
    if site.y.rank != 4 or site.y.shape[0] != 1 or not operands:
        return None
    return Rows(tuple(operands), lambda first, end: (first, end), lambda first, end: site.attrs)


def windowed(
    window_of: Callable[[Site], Window],
    attrs: Callable[[Site, Window], Mapping[str, Any]] = lambda site, window: window.attrs,
) -> Maker:
    """Of an op that moves a window over the rows of its first operand. attrs: those that differ in a band,
    given its window."""

    def maker(site: Site) -> Rows | None:
        if site.x.rank != 4 or site.x.shape[0] != 1:
            return None
        window, height = window_of(site), site.x.shape[1]

        def reads(first: int, end: int) -> Span | None:
            start, stop = _reach(window, first, end)
            start, stop = max(start, 0), min(stop, height)
            return (start, stop) if start < stop else None

        def changed(first: int, end: int) -> Mapping[str, Any]:
            start, stop = _reach(window, first, end)
            _, left, _, right = window.pads
            pads = (max(-start, 0), left, max(stop - height, 0), right)
            return {**site.attrs, **attrs(site, replace(window, pads=pads))}

        return Rows((0,), reads, changed)

    return maker


def _reach(window: Window, first: int, end: int) -> Span:
    """Rows that the windows of rows [first, end) span, those of padding with negative or too large numbers."""
    start = first * window.strides[0] - window.pads[0]
    return start, start + (end - 1 - first) * window.strides[0] + window.extent[0]
