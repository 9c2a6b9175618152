"""Kernels with packed weights, on the streams that the compiler packs."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ops import ab_words, packed_ab_kernels
from tinycc_ml.ops import packed_weights as packing
from tinycc_ml.ops.packed_ab_kernels import Plan
from tinycc_ml.ops.packed_kernels import FORMS

from . import cases, naive
from .conftest import CANARY
from .packed import KINDS
from .test_ab import aligned, columns_of

QUANT = cases.RANGES["narrow"] | {"y_min": -128, "y_max": 127}
FORM = {form.name: form for form in FORMS}
PAIRS = [(form, kind) for form, kinds in KINDS.items() for kind in kinds]


@pytest.mark.parametrize(("x_len", "y_len"), [(1, 1), (2, 3), (33, 4), (600, 9)])
@pytest.mark.parametrize("span", ["middle", "pre_shift", "narrow"])
@pytest.mark.parametrize(("form", "kind"), PAIRS)
def test_dense_equals_int64(kernels, guarded, form, kind, x_len, y_len, span):
    rng = np.random.default_rng(0)
    q = {key: v for key, v in cases.RANGES[span].items() if key != "x_zero_point"}
    x, w = cases.int8(rng, x_len), KINDS[form][kind](rng, y_len, x_len)
    assert FORM[form].has(w)
    bias, m = cases.quantisation(rng, y_len, x_len, q["pre_shift"])
    y, stream = guarded(1, y_len), FORM[form].packed(w)
    params = q | {"x_len": x_len, "y_len": y_len}
    kernels.call(f"dense_{form}_i8", params, x, stream, bias, m, y)
    acc = naive.dot(x.astype(np.int64), w.astype(np.int64), bias.astype(np.int64))
    np.testing.assert_array_equal(y[0], naive.output(acc, m, q))
    assert (y[1] == 77).all() and len(stream) == FORM[form].bytes(w)


@pytest.mark.parametrize(("x_len", "y_len"), [(1, 1), (8, 4), (33, 5), (640, 10), (1100, 3)])
@pytest.mark.parametrize("least", [False, True])
def test_dense_with_dual_multiplies_equals_int64(kernels, guarded, x_len, y_len, least):
    """`least`: all products are -8 * -128 and as many as can be in a group."""
    rng, q = np.random.default_rng(3), {k: v for k, v in QUANT.items() if k != "x_zero_point"}
    size = 8 * int(rng.integers(1, 9))
    m = np.repeat(rng.integers(1, 16, (y_len, x_len))[:, ::size], size, axis=1)[:, :x_len]
    w = np.full(m.shape, -8) if least else m * rng.integers(-8, 8, m.shape)
    x = np.full(x_len, -128, np.int8) if least else cases.int8(rng, x_len)
    bias, multiplier = cases.quantisation(rng, y_len, x_len, 0)
    stream = packing.packed_nibbles_dsp(w.astype(np.int8))
    y, scratch = guarded(1, y_len), aligned(-(-x_len // 8) * 16 + 1)
    scratch[-1] = CANARY
    params = q | {"x_len": x_len, "y_len": y_len}
    kernels.call("dense_nibbles_dsp_i8", params, x, stream, bias, multiplier, scratch, y)
    acc = naive.dot(x.astype(np.int64), w.astype(np.int64), bias.astype(np.int64))
    np.testing.assert_array_equal(y[0], naive.output(acc, multiplier, q))
    assert (y[1] == CANARY).all() and scratch[-1] == CANARY
    assert stream.nbytes == packing.nibbles_dsp_bytes(w.astype(np.int8))


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize("y_c", [1, 6])
@pytest.mark.parametrize(("form", "kind"), PAIRS)
def test_conv2d_equals_int64(kernels, guarded, form, kind, window, y_c):
    rng, win, q = np.random.default_rng(1), cases.WINDOWS[window], cases.RANGES["middle"]
    k = win.kernel_h * win.kernel_w * win.x_c
    x, w = cases.int8(rng, win.x_h, win.x_w, win.x_c), KINDS[form][kind](rng, y_c, k)
    bias, m = cases.quantisation(rng, y_c, k, 0)
    y, scratch = guarded(win.y_h, win.y_w * y_c + win.y_gap), np.zeros(2 * k, np.int8)
    params = win.params(y_c) | q | {"y_c": y_c, "groups": 1}
    stream = FORM[form].packed(w)
    name = f"conv2d_{form}_i8"
    kernels.call(name, params, naive.spread(x, win.x_gap), stream, bias, m, scratch, y)
    weights = w.reshape(y_c, win.kernel_h, win.kernel_w, win.x_c).astype(np.int64)
    acc = naive.conv2d(naive.gather(x, win, q["x_zero_point"]), weights, bias.astype(np.int64), 1)
    np.testing.assert_array_equal(cases.rows(y, win, y_c), naive.output(acc, m, q))


AB = {form.name: form for form in packed_ab_kernels.FORMS}
# Structures along K that a window's runs of inputs, which are paired, leave as they are
FOURS = {"plain_3x3", "one_pixel_under_3x3", "tall_kernel", "gaps_between_rows"}
AB_CASES = [
    (form, kind, window)
    for form in AB
    for kind in KINDS[form]
    for window in cases.WINDOWS
    if kind not in ("small", "all") and (kind != "multiples" or window in FOURS)
]


@pytest.mark.parametrize(("form", "kind", "window"), AB_CASES)
@pytest.mark.parametrize(("y_c", "blocks"), [(1, 1), (6, 1), (16, 2), (18, 4)])
@pytest.mark.parametrize("planar", [False, True])
def test_conv2d_from_ab_words_equals_int64(
    kernels, guarded, form, kind, window, y_c, blocks, planar
):
    win, q = cases.WINDOWS[window], cases.RANGES["zero_points_low"]
    plan = Plan(columns_of(win, y_c, min(4, win.y_h)), blocks)
    rng, k = np.random.default_rng(2), win.kernel_h * win.kernel_w * win.x_c
    x = cases.int8(rng, win.x_h, win.x_w, win.x_c)
    w = np.maximum(KINDS[form][kind](rng, y_c, k), -120)
    bias, m = cases.quantisation(rng, y_c, k, 0)
    channels = ab_words.block_channels(y_c)
    steps = ab_words.in_steps(w, channels, ab_words.runs_order(k, plan.columns.run))
    assert AB[form].has(steps)
    stream = AB[form].packed(steps)
    image = plan.columns.params() | {n: v for n, v in q.items() if n != "pre_shift"}
    image |= plan.columns.planar_pitches() if planar else {"y_row_pitch": win.y_w * y_c}
    image["x_row_pitch"] = win.x_w * win.x_c + win.x_gap
    y, scratch = guarded(win.y_h, win.y_w * y_c), aligned(plan.scratch_bytes + 1)
    scratch[-1] = CANARY
    name = f"conv2d_ab_{form}_{'to_planar_' if planar else ''}i8"
    arguments = stream, ab_words.packed_quant(bias, m, channels), scratch, y
    params = {"image": image, "blocks": blocks}
    kernels.call(name, params, naive.spread(x, win.x_gap), *arguments)
    got = y[: win.y_h].reshape((y_c, win.y_h, win.y_w) if planar else (win.y_h, win.y_w, y_c))
    weights = w.reshape(y_c, win.kernel_h, win.kernel_w, win.x_c).astype(np.int64)
    acc = naive.conv2d(naive.gather(x, win, q["x_zero_point"]), weights, bias.astype(np.int64), 1)
    np.testing.assert_array_equal(
        got.transpose(1, 2, 0) if planar else got, naive.output(acc, m, q)
    )
    assert (y[win.y_h] == CANARY).all() and scratch[-1] == CANARY
    assert len(stream) == AB[form].bytes(steps)
