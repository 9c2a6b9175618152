"""Placement by branch and bound: finds the smallest arena, and knows when there is no smaller one.

For a wanted size every offset has a range. Of two blocks that live at once, the difference of offsets
lies below, in or above the gaps between them; where the ranges leave one of these, they get narrower.
When all blocks at the lower ends of their ranges are compatible, that is a placement. Otherwise one pair
that is not is settled, each way in turn. Effort is counted in steps, so that results can be reproduced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from .blocks import Allowance, Block, Rivals, aligned, unit_of
from .first_fit import Neighbours, lowest_free, neighbours_of

_FAR = 1 << 60
_NONE: Mapping[int, int] = MappingProxyType({})
_MOST_PAIRS = 600  # each may be settled inside the other: a limit for recursion
Ranges = tuple[tuple[int, int], ...]  # of a difference of offsets, both ends included


class OutOfSteps(Exception):
    """The effort that was allowed is spent."""


@dataclass(frozen=True)
class Found:
    """The best offsets by index, their arena, and whether it is proven that none is smaller."""

    offsets: Mapping[int, int]
    bytes: int
    optimal: bool


@dataclass(frozen=True)
class _State:
    """Lowest and highest offsets, and for each pair the ranges that are left for it."""

    low: list[int]
    high: list[int]
    left: list[Ranges]

    def copy(self) -> _State:
        return _State(self.low[:], self.high[:], self.left[:])


def smallest(
    blocks: Sequence[Block],
    rivals: Sequence[Rivals],
    allowances: Sequence[Allowance],
    bound: int,
    known: Mapping[int, int],
    steps: int,
) -> Found:
    """The smallest arena, starting from a placement that is known and a lower bound. First the bound
    itself is tried, which often can be reached, with half of the steps; then less and less is asked for."""
    search = Search(blocks, rivals, allowances)
    best = known
    search.steps = steps // 2
    try:
        better = search.within(bound)
    except OutOfSteps:
        better = None
    search.steps += steps - steps // 2
    try:
        while better is None and search.refuted < size_of(blocks, best) - 1:
            better = search.within(size_of(blocks, best) - 1)
            best, better = better or best, None
    except OutOfSteps:
        return Found(best, size_of(blocks, best), False)
    best = better or best
    return Found(best, size_of(blocks, best), True)


def size_of(blocks: Sequence[Block], offsets: Mapping[int, int]) -> int:
    return max((offsets[k] + b.bytes for k, b in enumerate(blocks)), default=0)


class Search:
    """The blocks as arrays, and the steps that may still be taken. fixed: offsets, by index, that are settled."""

    def __init__(
        self,
        blocks: Sequence[Block],
        rivals: Sequence[Rivals],
        allowances: Sequence[Allowance],
        fixed: Mapping[int, int] = _NONE,
    ):
        self.blocks, self.fixed, self.steps, self.refuted = blocks, fixed, 0, -1
        self.neighbours: Neighbours = neighbours_of(len(blocks), rivals)
        self.unit = unit_of(blocks)
        self.rounded = [aligned(b.bytes, self.unit) for b in blocks]
        self.all_pairs = [(p.a, p.b, _ranges(p, blocks, allowances)) for p in rivals]
        self.all_stacks = _stacks(blocks, allowances)

    def within(self, size: int) -> dict[int, int] | None:
        """A placement in `size` bytes; None when there is none. OutOfSteps when that is not known."""
        core = self._core(size)
        self.pairs = [(a, b) for a, b, _ in self.all_pairs if a in core and b in core]
        ranges = [r for a, b, r in self.all_pairs if a in core and b in core]
        self.pairs_of: list[list[int]] = [[] for _ in self.blocks]
        for k, (a, b) in enumerate(self.pairs):
            self.pairs_of[a].append(k)
            self.pairs_of[b].append(k)
        kept = {tuple(k for k in stack if k in core) for stack in self.all_stacks}
        self.stacks = sorted(s for s in kept if len(s) > 1)
        low = [self.fixed.get(k, 0) for k in range(len(self.blocks))]
        tops = [(size - b.bytes) // b.align * b.align for b in self.blocks]
        high = [self.fixed.get(k, top) for k, top in enumerate(tops)]
        state = _State(low, high, ranges)
        fits = min(high, default=0) >= 0 and self._narrow(state, range(len(self.pairs)))
        if len(self.pairs) > _MOST_PAIRS:
            raise OutOfSteps
        placed = self._solve(state) if fits else None
        if placed is None:
            self.refuted = max(self.refuted, size)
            return None
        return self._with_the_rest({k: placed[k] for k in core})

    def _core(self, size: int) -> dict[int, None]:
        """The blocks that the others could leave no offset, however they lie. The rest is placed after
        them, in the reverse order of leaving: each has room, wherever those before it are."""
        core = dict.fromkeys(range(len(self.blocks)))
        self.rest: list[int] = []
        before = -1
        while before != len(self.rest):
            before = len(self.rest)
            for k in tuple(core):
                if k not in self.fixed and self._has_room(k, core, size):
                    del core[k]
                    self.rest.append(k)
        return core

    def _has_room(self, k: int, core: Mapping[int, None], size: int) -> bool:
        block = self.blocks[k]
        places = (size - block.bytes) // block.align + 1
        own = aligned(block.bytes, block.align) // block.align
        for other in {p for p, _, _ in self.neighbours[k] if p in core}:
            rival = self.blocks[other]
            places -= own + aligned(rival.bytes, block.align) // block.align
            places += rival.align % block.align == 0
        return places > 0

    def _with_the_rest(self, offsets: dict[int, int]) -> dict[int, int]:
        for k in reversed(self.rest):
            offsets[k] = lowest_free(k, self.blocks[k].align, self.neighbours, offsets)
        return offsets

    def _solve(self, state: _State) -> list[int] | None:
        if not all(self._stack_fits(state, stack) for stack in self.stacks):
            return None
        self.steps -= len(self.pairs) // 8
        pair = self._open_pair(state)
        if pair is None:
            return state.low
        a, b = self.pairs[pair]
        apart = state.low[b] - state.low[a]
        # the way that moves the block less is the more promising one
        for option in sorted(state.left[pair], key=lambda r: max(r[0] - apart, apart - r[1])):
            child = state.copy()
            child.left[pair] = (option,)
            if self._narrow(child, (pair,)):
                found = self._solve(child)
                if found is not None:
                    return found
        return None

    def _open_pair(self, state: _State) -> int | None:
        """Of the pairs that collide when every block lies as low as it can, one of large blocks."""
        low, best, largest = state.low, None, -1
        for k, (a, b) in enumerate(self.pairs):
            if len(state.left[k]) > 1:
                apart = low[b] - low[a]
                if not any(p <= apart <= q for p, q in state.left[k]):
                    size = min(self.rounded[a], self.rounded[b])
                    if size > largest:
                        best, largest = k, size
        return best

    def _narrow(self, state: _State, pairs: Sequence[int]) -> bool:
        """Narrows ranges until nothing changes. False: some pair has no way left."""
        low, high, left = state.low, state.high, state.left
        queue = dict.fromkeys(pairs)
        while queue:
            self.steps -= 1
            if self.steps < 0:
                raise OutOfSteps
            k, _ = queue.popitem()
            a, b = self.pairs[k]
            least, most = low[b] - high[a], high[b] - low[a]
            ways = left[k]
            if any(p > most or q < least for p, q in ways):
                ways = left[k] = tuple(r for r in ways if r[0] <= most and r[1] >= least)
                if not ways:
                    return False
            first, last = ways[0][0], ways[-1][1]
            moved = self._raise(state, b, low[a] + first) + self._raise(state, a, low[b] - last)
            moved += self._lower(state, a, high[b] - first) + self._lower(state, b, high[a] + last)
            for block in moved:
                if low[block] > high[block]:
                    return False
                queue.update(dict.fromkeys(self.pairs_of[block]))
        return True

    def _raise(self, state: _State, block: int, least: int) -> tuple[int, ...]:
        if least <= state.low[block]:
            return ()
        state.low[block] = aligned(least, self.blocks[block].align)
        return (block,)

    def _lower(self, state: _State, block: int, most: int) -> tuple[int, ...]:
        if most >= state.high[block]:
            return ()
        state.high[block] = most // self.blocks[block].align * self.blocks[block].align
        return (block,)

    def _stack_fits(self, state: _State, stack: Sequence[int]) -> bool:
        """Whether blocks that must all be apart have room between their lowest and highest offsets:
        counted down from the top, and up from the bottom."""
        low, high, size = state.low, state.high, self.rounded
        total, end = 0, 0
        for k in sorted(stack, key=lambda k: -low[k]):
            total, end = total + size[k], max(end, high[k] + size[k])
            if low[k] + total > end:
                return False
        total, start = 0, _FAR
        for k in sorted(stack, key=lambda k: high[k] + size[k]):
            total, start = total + size[k], min(start, low[k])
            if start + total > high[k] + size[k]:
                return False
        return True


def _ranges(pair: Rivals, blocks: Sequence[Block], allowances: Sequence[Allowance]) -> Ranges:
    """What the gaps leave. Of twins, which could change places, the first lies lower."""
    a, b = blocks[pair.a], blocks[pair.b]
    named = {n for rule in allowances for n in (rule.over, rule.under)}
    starts = [-_FAR, *(high for _, high in pair.gaps)]
    ends = [*(low for low, _ in pair.gaps), _FAR]
    ranges = tuple(zip(starts, ends, strict=True))
    alike = (a.bytes, a.first, a.last, a.align) == (b.bytes, b.first, b.last, b.align)
    return ranges[-1:] if alike and not {a.name, b.name} & named else ranges


def _stacks(
    blocks: Sequence[Block], allowances: Sequence[Allowance]
) -> tuple[tuple[int, ...], ...]:
    """For each step the blocks that live then and must be apart: with a result, or with what it lies over."""
    found = []
    for step in sorted({b.first for b in blocks}):
        live = {b.name: k for k, b in enumerate(blocks) if b.first <= step <= b.last}
        rules = [a for a in allowances if a.over in live and a.under in live]
        for out in ({a.over for a in rules}, {a.under for a in rules}):
            found.append(tuple(k for name, k in live.items() if name not in out))
    return tuple(dict.fromkeys(found))
