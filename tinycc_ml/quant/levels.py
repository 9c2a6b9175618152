"""Grids of fewer levels than int8: few values, multiples by groups, a palette. All are fitted by least squared error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .grids import safe_scales

# Parts of the largest weight that a scale's search begins with, and steps that refine the best of them
_CLIPS = np.linspace(0.3, 1.1, 33)
_REFINED = 4
_PALETTE_ROUNDS = 40


@dataclass(frozen=True)
class Values:
    """The same few integers for all channels, a scale for each. values: ascending, at least two."""

    name: str
    values: tuple[int, ...]

    def fit(self, rows: np.ndarray, smallest: np.ndarray | None = None) -> ValueLevels:
        """The scale with the least squared error: the best of several clippings, then by turns the nearest
        values for a scale and the best scale for the values."""
        values = np.array(self.values)
        best = _best_of(rows, np.abs(rows).max(axis=1, initial=0), values)
        for _ in range(_REFINED):
            best = np.maximum(_refined(rows, best, values), 0)
        return ValueLevels(values, safe_scales(best, smallest))


@dataclass(frozen=True)
class ValueLevels:
    values: np.ndarray
    scale: np.ndarray

    def nearest(self, values: np.ndarray, column: int) -> np.ndarray:
        return nearest_of(values / self.scale, self.values).astype(np.int8)


@dataclass(frozen=True)
class Grouped:
    """m * q: in each group of `size` consecutive weights of a channel one of the multipliers 1..`most`, and
    q in -8..7; a scale for each channel. `size`: columns of a group; the last one may have fewer."""

    name: str
    size: int
    most: int

    def fit(self, rows: np.ndarray, smallest: np.ndarray | None = None) -> GroupedLevels:
        """Scales such that the largest step of a channel's groups has one of the upper multipliers,
        whichever leaves the least error."""
        values = np.arange(-8, 8)
        groups = _in_groups(rows, self.size)
        flat = groups.reshape(-1, self.size)
        steps = _best_of(flat, np.abs(flat).max(axis=1, initial=0), values)
        largest = steps.reshape(len(rows), -1).max(axis=1, initial=0)
        found = [
            self._of(groups, safe_scales(largest / m, smallest))
            for m in range(self.most, self.most // 2, -1)
        ]
        errors = np.stack([error for _, _, error in found])
        best, all_rows = errors.argmin(axis=0), np.arange(len(rows))
        scale = np.stack([s for s, _, _ in found])[best, all_rows]
        multiplier = np.stack([m for _, m, _ in found])[best, all_rows]
        return GroupedLevels(self.size, scale, multiplier)

    def _of(
        self, groups: np.ndarray, scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For these scales: they, the multiplier of each group, and the squared error of each channel."""
        values = np.arange(-8, 8)
        steps = scale[:, None, None] * np.arange(1, self.most + 1)[:, None, None, None]
        errors = ((groups - steps * nearest_of(groups / steps, values)) ** 2).sum(axis=-1)
        return scale, errors.argmin(axis=0) + 1, errors.min(axis=0).sum(axis=-1)


@dataclass(frozen=True)
class GroupedLevels:
    """`multiplier`: int [channels, groups]."""

    size: int
    scale: np.ndarray
    multiplier: np.ndarray

    def nearest(self, values: np.ndarray, column: int) -> np.ndarray:
        m = self.multiplier[:, column // self.size]
        return (m * np.clip(np.rint(values / (self.scale * m)), -8, 7)).astype(np.int8)


@dataclass(frozen=True)
class Palette:
    """At most `size` values in a tensor, found by k-means; a scale for each channel, so that its largest
    weight is 127."""

    name: str
    size: int

    def fit(self, rows: np.ndarray, smallest: np.ndarray | None = None) -> ValueLevels:
        scale = safe_scales(np.abs(rows).max(axis=1, initial=0) / 127, smallest)
        integers = np.clip(rows / scale[:, None], -127, 127)
        weights = np.broadcast_to(scale[:, None] ** 2, rows.shape)
        return ValueLevels(_palette(integers.ravel(), weights.ravel(), self.size), scale)


def nearest_of(wanted: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each number the nearest of the ascending `values`."""
    return values[np.searchsorted((values[1:] + values[:-1]) / 2, wanted)]


def _best_of(rows: np.ndarray, peak: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each row the scale with the least squared error, of _CLIPS parts of the one that reaches its peak."""
    whole = peak / np.abs(values).max()
    scales = np.where(whole > 0, whole, 1.0) * _CLIPS[:, None]
    errors = np.stack(
        [((rows - s[:, None] * nearest_of(rows / s[:, None], values)) ** 2).sum(1) for s in scales]
    )
    return np.where(whole > 0, scales[errors.argmin(axis=0), np.arange(len(rows))], 0.0)


def _refined(rows: np.ndarray, scale: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The best scale for the values that are nearest with this one."""
    q = nearest_of(rows / np.where(scale > 0, scale, 1.0)[:, None], values)
    square = (q * q).sum(axis=1)
    return np.where(square > 0, (rows * q).sum(axis=1) / np.maximum(square, 1), scale)


def _in_groups(rows: np.ndarray, size: int) -> np.ndarray:
    """[channels, groups, size], zeros behind the last column."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % size)))
    return padded.reshape(len(rows), -1, size)


def _palette(numbers: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """k-means of numbers in -127..127, its centres as ascending integers without repetitions."""
    centres = (
        np.unique(np.quantile(numbers, np.linspace(0, 1, size))) if numbers.size else np.zeros(1)
    )
    for _ in range(_PALETTE_ROUNDS):
        of = np.searchsorted((centres[1:] + centres[:-1]) / 2, numbers)
        mass = np.bincount(of, weights, len(centres))
        sums = np.bincount(of, weights * numbers, len(centres))
        moved = np.sort(np.where(mass > 0, sums / np.where(mass > 0, mass, 1.0), centres))
        if np.allclose(moved, centres, atol=1e-3):
            break
        centres = moved
    found = np.unique(np.rint(centres).astype(int))
    return found if len(found) > 1 else np.array([found[0], found[0] + 1])


INT4 = Grouped("int4", size=16, most=15)
INT4_CHANNEL = Values("int4-channel", tuple(range(-8, 8)))
INT2 = Values("int2", (-2, -1, 0, 1))
TERNARY = Values("ternary", (-1, 0, 1))
BINARY = Values("binary", (-1, 1))
CODEBOOK4 = Palette("codebook4", 16)
