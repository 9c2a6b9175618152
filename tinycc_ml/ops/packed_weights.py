"""Weights in less than a byte: structures that int8 weights may have, found and packed. docs/compression.md says what lies
where in flash.

A form sees weights as blocks of 4 output channels, [blocks, 4, inputs]; what order the inputs have, and what
fills up the last block, is the kernel's affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np

BLOCK = 4  # output channels
_LONGEST = 255  # units of a group of nibbles: its length is a byte
EIGHT = 8  # inputs in the words of tml_nibbles_dsp_i8.h
_TRIED = 48  # units, after which groups are too short or not
_MOST_EIGHTS = 63  # of a group: the sum of q * x stays below 2^19


@dataclass(frozen=True)
class Group:
    """Inputs `first` to `end` of a block are m * q, q in -8..7; an m, 1..127, for each channel."""

    first: int
    end: int
    m: tuple[int, ...]


def in_blocks(rows: np.ndarray, fill: str = "constant") -> np.ndarray:
    """[channels, inputs] to [blocks, 4, inputs]; the last one is filled up with zeros, or by `fill` "edge" with
    its last channel: nobody reads the results."""
    full = np.pad(rows, ((0, -len(rows) % BLOCK), (0, 0)), mode=fill)  # type: ignore[call-overload]
    return full.reshape(-1, BLOCK, rows.shape[1])


@dataclass(frozen=True)
class Groups:
    """Of all blocks, by block and then by place: block, first and last input, m of each channel. int [groups]"""

    block: np.ndarray
    first: np.ndarray
    end: np.ndarray
    m: np.ndarray

    def of(self, block: int) -> list[Group]:
        found = np.flatnonzero(self.block == block).tolist()
        first, end, m = self.first.tolist(), self.end.tolist(), self.m.tolist()
        return [Group(first[k], end[k], tuple(m[k])) for k in found]

    @property
    def count(self) -> int:
        return len(self.block)


def nibble_groups(blocks: np.ndarray, unit: int = 1, longest: int = _LONGEST) -> Groups | None:
    """Groups as long as can be: within one, what the weights of a channel have in common leaves -8..7. None
    when so many are needed, or a unit by itself is no group, that nibbles are no use.

    blocks: int8 [blocks, 4, inputs], inputs a multiple of `unit`, as are the groups, of `longest` units at
    most.
    """
    data = np.ascontiguousarray(blocks, np.int8).tobytes()
    return _nibble_groups(data, blocks.shape, unit, longest)


@lru_cache(maxsize=64)
def _nibble_groups(data: bytes, shape: tuple[int, ...], unit: int, longest: int) -> Groups | None:
    """Goes through the inputs of all blocks at once."""
    units = np.frombuffer(data, np.int8).astype(np.int64).reshape(*shape[:2], -1, unit)
    parts = np.gcd.reduce(units, axis=-1), units.min(axis=-1), units.max(axis=-1)
    if not _is_nibbles(*parts).all():
        return None
    first, every = np.zeros(shape[0], int), np.arange(shape[0])
    state = tuple(part[..., 0] for part in parts)
    found: list[tuple[np.ndarray, ...]] = []
    count = 0
    for k in range(1, units.shape[2]):
        new = tuple(part[..., k] for part in parts)
        both = np.gcd(state[0], new[0]), np.minimum(state[1], new[1]), np.maximum(state[2], new[2])
        fits = _is_nibbles(*both).all(axis=1) & (k - first < longest)
        ended = np.flatnonzero(~fits)
        if ended.size:
            found.append((ended, first[ended], np.full(ended.size, k), state[0][ended]))
            first[ended], count = k, count + ended.size
        if k == _TRIED and 5 * count > 2 * k * unit * shape[0]:
            return None
        state = tuple(np.where(fits[:, None], a, b) for a, b in zip(both, new, strict=True))
    found.append((every, first, np.full(shape[0], units.shape[2]), state[0]))
    block, starts, ends, common = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((starts, block))
    return Groups(
        block[order], starts[order] * unit, ends[order] * unit, _multiplier(common[order])
    )


def _multiplier(common: np.ndarray) -> np.ndarray:
    """What all weights have in common, as an m: 1 for zeros, half of 128."""
    return np.where(common == 128, 64, np.maximum(common, 1))


def _is_nibbles(common: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    m = _multiplier(common)
    return (least >= -8 * m) & (most <= 7 * m)


def quotients(block: np.ndarray, group: Group) -> np.ndarray:
    """q of a group: int64 [4, inputs]."""
    return block[:, group.first : group.end].astype(np.int64) // np.array(group.m)[:, None]


def nibbles_bytes(blocks: np.ndarray, unit: int = 1, longest: int = _LONGEST) -> float:
    """Of the streams with one byte for each m and one for the length of a group; inf when there are none."""
    groups = nibble_groups(blocks, unit, longest)
    return inf if groups is None else 5 * groups.count + blocks.size // 2


def _streams(
    blocks: np.ndarray, unit: int, longest: int = _LONGEST
) -> Iterator[tuple[Group, np.ndarray]]:
    """Each group with its q."""
    groups = nibble_groups(blocks, unit, longest)
    assert groups is not None
    for k, block in enumerate(blocks):
        for group in groups.of(k):
            yield group, quotients(block, group)


def packed_nibbles(rows: np.ndarray) -> np.ndarray:
    """The stream of tml_nibbles_i8.h, uint8. rows: int8 [channels, K]"""
    parts = [
        part
        for g, q in _streams(in_blocks(rows), 1)
        for part in (np.array([g.end - g.first, *g.m]), _two_bytes(q))
    ]
    return np.concatenate(parts).astype(np.uint8)


def _two_bytes(q: np.ndarray) -> np.ndarray:
    """[4, inputs] to two bytes an input."""
    low, high = q[0::2] & 15, q[1::2] & 15
    return (low | high << 4).T.ravel()


def packed_nibbles_ab(steps: np.ndarray) -> np.ndarray:
    """The stream of tml_nibbles_ab_i8.h, uint8. steps: int8 [blocks, 4, 2 * steps]"""
    parts = []
    for g, q in _streams(steps, 2):
        u = (q + 8).reshape(BLOCK, -1, 2)
        low, high = u[[0, 2]].transpose(1, 2, 0), u[[1, 3]].transpose(1, 2, 0)
        m0, m1, m2, m3 = g.m
        parts += [np.array([(g.end - g.first) // 2, m0, m2, m1, m3]), (low | high << 4).ravel()]
    return np.concatenate(parts).astype(np.uint8)


def in_eights(rows: np.ndarray) -> np.ndarray:
    """[channels, K] to [blocks, 4, inputs], a multiple of 8 of them: zeros behind the last."""
    return in_blocks(np.pad(rows, ((0, 0), (0, -rows.shape[1] % EIGHT))))


def groups_of_eights(rows: np.ndarray) -> Groups | None:
    return nibble_groups(in_eights(rows), EIGHT, _MOST_EIGHTS)


def packed_nibbles_dsp(rows: np.ndarray) -> np.ndarray:
    """The stream of tml_nibbles_dsp_i8.h, uint32. rows: int8 [channels, K]"""
    parts = []
    for g, q in _streams(in_eights(rows), EIGHT, _MOST_EIGHTS):
        words = ((q & 15).reshape(BLOCK, -1, EIGHT) << 4 * np.arange(EIGHT)).sum(axis=2).T
        m = sum(m << 8 * c for c, m in enumerate(g.m))
        parts += [np.array([(g.end - g.first) // EIGHT, m]), words.ravel()]
    return np.concatenate(parts).astype(np.uint32)


def nibbles_dsp_bytes(rows: np.ndarray) -> float:
    """Of `packed_nibbles_dsp`; inf when there are no groups."""
    groups = groups_of_eights(rows)
    return inf if groups is None else 8 * groups.count + in_eights(rows).size // 2


def palette_of(weights: np.ndarray, size: int) -> np.ndarray | None:
    """The different weights, ascending, filled up to `size` with 0; None when there are more."""
    values = np.unique(weights)
    return np.pad(values, (0, size - len(values))) if len(values) <= size else None


def packed_palette(weights: np.ndarray, size: int) -> np.ndarray:
    """The palette, then for each weight its number in 4 bits, or 2 where `size` is 4; uint8. weights: int8
    [..., 4 or 8], in the order that a kernel reads."""
    palette, bits = palette_of(weights, size), 4 if size == 16 else 2
    assert palette is not None
    used = np.unique(weights)
    numbers = np.searchsorted(used, weights).reshape(-1, 8 // bits)
    codes = (numbers << (bits * np.arange(8 // bits))).sum(axis=1)
    return np.concatenate([palette.astype(np.int8).view(np.uint8), codes.astype(np.uint8)])


def packed_sparse(weights: np.ndarray) -> np.ndarray:
    """For each 8 weights a byte that says which are not 0, then those; uint8. weights: int8 [..., 8], in the
    order that a kernel reads."""
    eights = np.ascontiguousarray(weights, np.int8).reshape(-1, 8)
    masks = np.packbits(eights != 0, axis=1, bitorder="little")
    whole = np.concatenate([masks, eights.view(np.uint8)], axis=1)
    return whole[np.concatenate([np.ones_like(masks, bool), eights != 0], axis=1)]


def by_inputs(rows: np.ndarray, fill: str = "constant") -> np.ndarray:
    """Rows [channels, K] as portable kernels read them: [blocks, K, 4]."""
    return in_blocks(rows, fill).transpose(0, 2, 1)


def by_two_inputs(rows: np.ndarray) -> np.ndarray:
    """The same, K even: [blocks, K / 2, 8]."""
    even = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2)))
    return by_inputs(even).reshape(-1, even.shape[1] // 2, 8)


def by_steps(steps: np.ndarray) -> np.ndarray:
    """[blocks, 4, 2 * steps] as bytes of AB words: [blocks, steps, 8]."""
    pairs = steps.reshape(len(steps), BLOCK, -1, 2)
    low, high = pairs[:, [0, 2]].transpose(0, 2, 3, 1), pairs[:, [1, 3]].transpose(0, 2, 3, 1)
    return np.concatenate([low, high], axis=2).reshape(len(steps), -1, 8)
