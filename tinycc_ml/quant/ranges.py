"""Ranges: how what was observed of a tensor becomes its scale. Data, not code: the quantiser is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..ir.types import I8, DType, Quant
from ..numerics.quantization import affine
from .calibrate import Observed

# Parts of the observed range that the least-error method tries, for both ends together or each end
_PARTS = np.linspace(1.0, 0.3, 29)
_PARTS_EACH = np.linspace(1.0, 0.0, 17)
_JUDGED_VALUES = 1 << 15
# Of the histogram that the entropy method looks at, and what an empty bin counts as
_BINS = 2048
_SMALLEST_PART = 1e-9

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Ranges:
    """One affine scale for each activation.

    `method`: "min-max" keeps all observed values, "percentile" the central `percent` of them,
    "least-error" the part of the range that rounds the observed values with the least squared error,
    "entropy" the part whose rounded values are distributed most like the observed ones.
    """

    name: str
    method: str = "min-max"
    percent: float = 100.0
    room: float = 1.0  # of "min-max": how many times the observed range

    def activation(
        self, observed: Observed, reader: Function | None = None, dtype: DType = I8
    ) -> Quant:
        """`reader`: what the one reader of the tensor makes of observed values; where it is given, the
        least error is that of its result: softmax, for one, does not mind if small logits are cut off."""
        if self.method == "percentile":
            return affine(*observed.percentile(self.percent), dtype)
        if self.method == "least-error":
            return (
                _least_error(observed, dtype)
                if reader is None
                else _least_error_after(observed, reader, dtype)
            )
        if self.method == "entropy":
            return _least_divergence(observed, dtype)
        return affine(self.room * observed.low, self.room * observed.high, dtype)


def _least_error(observed: Observed, dtype: DType) -> Quant:
    step = -(-observed.values.size // _JUDGED_VALUES)
    values = np.append(observed.values[::step], (observed.low, observed.high)).astype(np.float64)
    found = [affine(observed.low * part, observed.high * part, dtype) for part in _PARTS]
    return min(
        found, key=lambda quant: float(np.sum((_rounded(values, quant, dtype) - values) ** 2))
    )


def _least_error_after(observed: Observed, reader: Function, dtype: DType) -> Quant:
    exact = reader(observed.values)
    found = [
        affine(observed.low * low, observed.high * high, dtype)
        for low in _PARTS_EACH
        for high in _PARTS_EACH[:12]
    ]

    def error(quant: Quant) -> float:
        made = reader(_rounded(observed.values.astype(np.float64), quant, dtype).astype(np.float32))
        return float(np.sum((made - exact) ** 2))

    return min(found, key=error)


def _least_divergence(observed: Observed, dtype: DType) -> Quant:
    """Migacz, "8-bit inference with TensorRT" (2017), for ranges whose ends move together."""
    if observed.low == observed.high or not observed.values.any():
        return affine(observed.low, observed.high, dtype)
    # real 0 is always exact and within the range, and nets with relu have a crowd of it
    low, high = min(observed.low, 0.0), max(observed.high, 0.0)
    values = observed.values[observed.values != 0].astype(np.float64)
    counts, edges = np.histogram(values, _BINS, (low, high))

    def divergence(part: float) -> float:
        inside = (edges[1:] > low * part) & (edges[:-1] < high * part)
        return _divergence(counts, inside, dtype.range[1] - dtype.range[0] + 1)

    part = min(_PARTS, key=divergence)
    return affine(low * part, high * part, dtype)


def _divergence(counts: np.ndarray, inside: np.ndarray, levels: int) -> float:
    """Kullback-Leibler divergence of the values of a histogram, those outside moved to the ends, from those
    that are inside, brought to as many levels and spread over the bins that had any."""
    kept = np.flatnonzero(inside)
    first, last = kept[0], kept[-1]
    found = counts[first : last + 1].astype(np.float64)
    level = np.arange(len(found)) * min(levels, len(found)) // len(found)
    totals = np.bincount(level, found)
    bins = np.bincount(level, found > 0)
    spread = np.where(found > 0, (totals / np.maximum(bins, 1))[level], 0.0)
    clipped = found.copy()
    clipped[0] += counts[:first].sum()
    clipped[-1] += counts[last + 1 :].sum()
    p, q = clipped / clipped.sum(), spread / max(spread.sum(), 1.0)
    there = p > 0
    return float(np.sum(p[there] * np.log(p[there] / np.maximum(q[there], _SMALLEST_PART))))


def _rounded(values: np.ndarray, quant: Quant, dtype: DType) -> np.ndarray:
    q = np.clip(np.rint(values / quant.scale0) + quant.zero, *dtype.range)
    return (q - quant.zero) * quant.scale0


def by_tensor(one: Mapping[str, Observed], other: Mapping[str, Observed]) -> dict[str, Ranges]:
    """For each tensor the method whose range, found on one half of the samples, rounds the other half with the
    least squared error, both ways together."""

    def error(name: str, ranges: Ranges) -> float:
        return sum(
            _error_on(judged[name], ranges.activation(found[name]))
            for found, judged in ((one, other), (other, one))
        )

    return {name: min(RANGES, key=partial(error, name)) for name in one}


def _error_on(observed: Observed, quant: Quant) -> float:
    values = np.append(observed.values, (observed.low, observed.high)).astype(np.float64)
    return float(np.sum((_rounded(values, quant, I8) - values) ** 2))


# Tried in this order; the one with the smallest error at the outputs wins
RANGES = (
    Ranges("min-max"),
    Ranges("percentile 99.99", "percentile", 99.99),
    Ranges("percentile 99.9", "percentile", 99.9),
    Ranges("least error", "least-error"),
    Ranges("entropy", "entropy"),
)
# Also tried on int16, which can spare a bit for values beyond those observed
ROOMY = (Ranges("min-max with room", "min-max", room=2.0),)
