"""Ranges: how what was observed of a tensor becomes its scale. Data, not code: the quantiser is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
# Divergences, and parts of squared errors in all squares, that differ by no more differ by the rounding of their sums
_SAME = 1e-12

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
        if self.method == "least-error" and reader is not None:
            return _least_error_after(observed, reader, dtype)
        key = self, dtype
        if key not in observed.found:
            observed.found[key] = self._of_values(observed, dtype)
        return observed.found[key]

    def _of_values(self, observed: Observed, dtype: DType) -> Quant:
        if self.method == "percentile":
            return affine(*observed.percentile(self.percent), dtype)
        if self.method == "least-error":
            return _least_error(observed, dtype)
        if self.method == "entropy":
            return _least_divergence(observed, dtype)
        return affine(self.room * observed.low, self.room * observed.high, dtype)


def _least_error(observed: Observed, dtype: DType) -> Quant:
    step = -(-observed.values.size // _JUDGED_VALUES)
    values = np.append(observed.values[::step], (observed.low, observed.high)).astype(np.float64)
    found = [affine(observed.low * part, observed.high * part, dtype) for part in _PARTS]
    if dtype.bits > 8:
        return min(found, key=lambda quant: _squared_error(values, quant, dtype))
    errors = _squared_errors(np.sort(values), found, dtype)
    return found[int(np.argmax(errors <= errors.min() + _SAME * np.square(values).sum()))]


def _squared_errors(values: np.ndarray, quants: Sequence[Quant], dtype: DType) -> np.ndarray:
    """Of each quantisation; values: sorted. Between two levels' middles lie the values that become one level q, and
    sum (v - q)^2 = sum v^2 - 2 q sum v + n q^2 of them follows from running sums."""
    scale = np.array([quant.scale0 for quant in quants])[:, None]
    levels = np.arange(dtype.range[0], dtype.range[1] + 1) - np.array([[q.zero] for q in quants])
    ends = np.searchsorted(values, (levels[:, :-1] + 0.5) * scale)
    sums = np.append(0.0, np.cumsum(values))[ends]
    count, total = (
        np.diff(a, axis=1, prepend=0, append=whole)
        for a, whole in ((ends, len(values)), (sums, values.sum()))
    )
    real = levels * scale
    return np.square(values).sum() + np.sum(real * (count * real - 2 * total), axis=1)


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

    first = np.searchsorted(edges[1:], low * _PARTS, "right")
    after = np.searchsorted(edges[:-1], high * _PARTS, "left")
    found = _divergences(counts, first, after, dtype.range[1] - dtype.range[0] + 1)
    part = _PARTS[np.argmax(found <= found.min() + _SAME)]
    return affine(low * part, high * part, dtype)


def _divergences(
    counts: np.ndarray, first: np.ndarray, after: np.ndarray, levels: int
) -> np.ndarray:
    """Kullback-Leibler divergences of the values of a histogram from those in the two or more bins from `first` to
    `after` [parts], brought to as many levels and spread over the bins that had any; those outside count as values of the end bins.

    Within a level the spread values are all alike, so that sums over bins [parts, levels] are enough:
    sum p log(p / q) = (sum c log c - sum c log q) / n - log n, for c counts of n values.
    """
    size = (after - first)[:, None]
    used = np.minimum(levels, size)
    # bin first + i belongs to level i * used // size
    cuts = first[:, None] + np.minimum(-(-np.arange(used.max() + 1) * size // used), size)
    total, filled, entropy = (
        np.append(0, np.cumsum(a)) for a in (counts, counts > 0, counts * _log(counts))
    )
    inside = np.diff(total[cuts])
    spread = inside / np.maximum(np.diff(filled[cuts]), 1)
    kept = np.maximum(total[after] - total[first], 1)[:, None]
    log_q = np.log(np.maximum(spread / kept, _SMALLEST_PART))
    sums = entropy[after] - entropy[first] - np.sum(inside * log_q, axis=1)
    ends = (
        (first, total[first], log_q[:, 0]),
        (after - 1, total[-1] - total[after], log_q[np.arange(len(used)), used[:, 0] - 1]),
    )
    for end, outside, log in ends:
        own, all_ = counts[end], counts[end] + outside
        log = np.where(own > 0, log, np.log(_SMALLEST_PART))
        sums += all_ * _log(all_) - own * _log(own) - outside * log
    return sums / total[-1] - np.log(total[-1])


def _log(counts: np.ndarray) -> np.ndarray:
    """0 for 0, where c log c has its limit."""
    return np.log(np.maximum(counts, 1))


def _rounded(values: np.ndarray, quant: Quant, dtype: DType) -> np.ndarray:
    """values: float64."""
    low, high = (bound - quant.zero for bound in dtype.range)
    made = values / quant.scale0
    np.rint(made, out=made)
    np.maximum(made, low, out=made)
    np.minimum(made, high, out=made)
    made *= quant.scale0
    return made


def _squared_error(values: np.ndarray, quant: Quant, dtype: DType) -> float:
    made = _rounded(values, quant, dtype)
    made -= values
    return float(np.sum(np.square(made, out=made)))


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
    return _squared_error(values, quant, I8)


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
