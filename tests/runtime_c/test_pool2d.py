"""Maximum and average pooling, int8 and float."""

import numpy as np
import pytest

from . import cases, naive
from .naive import Window

WINDOWS = cases.WINDOWS | {
    "global": Window(x_h=7, x_w=6, x_c=10, kernel_h=7, kernel_w=6, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0),
    "window_beyond_padding": Window(x_h=5, x_w=5, kernel_h=2, kernel_w=2, stride_h=2, stride_w=2, pad_top=0, pad_left=0,
                                    pad_bottom=0, pad_right=1, y_rows=3),
}  # fmt: skip


def inside(win, oy, ox):
    return [(row, col) for _, _, row, col, is_inside in win.taps(oy, ox) if is_inside]


def counted(win, oy, ox):
    """Taps within x and its padding: a last window may reach further."""
    rows, cols = win.x_h + win.pad_bottom, win.x_w + win.pad_right
    return sum(row < rows and col < cols for _, _, row, col, _ in win.taps(oy, ox))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    ("dtype", "y_min", "y_max"), [("i1", -128, 127), ("i1", -20, 90), ("f4", -0.5, 1.0)]
)
def test_max_ignores_padding(kernels, guarded, window, dtype, y_min, y_max):
    win = WINDOWS[window]
    rng = np.random.default_rng(0)
    make = cases.int8 if dtype == "i1" else cases.float32
    x = make(rng, win.x_h, win.x_w, win.x_c)
    y = guarded(win.y_h, win.y_w * win.x_c + win.y_gap, dtype)
    name = "max_pool2d_i8" if dtype == "i1" else "max_pool2d_f32"
    kernels.call(
        name, win.params(win.x_c) | {"y_min": y_min, "y_max": y_max}, naive.spread(x, win.x_gap), y
    )
    expected = np.full((win.y_h, win.y_w, win.x_c), y_min, x.dtype)
    for oy, ox in np.ndindex(win.y_h, win.y_w):
        taps = [x[row, col] for row, col in inside(win, oy, ox)]
        if taps:
            expected[oy, ox] = np.clip(np.max(taps, 0), y_min, y_max)
    np.testing.assert_array_equal(cases.rows(y, win, win.x_c), expected)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("span", cases.RANGES)
@pytest.mark.parametrize("include_pad", [False, True])
def test_average_i8_equals_int64(kernels, guarded, window, span, include_pad):
    win, q = WINDOWS[window], cases.RANGES[span]
    rng = np.random.default_rng(1)
    x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
    taps = np.arange(1, win.kernel_h * win.kernel_w + 1)
    m = np.minimum(2.0**32 / taps / 2 ** q["pre_shift"], 2**31 - 1).astype(
        np.int32
    )  # equal scales: ties
    y = guarded(win.y_h, win.y_w * win.x_c + win.y_gap)
    p = (
        win.params(win.x_c)
        | q
        | {
            "first_count": 1,
            "pad_bottom": win.pad_bottom,
            "pad_right": win.pad_right,
            "count_include_pad": include_pad,
        }
    )
    kernels.call("average_pool2d_i8", p, naive.spread(x, win.x_gap), m, y)
    expected = np.empty((win.y_h, win.y_w, win.x_c), np.int8)
    for oy, ox in np.ndindex(win.y_h, win.y_w):
        values = [x[at].astype(np.int64) - q["x_zero_point"] for at in inside(win, oy, ox)]
        n = counted(win, oy, ox) if include_pad else len(values)
        expected[oy, ox] = naive.output(
            np.sum(values, 0) if values else np.zeros(win.x_c),
            m[n - 1] if n else 0,
            q,
            naive.requantize_even,
        )
    np.testing.assert_array_equal(cases.rows(y, win, win.x_c), expected)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("include_pad", [False, True])
def test_average_f32_equals_float32_in_order(kernels, guarded, window, include_pad):
    win = WINDOWS[window]
    rng = np.random.default_rng(2)
    x = cases.float32(rng, win.x_h, win.x_w, win.x_c)
    y = guarded(win.y_h, win.y_w * win.x_c + win.y_gap, "f4")
    p = win.params(win.x_c) | {
        "pad_bottom": win.pad_bottom,
        "pad_right": win.pad_right,
        "count_include_pad": include_pad,
    }
    kernels.call(
        "average_pool2d_f32", p | {"y_min": -0.5, "y_max": 0.5}, naive.spread(x, win.x_gap), y
    )
    expected = np.zeros((win.y_h, win.y_w, win.x_c), np.float32)
    for oy, ox in np.ndindex(win.y_h, win.y_w):
        at = inside(win, oy, ox)
        for row, col in at:
            expected[oy, ox] += x[row, col]
        expected[oy, ox] /= np.float32(max(counted(win, oy, ox) if include_pad else len(at), 1))
    np.testing.assert_array_equal(cases.rows(y, win, win.x_c), np.clip(expected, -0.5, 0.5))


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 2), (4, 8, 1), (25, 30, 2)])
@pytest.mark.parametrize("span", cases.RANGES)
def test_average_of_planes_equals_that_of_pixels(kernels, guarded, shape, span):
    h, w, c = shape
    win = Window(x_h=h, x_w=w, x_c=c, kernel_h=h, kernel_w=w, pad_top=0, pad_left=0, pad_bottom=0,
                 pad_right=0)  # fmt: skip
    x = cases.int8(np.random.default_rng(3), h, w, c)
    m = np.array([min(2**32 / (h * w * 2 ** cases.RANGES[span]["pre_shift"]), 2**31 - 1)], np.int32)
    counts = {"first_count": h * w, "pad_bottom": 0, "pad_right": 0, "count_include_pad": False}
    p = win.params(c) | cases.RANGES[span] | counts
    wanted, got = guarded(1, c), guarded(1, c)
    kernels.call("average_pool2d_i8", p, x, m, wanted)
    kernels.call("average_pool2d_planes_i8", p, np.ascontiguousarray(x.transpose(2, 0, 1)), m, got)
    np.testing.assert_array_equal(got, wanted)
