"""Depthwise convolution by lines, on the streams that the compiler packs."""

from typing import Any

import numpy as np
import pytest

from tinycc_ml.ops import line_kernels

from . import cases, naive

RANGES = [name for name, q in cases.RANGES.items() if q["pre_shift"] == 0]
WINDOWS = {
    "plain_5x5": naive.Window(x_h=7, x_w=9, kernel_h=5, kernel_w=5, pad_top=2, pad_left=2, pad_bottom=2, pad_right=2),
    "one_pixel": naive.Window(x_h=1, x_w=1),
    "one_row": naive.Window(x_h=1, x_w=20, x_c=8, kernel_h=1, pad_top=0, pad_bottom=0),
    "even_width": naive.Window(x_h=4, x_w=8, x_c=6, kernel_h=2, kernel_w=4, pad_right=2),
    "two_rounds": naive.Window(x_h=3, x_w=17, kernel_h=2, kernel_w=7, pad_left=3, pad_right=3),
    "three_rounds": naive.Window(x_h=1, x_w=30, kernel_h=1, kernel_w=15, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0),
    "rows_strided": naive.Window(x_h=9, x_w=7, x_c=5, kernel_h=5, kernel_w=3, stride_h=2, pad_top=2),
    "padding_larger_than_kernel": naive.Window(x_h=2, x_w=3, pad_top=5, pad_left=4, pad_bottom=6, pad_right=5),
    "strided": naive.Window(x_h=9, x_w=11, x_c=5, kernel_h=5, kernel_w=5, stride_h=2, stride_w=2, pad_top=2, pad_left=2),
    "columns_strided": naive.Window(x_h=6, x_w=13, kernel_h=2, kernel_w=7, stride_w=2, pad_left=3),
    "one_strided": naive.Window(x_h=1, x_w=2, stride_h=3, stride_w=2),
    "no_padding": naive.Window(x_h=4, x_w=6, x_c=7, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0),
}  # fmt: skip


FIELDS = [
    *("x_h", "x_w", "x_c", "y_h", "y_w", "kernel_h", "kernel_w"),
    *("stride_h", "stride_w", "pad_top", "pad_left"),
]


def geometry(win: naive.Window, tile: line_kernels.Tile) -> dict[str, Any]:
    """Params. Turned: x and y lie with rows and columns exchanged."""

    def pitches(h: int, w: int) -> tuple[int, int]:
        return (win.x_c, h * win.x_c) if tile.turned else (w * win.x_c, win.x_c)

    params = {name: getattr(win, name) for name in FIELDS}
    params["x_row_pitch"], params["x_col_pitch"] = pitches(win.x_h, win.x_w)
    params["y_row_pitch"], params["y_col_pitch"] = pitches(win.y_h, win.y_w)
    params |= {"rounds": tile.window_rounds, "line_pairs": tile.line_pairs}
    return params | {"tile_rows": tile.rows, "tile_groups": tile.groups}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize(("rows", "groups"), [(1, 1), (2, 2), (32, 4)])
@pytest.mark.parametrize("turned", [False, True])
def test_equals_int64(kernels, guarded, window, span, rows, groups, turned):
    win, q = WINDOWS[window], cases.RANGES[span]
    rng = np.random.default_rng(0)
    x, w = (
        cases.int8(rng, win.x_h, win.x_w, win.x_c),
        cases.int8(rng, win.kernel_h, win.kernel_w, win.x_c),
    )
    bias, m = cases.quantisation(rng, win.x_c, win.kernel_h * win.kernel_w, 0)
    kernel, strides = (win.kernel_h, win.kernel_w), (win.stride_h, win.stride_w)
    rows = min(rows * win.stride_w, -(-win.y_h // win.stride_w) * win.stride_w)
    tile = line_kernels.Tile(turned, rows, groups, kernel, strides, 0, (win.y_h, win.y_w))
    params = geometry(win, tile)
    stream = line_kernels.packed(w, bias, m, tile.line_pairs, strides)
    scratch, y = guarded(1, tile.scratch_bytes), guarded(win.y_h * win.y_w, win.x_c)
    lying = np.ascontiguousarray(x.transpose(1, 0, 2)) if turned else x
    ends = {k: v for k, v in q.items() if k != "pre_shift"}
    kernels.call("depthwise_conv2d_line_i8", params | ends, lying, stream, scratch, y)
    acc = naive.depthwise(
        naive.gather(x, win, q["x_zero_point"]), w.astype(np.int64), bias.astype(np.int64)
    )
    want = naive.output(acc, m, q)
    np.testing.assert_array_equal(
        y[:-1].reshape(-1), (want.transpose(1, 0, 2) if turned else want).ravel()
    )
    assert (scratch[1] == 77).all() and (y[-1] == 77).all()
