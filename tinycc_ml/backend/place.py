"""Offsets in the arena: buffers that live at the same time share bytes only where kernels allow it, and
the end lies low."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .blocks import Allowance, Block, Rivals, lower_bound, rivals_of
from .first_fit import first_fit, neighbours_of, orders
from .place_exact import size_of, smallest
from .place_windows import in_windows

__all__ = ["Allowance", "Block", "Placement", "lower_bound", "overlaps", "place"]

# Proofs that an arena is the smallest one for its blocks: it is as small as the lower bound; a search
# has been through all placements; none
BOUND, OPTIMAL, HEURISTIC = "bound", "optimal", "heuristic"
# Shuffled orders of first fit, steps of the search
_QUICK, _THOROUGH = (12, 8_000), (100, 400_000)


@dataclass(frozen=True)
class Placement:
    """Offsets by name, the arena's size, a size below which no placement of these blocks can go, and how
    it is known that none is smaller: "bound", "optimal", or "heuristic" when it is not."""

    offsets: Mapping[str, int]
    bytes: int
    lower_bound: int
    proof: str = BOUND


def place(
    blocks: Sequence[Block], allowances: Sequence[Allowance] = (), *, thorough: bool = True
) -> Placement:
    """The smallest arena found: by first fit, then by a search, with more effort, first window by window, when
    `thorough`. The same blocks get the same places."""
    bound = lower_bound(blocks, allowances)
    rivals = rivals_of(blocks, allowances)
    shuffles, steps = _THOROUGH if thorough else _QUICK
    best = _first_fit(blocks, rivals, bound, shuffles)
    size, proof = size_of(blocks, best), BOUND
    if size > bound and thorough:
        best = in_windows(blocks, allowances, bound) or best
        size = size_of(blocks, best)
    if size > bound:
        found = smallest(blocks, rivals, allowances, bound, best, steps)
        best, size = found.offsets, found.bytes
        proof = BOUND if size <= bound else OPTIMAL if found.optimal else HEURISTIC
    return Placement({b.name: best[k] for k, b in enumerate(blocks)}, size, bound, proof)


def _first_fit(
    blocks: Sequence[Block], rivals: Sequence[Rivals], bound: int, shuffles: int
) -> Mapping[int, int]:
    """The best of several orders; the first one that reaches the bound."""
    neighbours = neighbours_of(len(blocks), rivals)
    best: Mapping[int, int] = {}
    for order in orders(blocks, shuffles):
        offsets = first_fit(order, blocks, neighbours)
        size = size_of(blocks, offsets)
        if not best or size < size_of(blocks, best):
            best = offsets
        if size <= bound:
            break
    return best


def overlaps(
    blocks: Sequence[Block], offsets: Mapping[str, int], allowances: Sequence[Allowance] = ()
) -> list[tuple[str, str]]:
    """Pairs that share bytes while both live, and no rule allows it: written apart from what places
    them, to check it. A rule holds for the one step that ends one block and begins the other."""
    clashes = []
    for k, a in enumerate(blocks):
        for b in blocks[k + 1 :]:
            if a.last < b.first or b.last < a.first:
                continue
            low = max(offsets[a.name], offsets[b.name])
            high = min(offsets[a.name] + a.bytes, offsets[b.name] + b.bytes)
            if low < high and not _may_share(a, b, offsets, allowances):
                clashes.append((a.name, b.name))
    return clashes


def _may_share(
    a: Block, b: Block, offsets: Mapping[str, int], allowances: Sequence[Allowance]
) -> bool:
    for rule in allowances:
        if {rule.over, rule.under} == {a.name, b.name}:
            over, under = (a, b) if rule.over == a.name else (b, a)
            ahead = offsets[rule.under] - offsets[rule.over]
            if over.first == under.last and under.first <= over.first <= over.last:
                return ahead == rule.lead if rule.exact else ahead >= rule.lead
    return False
