"""conv2d, pointwise and spatial, int8 and float."""

from dataclasses import replace

import numpy as np
import pytest

from . import cases, naive


def compare_i8(kernels, guarded, win, y_c, groups, q, seed=0):
    rng = np.random.default_rng(seed)
    x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
    w = cases.int8(rng, y_c, win.kernel_h, win.kernel_w, win.x_c // groups)
    k = w[0].size
    bias, m = cases.quantisation(rng, y_c, k, q["pre_shift"])
    y = guarded(win.y_h, win.y_w * y_c + win.y_gap)
    scratch = np.zeros(2 * k, np.int8)
    params = win.params(y_c) | q | {"y_c": y_c, "groups": groups}
    packed = naive.pack(w.reshape(y_c, -1), groups)
    kernels.call("conv2d_i8", params, naive.spread(x, win.x_gap), packed, bias, m, scratch, y)
    acc = naive.conv2d(
        naive.gather(x, win, q["x_zero_point"]), w.astype(np.int64), bias.astype(np.int64), groups
    )
    np.testing.assert_array_equal(cases.rows(y, win, y_c), naive.output(acc, m, q))


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize("span", cases.RANGES)
def test_i8_equals_int64(kernels, guarded, window, span):
    compare_i8(kernels, guarded, cases.WINDOWS[window], 6, 1, cases.RANGES[span])


@pytest.mark.parametrize("y_c", [1, 2, 3, 4, 5, 7, 8])
def test_i8_partial_blocks(kernels, guarded, y_c):
    compare_i8(kernels, guarded, naive.Window(x_h=3, x_w=4, x_c=3), y_c, 1, cases.RANGES["middle"])


@pytest.mark.parametrize(("x_c", "y_c", "groups"), [(4, 8, 2), (6, 9, 3), (5, 5, 5), (8, 24, 2)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_i8_groups(kernels, guarded, x_c, y_c, groups, dilation):
    win = naive.Window(x_c=x_c, dilation_w=dilation, pad_left=2)
    compare_i8(kernels, guarded, win, y_c, groups, cases.RANGES["zero_points_low"])


def test_i8_row_by_row_equals_whole(kernels, guarded):
    """A row window is the same call on a view: here the rows of x from 2 on, and no padding above."""
    win = naive.Window(x_h=8, x_w=5, x_c=4)
    part = replace(win, x_h=6, pad_top=-1, y_rows=2)
    compare_i8(kernels, guarded, part, 4, 1, cases.RANGES["middle"])


@pytest.mark.parametrize(
    ("h", "w", "x_c", "y_c"),
    [(1, 1, 1, 1), (3, 5, 7, 6), (2, 4, 64, 8), (5, 3, 9, 3), (1, 7, 2, 13)],
)
@pytest.mark.parametrize("gaps", [(0, 0), (2, 0), (0, 3), (4, 5)])
@pytest.mark.parametrize("span", ["middle", "zero_points_high", "pre_shift", "narrow"])
def test_1x1_i8_equals_int64(kernels, guarded, h, w, x_c, y_c, gaps, span):
    rng = np.random.default_rng(3)
    q = {key: v for key, v in cases.RANGES[span].items() if key != "x_zero_point"}
    x, weights = cases.int8(rng, h, w, x_c), cases.int8(rng, y_c, x_c)
    bias, m = cases.quantisation(rng, y_c, x_c, q["pre_shift"])
    win = naive.Window(
        h,
        w,
        x_c,
        1,
        1,
        pad_top=0,
        pad_left=0,
        pad_bottom=0,
        pad_right=0,
        x_gap=gaps[0],
        y_gap=gaps[1],
    )
    y = guarded(h, w * y_c + win.y_gap)
    spatial = win.params(y_c)
    params = (
        {name: spatial[name] for name in ("x_c", "x_row_pitch", "y_h", "y_w", "y_row_pitch")}
        | q
        | {"y_c": y_c}
    )
    kernels.call(
        "conv2d_1x1_i8", params, naive.spread(x, win.x_gap), naive.pack(weights), bias, m, y
    )
    acc = naive.dot(x.astype(np.int64), weights.astype(np.int64), bias.astype(np.int64))
    np.testing.assert_array_equal(cases.rows(y, win, y_c), naive.output(acc, m, q))


def test_1x1_i8_may_run_over_its_input(kernels):
    """y two pixels below x, as the header allows."""
    rng = np.random.default_rng(4)
    x, weights = cases.int8(rng, 3, 5, 8), cases.int8(rng, 8, 8)
    bias, m = cases.quantisation(rng, 8, 8, 0)
    q = {"y_zero_point": 1, "pre_shift": 0, "y_min": -128, "y_max": 127}
    arena = np.concatenate([np.zeros(16, np.int8), x.ravel()])
    params = {"x_c": 8, "x_row_pitch": 40, "y_h": 3, "y_w": 5, "y_c": 8, "y_row_pitch": 40} | q
    kernels.call("conv2d_1x1_i8", params, arena[16:], naive.pack(weights), bias, m, arena)
    acc = naive.dot(x.astype(np.int64), weights.astype(np.int64), bias.astype(np.int64))
    np.testing.assert_array_equal(arena[: x.size].reshape(x.shape), naive.output(acc, m, q))


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize(("y_c", "groups"), [(6, 1), (4, 1), (0, 0)])
def test_f32_equals_float32_in_order(kernels, guarded, window, y_c, groups):
    win = cases.WINDOWS[window]
    y_c, groups = (2 * win.x_c, win.x_c) if groups == 0 else (y_c, groups)
    rng = np.random.default_rng(5)
    x = cases.float32(rng, win.x_h, win.x_w, win.x_c)
    w = cases.float32(rng, y_c, win.kernel_h, win.kernel_w, win.x_c // groups)
    bias = cases.float32(rng, y_c)
    y = guarded(win.y_h, win.y_w * y_c + win.y_gap, "f4")
    params = win.params(y_c) | {"y_c": y_c, "groups": groups, "y_min": -1.0, "y_max": 2.5}
    packed = naive.pack(w.reshape(y_c, -1), groups)
    scratch = np.zeros(2 * w[0].size, np.float32)
    kernels.call("conv2d_f32", params, naive.spread(x, win.x_gap), packed, bias, scratch, y)
    acc = naive.conv2d(naive.gather(x, win, 0), w, bias, groups)
    np.testing.assert_array_equal(cases.rows(y, win, y_c), np.clip(acc, -1.0, 2.5))
