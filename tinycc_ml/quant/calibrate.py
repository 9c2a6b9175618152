"""Ranges of activations, observed on samples with the float reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph
from ..reference.run import run

# Values kept of each tensor and sample to estimate percentiles from
_KEPT = 2048


@dataclass(frozen=True)
class Observed:
    """What one tensor's values were: extremes, and a subset of values to take percentiles of; `whole`
    says that the subset is all values, sample by sample."""

    low: float
    high: float
    values: np.ndarray
    whole: bool = False

    def percentile(self, percent: float) -> tuple[float, float]:
        """The central `percent` of the values, e.g. 99.9, never wider than the extremes."""
        tail = (100.0 - percent) / 2
        low, high = np.percentile(self.values, [tail, 100.0 - tail])
        return float(low), float(high)


Samples = Mapping[str, np.ndarray]


def sample_count(samples: Samples) -> int:
    return len(next(iter(samples.values())))


def merged(one: Mapping[str, Observed], other: Mapping[str, Observed]) -> dict[str, Observed]:
    """What was observed on two sets of samples, as one."""
    return {
        name: Observed(
            min(a.low, other[name].low),
            max(a.high, other[name].high),
            np.concatenate([a.values, other[name].values]),
            a.whole,
        )
        for name, a in one.items()
    }


def calibrate(
    graph: Graph,
    samples: Samples,
    progress: Callable[[int, int], None] | None = None,
    numbers: Sequence[int] | None = None,
) -> tuple[dict[str, Observed], list[dict[str, np.ndarray]]]:
    """Observed values of every float run-time tensor, and the float outputs of each sample.

    samples: arrays [N, ...] by input name; each sample has the input's shape. numbers: which of them;
    default: all.
    """
    watched = [n for n, t in graph.tensors.items() if not t.is_constant and t.type.dtype.is_float]
    extremes = dict.fromkeys(watched, (np.inf, -np.inf))
    kept: dict[str, list[np.ndarray]] = {name: [] for name in watched}
    outputs = []
    numbers = range(sample_count(samples)) if numbers is None else numbers
    for done, k in enumerate(numbers, 1):
        values = run(graph, {name: array[k] for name, array in samples.items()})
        outputs.append({name: values[name] for name in graph.outputs})
        for name in watched:
            _note(values[name].ravel(), name, extremes, kept, k)
        if progress:
            progress(done, len(numbers))
    whole = {n: graph.type(n).size <= _KEPT for n in watched}
    return {n: Observed(*extremes[n], np.concatenate(kept[n]), whole[n]) for n in watched}, outputs


def _note(
    flat: np.ndarray, name: str, extremes: dict, kept: dict[str, list[np.ndarray]], k: int
) -> None:
    low, high = extremes[name]
    extremes[name] = (min(low, float(flat.min())), max(high, float(flat.max())))
    step = -(-flat.size // _KEPT)
    kept[name].append(flat[k % step :: step].copy())
