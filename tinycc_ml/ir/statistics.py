"""What training saw of a tensor: kept beside it from the model to where ranges are found without data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and standard deviation [channels] of a tensor's channels, which lie along `axis`; of an operator with a
    fused clamp, of what is clamped."""

    mean: np.ndarray
    deviation: np.ndarray
    axis: int

    def moved(self, permutation: tuple[int, ...]) -> Statistics:
        """Those of the tensor transposed by `permutation`."""
        return self.along(permutation.index(self.axis))

    def along(self, axis: int) -> Statistics:
        return replace(self, axis=axis)

    def scaled(self, factor: np.ndarray) -> Statistics:
        """Those of the tensor times a factor for each channel."""
        return replace(self, mean=self.mean * factor, deviation=self.deviation * np.abs(factor))

    def shifted(self, offset: np.ndarray) -> Statistics:
        return replace(self, mean=self.mean + offset)

    def kept(self, channels: np.ndarray) -> Statistics:
        """Of some of the channels. channels: a mask or indices."""
        return replace(self, mean=self.mean[channels], deviation=self.deviation[channels])

    def fits(self, shape: tuple[int, ...]) -> bool:
        is_axis = 0 <= self.axis < len(shape)
        return is_axis and self.mean.shape == self.deviation.shape == (shape[self.axis],)
