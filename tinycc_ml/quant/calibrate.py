"""Ranges of activations, observed on samples with the float reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph
from ..ops import op_of
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
    """Observed values of every float run-time tensor and of what lies inside of nodes (`inside_name`), and the
    float outputs of each sample.

    samples: arrays [N, ...] by input name; each sample has the input's shape. numbers: which of them;
    default: all.
    """
    watched = [n for n, t in graph.tensors.items() if not t.is_constant and t.type.dtype.is_float]
    extremes: dict[str, tuple[float, float]] = {}
    kept: dict[str, list[np.ndarray]] = {}
    outputs = []
    numbers = range(sample_count(samples)) if numbers is None else numbers
    for done, k in enumerate(numbers, 1):
        values = run(graph, {name: array[k] for name, array in samples.items()})
        outputs.append({name: values[name] for name in graph.outputs})
        for name in watched:
            _note(values[name].ravel(), name, extremes, kept, k)
        for name, array in _inside(graph, values).items():
            _note(array.ravel(), name, extremes, kept, k)
        if progress:
            progress(done, len(numbers))
    whole = {n: graph.type(n).size <= _KEPT for n in watched}
    found = {
        n: Observed(*e, np.concatenate(kept[n]), whole.get(n, False)) for n, e in extremes.items()
    }
    return found, outputs


def inside_name(node: str, value: str) -> str:
    """What a value within a node is observed under."""
    return f"{node}: {value}"


def _inside(graph: Graph, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values within nodes whose range their integer form needs."""
    found: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        rule = op_of(node).quantize
        if rule is not None and rule.inside is not None:
            made = rule.inside([values[name] for name in node.inputs if name], node.attrs)
            found |= {inside_name(node.name, name): array for name, array in made.items()}
    return found


def _note(
    flat: np.ndarray, name: str, extremes: dict, kept: dict[str, list[np.ndarray]], k: int
) -> None:
    low, high = extremes.get(name, (np.inf, -np.inf))
    extremes[name] = (min(low, float(flat.min())), max(high, float(flat.max())))
    step = -(-flat.size // _KEPT)
    kept.setdefault(name, []).append(flat[k % step :: step].copy())
