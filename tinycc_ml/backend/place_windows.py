"""Placement of graphs of many steps, such as those that bands of rows make: a window of steps at a time.

A search grows with the number of blocks, but blocks that are far apart in time have little to do with each other. Each window
is searched with what the ones before it have settled; only its first steps are settled by it, so that what comes next still has a say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .blocks import Allowance, Block, rivals_of
from .place_exact import OutOfSteps, Search

# Steps that are looked at together, and how many of them are settled: what fails with few may be found with more
_WINDOWS = ((24, 8), (32, 8), (32, 16))
_STEPS = 100_000  # of the search in one window


def in_windows(
    blocks: Sequence[Block], allowances: Sequence[Allowance], size: int
) -> dict[int, int] | None:
    """Offsets by index within `size` bytes. None where windows lead to none, which proves nothing, or where one
    window would hold everything."""
    end = max((b.last for b in blocks), default=0)
    for width, settling in _WINDOWS:
        found = _rolled(blocks, allowances, size, width, settling) if end >= width else None
        if found is not None:
            return {k: found[b.name] for k, b in enumerate(blocks)}
    return None


def _rolled(
    blocks: Sequence[Block], allowances: Sequence[Allowance], size: int, width: int, settling: int
) -> dict[str, int] | None:
    """By name; None when a window has no placement beside what is settled, or none is found soon enough."""
    settled: dict[str, int] = {}
    for start in range(0, max(b.last for b in blocks) + 1, settling):
        seen = [b for b in blocks if b.first < start + width and b.last >= start]
        offsets = _placed(seen, allowances, size, settled)
        if offsets is None:
            return None
        settled |= {b.name: offsets[k] for k, b in enumerate(seen) if b.first < start + settling}
    return settled


def _placed(
    blocks: Sequence[Block],
    allowances: Sequence[Allowance],
    size: int,
    settled: Mapping[str, int],
) -> dict[int, int] | None:
    names = {b.name for b in blocks}
    rules = [a for a in allowances if {a.over, a.under} <= names]
    fixed = {k: settled[b.name] for k, b in enumerate(blocks) if b.name in settled}
    search = Search(blocks, rivals_of(blocks, rules), rules, fixed)
    search.steps = _STEPS
    try:
        return search.within(size)
    except OutOfSteps:
        return None
