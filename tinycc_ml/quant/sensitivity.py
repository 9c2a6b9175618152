"""What each layer's weights cost under each scheme: the noise at the outputs when they alone are rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..ir.graph import Graph
from ..reference.at_once import one_by_one
from .judge import Judge, worst_sqnr
from .layers import Integers
from .simulate import EXACT, Rounding, drop, finish, last_reads, starts, step

# Of a layer, by scheme
Variants = Mapping[str, Integers]


def noise_of(sqnr_db: float) -> float:
    """As a part of the power of what is meant."""
    return float(10.0 ** (-sqnr_db / 10.0))


def db_of(noise: float) -> float:
    return float(-10.0 * np.log10(noise)) if noise > 0 else float("inf")


def sensitivities(
    judge: Judge,
    numbers: Sequence[int],
    variants: Mapping[str, Variants],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, float]]:
    """For each layer, by its node, and each scheme: noise as a part of the power of the output that it harms most,
    over the samples of these numbers. All else is exact, so that noises can be added up."""
    graph = judge.graph
    live = starts(graph, judge.samples, numbers, EXACT)
    real, last = [judge.real[k] for k in numbers], last_reads(graph)
    found: dict[str, dict[str, float]] = {}
    for number, node in enumerate(graph.nodes):
        found[node.name] = {
            scheme: _noise(graph, real, live, node.name, integers, number)
            for scheme, integers in variants.get(node.name, {}).items()
        }
        taken = step(graph, node, EXACT)
        for values in live:
            values.update(taken(values))
            drop(values, node, last, number)
        if progress:
            progress(number + 1, len(graph.nodes))
    return {name: noises for name, noises in found.items() if noises}


def _noise(
    graph: Graph,
    real: Sequence[Mapping[str, np.ndarray]],
    live: Sequence[Mapping[str, np.ndarray]],
    node: str,
    integers: Integers,
    number: int,
) -> float:
    """live: of runs, in parts, exact values before node `number`, whose constants are `integers`."""
    outputs = finish(graph, Rounding({}, {node: integers}), number)
    made = [one for values in live for one in one_by_one(outputs(values))]
    return noise_of(np.nan_to_num(worst_sqnr(real, made), nan=-np.inf))
