"""Ranges without data: the distribution of the inputs is propagated through the net.

Drawn inputs run through the float net, and of every channel the mean and the standard deviation are kept, of sums
before a fused clamp. Where training has left both (stand_in.py), the drawn values are made to have them. A tensor's range
holds REACH deviations around the mean of each of its channels, TRAINED_REACH of those of training, and is never wider
than what interval arithmetic says that its values can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import erfc, sqrt

import numpy as np

from ..ir.graph import Graph
from ..reference.run import evaluate
from .bounds import Bounds, bounds
from .calibrate import Observed, Samples, calibrate, sample_count
from .stand_in import stand_in, without_clamp

REACH = 4.0
# Real values have longer tails than drawn ones: M. Nagel et al., "Data-Free Quantization Through Weight Equalization and
# Bias Correction" (2019), take as many around what batch norm knows
TRAINED_REACH = 6.0


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a tensor's channels (its last axis), before a fused clamp."""

    mean: np.ndarray
    deviation: np.ndarray

    def range(self, reach: float = REACH) -> tuple[float, float]:
        low, high = self.mean - reach * self.deviation, self.mean + reach * self.deviation
        return float(low.min()), float(high.max())

    def beyond(self, low: float, high: float, times: float = 1.0) -> float:
        """The part of the values below `low` or above `high` if channels are normally distributed with so many
        times their deviations."""
        deviation = np.maximum(times * self.deviation, 1e-30) * sqrt(2.0)
        tails = [*((self.mean - low) / deviation), *((high - self.mean) / deviation)]
        return sum(erfc(float(tail)) / 2 for tail in tails) / len(self.mean)


@dataclass(frozen=True)
class Propagated:
    """Of float run-time tensors by name: `observed`, with the range for extremes; `spreads`, as far as
    there are channels; `limits`, what values can be at most. `real`: the float outputs of each sample; `graph`: what
    the samples ran through, the stand-in where training has left statistics; `known`: tensors that have those."""

    observed: Mapping[str, Observed]
    spreads: Mapping[str, Spread]
    limits: Mapping[str, Bounds]
    real: Sequence[Mapping[str, np.ndarray]]
    graph: Graph
    known: frozenset[str] = frozenset()


def propagate(
    graph: Graph, samples: Samples, inputs: Mapping[str, tuple[float, float]]
) -> Propagated:
    """samples: drawn inputs [N, ...] by name; inputs: their ranges, which they keep."""
    stand = stand_in(graph, samples)
    observed, real = calibrate(stand.graph, samples)
    spreads, limits = _spreads(stand.graph, samples), bounds(graph, inputs)
    found = dict(observed)
    for name, spread in spreads.items():
        reach = TRAINED_REACH if name in stand.known else REACH
        ends = inputs[name] if name in inputs else _within(spread.range(reach), limits[name].ends)
        found[name] = replace(observed[name], low=ends[0], high=ends[1])
    return Propagated(found, spreads, limits, real, stand.graph, stand.known)


def _within(range_: tuple[float, float], limits: tuple[float, float]) -> tuple[float, float]:
    low, high = (min(max(end, limits[0]), limits[1]) for end in range_)
    return low, high


def _spreads(graph: Graph, samples: Samples) -> dict[str, Spread]:
    sums: dict[str, np.ndarray] = {}
    for k in range(sample_count(samples)):
        values = {name: samples[name][k].reshape(graph.type(name).shape) for name in graph.inputs}
        for name in graph.inputs:
            _add(sums, name, values[name])
        for node in graph.nodes:
            free, clamp = without_clamp(node)
            for name, made in zip(node.outputs, evaluate(graph, free, values), strict=True):
                _add(sums, name, made)
                values[name] = made if clamp is None else np.clip(made, *clamp).astype(made.dtype)
    return {name: _spread(*found) for name, found in sums.items()}


def _add(sums: dict[str, np.ndarray], name: str, values: np.ndarray) -> None:
    """Count, sum and sum of squares by channel; of what is no float, nothing."""
    if values.dtype.kind != "f" or values.size == 0:
        return
    rows = values.astype(np.float64).reshape(-1, values.shape[-1] if values.ndim else 1)
    found = np.stack([np.full(rows.shape[1], len(rows)), rows.sum(axis=0), (rows**2).sum(axis=0)])
    sums[name] = sums[name] + found if name in sums else found


def _spread(count: np.ndarray, total: np.ndarray, squares: np.ndarray) -> Spread:
    mean = total / count
    return Spread(mean, np.sqrt(np.maximum(squares / count - mean**2, 0.0)))
