"""The rounding rule against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinycc_ml.numerics.fixedpoint import (
    INT32_MAX,
    log2_of,
    multiplier_of,
    requantize,
    root_of,
    round_half_up,
    rounding_shift,
    shared_multipliers,
)

accumulators = st.integers(-(2**31), INT32_MAX)
scales = st.floats(2.0**-40, 2.0**14 - 1)


def _half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


@given(accumulators, st.integers(0, INT32_MAX))
@example(-(2**31), INT32_MAX)
@example(1, 2**31 - 1)
@example(-1, 2**31 - 1)
@example(3, 2**31)
def test_requantize_is_the_exact_product_rounded_half_up(acc: int, multiplier: int) -> None:
    multiplier = min(multiplier, INT32_MAX)
    assert requantize(np.int64(acc), multiplier) == _half_up(Fraction(acc * multiplier, 2**32))


def test_requantize_rounds_halves_up_on_both_sides_of_zero() -> None:
    half = 2**30  # a quarter
    assert requantize(np.array([2, -2, 6, -6]), half).tolist() == [1, 0, 2, -1]


def test_requantize_takes_a_multiplier_for_each_channel() -> None:
    acc = np.array([[4, 4], [8, -8]])
    assert requantize(acc, np.array([2**30, 2**31 - 1])).tolist() == [[1, 2], [2, -4]]


@given(accumulators, st.integers(0, 31))
def test_rounding_shift_is_the_exact_quotient_rounded_half_up(value: int, shift: int) -> None:
    assert rounding_shift(np.int64(value), shift) == _half_up(Fraction(value, 2**shift))


@given(st.integers(1, 2**62))
@example(1)
@example(2**31 - 1)
@example(2**32)
@example(2**62)
def test_log2_is_rounded_down_and_hardly_less(value: int) -> None:
    """At most one digit, as its own squarings are rounded down."""
    got = int(log2_of(np.int64(value)))
    exact = math.log2(value) * 2**20
    assert exact - 1.003 <= got <= exact + 1e-6


def test_log2_of_powers_of_two_is_exact() -> None:
    powers = np.arange(63)
    np.testing.assert_array_equal(log2_of(1 << powers), powers << 20)


@given(st.integers(0, 2**62 - 1))
def test_root_is_rounded_down(value: int) -> None:
    assert int(root_of(np.int64(value))) == math.isqrt(value)


@given(st.integers(-(2**40), 2**40))
def test_reals_become_integers_half_up(twice: int) -> None:
    assert round_half_up(twice / 2) == _half_up(Fraction(twice, 2))


@given(st.lists(scales, min_size=1, max_size=5))
def test_multiplier_is_within_half_a_unit_of_its_scale(values: list[float]) -> None:
    made = multiplier_of(np.array(values))
    assert made.value.dtype == np.int32
    assert 0 <= made.pre_shift <= 15
    for m, scale in zip(made.value.tolist(), values, strict=True):
        assert abs(m - Fraction(scale) * 2 ** (32 - made.pre_shift)) <= Fraction(1, 2)


@given(st.floats(2.0**-30, 0.4999, allow_nan=False))
def test_scales_below_a_half_need_no_pre_shift(scale: float) -> None:
    assert multiplier_of(np.array([scale])).pre_shift == 0


@pytest.mark.parametrize(("scale", "pre_shift"), [(0.5, 1), (0.99, 1), (1.0, 2), (2.0**13, 15)])
def test_pre_shift_is_the_smallest_that_fits(scale: float, pre_shift: int) -> None:
    assert multiplier_of(np.array([scale])).pre_shift == pre_shift


def test_a_scale_beyond_the_largest_pre_shift_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        multiplier_of(np.array([2.0**15]))


@given(st.lists(st.floats(-1e3, 1e3, allow_nan=False), min_size=1, max_size=4).map(tuple))
def test_shared_multipliers_cannot_leave_32_bits(values: tuple[float, ...]) -> None:
    made = shared_multipliers(values, 255)
    assert sum(abs(v) for v in made.value) * 255 <= 2**31 - 1
    for v, scale in zip(made.value, values, strict=True):
        assert abs(v - Fraction(scale) * 2**made.shift) <= Fraction(1, 2)


def test_shared_multipliers_beyond_32_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        shared_multipliers((1e7,), 255)
