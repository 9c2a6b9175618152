"""Real numbers to integers and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinycc_ml.ir.types import I8, I16, U8, DType, Quant, TensorType
from tinycc_ml.numerics.quantization import (
    affine,
    dequantize,
    integer_bound,
    quantize,
    rounder,
)

ends = st.floats(-1e4, 1e4, allow_nan=False, width=32)


def _type(shape: tuple[int, ...], quant: Quant) -> TensorType:
    return TensorType(shape, I8, quant)


@given(ends, ends)
def test_affine_range_holds_both_ends_and_zero(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    quant = affine(low, high)
    least, most = ((q - quant.zero) * quant.scale0 for q in I8.range)
    slack = 0.51 * quant.scale0  # the zero point is rounded
    assert least - slack <= min(low, 0) and max(high, 0) <= most + slack
    assert quantize(np.zeros(1), _type((1,), quant))[0] == quant.zero
    assert quant.scale0 == np.float32(quant.scale0)


@pytest.mark.parametrize(
    ("low", "high", "zero"), [(0, 255, -128), (-255, 0, 127), (-128, 127, 0), (3, 255, -128)]
)
def test_zero_point_reaches_both_ends(low: float, high: float, zero: int) -> None:
    assert affine(low, high) == Quant.per_tensor(1.0, zero)


@pytest.mark.parametrize(
    ("low", "high", "zero"), [(0, 65535, -32768), (-65535, 0, 32767), (-32768, 32767, 0)]
)
def test_int16_spends_no_step_on_values_beyond_the_range(
    low: float, high: float, zero: int
) -> None:
    assert affine(low, high, I16) == Quant.per_tensor(1.0, zero)


def test_a_constant_zero_has_a_scale() -> None:
    assert affine(0, 0).scale0 > 0


@given(ends, ends, hnp.arrays(np.float32, 5, elements=st.floats(-1e4, 1e4, width=32)))
def test_dequantised_values_are_within_half_a_step(a: float, b: float, values: np.ndarray) -> None:
    quant = affine(min(a, b), max(a, b))
    least, most = ((q - quant.zero) * quant.scale0 for q in I8.range)
    inside = np.clip(values, least, most)
    type_ = _type((5,), quant)
    back = dequantize(quantize(inside, type_), type_)
    assert np.all(np.abs(back - inside) <= 0.5001 * quant.scale0 + 1e-30)


def test_quantize_rounds_half_to_even_and_saturates() -> None:
    type_ = _type((5,), Quant.per_tensor(2.0, 1))
    assert quantize(np.array([1.0, 3.0, -1.0, 1e9, -1e9]), type_).tolist() == [1, 3, 1, 127, -128]


def test_quantize_follows_the_channel_axis() -> None:
    type_ = _type((1, 2, 2), Quant((1.0, 0.5), (0, 10), 1))
    q = quantize(np.ones((1, 2, 2)), type_)
    assert q.tolist() == [[[1, 1], [12, 12]]]
    np.testing.assert_array_equal(dequantize(q, type_), np.ones((1, 2, 2)))


def test_unquantised_types_are_refused() -> None:
    with pytest.raises(ValueError, match="not quantised"):
        quantize(np.ones(1), TensorType((1,), I8))


@pytest.mark.parametrize(
    ("real", "bound"),
    [(np.inf, 127), (-np.inf, -128), (0.0, -10), (6.0, 2), (1e9, 127), (-1e9, -128)],
)
def test_bounds_of_clamps_become_integers(real: float, bound: int) -> None:
    assert integer_bound(real, Quant.per_tensor(0.5, -10)) == bound


def test_unsigned_range() -> None:
    assert affine(0, 255, U8) == Quant.per_tensor(1.0, 0)
    assert integer_bound(np.inf, Quant.per_tensor(1.0, 0), U8) == 255


@pytest.mark.parametrize("dtype", [I8, U8, I16])
@pytest.mark.parametrize("quant", [Quant.per_tensor(0.3, 17), Quant((0.1, 2.0**-9), (0, 100), 1)])
def test_rounder_is_there_and_back_to_the_bit(dtype: DType, quant: Quant) -> None:
    rng = np.random.default_rng(0)
    halves = (np.arange(-600, 600) + 0.5) * quant.scale0
    special = [0.0, -0.0, -1e-9, 1e-9, 1e30, -1e30, 3e38, np.inf, -np.inf, 7.0]
    real = np.concatenate([rng.normal(0, 30, 990), halves, special]).astype(np.float32)
    type_ = TensorType((1100, 2), dtype, quant)
    wanted = dequantize(quantize(real.reshape(-1, 2), type_), type_)
    found = rounder(type_)(real.reshape(-1, 2))
    assert found.dtype == np.float32 and found.tobytes() == wanted.tobytes()
