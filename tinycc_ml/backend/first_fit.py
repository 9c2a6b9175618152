"""First fit: block after block at the lowest offset that the ones before it leave free, in several orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .blocks import Block, Rivals, aligned

Neighbours = tuple[tuple[tuple[int, int, int], ...], ...]


def neighbours_of(count: int, rivals: Sequence[Rivals]) -> Neighbours:
    """For each block the gaps that others leave it: (other, low, high) forbids offsets strictly between
    offset(other) + low and offset(other) + high."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in range(count)]
    for pair in rivals:
        for low, high in pair.gaps:
            found[pair.b].append((pair.a, low, high))
            found[pair.a].append((pair.b, -high, -low))
    return tuple(map(tuple, found))


def lowest_free(block: int, align: int, neighbours: Neighbours, offsets: Mapping[int, int]) -> int:
    """The lowest offset for a block beside those that have one."""
    forbidden = sorted(
        (offsets[p] + low, offsets[p] + high) for p, low, high in neighbours[block] if p in offsets
    )
    offset = 0
    for low, high in forbidden:
        if offset <= low:
            break
        if offset < high:
            offset = aligned(high, align)
    return offset


def first_fit(
    order: Sequence[int], blocks: Sequence[Block], neighbours: Neighbours
) -> dict[int, int]:
    """Offsets by index of the block."""
    offsets: dict[int, int] = {}
    for k in order:
        offsets[k] = lowest_free(k, blocks[k].align, neighbours, offsets)
    return offsets


def orders(blocks: Sequence[Block], shuffles: int) -> Iterator[list[int]]:
    """Large ones first, long-lived ones first, early ones first, both; then seeded mixtures."""
    keys = (
        lambda b: (-b.bytes, b.first, b.name),
        lambda b: (b.first - b.last, -b.bytes, b.name),
        lambda b: (b.first, -b.bytes, b.name),
        lambda b: (-b.bytes * (b.last - b.first + 1), 0, b.name),
    )
    for key in keys:
        yield sorted(range(len(blocks)), key=lambda k: key(blocks[k]))
    rng = np.random.default_rng(0)
    weights = np.array([b.bytes for b in blocks], float)
    for _ in range(shuffles):
        # a small buffer that lives long may have to come before a large one
        mixed = weights ** rng.choice((0.0, 0.5, 1.0)) * rng.uniform(0.3, 1.0, len(blocks))
        yield [int(k) for k in np.argsort(-mixed, kind="stable")]
