"""Geometries and quantisations that every spatial kernel meets."""

from typing import Any

import numpy as np

from .naive import Window

WINDOWS = {
    "plain_3x3": Window(),
    "one_pixel": Window(x_h=1, x_w=1, x_c=1, kernel_h=1, kernel_w=1, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0),
    "one_pixel_under_3x3": Window(x_h=1, x_w=1, x_c=8),
    "padding_larger_than_kernel": Window(x_h=2, x_w=3, kernel_h=2, kernel_w=2, pad_top=3, pad_left=4, pad_bottom=3, pad_right=3),
    "dilated": Window(x_h=9, x_w=8, x_c=5, dilation_h=2, dilation_w=3, pad_top=2, pad_left=3),
    "strided_odd": Window(x_h=7, x_w=9, x_c=6, stride_h=2, stride_w=3),
    "wide_kernel": Window(x_h=6, x_w=10, x_c=3, kernel_h=2, kernel_w=5, pad_left=2, pad_right=2),
    "tall_kernel": Window(x_h=11, x_w=4, x_c=1, kernel_h=10, kernel_w=4, stride_h=2, stride_w=2, pad_top=4, pad_bottom=5),
    "no_padding": Window(x_h=4, x_w=6, x_c=7, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0),
    "gaps_between_rows": Window(x_h=4, x_w=4, x_c=8, x_gap=3, y_gap=5),
    "rows_skipped_above": Window(x_h=7, x_w=4, x_c=4, pad_top=-2, y_rows=3),
    "single_column": Window(x_h=8, x_w=1, x_c=9, kernel_w=1, pad_left=0, pad_right=0),
}  # fmt: skip

RANGES = {
    "middle": {"x_zero_point": 3, "y_zero_point": -5, "pre_shift": 0, "y_min": -128, "y_max": 127},
    "zero_points_low": {
        "x_zero_point": -128,
        "y_zero_point": -128,
        "pre_shift": 0,
        "y_min": -128,
        "y_max": 127,
    },
    "zero_points_high": {
        "x_zero_point": 127,
        "y_zero_point": 127,
        "pre_shift": 0,
        "y_min": -128,
        "y_max": 127,
    },
    "pre_shift": {
        "x_zero_point": -7,
        "y_zero_point": 9,
        "pre_shift": 3,
        "y_min": -128,
        "y_max": 127,
    },
    "narrow": {"x_zero_point": 0, "y_zero_point": 0, "pre_shift": 0, "y_min": -3, "y_max": 17},
}


def int8(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random int8 values, both ends among them."""
    values = rng.integers(-128, 128, shape)
    return np.where(rng.random(shape) < 0.1, rng.choice([-128, 127], shape), values).astype(np.int8)


def quantisation(
    rng: np.random.Generator, c: int, terms: int, pre_shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """bias and multiplier of c channels of `terms` products: about one output in three saturates."""
    scale = 1.0 / (np.sqrt(terms) * 5461 / 100 * 2**pre_shift)
    multiplier = np.minimum(scale * rng.uniform(0.5, 2.0, c) * 2**32, 2**31 - 1).astype(np.int32)
    return rng.integers(-(2**13), 2**13, c).astype(np.int32), multiplier


def float32(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def rows(y: np.ndarray, win: Any, c: int) -> np.ndarray:
    """The values of a guarded output, [y_h, y_w, c]; checks that nothing else was written."""
    from .conftest import CANARY

    assert (y[: win.y_h, win.y_w * c :] == CANARY).all() and (y[win.y_h :] == CANARY).all()
    return y[: win.y_h, : win.y_w * c].reshape(win.y_h, win.y_w, c)
