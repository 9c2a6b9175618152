"""Kernels on AB words, on the streams that the compiler packs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinycc_ml.ops import ab_rgb, ab_words
from tinycc_ml.ops.ab_columns import Columns

from . import cases, naive
from .conftest import CANARY

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


def columns_of(win: naive.Window, y_c: int, band: int) -> Columns:
    return Columns(
        (win.x_h, win.x_w, win.x_c),
        (win.y_h, win.y_w, y_c),
        (win.kernel_h, win.kernel_w),
        (win.stride_h, win.stride_w),
        (win.dilation_h, win.dilation_w),
        (win.pad_top, win.pad_left),
        band,
    )


@dataclass(frozen=True)
class Conv:
    """A convolution with random values, what it gives, and the arguments of its kernels."""

    x: np.ndarray
    stream: np.ndarray
    want: np.ndarray
    ends: dict[str, int]

    @staticmethod
    def of(win: naive.Window, y_c: int, span: str, run: int, seed: int = 1) -> Conv:
        rng, q = np.random.default_rng(seed), cases.RANGES[span]
        x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
        w = weights_of(rng, y_c, win.kernel_h, win.kernel_w, win.x_c)
        bias, m = cases.quantisation(rng, y_c, w[0].size, 0)
        stream = ab_words.packed_runs(w.reshape(y_c, -1).astype(np.int64), bias, m, run)
        windows = naive.gather(x, win, q["x_zero_point"])
        acc = naive.conv2d(windows, w.astype(np.int64), bias.astype(np.int64), 1)
        ends = {k: v for k, v in q.items() if k != "pre_shift"}
        return Conv(x, stream, naive.output(acc, m, q), ends)


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize(("y_c", "band"), [(1, 100), (3, 2), (4, 3), (6, 2), (8, 100), (9, 1)])
def test_conv2d_equals_int64(kernels, guarded, window, span, y_c, band):
    win = cases.WINDOWS[window]
    columns = columns_of(win, y_c, min(band, win.y_h))
    conv = Conv.of(win, y_c, span, columns.run)
    y, scratch = guarded(win.y_h, win.y_w * y_c + win.y_gap), aligned(columns.scratch_bytes + 1)
    scratch[-1] = CANARY
    pitches = {k: v for k, v in win.params(y_c).items() if k.endswith("pitch")}
    params = columns.params() | conv.ends | pitches
    kernels.call("conv2d_ab_i8", params, naive.spread(conv.x, win.x_gap), conv.stream, scratch, y)
    np.testing.assert_array_equal(cases.rows(y, win, y_c), conv.want)
    assert scratch[-1] == CANARY


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize("y_c", [1, 4, 6, 8])
def test_conv2d_into_planes_equals_int64(kernels, guarded, window, y_c):
    win = cases.WINDOWS[window]
    columns = columns_of(win, y_c, min(4, win.y_h))
    conv = Conv.of(win, y_c, "middle", columns.run)
    y, scratch = guarded(y_c, win.y_h * win.y_w), aligned(columns.scratch_bytes)
    params = columns.params() | conv.ends | columns.planar_pitches()
    x = naive.spread(conv.x, win.x_gap)
    params["x_row_pitch"] = win.x_w * win.x_c + win.x_gap
    kernels.call("conv2d_ab_to_planar_i8", params, x, conv.stream, scratch, y)
    planes = y[:y_c].reshape(y_c, win.y_h, win.y_w)
    np.testing.assert_array_equal(planes.transpose(1, 2, 0), conv.want)
    assert (y[y_c:] == CANARY).all()


COLOURS = {
    "same": naive.Window(x_h=9, x_w=11, x_c=3, stride_h=2, stride_w=2),
    "padding_behind": naive.Window(x_h=8, x_w=8, x_c=3, stride_h=2, stride_w=2, pad_top=0, pad_left=0),
    "padding_before": naive.Window(x_h=10, x_w=8, x_c=3, stride_h=2, stride_w=2, pad_bottom=0, pad_right=0),
    "no_padding": naive.Window(
        x_h=11, x_w=9, x_c=3, stride_h=2, stride_w=2, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0
    ),
    "padding_larger_than_kernel": naive.Window(
        x_h=1, x_w=1, x_c=3, stride_h=2, stride_w=2, pad_top=5, pad_left=4, pad_bottom=6, pad_right=5
    ),
    "one_row": naive.Window(x_h=1, x_w=12, x_c=3, stride_h=2, stride_w=2, pad_left=0),
}  # fmt: skip


@pytest.mark.parametrize("window", COLOURS)
@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize(("y_c", "band"), [(4, 1), (8, 3), (12, 100)])
def test_first_layer_on_colours_equals_int64(kernels, guarded, window, span, y_c, band):
    win, q = COLOURS[window], cases.RANGES[span]
    assert win.y_w % 2 == 0
    rng, rows = np.random.default_rng(5), min(band, win.y_h)
    x = cases.int8(rng, win.x_h, win.x_w, 3)
    w = weights_of(rng, y_c, 3, 3, 3)
    bias, m = cases.quantisation(rng, y_c, 27, 0)
    stream = ab_rgb.packed(w.reshape(y_c, 27).astype(np.int64), bias, m)
    sizes = ("x_h", "x_w", "y_h", "y_w", "pad_top", "pad_left")
    params = {k: getattr(win, k) for k in sizes} | {"y_c": y_c, "band": rows}
    params |= {k: v for k, v in q.items() if k != "pre_shift"}
    y, scratch = guarded(y_c, win.y_h * win.y_w), aligned(ab_rgb.scratch_bytes(rows) + 1)
    scratch[-1] = CANARY
    kernels.call("conv2d_ab_rgb_s2_to_planar_i8", params, x, stream, scratch, y)
    acc = naive.conv2d(
        naive.gather(x, win, q["x_zero_point"]), w.astype(np.int64), bias.astype(np.int64), 1
    )
    planes = y[:y_c].reshape(y_c, win.y_h, win.y_w)
    np.testing.assert_array_equal(planes.transpose(1, 2, 0), naive.output(acc, m, q))
    assert scratch[-1] == CANARY and (y[y_c:] == CANARY).all()


def aligned(count: int) -> np.ndarray:
    """int8 scratch that begins at a word."""
    return np.zeros(-(-count // 4), np.int32).view(np.int8)[:count]


@st.composite
def images(draw: st.DrawFn) -> tuple[naive.Window, int, int]:
    """A window over an image, output channels, and a band."""
    size = {k: draw(st.integers(1, 3)) for k in ("kernel_h", "kernel_w", "stride_h", "stride_w")}
    size |= {k: draw(st.integers(3, 9)) for k in ("x_h", "x_w")}
    size |= {k: draw(st.integers(0, 2)) for k in ("pad_top", "pad_left", "pad_bottom", "pad_right")}
    size |= {k: draw(st.sampled_from([1, 1, 2])) for k in ("dilation_h", "dilation_w")}
    win = naive.Window(**size, x_c=draw(st.integers(1, 9)))
    assume(win.y_h >= 1 and win.y_w >= 1)
    return win, draw(st.integers(1, 13)), draw(st.sampled_from([1, 2, 4, 100]))


@settings(max_examples=200, deadline=None)
@given(images(), st.integers(0, 3))
def test_conv2d_may_write_over_its_input(kernels, image, more):
    """y begins exactly as far before x as the columns say, or a little further."""
    win, y_c, band = image
    columns = columns_of(win, y_c, min(band, win.y_h))
    conv = Conv.of(win, y_c, "middle", columns.run)
    lead = columns.lead() + more
    buffer = np.full(max(lead + conv.x.size, conv.want.size) + 1, CANARY, np.int8)
    buffer[lead : lead + conv.x.size] = conv.x.ravel()
    scratch = aligned(columns.scratch_bytes)
    params = columns.params() | conv.ends
    kernels.call("conv2d_ab_i8", params, buffer[lead:], conv.stream, scratch, buffer)
    np.testing.assert_array_equal(buffer[: conv.want.size], conv.want.ravel())


@pytest.mark.parametrize("pixels", [1, 2, 3, 4, 7, 8, 13, 33])
@pytest.mark.parametrize(("x_c", "y_c"), [(1, 1), (4, 9), (5, 3), (8, 8), (7, 6)])
@pytest.mark.parametrize("tile", [4, 8, 64])
@pytest.mark.parametrize("planar", [False, True])
def test_pointwise_on_planes_equals_int64(kernels, guarded, pixels, x_c, y_c, tile, planar):
    name = "conv2d_1x1_ab_planar_i8" if planar else "conv2d_1x1_ab_from_planar_i8"
    _pointwise_equals_int64(kernels, guarded, name, pixels, x_c, y_c, tile, planar)


@pytest.mark.parametrize("pixels", [4, 8, 12, 36])
@pytest.mark.parametrize(("x_c", "k"), [(7, 8), (8, 8), (15, 16), (16, 16), (31, 32), (32, 32)])
@pytest.mark.parametrize("y_c", [4, 12])
@pytest.mark.parametrize("tile", [4, 64])
def test_steady_pointwise_equals_int64(kernels, guarded, pixels, x_c, k, y_c, tile):
    name = f"conv2d_1x1_ab_planar_k{k}_i8"
    _pointwise_equals_int64(kernels, guarded, name, pixels, x_c, y_c, tile, planar=True)


def _pointwise_equals_int64(kernels, guarded, name, pixels, x_c, y_c, tile, planar):
    """Planes are written over those of x."""
    rng = np.random.default_rng(3)
    q = {k: v for k, v in cases.RANGES["narrow"].items() if k.startswith("y_")}
    x, w = cases.int8(rng, pixels, x_c), weights_of(rng, y_c, x_c)
    bias, m = cases.quantisation(rng, y_c, x_c, 0)
    channels, order = ab_words.block_channels(y_c), ab_words.planar_order_of(x_c)
    stream = ab_words.packed(w.astype(np.int64), bias, m, channels, order)
    pitches = (1, pixels) if planar else (y_c, 1)
    sizes = {"pixels": pixels, "x_c": x_c, "y_c": y_c, "tile": tile}
    params = sizes | q | dict(zip(("y_pixel_pitch", "y_channel_pitch"), pitches, strict=True))
    y = guarded(max(x_c, y_c), pixels) if planar else guarded(pixels, y_c)
    planes = y[:x_c] if planar else np.empty((x_c, pixels), np.int8)
    planes[:] = x.T
    scratch = aligned(4 * tile * ((x_c + 1) // 2 + (y_c < 4)))
    kernels.call(name, params, planes if not planar else y, stream, scratch, y)
    got = y[:y_c].T if planar else y[:pixels]
    acc = naive.dot(x.astype(np.int64), w.astype(np.int64), bias.astype(np.int64))
    np.testing.assert_array_equal(got, naive.output(acc, m, q | {"pre_shift": 0}))
    assert (y[-1] == CANARY).all()
