"""AB words: int8 weights of two output channels in one int16, for cores with dual multiplies.

runtime_c/ab/tml_ab_block.h explains the technique; this is its packing and the proof that it is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .base import Site

CHANNELS = 4  # of a block for two pixels
VECTOR_CHANNELS = 8  # of a block for one pixel


def block_channels(count: int) -> np.ndarray:
    """int [blocks, 4]: the channels of each block for two pixels. The last block has the last 4, some of
    them for a second time; -1 stands for none."""
    if count < CHANNELS:
        return np.array([[c if c < count else -1 for c in range(CHANNELS)]])
    starts = [min(c, count - CHANNELS) for c in range(0, count, CHANNELS)]
    return np.array([[start + i for i in range(CHANNELS)] for start in starts])


def vector_channels(count: int) -> np.ndarray:
    """int [blocks, 8]: the channels of each block for one pixel; -1 stands for none."""
    channels = np.arange(-(-count // VECTOR_CHANNELS) * VECTOR_CHANNELS)
    return np.where(channels < count, channels, -1).reshape(-1, VECTOR_CHANNELS)


def _words(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each word of a block its two channels A and B. Two pixels are stored as bytes 0, 2 and 1, 3, where
    those of A are shifted up."""
    if channels.shape[1] == CHANNELS:
        return channels[:, [2, 3]], channels[:, [0, 1]]
    return channels[:, 0::2], channels[:, 1::2]


def refuses(site: Site, rows: np.ndarray, bound: np.ndarray, channels: np.ndarray) -> str | None:
    """Why AB words can't serve; None when they are exact. rows: weights [channels, K]; bound: of
    |accumulator| per channel."""
    if site.attrs["pre_shift"]:
        return "needs a scale below 1/2"
    if int(bound.max(initial=0)) >= 1 << 23:
        return f"needs accumulators below 2^23, they reach {int(bound.max())}"
    if _paired(rows, channels).min(initial=0) < -(1 << 15):
        return "needs weights other than -128 in the first of two channels"
    reach = int((bound * site.const(3).astype(np.int64)).max(initial=0)) >> 32
    return "needs results below 2^15 before they are clamped" if reach + 257 >= 1 << 15 else None


def _paired(values: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """256 * A + B, [blocks, words of a block, ...]; values: [channels, ...]"""
    a, b = _words(channels)
    full = _with_none(values)
    return 256 * full[a] + full[b]


def _with_none(values: np.ndarray) -> np.ndarray:
    """int64, with zeros where channel -1 is looked up."""
    return np.concatenate([values.astype(np.int64), np.zeros_like(values[:1], np.int64)])


def steps_of(run: int, runs: int) -> int:
    """Pairs of inputs of `runs` runs."""
    return runs * ((run + 1) // 2)


def order_of(run: int) -> list[tuple[int, int]]:
    """The inputs of each pair within a run, -1 for none: as tml_ab_expand_i8 pairs them."""
    fours = range(0, run - (2 if run % 4 == 2 else 0), 4)
    pairs = [(k, k + 2 if k + 2 < run else -1) for four in fours for k in (four, four + 1)]
    return [p for p in pairs if p[0] < run] + ([(run - 2, run - 1)] if run % 4 == 2 else [])


def beyond(run: int) -> int:
    """How far beyond a run tml_ab_expand_i8 reads."""
    return -run % 4


def planar_order_of(inputs: int) -> list[tuple[int, int]]:
    """The same for inputs that are read from planes: neighbours."""
    return [(k, k + 1 if k + 1 < inputs else -1) for k in range(0, inputs, 2)]


def packed(
    rows: np.ndarray,
    bias: np.ndarray,
    multiplier: np.ndarray,
    channels: np.ndarray,
    order: Sequence[tuple[int, int]],
) -> np.ndarray:
    """The stream of blocks of `channels`: rows [channels, K], a pair of inputs for each entry of `order`.
    int32 words."""
    w = np.pad(rows, ((0, 0), (0, 1)))  # the last column stands for "none"
    ab = _paired(w, channels)
    low, high = (ab[..., [pair[i] for pair in order]] & 0xFFFF for i in (0, 1))
    words = (low | (high << 16)).transpose(0, 2, 1).reshape(len(channels), -1)
    b, m = _with_none(bias), _with_none(multiplier)
    stream = np.concatenate(
        [_paired(bias, channels), b[_words(channels)[1]], words, m[channels]], axis=1
    )
    return (stream & 0xFFFFFFFF).astype(np.uint32).view(np.int32).ravel()


def runs_order(k: int, run: int) -> list[tuple[int, int]]:
    """The inputs of each pair, of k inputs in runs of `run`; -1 for none."""
    return [
        (start + a, start + b if b >= 0 else -1)
        for start in range(0, k, run)
        for a, b in order_of(run)
    ]


def packed_runs(rows: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, run: int) -> np.ndarray:
    """The stream of tml_ab_4x2_i8: rows [channels, K] in runs of `run` inputs."""
    order = runs_order(rows.shape[1], run)
    return packed(rows, bias, multiplier, block_channels(len(rows)), order)


def in_steps(
    rows: np.ndarray, channels: np.ndarray, order: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Weights before they are words: [blocks, channels of a block, 2 * steps], zeros for "none"."""
    full = np.pad(rows, ((0, 1), (0, 1)))
    return full[channels][..., np.array(order, int).ravel()]


def packed_quant(bias: np.ndarray, multiplier: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """What stands before and behind the words of each block, without them. int32 [8 * blocks]"""
    b, m = _with_none(bias), _with_none(multiplier)
    parts = [_paired(bias, channels), b[_words(channels)[1]], m[channels]]
    stream = np.concatenate(parts, axis=1)
    return (stream & 0xFFFFFFFF).astype(np.uint32).view(np.int32).ravel()


def packed_vector(rows: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of tml_ab_8x1_i8: rows [channels, K]."""
    full = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    return packed(full, bias, multiplier, vector_channels(len(rows)), order_of(full.shape[1]))


def cycles(pairs: int, channels: int, steps: int, planar: bool = False) -> float:
    """Modelled cycles on a Cortex-M4 of all channels of pairs of pixels, once their inputs are expanded."""
    blocks, rounds = -(-channels // CHANNELS), max(-(-(steps - 1) // 32), 1)
    block = 15 * steps + (59 if planar else 53) + (8 * rounds - 3 if rounds > 1 else 0)
    partial = 20 if channels > CHANNELS and channels % CHANNELS else 0
    scattered = 10 + 22 * channels if channels < CHANNELS else 0
    return pairs * (blocks * block + 18 + partial + scattered)


def vector_cycles(channels: int, k: int) -> float:
    """The same for one pixel with blocks of 8 channels."""
    two_steps, blocks = -(-k // 4), -(-channels // VECTOR_CHANNELS)
    block = 37 * two_steps + 8 * -(-two_steps // 4) + 72
    partial = 40 if channels % VECTOR_CHANNELS else 0
    return blocks * block + partial + 2.85 * k + 90
