"""Offsets in the arena: buffers that live at the same time must not overlap, and the end lies low."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_TRIES = 200


@dataclass(frozen=True)
class Block:
    """A buffer to place: it lives from step `first` to step `last`, both included."""

    name: str
    bytes: int
    first: int
    last: int
    align: int = 4


@dataclass(frozen=True)
class Placement:
    """Offsets by name, the arena's size, and a size below which no placement of these blocks can go."""

    offsets: Mapping[str, int]
    bytes: int
    lower_bound: int


def place(blocks: Sequence[Block], seed: int = 0) -> Placement:
    """First fit in several orders, then in shuffled ones while the lower bound is not reached."""
    bound = lower_bound(blocks)
    best: dict[str, int] | None = None
    best_bytes = 0
    rng = np.random.default_rng(seed)
    for order in _orders(blocks, rng):
        offsets = _first_fit(order)
        size = max((offsets[b.name] + b.bytes for b in blocks), default=0)
        if best is None or size < best_bytes:
            best, best_bytes = offsets, size
        if best_bytes <= bound:
            break
    return Placement(best or {}, best_bytes, bound)


def lower_bound(blocks: Sequence[Block]) -> int:
    """The most bytes that live at one step."""
    steps = {b.first for b in blocks}
    return max((sum(b.bytes for b in blocks if b.first <= s <= b.last) for s in steps), default=0)


def _orders(blocks: Sequence[Block], rng: np.random.Generator) -> Iterable[list[Block]]:
    yield sorted(blocks, key=lambda b: (-b.bytes, b.first, b.name))
    yield sorted(blocks, key=lambda b: (b.first - b.last, -b.bytes, b.name))
    yield sorted(blocks, key=lambda b: (b.first, -b.bytes, b.name))
    yield sorted(blocks, key=lambda b: (-b.bytes * (b.last - b.first + 1), b.name))
    weights = np.array([b.bytes for b in blocks], float)
    for _ in range(_TRIES):
        # a small buffer that lives long may have to come before a large one
        keys = weights ** rng.choice((0.0, 0.5, 1.0)) * rng.uniform(0.3, 1.0, len(blocks))
        yield [blocks[i] for i in np.argsort(-keys, kind="stable")]


def _first_fit(order: Sequence[Block]) -> dict[str, int]:
    offsets: dict[str, int] = {}
    placed: list[Block] = []
    for block in order:
        rivals = [p for p in placed if p.first <= block.last and block.first <= p.last]
        offset = 0
        for rival in sorted(rivals, key=lambda p: offsets[p.name]):
            if offset + block.bytes <= offsets[rival.name]:
                break
            offset = max(offset, _aligned(offsets[rival.name] + rival.bytes, block.align))
        offsets[block.name] = offset
        placed.append(block)
    return offsets


def _aligned(offset: int, align: int) -> int:
    return -(-offset // align) * align


def overlaps(blocks: Sequence[Block], offsets: Mapping[str, int]) -> list[tuple[str, str]]:
    """Pairs that share bytes while both live: written apart from `place`, byte by byte, to check it."""
    clashes = []
    for k, a in enumerate(blocks):
        for b in blocks[k + 1 :]:
            steps = set(range(a.first, a.last + 1)) & set(range(b.first, b.last + 1))
            own = range(offsets[a.name], offsets[a.name] + a.bytes)
            other = range(offsets[b.name], offsets[b.name] + b.bytes)
            if steps and max(own.start, other.start) < min(own.stop, other.stop):
                clashes.append((a.name, b.name))
    return clashes
