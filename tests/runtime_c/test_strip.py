"""Depthwise convolution by strips, on the streams that the compiler packs."""

from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.ops import strip_kernels

from . import cases, naive

RANGES = [name for name, q in cases.RANGES.items() if q["pre_shift"] == 0]
NAMES = {1: "depthwise_conv2d_strip_i8", 2: "depthwise_conv2d_strip_s2_i8"}
WINDOWS = {
    "plain": naive.Window(x_h=6, x_w=8, x_c=8),
    "one_pixel": naive.Window(x_h=1, x_w=1),
    "one_row": naive.Window(x_h=1, x_w=7),
    "one_column": naive.Window(x_h=7, x_w=1),
    "two_columns": naive.Window(x_h=5, x_w=2),
    "odd": naive.Window(x_h=7, x_w=9, x_c=5),
    "three_channels_twice": naive.Window(x_h=5, x_w=6, x_c=5),
    "no_padding": naive.Window(x_h=4, x_w=6, x_c=7, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0),
    "padding_behind": naive.Window(x_h=8, x_w=8, pad_top=0, pad_left=0),
    "padding_larger_than_kernel": naive.Window(x_h=2, x_w=3, pad_top=5, pad_left=4, pad_bottom=6, pad_right=5),
    "tall": naive.Window(x_h=23, x_w=3),
    "wide": naive.Window(x_h=3, x_w=25),
    "gaps_between_rows": naive.Window(x_h=4, x_w=4, x_c=8, x_gap=3, y_gap=5),
    "rows_skipped_above": naive.Window(x_h=7, x_w=4, pad_top=-2, y_rows=2),
}  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("stride", NAMES)
@pytest.mark.parametrize(("band", "strips"), [(2, 1), (3, 2), (5, 1), (32, 16)])
def test_equals_int64(kernels, guarded, window, span, stride, band, strips):
    win, q = replace(WINDOWS[window], stride_h=stride, stride_w=stride), cases.RANGES[span]
    rng = np.random.default_rng(0)
    x, w = cases.int8(rng, win.x_h, win.x_w, win.x_c), cases.int8(rng, 3, 3, win.x_c)
    bias, m = cases.quantisation(rng, win.x_c, 9, 0)
    stream = strip_kernels.packed(w, bias, m, stride)
    slots = strips * ((max(2, min(band, win.y_h)) - 1) * stride + 3)
    scratch = guarded(1, slots * (36 if stride == 2 else 32))
    y = guarded(win.y_h, win.y_w * win.x_c + win.y_gap)
    omitted = ("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w")
    shape = {k: v for k, v in win.params(win.x_c).items() if k not in omitted}
    ends = {k: v for k, v in q.items() if k != "pre_shift"}
    kernels.call(
        NAMES[stride],
        shape | ends | {"band": band, "strips": strips},
        naive.spread(x, win.x_gap),
        stream,
        scratch,
        y,
    )
    acc = naive.depthwise(
        naive.gather(x, win, q["x_zero_point"]), w.astype(np.int64), bias.astype(np.int64)
    )
    np.testing.assert_array_equal(cases.rows(y, win, win.x_c), naive.output(acc, m, q))
    assert (scratch[1] == 77).all()
