"""Transposed convolution: the kernel gathers, the model scatters."""

import numpy as np
import pytest

from . import cases, naive
from .naive import Window

WINDOWS = {
    "stride_2": Window(x_h=3, x_w=4, x_c=4, stride_h=2, stride_w=2),
    "stride_1": Window(x_h=3, x_w=3, x_c=2),
    "stride_3_kernel_2": Window(x_h=3, x_w=2, x_c=3, kernel_h=2, kernel_w=2, stride_h=3, stride_w=3, pad_top=0, pad_left=0),
    "dilated_2_stride_2": Window(x_h=3, x_w=3, x_c=2, stride_h=2, stride_w=2, dilation_h=2, dilation_w=2, pad_top=0),
    "dilated_2_stride_3": Window(x_h=3, x_w=3, x_c=2, stride_h=3, stride_w=3, dilation_h=2, dilation_w=2),
    "dilated_4_stride_6": Window(x_h=2, x_w=3, x_c=2, stride_h=6, stride_w=6, dilation_h=4, dilation_w=4, kernel_w=4),
    "one_pixel": Window(x_h=1, x_w=1, x_c=1, kernel_h=4, kernel_w=4, pad_top=0, pad_left=2),
    "gaps": Window(x_h=2, x_w=3, x_c=4, stride_h=2, stride_w=2, x_gap=2, y_gap=3),
    "later_rows": Window(x_h=4, x_w=2, x_c=2, stride_h=2, stride_w=1, pad_top=3),
    "earlier_rows": Window(x_h=2, x_w=2, x_c=2, stride_h=2, stride_w=1, pad_top=-2),
}  # fmt: skip


def size(win):
    """Rows and columns of y: two more than any input reaches."""
    h = (win.x_h - 1) * win.stride_h + (win.kernel_h - 1) * win.dilation_h + 1 - win.pad_top + 2
    w = (win.x_w - 1) * win.stride_w + (win.kernel_w - 1) * win.dilation_w + 1 - win.pad_left + 2
    return h, w


class Shape:
    def __init__(self, y_h, y_w):
        self.y_h, self.y_w = y_h, y_w


def params(win, y_c, groups):
    h, w = size(win)
    return win.params(y_c) | {
        "y_h": h,
        "y_w": w,
        "y_c": y_c,
        "groups": groups,
        "y_row_pitch": w * y_c + win.y_gap,
    }


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("span", cases.RANGES)
@pytest.mark.parametrize("grouped", [False, True])
def test_i8_equals_int64(kernels, guarded, window, span, grouped):
    win, q = WINDOWS[window], cases.RANGES[span]
    groups = win.x_c if grouped else 1
    y_c = 2 * win.x_c if grouped else 5
    rng = np.random.default_rng(0)
    x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
    w = cases.int8(rng, y_c, win.kernel_h, win.kernel_w, win.x_c // groups)
    bias, m = cases.quantisation(rng, y_c, w[0].size, q["pre_shift"])
    h, cols = size(win)
    y = guarded(h, cols * y_c + win.y_gap)
    kernels.call(
        "conv_transpose2d_i8",
        params(win, y_c, groups) | q,
        naive.spread(x, win.x_gap),
        w,
        bias,
        m,
        y,
    )
    centred = x.astype(np.int64) - q["x_zero_point"]
    acc = bias + naive.conv_transpose2d(centred, w.astype(np.int64), win, (h, cols), groups)
    np.testing.assert_array_equal(cases.rows(y, Shape(h, cols), y_c), naive.output(acc, m, q))


@pytest.mark.parametrize("window", WINDOWS)
def test_f32_is_close_to_float64(kernels, guarded, window):
    """Sums of at most 64 products below 20: rounding stays under 64 * 20 * 2^-24 < 1e-4."""
    win, y_c = WINDOWS[window], 3
    rng = np.random.default_rng(1)
    x = cases.float32(rng, win.x_h, win.x_w, win.x_c)
    w, bias = cases.float32(rng, y_c, win.kernel_h, win.kernel_w, win.x_c), cases.float32(rng, y_c)
    h, cols = size(win)
    y = guarded(h, cols * y_c + win.y_gap, "f4")
    p = params(win, y_c, 1) | {"y_min": -4.0, "y_max": 4.0}
    kernels.call("conv_transpose2d_f32", p, naive.spread(x, win.x_gap), w, bias, y)
    acc = bias + naive.conv_transpose2d(
        x.astype(np.float64), w.astype(np.float64), win, (h, cols), 1
    )
    np.testing.assert_allclose(
        cases.rows(y, Shape(h, cols), y_c), np.clip(acc, -4.0, 4.0), atol=1e-4
    )
