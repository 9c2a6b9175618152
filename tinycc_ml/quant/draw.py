"""Inputs drawn where there are no samples: what stands for them when ranges are propagated.

Half of them are independent values, the other half have the spectra of natural images, 1 / f (D. Field, "Relations
between the statistics of natural images and the response properties of cortical cells", 1987): sensor data lie
between the two. Brightness and contrast differ from one to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..errors import DataError
from ..ir.graph import Graph
from ..ir.types import TensorType
from .data import by_input

OPTION = "--input-range"
COUNT = 32
# Of an input of which only the range is known: so many standard deviations from its middle to its ends, and
# of one whose mean and deviation alone are known
_HALF_RANGE = 2.0
_REACH = 4.0
# Contrasts of inputs, and the deviation of their brightness, in deviations
_CONTRAST = (0.25, 1.25)
_BRIGHTNESS = 0.5
# A shorter axis is one of colours and the like, of which so much is common to all
_SHORT = 4
_COMMON = 0.7


@dataclass(frozen=True)
class InputRange:
    """The values of an input: within low..high, about `mean` with the standard deviation `deviation`; None: the
    middle, and a quarter of the range. DataError for what is no range."""

    low: float
    high: float
    mean: float | None = None
    deviation: float | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise DataError(f"a range wants a low end below its high end, got {self.low:g}..{self.high:g}")  # fmt: skip
        if self.mean is not None and not self.low <= self.mean <= self.high:
            raise DataError(f"the mean {self.mean:g} is not within {self.low:g}..{self.high:g}")
        if self.deviation is not None and not 0 < self.deviation < float("inf"):
            raise DataError(f"a standard deviation is above 0, got {self.deviation:g}")

    @staticmethod
    def about(mean: float, deviation: float) -> InputRange:
        """Where the range itself is not known: four deviations to either side."""
        reach = _REACH * abs(deviation)
        return InputRange(mean - reach, mean + reach, mean, deviation)

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        mean = (self.low + self.high) / 2 if self.mean is None else self.mean
        spread = (self.high - self.low) / (2 * _HALF_RANGE)
        return mean, spread if self.deviation is None else self.deviation


def input_range(said: InputRange | Sequence[float] | Mapping[str, float]) -> InputRange:
    """Of (low, high), or of these names, mean and deviation, of which either pair may be absent."""
    if isinstance(said, InputRange):
        return said
    if not isinstance(said, Mapping):
        return InputRange(*said)
    if {"low", "high"} <= set(said):
        return InputRange(**said)
    if set(said) == {"mean", "deviation"}:
        return InputRange.about(said["mean"], said["deviation"])
    raise DataError(
        f"{OPTION} wants the lowest and the highest value, or mean and deviation, got {', '.join(said) or 'nothing'}"
    )


def known_ranges(graph: Graph, given: Mapping[str, InputRange]) -> dict[str, InputRange]:
    """The range of every input; DataError names one that is not known. given: by input, "" for the only one."""
    found = by_input(OPTION, given, graph)
    for name in graph.inputs:
        if name not in found:
            raise DataError(
                f"ranges are propagated from those of the inputs, and that of {name!r} is not known",
                hint=f"say {OPTION} {name}=LO..HI, the least and the most that its values can be",
            )
    return found


def drawn(
    graph: Graph, ranges: Mapping[str, InputRange], count: int = COUNT, seed: int = 0
) -> dict[str, np.ndarray]:
    """Arrays [count, ...] by input, the same for the same seed. ranges: of every input."""
    rng = np.random.default_rng(seed)
    return {name: _draw(rng, graph.type(name), ranges[name], count) for name in graph.inputs}


def _draw(rng: np.random.Generator, type_: TensorType, known: InputRange, count: int) -> np.ndarray:
    if not type_.dtype.is_real:
        low, high = int(np.ceil(known.low)), int(np.floor(known.high))
        return rng.integers(low, high + 1, (count, *type_.shape)).astype(type_.dtype.numpy)
    mean, deviation = known.moments
    units = np.stack([_unit(rng, type_.shape, smooth=bool(k % 2)) for k in range(count)])
    return np.clip(mean + deviation * units, known.low, known.high).astype(np.float32)


def _unit(rng: np.random.Generator, shape: tuple[int, ...], *, smooth: bool) -> np.ndarray:
    values = rng.normal(size=shape)
    if smooth and values.size > 1:
        values = _smoothed(values)
        values = (values - values.mean()) / max(float(values.std()), 1e-9)
    return values * rng.uniform(*_CONTRAST) + rng.normal() * _BRIGHTNESS


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Spectra 1 / f along the axes but the leading one, which counts vectors of a batch."""
    for axis in range(1, values.ndim):
        size = values.shape[axis]
        if size > _SHORT:
            waves = np.moveaxis(np.fft.rfft(values, axis=axis), axis, -1)
            waves = np.moveaxis(waves / (1 + np.arange(waves.shape[-1])), -1, axis)
            values = np.fft.irfft(waves, n=size, axis=axis)
        elif size > 1:
            common = values.mean(axis, keepdims=True) * np.sqrt(size)
            values = (1 - _COMMON) * values + _COMMON * common
    return values
