"""Winograd's convolution on the streams that the compiler packs."""

import numpy as np
import pytest

from tinycc_ml.ops import winograd

from . import cases, naive

RANGES = [name for name, q in cases.RANGES.items() if q["pre_shift"] == 0]


def compare(kernels, guarded, win, y_c, q, chunk=None, extreme=False, seed=0):
    rng = np.random.default_rng(seed)
    x, w = cases.int8(rng, win.x_h, win.x_w, win.x_c), cases.int8(rng, y_c, 3, 3, win.x_c)
    if extreme:
        x, w = (
            rng.choice([-128, 127], x.shape).astype(np.int8),
            rng.choice([-128, 127], w.shape).astype(np.int8),
        )
    bias, m = cases.quantisation(rng, y_c, w[0].size, 0)
    chunk = chunk or winograd.chunk_of(win.y_h, win.y_w, win.x_c)
    y = guarded(win.y_h, win.y_w * y_c + win.y_gap)
    scratch_bytes = winograd.scratch_bytes(chunk, win.y_w, win.x_w, win.x_c)
    scratch = np.full(scratch_bytes + 16, 77, np.int8)
    own = ["x_h", "x_w", "x_c", "y_h", "y_w", "x_row_pitch", "y_row_pitch", "pad_top", "pad_left"]
    params = {name: win.params(y_c)[name] for name in own}
    params |= {k: v for k, v in q.items() if k != "pre_shift"} | {"y_c": y_c, "chunk": chunk}
    stream = winograd.packed(w, bias, m)
    assert stream.nbytes == winograd.flash_bytes(win.x_c, y_c)
    kernels.call("conv2d_winograd_i8", params, naive.spread(x, win.x_gap), stream, scratch, y)
    windows = naive.gather(x, win, q["x_zero_point"])
    acc = naive.conv2d(windows, w.astype(np.int64), bias.astype(np.int64), 1)
    np.testing.assert_array_equal(cases.rows(y, win, y_c), naive.output(acc, m, q))
    assert (scratch[scratch_bytes:] == 77).all()


@pytest.mark.parametrize("x_h", range(1, 10))
@pytest.mark.parametrize("x_w", range(1, 10))
def test_every_small_size(kernels, guarded, x_h, x_w):
    compare(kernels, guarded, naive.Window(x_h, x_w, 4), 4, cases.RANGES["middle"])


@pytest.mark.parametrize(
    "pads", [(0, 0, 0, 0), (1, 0, 2, 1), (0, 2, 1, 0), (2, 2, 2, 2), (0, 1, 0, 2), (6, 7, 8, 5)]
)
@pytest.mark.parametrize("span", RANGES)
def test_padding_is_the_zero_point(kernels, guarded, pads, span):
    top, left, bottom, right = pads
    win = naive.Window(5, 7, 8, pad_top=top, pad_left=left, pad_bottom=bottom, pad_right=right)
    compare(kernels, guarded, win, 8, cases.RANGES[span])


@pytest.mark.parametrize("x_c", [4, 5, 6, 7, 8, 11, 16, 32, 34, 36, 64, 70])
@pytest.mark.parametrize("y_c", [1, 2, 3, 4, 7])
def test_any_number_of_channels(kernels, guarded, x_c, y_c):
    compare(kernels, guarded, naive.Window(5, 6, x_c), y_c, cases.RANGES["zero_points_low"])


@pytest.mark.parametrize("chunk", [2, 4, 6, 14])
def test_chunks_may_span_rows_of_tiles(kernels, guarded, chunk):
    compare(kernels, guarded, naive.Window(11, 17, 6), 5, cases.RANGES["middle"], chunk)


def test_gaps_between_rows(kernels, guarded):
    compare(kernels, guarded, naive.Window(6, 9, 4, x_gap=3, y_gap=5), 6, cases.RANGES["middle"])


@pytest.mark.parametrize("span", RANGES)
@pytest.mark.parametrize("seed", range(3))
def test_inputs_and_weights_at_their_ends(kernels, guarded, span, seed):
    compare(
        kernels, guarded, naive.Window(8, 8, 64), 4, cases.RANGES[span], extreme=True, seed=seed
    )


def test_transformed_weights_fit_int16():
    ends = np.array(np.meshgrid(*[[-128, 127]] * 9)).reshape(9, -1).T.reshape(-1, 3, 3, 1)
    assert np.abs(winograd.transformed(ends)).max() < 1 << 15
