"""Kernels on AB words, on the streams that the compiler packs."""

import numpy as np
import pytest

from tinycc_ml.ops import ab_words

from . import cases, naive

RANGES = [name for name, q in cases.RANGES.items() if q["pre_shift"] == 0]


def weights_of(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """int8 without -128, which the first channel of a pair can't have."""
    return np.maximum(cases.int8(rng, *shape), -127)


@pytest.mark.parametrize("x_len", [1, 2, 3, 4, 5, 7, 8, 13, 33, 34, 640])
@pytest.mark.parametrize("y_len", [1, 7, 8, 9, 24])
@pytest.mark.parametrize("span", RANGES)
def test_dense_equals_int64(kernels, guarded, x_len, y_len, span):
    rng = np.random.default_rng(0)
    q = {key: v for key, v in cases.RANGES[span].items() if key != "x_zero_point"}
    x, w = cases.int8(rng, x_len), weights_of(rng, y_len, x_len)
    bias, m = cases.quantisation(rng, y_len, x_len, 0)
    stream = ab_words.packed_vector(w.astype(np.int64), bias, m)
    y, scratch = guarded(1, y_len), np.zeros(-(-x_len // 4) * 8, np.int8)
    kernels.call("dense_ab_i8", q | {"x_len": x_len, "y_len": y_len}, x, stream, scratch, y)
    acc = naive.dot(x.astype(np.int64), w.astype(np.int64), bias.astype(np.int64))
    np.testing.assert_array_equal(y[0], naive.output(acc, m, q))
    assert (y[1] == 77).all()


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("y_c", [1, 4, 6])
def test_conv2d_equals_int64(kernels, guarded, window, span, y_c):
    win, q = cases.WINDOWS[window], cases.RANGES[span]
    rng = np.random.default_rng(1)
    x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
    w = weights_of(rng, y_c, win.kernel_h, win.kernel_w, win.x_c)
    bias, m = cases.quantisation(rng, y_c, w[0].size, 0)
    run = win.kernel_w * win.x_c if win.dilation_w == 1 else win.x_c
    stream = ab_words.packed(w.reshape(y_c, -1).astype(np.int64), bias, m, run)
    steps = ab_words.steps_of(run, w[0].size // run)
    y, scratch = (
        guarded(win.y_h, win.y_w * y_c + win.y_gap),
        np.zeros(8 * steps + w[0].size + y_c, np.int8),
    )
    params = win.params(y_c) | q | {"y_c": y_c, "groups": 1}
    kernels.call("conv2d_ab_i8", params, naive.spread(x, win.x_gap), stream, scratch, y)
    windows = naive.gather(x, win, q["x_zero_point"])
    acc = naive.conv2d(windows, w.astype(np.int64), bias.astype(np.int64), 1)
    np.testing.assert_array_equal(cases.rows(y, win, y_c), naive.output(acc, m, q))
