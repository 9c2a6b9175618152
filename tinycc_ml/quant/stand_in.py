"""Where training has left statistics (batch norm does), drawn inputs run through a stand-in for the net.

Drawn inputs are not those of training, and what they give drifts from layer to layer. At every tensor whose mean and
deviation training knew, the stand-in's constants are such that the drawn values have them, channel by channel: weights
are scaled and biases shifted, as batch norm itself would do on that batch. Scaling a row of weights changes none of the
integers that it is rounded to, so the stand-in is also what the integer net is to be judged by on drawn inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.rewrite import Draft
from ..ir.statistics import Statistics
from ..ops import op_of
from ..passes.affine import along, rescaled
from ..reference.at_once import at_once_of, laid_out
from ..reference.run import evaluator
from .calibrate import Samples, sample_count
from .simulate import drop, last_reads

# Of the largest channel: one that deviates less is constant, but for the rounding of its sums
_STILL = 2.0**-16


@dataclass(frozen=True)
class StandIn:
    """`graph` has the nodes and tensors of the net, and other constants; `known`: tensors that have the statistics of
    training there."""

    graph: Graph
    known: frozenset[str] = frozenset()


def stand_in(graph: Graph, samples: Samples) -> StandIn:
    """samples: drawn inputs [N, ...] by name. Without statistics it is the graph itself."""
    if all(tensor.statistics is None for tensor in graph.tensors.values()):
        return StandIn(graph)
    draft, last, known = Draft(graph), last_reads(graph), set()
    values = laid_out(graph, samples, range(sample_count(samples)))
    for number, node in enumerate(graph.nodes):
        made = _corrected(draft, graph, node, values)
        if made is not None:
            known.add(node.outputs[0])
        made = made or at_once_of(graph, node, partial(evaluator, graph))(values)
        values.update(zip(node.outputs, made, strict=True))
        drop(values, node, last, number)
    return StandIn(draft.graph(), frozenset(known))


def _corrected(
    draft: Draft, graph: Graph, node: Node, values: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, ...] | None:
    """The result with the statistics of training, once the node in `draft` has the constants for that. None: nothing is
    known of it, or its constants can't be such. values: what it reads, [samples, ...]."""
    statistics = graph.tensors[node.outputs[0]].statistics
    if statistics is None:
        return None
    free, clamp = without_clamp(node)
    (made,) = at_once_of(graph, free, partial(evaluator, graph))(values)
    factor, offset = _correction(made, statistics)
    finite = np.isfinite(factor).all() and np.isfinite(offset).all()
    if not finite or not rescaled(draft, node, factor, offset, statistics.axis):
        return None
    shape = along(statistics.axis, made.ndim - 1)
    right = made * factor.reshape(shape) + offset.reshape(shape)
    return (right if clamp is None else np.clip(right, *clamp).astype(made.dtype),)


def without_clamp(node: Node) -> tuple[Node, tuple[float, float] | None]:
    """The node with all of its sums as they are, and the clamp that it has; None: it has none."""
    attrs = dict(node.attrs)
    low, high = attrs.pop("min", -np.inf), attrs.pop("max", np.inf)
    clamps = op_of(node).clamps and len(attrs) < len(node.attrs)
    return (replace(node, attrs=attrs), (low, high)) if clamps else (node, None)


def _correction(values: np.ndarray, statistics: Statistics) -> tuple[np.ndarray, np.ndarray]:
    """Factor and offset, float32 [channels], that give `values` [samples, ...] the statistics. A channel that is
    constant is only moved."""
    rows = np.moveaxis(values, statistics.axis + 1, -1).reshape(-1, len(statistics.mean))
    mean, deviation = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    still = deviation <= _STILL * (np.abs(mean) + deviation).max()
    factor = np.where(still, 1.0, statistics.deviation / np.where(still, 1.0, deviation))
    return factor.astype(np.float32), (statistics.mean - mean * factor).astype(np.float32)
