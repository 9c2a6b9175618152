"""Depthwise convolution on planar storage, on the streams that the compiler packs, beside its input and over it."""

from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.ops import planar_kernels, planes
from tinycc_ml.ops.planes import Plane

from . import cases, naive

RANGES = [name for name, q in cases.RANGES.items() if q["pre_shift"] == 0]
NONE = {"pad_top": 0, "pad_left": 0, "pad_bottom": 0, "pad_right": 0}
SQUARES = {
    "plain": naive.Window(x_h=6, x_w=8, x_c=3),
    "odd": naive.Window(x_h=7, x_w=9),
    "narrow": naive.Window(x_h=25, x_w=5, x_c=2),
    "three_columns": naive.Window(x_h=4, x_w=3),
    "two_rows": naive.Window(x_h=3, x_w=6),
    "no_padding": naive.Window(x_h=8, x_w=21, **NONE),
    "padding_behind": naive.Window(x_h=8, x_w=8, pad_top=0, pad_left=0),
    "all_padding_behind": naive.Window(x_h=6, x_w=2, pad_top=0, pad_left=0, pad_bottom=2, pad_right=2),
    "wide": naive.Window(x_h=3, x_w=39, x_c=2),
    "two_blocks": naive.Window(x_h=4, x_w=16),
    "two_full_blocks": naive.Window(x_h=10, x_w=30, **NONE),
}  # fmt: skip
LINES = {
    f"{taps}_taps_{x_w}{'_padded' * padded}": naive.Window(
        x_h=1, x_w=x_w, x_c=5, kernel_h=1, kernel_w=taps,
        **NONE | ({"pad_left": taps // 2, "pad_right": taps // 2} if padded else {}),
    )
    for taps in (1, 3, 5, 6, 10, 16)
    for x_w in (19, 20, 21, 22)
    for padded in (False, True)
}  # fmt: skip
WIDE = [name for name, win in SQUARES.items() if win.y_w > 2]
LARGE_PADDING = naive.Window(x_h=2, x_w=3, pad_top=5, pad_left=4, pad_bottom=6, pad_right=5)
ROWS = {
    "plain_5x5": naive.Window(x_h=7, x_w=9, kernel_h=5, kernel_w=5, pad_top=2, pad_left=2, pad_bottom=2, pad_right=2),
    "one_tap": naive.Window(x_h=2, x_w=5, kernel_h=1, kernel_w=1, **NONE),
    "one_row": naive.Window(x_h=1, x_w=20, x_c=8, kernel_h=1, pad_top=0, pad_bottom=0),
    "several_pieces": naive.Window(x_h=3, x_w=17, kernel_h=2, kernel_w=7, pad_left=3, pad_right=3),
    "three_pieces": naive.Window(x_h=1, x_w=30, kernel_h=1, kernel_w=15, **NONE),
    "rows_strided": naive.Window(x_h=9, x_w=7, x_c=5, kernel_h=5, kernel_w=3, stride_h=2, pad_top=2),
    "padding_larger_than_kernel": LARGE_PADDING,
    "even_kernel": naive.Window(x_h=4, x_w=8, x_c=6, kernel_h=2, kernel_w=4, pad_right=2),
    "one_row_of_pieces": naive.Window(x_h=5, x_w=13, kernel_h=1, kernel_w=10, **NONE),
}  # fmt: skip

SIDES = ("pad_top", "pad_left", "pad_bottom", "pad_right")
PADDED = {"kernel_h": 5, "kernel_w": 5} | dict.fromkeys(SIDES, 2)
FIVES = {
    "plain": naive.Window(x_h=8, x_w=12, x_c=3, **PADDED),
    "odd": naive.Window(x_h=9, x_w=13, **PADDED),
    "even": naive.Window(x_h=10, x_w=14, **PADDED),
    "three_beside": naive.Window(x_h=7, x_w=15, x_c=2, **PADDED),
    "one_row": naive.Window(x_h=1, x_w=9, **PADDED),
    "no_padding": naive.Window(x_h=8, x_w=25, **PADDED | NONE),
    "padding_before": naive.Window(x_h=7, x_w=8, **PADDED | {"pad_bottom": 0, "pad_right": 0}),
    "padding_behind": naive.Window(x_h=7, x_w=11, **PADDED | {"pad_top": 0, "pad_left": 1}),
    "padding_larger_than_kernel": replace(LARGE_PADDING, kernel_h=5, kernel_w=5),
}  # fmt: skip


def _plane(win: naive.Window) -> Plane:
    return Plane(
        (win.x_h, win.x_w), (win.y_h, win.y_w), (win.kernel_h, win.kernel_w),
        (win.stride_h, win.stride_w), (win.pad_top, win.pad_left),
    )  # fmt: skip


def _equals_int64(kernels, guarded, name, win, span, packed, scratch_bytes, params_of):
    q, rng = cases.RANGES[span], np.random.default_rng(0)
    x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
    w = cases.int8(rng, win.kernel_h, win.kernel_w, win.x_c)
    bias, m = cases.quantisation(rng, win.x_c, win.kernel_h * win.kernel_w, 0)
    plane = _plane(win)
    ends = {k: v for k, v in q.items() if k != "pre_shift"}
    params = params_of(plane) | ends | {"x_c": win.x_c}
    acc = naive.depthwise(
        naive.gather(x, win, q["x_zero_point"]), w.astype(np.int64), bias.astype(np.int64)
    )
    want = naive.output(acc, m, q).transpose(2, 0, 1).ravel()
    stored = np.ascontiguousarray(x.transpose(2, 0, 1))
    scratch, y = guarded(1, scratch_bytes(plane)), guarded(1, want.size)
    kernels.call(name, params, stored, packed(w, bias, m), scratch, y)
    np.testing.assert_array_equal(y[0], want)
    assert (scratch[1] == 77).all() and (y[1] == 77).all()
    if want.size <= stored.size:
        over = stored.ravel().copy()
        kernels.call(name, params, over, packed(w, bias, m), scratch, over)
        np.testing.assert_array_equal(over[: want.size], want)


@pytest.mark.parametrize("window", SQUARES)
@pytest.mark.parametrize("span", RANGES)
def test_3x3_equals_int64(kernels, guarded, window, span):
    _equals_int64(
        kernels, guarded, "depthwise_conv2d_planar_i8", SQUARES[window], span,
        planar_kernels.packed, planes.blocks_bytes, Plane.block_params,
    )  # fmt: skip


@pytest.mark.parametrize("window", [*WIDE, "padding_larger_than_kernel"])
@pytest.mark.parametrize("span", RANGES)
def test_3x3_of_stride_2_equals_int64(kernels, guarded, window, span):
    win = replace(SQUARES.get(window, LARGE_PADDING), stride_h=2, stride_w=2)
    _equals_int64(
        kernels, guarded, "depthwise_conv2d_planar_s2_i8", win, span,
        planar_kernels.packed, planes.plane_bytes, Plane.params,
    )  # fmt: skip


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("window", FIVES)
@pytest.mark.parametrize("span", RANGES)
def test_5x5_equals_int64(kernels, guarded, window, stride, span):
    win = replace(FIVES[window], stride_h=stride, stride_w=stride)
    name = f"depthwise_conv2d_planar_5x5_{'s2_' * (stride == 2)}i8"
    _equals_int64(
        kernels, guarded, name, win, span,
        planar_kernels.packed_5x5, planes.plane_bytes, Plane.params,
    )  # fmt: skip


@pytest.mark.parametrize("window", ROWS)
@pytest.mark.parametrize("span", RANGES)
def test_windows_of_any_size_equal_int64(kernels, guarded, window, span):
    _equals_int64(
        kernels, guarded, "depthwise_conv2d_planar_rows_i8", ROWS[window], span,
        planar_kernels.packed_rows, planes.summed_bytes, Plane.params,
    )  # fmt: skip


@pytest.mark.parametrize("window", LINES)
@pytest.mark.parametrize("span", RANGES)
def test_windows_over_one_row_equal_int64(kernels, guarded, window, span):
    _equals_int64(
        kernels, guarded, "depthwise_conv2d_planar_line_i8", LINES[window], span,
        planar_kernels.packed_line, planes.line_bytes, Plane.line_params,
    )  # fmt: skip
