"""What the QEMU plugin and the AVR runner write down: counts by block, by instruction class, in all.

One record a line, the first letter says which:
B start end length executions instructions cycles (addresses in hex), C class count,
U encoding count (not decoded), M instructions cycles [stack_bytes] (so far, at a mark; the stack
since the one before), T instructions cycles taken_branches entries still_inside,
S stack_bytes lowest_stack_address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .sections import Symbol


@dataclass(frozen=True)
class Block:
    """Instructions that ran in a row, with what they took over all executions."""

    address: int
    instructions: int
    cycles: int


@dataclass(frozen=True)
class Mark:
    """What had been counted when a mark was reached; the stack is that since the mark before it."""

    instructions: int
    cycles: int
    stack_bytes: int | None = None


@dataclass(frozen=True)
class Counts:
    """mix: executed instructions by class; undecoded: those of an encoding the plugin lacks."""

    instructions: int = 0
    cycles: int = 0
    entries: int = 0
    returned: bool = True
    blocks: tuple[Block, ...] = ()
    mix: tuple[tuple[str, int], ...] = ()
    undecoded: tuple[tuple[str, int], ...] = ()
    stack_bytes: int | None = None
    lowest_stack_address: int | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Profile:
    """What one function took without its callees."""

    function: str
    cycles: int
    instructions: int


def parse_counts(text: str) -> Counts:
    """The records of one run."""
    records: dict[str, list[list[str]]] = {kind: [] for kind in "BCUMTS"}
    for line in text.splitlines():
        kind, *values = line.split()
        records[kind].append(values)
    instructions, cycles, _, entries, inside = map(int, records["T"][-1])
    stack, lowest = map(int, records["S"][-1]) if records["S"] else (None, None)
    return Counts(
        instructions,
        cycles,
        entries,
        returned=inside == 0,
        blocks=tuple(Block(int(b[0], 16), int(b[4]), int(b[5])) for b in records["B"]),
        mix=_totals(records["C"]),
        undecoded=_totals(records["U"]),
        stack_bytes=stack,
        lowest_stack_address=lowest,
        marks=tuple(Mark(*map(int, values)) for values in records["M"]),
    )


def profile(blocks: Iterable[Block], symbols: Sequence[Symbol]) -> tuple[Profile, ...]:
    """Blocks summed up by the function they lie in, the most expensive first."""
    code = [symbol for symbol in symbols if symbol.is_code]
    starts = [symbol.address for symbol in code]
    cycles: Counter[str] = Counter()
    instructions: Counter[str] = Counter()
    for block in blocks:
        index = bisect_right(starts, block.address) - 1
        name = code[index].name if index >= 0 else "?"
        cycles[name] += block.cycles
        instructions[name] += block.instructions
    return tuple(Profile(name, count, instructions[name]) for name, count in cycles.most_common())


def _totals(records: Iterable[Sequence[str]]) -> tuple[tuple[str, int], ...]:
    totals: Counter[str] = Counter()
    for name, count in records:
        totals[name] += int(count)
    return tuple(totals.most_common())
