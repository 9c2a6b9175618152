"""Kernels with weights as float16 give what those with float32 of the same values give, bit for bit."""

import numpy as np
import pytest

from . import cases, naive
from .test_dense import SIZES

ALL_FINITE = np.arange(65536, dtype=np.uint16).view(np.float16)
ALL_FINITE = ALL_FINITE[np.isfinite(ALL_FINITE)]


def _halves(rng, *shape):
    """Any finite ones, subnormal ones included."""
    return rng.choice(ALL_FINITE, shape)


def test_every_finite_half_is_read_exactly(kernels):
    for part in np.array_split(ALL_FINITE, 8):
        y = np.empty(part.size, np.float32)
        params = {"x_len": 1, "y_len": part.size, "y_min": -1e9, "y_max": 1e9}
        weights = naive.pack(part[:, None]).view(np.uint16)
        kernels.call("dense_f16", params, np.ones(1, np.float32), weights, np.zeros_like(y), y)
        np.testing.assert_array_equal(y, part.astype(np.float32))


@pytest.mark.parametrize(("x_len", "y_len"), SIZES)
def test_dense_equals_dense_with_float32(kernels, x_len, y_len):
    rng = np.random.default_rng(1)
    x, bias = cases.float32(rng, x_len), cases.float32(rng, y_len)
    packed = naive.pack(_halves(rng, y_len, x_len))
    params = {"x_len": x_len, "y_len": y_len, "y_min": -30000.0, "y_max": 60000.0}
    y, wanted = np.empty(y_len, np.float32), np.empty(y_len, np.float32)
    kernels.call("dense_f16", params, x, packed.view(np.uint16), bias, y)
    kernels.call("dense_f32", params, x, packed.astype(np.float32), bias, wanted)
    np.testing.assert_array_equal(y, wanted)


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize(("y_c", "groups"), [(6, 1), (4, 1), (0, 0)])
def test_conv2d_equals_conv2d_with_float32(kernels, guarded, window, y_c, groups):
    win = cases.WINDOWS[window]
    y_c, groups = (2 * win.x_c, win.x_c) if groups == 0 else (y_c, groups)
    rng = np.random.default_rng(2)
    x, bias = cases.float32(rng, win.x_h, win.x_w, win.x_c), cases.float32(rng, y_c)
    rows = _halves(rng, y_c, win.kernel_h * win.kernel_w * win.x_c // groups)
    packed = naive.pack(rows, groups)
    params = win.params(y_c) | {"y_c": y_c, "groups": groups, "y_min": -3e4, "y_max": 6e4}
    made = []
    for kind, weights in (("f16", packed.view(np.uint16)), ("f32", packed.astype(np.float32))):
        y = guarded(win.y_h, win.y_w * y_c + win.y_gap, "f4")
        scratch = np.zeros(2 * rows.shape[1], np.float32)
        spread = naive.spread(x, win.x_gap)
        kernels.call(f"conv2d_{kind}", params, spread, weights, bias, scratch, y)
        made.append(cases.rows(y, win, y_c).copy())
    np.testing.assert_array_equal(*made)
