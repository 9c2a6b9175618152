"""Depthwise convolution, int8 and float."""

import numpy as np
import pytest

from . import cases, naive


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize("span", cases.RANGES)
def test_i8_equals_int64(kernels, guarded, window, span):
    win, q = cases.WINDOWS[window], cases.RANGES[span]
    rng = np.random.default_rng(0)
    x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
    w = cases.int8(rng, win.kernel_h, win.kernel_w, win.x_c)
    bias, m = cases.quantisation(rng, win.x_c, win.kernel_h * win.kernel_w, q["pre_shift"])
    y = guarded(win.y_h, win.y_w * win.x_c + win.y_gap)
    kernels.call(
        "depthwise_conv2d_i8", win.params(win.x_c) | q, naive.spread(x, win.x_gap), w, bias, m, y
    )
    acc = naive.depthwise(
        naive.gather(x, win, q["x_zero_point"]), w.astype(np.int64), bias.astype(np.int64)
    )
    np.testing.assert_array_equal(cases.rows(y, win, win.x_c), naive.output(acc, m, q))


@pytest.mark.parametrize("window", cases.WINDOWS)
def test_f32_equals_float32_in_order(kernels, guarded, window):
    win = cases.WINDOWS[window]
    rng = np.random.default_rng(1)
    x = cases.float32(rng, win.x_h, win.x_w, win.x_c)
    w, bias = cases.float32(rng, win.kernel_h, win.kernel_w, win.x_c), cases.float32(rng, win.x_c)
    y = guarded(win.y_h, win.y_w * win.x_c + win.y_gap, "f4")
    params = win.params(win.x_c) | {"y_min": -2.0, "y_max": 1.5}
    kernels.call("depthwise_conv2d_f32", params, naive.spread(x, win.x_gap), w, bias, y)
    acc = naive.depthwise(naive.gather(x, win, 0), w, bias)
    np.testing.assert_array_equal(cases.rows(y, win, win.x_c), np.clip(acc, -2.0, 1.5))
