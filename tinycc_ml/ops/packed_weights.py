"""Weights in less than a byte: structures that int8 weights may have, found and packed. docs/compression.md says what lies
where in flash.

A form sees weights as blocks of 4 output channels, [blocks, 4, inputs]; what order the inputs have, and what
fills up the last block, is the kernel's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

BLOCK = 4  # output channels
_LONGEST = 255  # units of a group of nibbles: its length is a byte
EIGHT = 8  # inputs in the words of tml_nibbles_dsp_i8.h
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


def nibble_groups(
    blocks: np.ndarray, unit: int = 1, longest: int = _LONGEST
) -> tuple[tuple[Group, ...], ...]:
    """Groups of each block, as long as can be: within one, what the weights of a channel have in common leaves
    -8..7. blocks: int8 [blocks, 4, inputs], inputs a multiple of `unit`, as are the groups, of `longest` units
    at most."""
    data = np.ascontiguousarray(blocks, np.int8).tobytes()
    return _nibble_groups(data, blocks.shape, unit, longest)


@lru_cache(maxsize=64)
def _nibble_groups(
    data: bytes, shape: tuple[int, ...], unit: int, longest: int
) -> tuple[tuple[Group, ...], ...]:
    """Goes through the inputs of all blocks at once."""
    units = np.frombuffer(data, np.int8).astype(np.int64).reshape(*shape[:2], -1, unit)
    common, least, most = np.gcd.reduce(units, axis=-1), units.min(axis=-1), units.max(axis=-1)
    found: list[list[Group]] = [[] for _ in range(shape[0])]
    first = np.zeros(shape[0], int)
    state = common[..., 0], least[..., 0], most[..., 0]
    for k in range(1, common.shape[2]):
        parts = common[..., k], least[..., k], most[..., k]
        longer = (
            np.gcd(state[0], parts[0]),
            np.minimum(state[1], parts[1]),
            np.maximum(state[2], parts[2]),
        )
        fits = _is_nibbles(*longer).all(axis=1) & (k - first < longest)
        for block in np.flatnonzero(~fits).tolist():
            found[block].append(_group(first[block], k, state[0][block], unit))
            first[block] = k
        state = tuple(np.where(fits[:, None], a, b) for a, b in zip(longer, parts, strict=True))  # type: ignore[assignment]
    for block in range(shape[0]):
        found[block].append(_group(first[block], common.shape[2], state[0][block], unit))
    return tuple(tuple(groups) for groups in found)


def _group(first: int, end: int, common: np.ndarray, unit: int) -> Group:
    return Group(int(first) * unit, int(end) * unit, tuple(int(m) for m in _multiplier(common)))


def _multiplier(common: np.ndarray) -> np.ndarray:
    """What all weights have in common, as an m: 1 for zeros, half of 128."""
    return np.where(common == 128, 64, np.maximum(common, 1))


def _is_nibbles(common: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    m = _multiplier(common)
    return (least >= -8 * m) & (most <= 7 * m)


def quotients(block: np.ndarray, group: Group) -> np.ndarray:
    """q of a group: int64 [4, inputs]."""
    return block[:, group.first : group.end].astype(np.int64) // np.array(group.m)[:, None]


def have_nibbles(blocks: np.ndarray, unit: int = 1) -> bool:
    """Groups may be of one unit: with more than one input it may have weights that are no m * q."""
    return all(
        bool(((q := quotients(block, g)) >= -8).all() and (q <= 7).all())
        and bool((q * np.array(g.m)[:, None] == block[:, g.first : g.end]).all())
        for block, groups in zip(blocks, nibble_groups(blocks, unit), strict=True)
        for g in groups
    )


def packed_nibbles(rows: np.ndarray) -> np.ndarray:
    """The stream of tml_nibbles_i8.h, uint8. rows: int8 [channels, K]"""
    blocks = in_blocks(rows)
    parts = [
        part
        for block, groups in zip(blocks, nibble_groups(blocks), strict=True)
        for g in groups
        for part in (np.array([g.end - g.first, *g.m]), _two_bytes(quotients(block, g)))
    ]
    return np.concatenate(parts).astype(np.uint8)


def _two_bytes(q: np.ndarray) -> np.ndarray:
    """[4, inputs] to two bytes an input."""
    low, high = q[0::2] & 15, q[1::2] & 15
    return (low | high << 4).T.ravel()


def nibbles_bytes(rows: np.ndarray) -> int:
    """Of `packed_nibbles`."""
    groups = nibble_groups(in_blocks(rows))
    return sum(5 + 2 * (g.end - g.first) for block in groups for g in block)


def packed_nibbles_ab(steps: np.ndarray) -> np.ndarray:
    """The stream of tml_nibbles_ab_i8.h, uint8. steps: int8 [blocks, 4, 2 * steps]"""
    parts = []
    for block, groups in zip(steps, nibble_groups(steps, 2), strict=True):
        for g in groups:
            u = (quotients(block, g) + 8).reshape(BLOCK, -1, 2)
            low, high = u[[0, 2]].transpose(1, 2, 0), u[[1, 3]].transpose(1, 2, 0)
            m0, m1, m2, m3 = g.m
            parts += [np.array([(g.end - g.first) // 2, m0, m2, m1, m3]), (low | high << 4).ravel()]
    return np.concatenate(parts).astype(np.uint8)


def nibbles_ab_bytes(steps: np.ndarray) -> int:
    """Of `packed_nibbles_ab`."""
    return sum(5 + 2 * (g.end - g.first) for block in nibble_groups(steps, 2) for g in block)


def in_eights(rows: np.ndarray) -> np.ndarray:
    """[channels, K] to [blocks, 4, inputs], a multiple of 8 of them: zeros behind the last."""
    return in_blocks(np.pad(rows, ((0, 0), (0, -rows.shape[1] % EIGHT))))


def groups_of_eights(rows: np.ndarray) -> tuple[tuple[Group, ...], ...]:
    return nibble_groups(in_eights(rows), EIGHT, _MOST_EIGHTS)


def packed_nibbles_dsp(rows: np.ndarray) -> np.ndarray:
    """The stream of tml_nibbles_dsp_i8.h, uint32. rows: int8 [channels, K]"""
    parts = []
    for block, groups in zip(in_eights(rows), groups_of_eights(rows), strict=True):
        for g in groups:
            q = (quotients(block, g) & 15).reshape(BLOCK, -1, EIGHT)
            words = (q << 4 * np.arange(EIGHT)).sum(axis=2).T
            m = sum(m << 8 * c for c, m in enumerate(g.m))
            parts += [np.array([(g.end - g.first) // EIGHT, m]), words.ravel()]
    return np.concatenate(parts).astype(np.uint32)


def nibbles_dsp_bytes(rows: np.ndarray) -> int:
    """Of `packed_nibbles_dsp`."""
    return sum(8 + 2 * (g.end - g.first) for block in groups_of_eights(rows) for g in block)


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
