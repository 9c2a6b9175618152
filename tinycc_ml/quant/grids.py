"""Grids: the integers that the weights of a channel may be, and which of them is nearest.

Whatever the grid, weights are int8 in the graph (int16 of INT16). A grid with fewer levels leaves a structure in the numbers (few values, common factors, zeros) by which the kernels that
store weights in less than a byte recognise them: nothing else in the graph says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Levels(Protocol):
    """The grid as fitted to one tensor, as rows: a row for each channel.

    `scale`: float64 [channels], float32 values: real weight = scale * integer.
    """

    @property
    def scale(self) -> np.ndarray: ...

    def nearest(self, values: np.ndarray, column: int) -> np.ndarray:
        """The permitted integers (int8 or int16 [channels]) for real `values` [channels] of one column."""
        ...


class Grid(Protocol):
    """Fits itself to the weights of a tensor."""

    @property
    def name(self) -> str: ...

    def fit(self, rows: np.ndarray, smallest: np.ndarray | None = None) -> Levels:
        """rows: real weights [channels, columns]. smallest: scales per channel not to go below."""
        ...


@dataclass(frozen=True)
class Uniform:
    """All integers from -`most` to `most`, one scale for each channel."""

    name: str
    most: int
    power_of_two: bool = False  # scales are

    def fit(self, rows: np.ndarray, smallest: np.ndarray | None = None) -> UniformLevels:
        scale = np.abs(rows).max(axis=1, initial=0).astype(np.float64) / self.most
        levels = UniformLevels(self.most, safe_scales(scale, smallest))
        return levels if not self.power_of_two else _best_power(rows, levels, smallest)


def _best_power(
    rows: np.ndarray, levels: UniformLevels, smallest: np.ndarray | None
) -> UniformLevels:
    """Of each channel the power of two above its scale, or the one below, which clips: that with less error."""
    above = np.exp2(np.ceil(np.log2(levels.scale)))
    least = np.zeros(len(above)) if smallest is None else smallest
    below = np.where(above / 2 >= least, above / 2, above)

    def error(scale: np.ndarray) -> np.ndarray:
        found = UniformLevels(levels.most, scale)
        return np.square(rows - scale[:, None] * rounded(rows, found)).sum(axis=1)

    return UniformLevels(levels.most, np.where(error(below) < error(above), below, above))


@dataclass(frozen=True)
class UniformLevels:
    most: int
    scale: np.ndarray

    def nearest(self, values: np.ndarray, column: int) -> np.ndarray:
        kind = np.int8 if self.most < 128 else np.int16
        return np.clip(np.rint(values / self.scale), -self.most, self.most).astype(kind)


def safe_scales(scale: np.ndarray, smallest: np.ndarray | None) -> np.ndarray:
    """Scales as float32 values that nothing can be divided by to infinity: a channel of zeros takes the
    median of the others, and none goes below `smallest`, so that a bias on nearly dead weights stays an int32."""
    if smallest is not None:
        scale = np.maximum(scale, smallest)
    typical = np.median(scale[scale > 0]) if (scale > 0).any() else 1.0
    scale = np.where(scale > 0, scale, typical).astype(np.float32).astype(np.float64)
    return np.maximum(scale, float(np.finfo(np.float32).tiny))


def as_rows(data: np.ndarray, axis: int) -> np.ndarray:
    """Weights as [channels, columns]."""
    return np.moveaxis(data, axis, 0).reshape(data.shape[axis], -1)


def from_rows(rows: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """The inverse of `as_rows`."""
    moved = (shape[axis], *shape[:axis], *shape[axis + 1 :])
    return np.moveaxis(rows.reshape(moved), 0, axis)


def rounded(rows: np.ndarray, levels: Levels) -> np.ndarray:
    """Each weight to its nearest level, int8 or int16 [channels, columns]."""
    columns = [levels.nearest(rows[:, k], k) for k in range(rows.shape[1])]
    return np.stack(columns, axis=1) if columns else np.zeros(rows.shape, np.int8)


INT8 = Uniform("int8", 127)
INT8_POW2 = Uniform("int8-pow2", 127, power_of_two=True)
INT16 = Uniform("int16", 32767)
