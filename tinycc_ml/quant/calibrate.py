"""Ranges of activations, observed on samples with the float reference."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..ir.graph import Graph
from ..ir.types import Quant
from ..ops import op_of
from ..reference.at_once import at_once, evaluators_at_once, laid_out, one_by_one

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
    # scales found for it, which many trials share, by what they were found with
    found: dict[Hashable, Quant] = field(default_factory=dict, compare=False, repr=False)

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
    steps = evaluators_at_once(graph)
    for part in at_once(graph, numbers):
        values = laid_out(graph, samples, part)
        for node in graph.nodes:
            values.update(zip(node.outputs, steps[node.name](values), strict=True))
        seen = {name: values[name] for name in watched} | _inside(graph, values)
        for name, arrays in seen.items():
            _note(arrays, name, extremes, kept, part)
        outputs += one_by_one({name: values[name] for name in graph.outputs})
        if progress:
            progress(len(outputs), len(numbers))
    whole = {n: graph.type(n).size <= _KEPT for n in watched}
    found = {
        n: Observed(*e, np.concatenate(kept[n]), whole.get(n, False)) for n, e in extremes.items()
    }
    return found, outputs


def inside_name(node: str, value: str) -> str:
    """What a value within a node is observed under."""
    return f"{node}: {value}"


def _inside(graph: Graph, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values within nodes whose range their integer form needs, [runs, ...]."""
    found: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        rule = op_of(node).quantize
        if rule is not None and rule.inside is not None:
            names = [name for name in node.inputs if name]
            given = one_by_one({n: values[n] for n in names if n in values})
            constants = {n: graph.tensors[n].value for n in names if n not in values}
            made = [rule.inside([(constants | run)[n] for n in names], node.attrs) for run in given]
            for name in made[0]:
                found[inside_name(node.name, name)] = np.stack([run[name] for run in made])
    return found


def _note(
    arrays: np.ndarray,
    name: str,
    extremes: dict,
    kept: dict[str, list[np.ndarray]],
    numbers: Sequence[int],
) -> None:
    """arrays: [runs, ...], of the samples of these numbers."""
    flat = arrays.reshape(len(numbers), -1)
    low, high = extremes.get(name, (np.inf, -np.inf))
    extremes[name] = (min(low, float(flat.min())), max(high, float(flat.max())))
    step = -(-flat.shape[1] // _KEPT)
    kept.setdefault(name, []).extend(
        one[k % step :: step].copy() for one, k in zip(flat, numbers, strict=True)
    )
