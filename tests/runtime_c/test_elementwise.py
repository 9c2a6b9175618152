"""Element-wise kernels: sums and tables."""

import numpy as np
import pytest

from . import cases

# Beside, behind and before a round of 16
SIZES = (1, 3, 4, 15, 16, 17, 50)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("m0", "m1", "shift", "y_min", "y_max"),
    [
        (2**22, 2**21, 22, -128, 127),
        (1_234_567, -2_345_678, 21, -20, 127),
        (77, 4, 1, -128, 9),
        (2**23 - 1, 1, 23, -5, -5),
    ],
)
def test_sum_equals_int64(kernels, guarded, n, m0, m1, shift, y_min, y_max):
    rng = np.random.default_rng(n)
    x0, x1, offset = cases.int8(rng, n), cases.int8(rng, n), -987_654
    y = guarded(1, n)
    names = ("n", "multiplier0", "multiplier1", "offset", "shift", "y_min", "y_max")
    params = dict(zip(names, (n, m0, m1, offset, shift, y_min, y_max), strict=True))
    kernels.call("add_i8", params, x0, x1, y)
    acc = x0.astype(np.int64) * m0 + x1.astype(np.int64) * m1 + offset
    rounded = (acc + (1 << shift - 1)) >> shift
    np.testing.assert_array_equal(y[0], np.clip(rounded, y_min, y_max))
    assert np.all(y[1] == 77)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("in_place", [False, True])
def test_table_gives_its_entry_at_128_for_0(kernels, guarded, n, in_place):
    rng = np.random.default_rng(n)
    x, table = guarded(1, n), rng.integers(0, 256, 256).astype(np.uint8)
    x[0] = cases.int8(rng, n)
    before = x[0].astype(int)
    y = x if in_place else guarded(1, n)
    kernels.call("lut_i8", {"n": n}, x, table, y)
    np.testing.assert_array_equal(y[0], table.view(np.int8)[before + 128])
    assert np.all(y[1] == 77)
