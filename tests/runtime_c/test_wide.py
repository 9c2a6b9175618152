"""Kernels with int16 activations, at one end or both."""

import numpy as np
import pytest

from tinycc_ml.ops.wide_kernels import packed_pairs

from . import cases, naive
from .conftest import CANARY

TYPES = {"i8": np.int8, "i16": np.int16}
# Activations at both ends, weights
FORMS = [
    ("i16", "i16", 8),
    ("i16", "i8", 8),
    ("i8", "i16", 8),
    ("i16", "i16", 16),
    ("i16", "i8", 16),
    ("i8", "i8", 16),
]
ZEROS = {"i8": -7, "i16": -300}
# Below 33 the end is another one
SHIFTS = (31, 33, 40)
GUARD = 16


def whole_range(rng: np.random.Generator, dtype: type, *shape: int, ends: int = 0) -> np.ndarray:
    """Random values of a type, both ends among them; ends: how far from the least to stay."""
    low, high = np.iinfo(dtype).min + ends, np.iinfo(dtype).max
    values = rng.integers(low, high, shape, endpoint=True)
    return np.where(rng.random(shape) < 0.1, rng.choice([low, high], shape), values).astype(dtype)


class Problem:
    """One kernel's operands for a form and a shift, with about one output in three saturated."""

    def __init__(self, form: tuple[str, str, int], shift: int, terms: int, channels: int):
        self.x_type, self.y_type, self.bits = form
        self.rng = np.random.default_rng(0)
        # as the compiler proves: sums of int8 weights fit 31 bits
        self.weight = np.int8 if self.bits == 8 else np.int16
        size = np.iinfo(TYPES[self.x_type]).max * np.sqrt(terms) * 2.0 ** (self.bits - 1) / 3
        target = np.iinfo(TYPES[self.y_type]).max * 1.5 / size
        top = min(2.0**31 - 1, target * 2.0**shift)
        self.multiplier = self.rng.integers(int(top / 2), int(top), channels).astype(np.int32)
        self.bias = self.rng.integers(-int(size), int(size), channels).astype(
            np.int32 if self.bits == 8 else np.int64
        )
        low, high = np.iinfo(TYPES[self.y_type]).min, np.iinfo(TYPES[self.y_type]).max
        self.quantisation = {
            "x_bytes": np.dtype(TYPES[self.x_type]).itemsize,
            "y_bytes": np.dtype(TYPES[self.y_type]).itemsize,
            "x_zero_point": ZEROS[self.x_type],
            "y_zero_point": ZEROS[self.y_type],
            "shift": shift,
            "y_min": low + 3,
            "y_max": high,
        }

    def x(self, *shape: int) -> np.ndarray:
        return whole_range(self.rng, TYPES[self.x_type], *shape)

    def weights(self, *shape: int) -> np.ndarray:
        return whole_range(self.rng, self.weight, *shape, ends=1)

    def result(self, acc: np.ndarray) -> np.ndarray:
        """By Python's integers, which don't overflow."""
        q, n = self.quantisation, self.quantisation["shift"]
        scaled = (acc.astype(object) * self.multiplier.astype(object) + (1 << (n - 1))) >> n
        limited = np.clip(scaled + q["y_zero_point"], q["y_min"], q["y_max"])
        return limited.astype(np.int64).astype(TYPES[self.y_type])


def scratch(elements: int) -> np.ndarray:
    """Of so many int16, with a guard behind it."""
    return np.full(2 * elements + GUARD, CANARY, np.int8)


def untouched(buffer: np.ndarray) -> None:
    assert (buffer[-GUARD:] == CANARY).all()


@pytest.mark.parametrize("window", cases.WINDOWS)
@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(("channels", "groups"), [(1, 1), (5, 1), (4, 2)])
def test_conv2d_equals_big_integers(kernels, guarded, window, form, shift, channels, groups):
    win = cases.WINDOWS[window]
    if win.x_c % groups:
        pytest.skip("channels that groups do not divide")
    k = win.kernel_h * win.kernel_w * win.x_c // groups
    problem = Problem(form, shift, k, channels)
    x = problem.x(win.x_h, win.x_w, win.x_c)
    w = problem.weights(channels, win.kernel_h, win.kernel_w, win.x_c // groups)
    y = guarded(win.y_h, win.y_w * channels + win.y_gap, np.dtype(TYPES[form[1]]).str[1:])
    params = win.params(channels) | {"y_c": channels, "groups": groups} | problem.quantisation
    packed = packed_pairs(w.reshape(groups, channels // groups, -1))
    buffer = scratch(4 * -(-k // 2))
    kernels.call(
        f"conv2d_i16x{form[2]}", params, naive.spread(x, win.x_gap), packed, problem.bias, problem.multiplier, buffer, y
    )  # fmt: skip
    padding = problem.quantisation["x_zero_point"]
    acc = naive.conv2d(
        naive.gather(x, win, padding), w.astype(np.int64), problem.bias.astype(np.int64), groups
    )
    np.testing.assert_array_equal(cases.rows(y, win, channels), problem.result(acc))
    untouched(buffer)


@pytest.mark.parametrize("window", [n for n, win in cases.WINDOWS.items() if win.x_c >= 4])
@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("shift", SHIFTS)
def test_depthwise_equals_big_integers(kernels, guarded, window, form, shift):
    win = cases.WINDOWS[window]
    taps = win.kernel_h * win.kernel_w
    problem = Problem(form, shift, taps, win.x_c)
    x = problem.x(win.x_h, win.x_w, win.x_c)
    w = problem.weights(win.kernel_h, win.kernel_w, win.x_c)
    y = guarded(win.y_h, win.y_w * win.x_c + win.y_gap, np.dtype(TYPES[form[1]]).str[1:])
    params = win.params(win.x_c) | {"y_c": win.x_c, "groups": 1} | problem.quantisation
    buffer = scratch(taps * win.x_c)
    kernels.call(
        f"depthwise_conv2d_i16x{form[2]}", params, naive.spread(x, win.x_gap), w, problem.bias, problem.multiplier,
        buffer, y,
    )  # fmt: skip
    windows = naive.gather(x, win, problem.quantisation["x_zero_point"])
    acc = naive.depthwise(windows, w.astype(np.int64), problem.bias.astype(np.int64))
    np.testing.assert_array_equal(cases.rows(y, win, win.x_c), problem.result(acc))
    untouched(buffer)
