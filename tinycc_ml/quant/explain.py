"""Where the error comes from: node by node, in simulation, against the float net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Graph, Node
from ..reference.compare import sqnr_db
from .calibrate import Samples
from .judge import Judge
from .layers import Layer, layers_of
from .simulate import EXACT, Rounding, drop, last_reads, starts, step

_BINS = 32
# A node is worth a word if it alone costs the outputs this much of what all nodes do, or more
_MUCH = 0.25
# Values cut off by a range, levels that hold nearly all values, samples: fewer or more are worth a word
_CUT = 0.001
_FEW_LEVELS = 32
_FEW_SAMPLES = 40


@dataclass(frozen=True)
class Histogram:
    """Counts of values in equal bins from `low` to `high`."""

    low: float
    high: float
    counts: tuple[int, ...]

    @staticmethod
    def of(values: np.ndarray) -> Histogram:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        counts, _ = np.histogram(finite, _BINS, (low, high) if high > low else (low, low + 1))
        return Histogram(low, high, tuple(int(c) for c in counts))


@dataclass(frozen=True)
class NodeError:
    """sqnr_db: of the node's result in the quantised net. alone_db: of the worst output when only this node's
    constants and result are quantised. levels: how many integers hold the middle 90 % of the result's values.
    cut_off: the part of values outside the range."""

    node: str
    op: str
    tensor: str
    sqnr_db: float
    alone_db: float
    levels: int
    cut_off: float
    activations: Histogram
    weights: Histogram | None


@dataclass(frozen=True)
class Explanation:
    """`nodes` in execution order; `worst`: the node whose own error costs most; `advice`: what may help."""

    nodes: tuple[NodeError, ...]
    worst: str | None
    advice: str


def explain(judge: Judge, numbers: Sequence[int], rounding: Rounding) -> Explanation:
    """For the samples of these numbers."""
    graph = judge.graph
    seen = _seen(graph, judge.samples, numbers, rounding)
    found = []
    for node in graph.nodes:
        own = _own(judge.graph, node, rounding)
        if own is not None:
            alone = judge.score((numbers, own))
            found.append(_error(graph, node, rounding, alone, *seen[node.outputs[0]]))
    whole = judge.score((numbers, rounding))
    worst = min(found, key=lambda error: error.alone_db, default=None)
    return Explanation(
        tuple(found), worst.node if worst else None, _advice(worst, whole, len(judge.real))
    )


def with_weights_of(graph: Graph, why: Explanation) -> Explanation:
    """With the histograms of the weights that the nodes have in `graph`."""
    first = {node.name: next(layers_of(graph, node), None) for node in graph.nodes}
    return replace(
        why, nodes=tuple(replace(error, weights=_weights(first[error.node])) for error in why.nodes)
    )


def _weights(layer: Layer | None) -> Histogram | None:
    return Histogram.of(layer.rows.ravel()) if layer else None


def _own(graph: Graph, node: Node, rounding: Rounding) -> Rounding | None:
    """What of the rounding is this node's; None: nothing."""
    types = {name: rounding.types[name] for name in node.outputs if name in rounding.types}
    keys = [layer.key for layer in layers_of(graph, node)]
    layers = {key: rounding.layers[key] for key in keys if key in rounding.layers}
    return Rounding(types, layers) if types or layers else None


def _seen(
    graph: Graph, samples: Samples, numbers: Sequence[int], rounding: Rounding
) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    """First results of nodes, of the float net and of the quantised one, over all samples."""
    seen: dict[str, tuple[list[np.ndarray], list[np.ndarray]]] = {
        node.outputs[0]: ([], []) for node in graph.nodes
    }
    last = last_reads(graph)
    sides = [(how, [step(graph, node, how) for node in graph.nodes]) for how in (EXACT, rounding)]
    for side, (how, steps) in enumerate(sides):
        for live in starts(graph, samples, numbers, how):
            for number, node in enumerate(graph.nodes):
                live.update(steps[number](live))
                seen[node.outputs[0]][side].append(live[node.outputs[0]].ravel())
                drop(live, node, last, number)
    return {n: (np.concatenate(real), np.concatenate(made)) for n, (real, made) in seen.items()}


def _error(
    graph: Graph, node: Node, rounding: Rounding, alone: float, real: np.ndarray, made: np.ndarray
) -> NodeError:
    name, layer = node.outputs[0], next(layers_of(graph, node), None)
    type_ = rounding.types.get(name)
    levels, cut_off = 0, 0.0
    if type_ is not None and type_.quant is not None:
        scale, zero = type_.quant.scale0, type_.quant.zero
        first, last = ((bound - zero) * scale for bound in type_.dtype.range)
        cut_off = float(np.mean((real < first - scale / 2) | (real > last + scale / 2)))
        low, high = np.percentile(real, [5.0, 95.0])
        levels = round((min(high, last) - max(low, first)) / scale) + 1
    found = sqnr_db(real, made)
    tensor = graph.tensors[name].source_name
    return NodeError(
        node.name,
        node.op,
        tensor,
        found,
        alone,
        levels,
        cut_off,
        Histogram.of(real),
        _weights(layer),
    )


def _advice(worst: NodeError | None, whole: float, samples: int) -> str:
    if worst is None:
        return "nothing is quantised"
    share = 10 ** ((whole - worst.alone_db) / 10) if np.isfinite(worst.alone_db) else 0.0
    name = f"{worst.node!r} ({worst.op})"
    if share < _MUCH:
        return f"no node stands out: {name} costs most, {share:.0%} of the error"
    costs = f"{name} alone makes {min(share, 1.0):.0%} of the error"
    if worst.cut_off > _CUT:
        return (
            f"{costs}: its range cuts off {worst.cut_off:.1%} of its values; try --ranges min-max"
        )
    if worst.levels < _FEW_LEVELS:
        few = f"{costs}: a few large values leave {worst.levels} levels for most of it"
        return f"{few}; try --ranges percentile or --equalize"
    if samples < _FEW_SAMPLES:
        return f"{costs}; there are few samples: give more calibration data"
    return f"{costs}; try another scheme for it: --quantize-node {worst.node}=SCHEME"
