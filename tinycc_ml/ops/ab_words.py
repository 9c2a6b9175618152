"""AB words: int8 weights of two output channels in one int16, for cores with dual multiplies.

runtime_c/ab/tml_ab_4x2_i8.h explains the technique; this is its packing and the proof that it is exact.
"""

from __future__ import annotations

import numpy as np

from .base import Site

CHANNELS = 4  # of a block for two pixels
VECTOR_CHANNELS = 8  # of a block for one pixel


def refuses(site: Site, rows: np.ndarray, bound: np.ndarray) -> str | None:
    """Why AB words can't serve; None when they are exact. rows: weights [channels, K]; bound: of
    |accumulator| per channel."""
    if site.attrs["pre_shift"]:
        return "needs a scale below 1/2"
    if int(bound.max(initial=0)) >= 1 << 23:
        return f"needs accumulators below 2^23, they reach {int(bound.max())}"
    a, b = _paired(rows)
    if (256 * a + b).min(initial=0) < -(1 << 15):
        return "needs weights other than -128 in the first of two channels"
    reach = int((bound * site.const(3).astype(np.int64)).max(initial=0)) >> 32
    return "needs results below 2^15 before they are clamped" if reach + 257 >= 1 << 15 else None


def _paired(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    full = np.zeros((-(-len(rows) // 2) * 2, rows.shape[1]), np.int64)
    full[: len(rows)] = rows
    return full[0::2], full[1::2]


def steps_of(run: int, runs: int) -> int:
    """Pairs of inputs of `runs` runs."""
    return runs * ((run + 1) // 2)


def order_of(run: int) -> list[tuple[int, int]]:
    """The inputs of each pair within a run, -1 for none: as tml_ab_expand_i8 pairs them."""
    pairs = [p for k in range(0, run - run % 4, 4) for p in ((k, k + 2), (k + 1, k + 3))]
    tail = range(run - run % 4, run, 2)
    return pairs + [(k, k + 1 if k + 1 < run else -1) for k in tail]


def packed(
    rows: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, run: int, channels: int = CHANNELS
) -> np.ndarray:
    """The stream of tml_ab_4x2_i8, or of a block of other `channels`: rows [channels, K] in runs of
    `run` inputs. int32 words."""
    blocks = -(-len(rows) // channels)
    w = np.zeros(
        (blocks * channels, rows.shape[1] + 1), np.int64
    )  # the last column stands for "none"
    w[: len(rows), :-1] = rows
    low, high = _columns(rows.shape[1], run)
    ab = 256 * w[0::2] + w[1::2]
    words = (ab[:, low] & 0xFFFF) | ((ab[:, high] & 0xFFFF) << 16)
    words = words.reshape(blocks, channels // 2, -1).transpose(0, 2, 1).reshape(blocks, -1)
    b, m = _padded(bias, blocks, channels), _padded(multiplier, blocks, channels)
    stream = np.concatenate([256 * b[:, 0::2] + b[:, 1::2], b[:, 1::2], words, m], axis=1)
    return (stream & 0xFFFFFFFF).astype(np.uint32).view(np.int32).ravel()


def packed_vector(rows: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of tml_ab_8x1_i8: rows [channels, K]. int32 words."""
    full = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    return packed(full, bias, multiplier, full.shape[1], VECTOR_CHANNELS)


def _columns(k: int, run: int) -> tuple[list[int], list[int]]:
    pairs = [
        (start + a, start + b if b >= 0 else k)
        for start in range(0, k, run)
        for a, b in order_of(run)
    ]
    return [a for a, _ in pairs], [b for _, b in pairs]


def _padded(values: np.ndarray, blocks: int, channels: int) -> np.ndarray:
    full = np.zeros(blocks * channels, np.int64)
    full[: len(values)] = values
    return full.reshape(blocks, channels)


def cycles(pixels: int, channels: int, run: int, runs: int) -> float:
    """Modelled cycles on a Cortex-M4: blocks, expansion of the inputs, and what goes with a pixel."""
    steps, blocks = steps_of(run, runs), -(-channels // CHANNELS)
    rounds = -(-steps // 8)
    block = 15 * steps + 6 * rounds + 72
    expansion = 1.6 * run * runs + 8 * runs + 30
    return (pixels + 1) // 2 * (blocks * block + 40) + pixels * expansion


def vector_cycles(channels: int, k: int) -> float:
    """The same for one pixel with blocks of 8 channels."""
    two_steps, blocks = -(-k // 4), -(-channels // VECTOR_CHANNELS)
    block = 37 * two_steps + 8 * -(-two_steps // 4) + 72
    partial = 40 if channels % VECTOR_CHANNELS else 0
    return blocks * block + partial + 2.85 * k + 90
