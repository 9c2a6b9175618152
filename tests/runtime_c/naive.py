"""The kernels as plainly as NumPy can say them: int64 throughout, or float32 in the order of the kernels."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Window:
    """The geometry of a spatial kernel; field names are those of the params structs."""

    x_h: int = 5
    x_w: int = 5
    x_c: int = 4
    kernel_h: int = 3
    kernel_w: int = 3
    stride_h: int = 1
    stride_w: int = 1
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 1
    pad_left: int = 1
    pad_bottom: int = 1
    pad_right: int = 1
    y_rows: int | None = None
    x_gap: int = 0
    y_gap: int = 0

    @property
    def y_h(self) -> int:
        reach = (self.kernel_h - 1) * self.dilation_h
        full = (self.pad_top + self.x_h + self.pad_bottom - reach - 1) // self.stride_h + 1
        return full if self.y_rows is None else self.y_rows

    @property
    def y_w(self) -> int:
        reach = (self.kernel_w - 1) * self.dilation_w
        return (self.pad_left + self.x_w + self.pad_right - reach - 1) // self.stride_w + 1

    def params(self, y_c: int) -> dict[str, int]:
        names = "x_h x_w x_c y_h y_w kernel_h kernel_w stride_h stride_w dilation_h dilation_w pad_top pad_left"
        pitches = {
            "x_row_pitch": self.x_w * self.x_c + self.x_gap,
            "y_row_pitch": self.y_w * y_c + self.y_gap,
        }
        return {name: getattr(self, name) for name in names.split()} | pitches

    def taps(self, oy: int, ox: int) -> Iterator[tuple[int, int, int, int, bool]]:
        """ky, kx, row, column of x and whether that lies inside, for each tap of an output."""
        for ky in range(self.kernel_h):
            for kx in range(self.kernel_w):
                row = oy * self.stride_h - self.pad_top + ky * self.dilation_h
                col = ox * self.stride_w - self.pad_left + kx * self.dilation_w
                yield ky, kx, row, col, 0 <= row < self.x_h and 0 <= col < self.x_w


def requantize(acc: Any, multiplier: Any) -> np.ndarray:
    return (np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64) + (1 << 31)) >> 32


def requantize_even(acc: Any, multiplier: Any) -> np.ndarray:
    """By Python's own rule: Fraction rounds halves to even."""
    pairs = np.broadcast(np.asarray(acc, np.int64), np.asarray(multiplier, np.int64))
    rounded = [round(Fraction(int(a) * int(m), 1 << 32)) for a, m in pairs]
    return np.reshape(rounded, pairs.shape).astype(np.int64)


def output(acc: Any, multiplier: Any, q: dict[str, int], rounded: Any = requantize) -> np.ndarray:
    scaled = rounded(np.asarray(acc, np.int64) << q["pre_shift"], multiplier)
    return np.clip(q["y_zero_point"] + scaled, q["y_min"], q["y_max"]).astype(np.int8)


def pack(rows: np.ndarray, groups: int = 1) -> np.ndarray:
    """rows: [C, K], one per output channel. Per group blocks of 4 channels, [K][4]; the last [K][r]."""
    blocks = []
    for group in np.split(rows, groups):
        blocks += [group[c : c + 4].T.ravel() for c in range(0, len(group), 4)]
    return np.ascontiguousarray(np.concatenate(blocks))


def spread(x: np.ndarray, gap: int) -> np.ndarray:
    """x: [h, w, c] as rows of w * c + gap elements."""
    rows = x.reshape(len(x), -1)
    return np.ascontiguousarray(np.pad(rows, ((0, 0), (0, gap)), constant_values=99))


def gather(x: np.ndarray, win: Window, padding: Any) -> np.ndarray:
    """Windows of x: [y_h, y_w, kernel_h, kernel_w, x_c]."""
    shape = (win.y_h, win.y_w, win.kernel_h, win.kernel_w, win.x_c)
    windows = np.full(shape, padding, np.float32 if x.dtype == np.float32 else np.int64)
    for oy, ox in np.ndindex(win.y_h, win.y_w):
        for ky, kx, row, col, inside in win.taps(oy, ox):
            if inside:
                windows[oy, ox, ky, kx] = x[row, col]
    return windows


def conv2d(windows: np.ndarray, weights: np.ndarray, bias: np.ndarray, groups: int) -> np.ndarray:
    """Accumulators [y_h, y_w, C]. windows: see gather; weights: [C, kernel_h, kernel_w, x_c / groups]."""
    y_h, y_w = windows.shape[:2]
    parts = []
    for part, w, b in zip(
        np.split(windows, groups, -1),
        np.split(weights, groups),
        np.split(bias, groups),
        strict=True,
    ):
        parts.append(dot(part.reshape(y_h, y_w, -1), w.reshape(len(w), -1), b))
    return np.concatenate(parts, -1)


def dot(x: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """bias + x @ weights.T, summed in the order of the last axis."""
    acc = np.broadcast_to(bias, (*x.shape[:-1], len(bias))).copy()
    for k in range(x.shape[-1]):
        acc += x[..., k, None] * weights[:, k]
    return acc


def depthwise(windows: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """weights: [kernel_h, kernel_w, c]."""
    acc = np.broadcast_to(bias, (*windows.shape[:2], len(bias))).copy()
    for ky, kx in np.ndindex(weights.shape[:2]):
        acc += windows[:, :, ky, kx] * weights[ky, kx]
    return acc


def conv_transpose2d(
    x: np.ndarray, weights: np.ndarray, win: Window, y_shape: tuple[int, int], groups: int
) -> np.ndarray:
    """Sums [y_h, y_w, C], scattering each input. win.pad_* are cut off; weights: [C, kernel_h, kernel_w, x_c / groups]."""
    y = np.zeros((*y_shape, len(weights)), x.dtype)
    for iy, ix in np.ndindex(x.shape[:2]):
        for ky, kx in np.ndindex(win.kernel_h, win.kernel_w):
            oy = iy * win.stride_h + ky * win.dilation_h - win.pad_top
            ox = ix * win.stride_w + kx * win.dilation_w - win.pad_left
            if 0 <= oy < y_shape[0] and 0 <= ox < y_shape[1]:
                for g, (part, w) in enumerate(
                    zip(np.split(x[iy, ix], groups), np.split(weights, groups), strict=True)
                ):
                    y[oy, ox, g * len(w) : (g + 1) * len(w)] += w[:, ky, kx] @ part
    return y
