"""Blocks of the arena, which of them live at the same time, and what that forbids their offsets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd


@dataclass(frozen=True)
class Block:
    """A buffer to place: it lives from step `first` to step `last`, both included."""

    name: str
    bytes: int
    first: int
    last: int
    align: int = 4


@dataclass(frozen=True)
class Allowance:
    """Block `over`, born at the step at which `under` is read for the last time, may lie over it:
    offset(under) >= offset(over) + lead, or, when `exact`, equal to it. lead: bytes, also negative."""

    over: str
    under: str
    lead: int = 0
    exact: bool = False


# Open intervals, in order: integers strictly between the two ends
Gaps = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Rivals:
    """Two blocks, by index, that live at the same time: offset(b) - offset(a) lies in none of the gaps."""

    a: int
    b: int
    gaps: Gaps


def rivals_of(blocks: Sequence[Block], allowances: Sequence[Allowance]) -> tuple[Rivals, ...]:
    """The pairs that are not free of each other."""
    allowed = {(a.over, a.under): a for a in allowances}
    pairs = (Rivals(a, b, _gaps(blocks[a], blocks[b], allowed)) for a, b in _living_at_once(blocks))
    return tuple(pair for pair in pairs if pair.gaps)


def _living_at_once(blocks: Sequence[Block]) -> Iterator[tuple[int, int]]:
    live: list[int] = []
    for b in sorted(range(len(blocks)), key=lambda k: blocks[k].first):
        live = [a for a in live if blocks[a].last >= blocks[b].first]
        yield from ((a, b) for a in live)
        live.append(b)


def _gaps(a: Block, b: Block, allowed: Mapping[tuple[str, str], Allowance]) -> Gaps:
    low, high = -b.bytes, a.bytes
    if (b.name, a.name) in allowed:
        rule = allowed[b.name, a.name]
        ends = (max(low, -rule.lead), high)
        return _parted(low, -rule.lead, high) if rule.exact else _proper(ends)
    if (a.name, b.name) in allowed:
        rule = allowed[a.name, b.name]
        ends = (low, min(high, rule.lead))
        return _parted(low, rule.lead, high) if rule.exact else _proper(ends)
    return _proper((low, high))


def _proper(*gaps: tuple[int, int]) -> Gaps:
    return tuple((low, high) for low, high in gaps if low < high)


def _parted(low: int, point: int, high: int) -> Gaps:
    """The gap without one point."""
    return _proper((low, point), (point, high)) if low < point < high else _proper((low, high))


def unit_of(blocks: Sequence[Block]) -> int:
    """Every offset is a multiple of it."""
    return gcd(*(b.align for b in blocks)) or 1


def aligned(offset: int, align: int) -> int:
    """The next multiple."""
    return -(-offset // align) * align


def joint_bytes(over: int, unders: Sequence[tuple[int, int, bool]]) -> int:
    """The fewest bytes that a result of `over` bytes covers together with the inputs it may lie over.
    unders: for each, its bytes, the lead, and whether it is exact.

    The inputs are apart from each other, so the union is no smaller than their sum. None of them has a
    byte among the first min(leads) of the result: one that overlaps it begins behind them, the others
    are disjoint from it. That is the first bound. The union with one input alone, either disjoint or
    as its rule says, gives the others.
    """
    if not unders:
        return over
    ahead = max(min(lead for _, lead, _ in unders), 0)
    together = sum(size for size, _, _ in unders) + min(over, ahead)
    return max(together, *(_union(over, *under) for under in unders))


def _union(over: int, under: int, lead: int, exact: bool) -> int:
    start = min(lead, 0) if exact else 0  # one that is free to lie lower need not start before
    return min(over + under, max(over, under + (lead if exact else max(lead, 0))) - start)


def lower_bound(blocks: Sequence[Block], allowances: Sequence[Allowance] = ()) -> int:
    """Bytes below which no placement can go: those that the blocks of one step cover.

    Offsets are multiples of a unit, so blocks rounded up to it are as far apart as they are; only the
    topmost one may end earlier than its rounded size.
    """
    unit = unit_of(blocks)
    return max(
        (_covered(blocks, allowances, s, unit) for s in {b.first for b in blocks}), default=0
    )


def _covered(blocks: Sequence[Block], allowances: Sequence[Allowance], step: int, unit: int) -> int:
    live = {b.name: aligned(b.bytes, unit) for b in blocks if b.first <= step <= b.last}
    slack = max(live[b.name] - b.bytes for b in blocks if b.name in live)
    over: dict[str, list[tuple[int, int, bool]]] = {}
    for a in allowances:
        reachable = not a.exact or a.lead % unit == 0
        if a.over in live and a.under in live and reachable:
            lead = aligned(a.lead, unit)
            over.setdefault(a.over, []).append((live[a.under], lead, a.exact))
    saved = (
        live[y] + sum(x for x, _, _ in unders) - joint_bytes(live[y], unders)
        for y, unders in over.items()
    )
    return sum(live.values()) - sum(saved) - slack
