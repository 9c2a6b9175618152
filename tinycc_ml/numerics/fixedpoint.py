"""The rounding rule and what follows from it; docs/numerics.md is the normative text.

    requantize(acc, m) = floor(acc * m / 2^32 + 1/2)

Everything here is exact integer arithmetic on int64 arrays. The same functions in C are in
runtime_c/common/tml_fixedpoint.h; the tests hold the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

INT32_MAX = 2**31 - 1
MAX_PRE_SHIFT = 15
# |acc| * m of wide nodes is at most this, so that half of 2^n added is an int64 (numerics.md §2)
WIDE_MAX = 2**62


def requantize(acc: np.ndarray, multiplier: np.ndarray | int, pre_shift: int = 0) -> np.ndarray:
    """floor(acc * 2^pre_shift * multiplier / 2^32 + 1/2), the product an int64. multiplier: 0..2^31-1;
    pre_shift: -30..15. Gives int64."""
    product = np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64)
    return (product + (1 << (31 - pre_shift))) >> (32 - pre_shift)


def requantize_even(
    acc: np.ndarray, multiplier: np.ndarray | int, pre_shift: int = 0
) -> np.ndarray:
    """As `requantize`, but a result exactly between two integers goes to the even one (numerics.md §6)."""
    product = np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64)
    half = 1 << (31 - pre_shift)
    y = (product + half) >> (32 - pre_shift)
    halfway = (product & (2 * half - 1)) == half
    return np.where(halfway & (y % 2 != 0), y - 1, y)


def rounding_shift(value: np.ndarray, shift: int) -> np.ndarray:
    """floor(value / 2^shift + 1/2), shift: 0..31. Gives int64."""
    wide = np.asarray(value, np.int64)
    return wide if shift == 0 else (wide + (1 << (shift - 1))) >> shift


# Binary digits behind the point of what `log2_of` gives
LOG2_BITS = 20


def root_of(value: np.ndarray) -> np.ndarray:
    """floor(sqrt(value)), value: 0..2^62-1. Gives int64."""
    return np.asarray(np.frompyfunc(isqrt, 1, 1)(np.asarray(value, object)), np.int64)


def log2_of(value: np.ndarray) -> np.ndarray:
    """log2(value) * 2^20 rounded down, at most 1.003 too low; value: 1..2^62. Gives int64.

    A digit at a time: the square of a number in 1..2 is 2 or more where the next digit of its logarithm is 1.
    """
    value = np.asarray(value, np.int64)
    whole = np.asarray(np.frompyfunc(int.bit_length, 1, 1)(value.astype(object)), np.int64) - 1
    part = np.where(
        whole > 31, value >> np.maximum(whole - 31, 0), value << np.maximum(31 - whole, 0)
    )
    part, y = part.astype(np.uint64), whole
    for _ in range(LOG2_BITS):
        part = (part * part) >> np.uint64(31)
        digit = part >> np.uint64(32)
        part, y = part >> digit, 2 * y + digit.astype(np.int64)
    return y


def round_half_up(value: np.ndarray | float) -> np.ndarray:
    """floor(value + 1/2): how a real number becomes an integer when the compiler makes a constant."""
    return np.floor(np.asarray(value, np.float64) + 0.5).astype(np.int64)


@dataclass(frozen=True)
class Multiplier:
    """Real scales as `value / 2^32 * 2^pre_shift`; value: int32, one per channel; pre_shift: 0..15, of wide
    nodes -30..15."""

    value: np.ndarray
    pre_shift: int


def multiplier_of(scale: np.ndarray) -> Multiplier:
    """The multipliers for positive real scales. The pre-shift is 0 while every scale is below 1/2.

    ValueError when a scale needs a pre-shift above 15.
    """
    scale = np.atleast_1d(np.asarray(scale, np.float64))
    for pre_shift in range(MAX_PRE_SHIFT + 1):
        value = round_half_up(scale * 2.0 ** (32 - pre_shift))
        if value.max() <= INT32_MAX:
            return Multiplier(value.astype(np.int32), pre_shift)
    raise ValueError(f"a scale of {scale.max():g} is too large to requantise with")


def wide_multiplier_of(scale: np.ndarray, bound: np.ndarray | int) -> Multiplier:
    """The most exact multipliers for positive real scales of accumulators up to `bound` in size, whose product
    is an int64 (numerics.md §2). ValueError when there are none."""
    scale = np.atleast_1d(np.asarray(scale, np.float64))
    reach = [int(b) for b in np.broadcast_to(np.asarray(bound, np.int64), scale.shape).ravel()]
    for pre_shift in range(-30, MAX_PRE_SHIFT + 1):
        scaled = scale * 2.0 ** (32 - pre_shift)
        if scaled.max() >= INT32_MAX:
            continue
        value = round_half_up(scaled)
        if all(int(v) * b <= WIDE_MAX for v, b in zip(value.ravel(), reach, strict=True)):
            return Multiplier(value.astype(np.int32), pre_shift)
    raise ValueError(f"a scale of {scale.max():g} is too large to requantise with")


@dataclass(frozen=True)
class SharedMultipliers:
    """Integer factors with one common shift: real scale k = value[k] / 2^shift."""

    value: tuple[int, ...]
    shift: int


def shared_multipliers(
    scales: tuple[float, ...], reach: int, most: int = INT32_MAX
) -> SharedMultipliers:
    """int32 factors for a sum of terms, each at most `reach` in size, that stays within `most`.

    The shift is the largest in 0..31 that keeps the sum of reach * value there, so the factors are
    as exact as the accumulator allows. ValueError when not even shift 0 fits.
    """
    for shift in range(31, -1, -1):
        value = tuple(int(round_half_up(s * 2.0**shift)) for s in scales)
        if sum(map(abs, value)) * reach <= most and max(map(abs, value)) <= INT32_MAX:
            return SharedMultipliers(value, shift)
    raise ValueError(f"scales of {max(scales):g} are too large to add with")
