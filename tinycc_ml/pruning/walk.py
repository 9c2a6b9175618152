"""The float net and the one that is being changed, run side by side over all samples, node by node: each layer is
changed when its inputs are known, and what follows it meets its new results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..ir.graph import Graph, Node
from ..ops.base import Site
from ..quant.refit import Met, met_by_halves
from ..reference.run import evaluate
from .layers import Changed, Layer

Samples = Mapping[str, np.ndarray]
Change = Callable[[Layer, Met], Changed]
# Samples are left out while all that is alive at once takes more bytes than this
_MOST_BYTES = 1 << 30


def changed_in_turn(
    graph: Graph,
    samples: Samples,
    layers: Mapping[str, Layer],
    change: Change,
    gone: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """New constants of all `layers`, from the moments of what each meets. samples: arrays [N, ...] by input.
    gone: channels, by tensor, that are zero in the changed net."""
    first = {layer.node.name: layer for layer in layers.values()}
    new: dict[str, np.ndarray] = {}
    for node, real, made in _side_by_side(graph, samples, new, gone or {}):
        layer = first.get(node.name)
        if layer is not None and layer.rule.windows is not None:
            new.update(change(layer, _met(layer, real, made)))
    return new


def _met(layer: Layer, real: list[np.ndarray], made: list[np.ndarray]) -> Met:
    """Every other sample is of the first half."""
    pairs = list(zip(real, made, strict=True))
    return met_by_halves(pairs, lambda pair: (layer.met(pair[0]), layer.met(pair[1])))


def _side_by_side(
    graph: Graph, samples: Samples, new: Changed, gone: Mapping[str, np.ndarray]
) -> Iterator[tuple[Node, list[np.ndarray], list[np.ndarray]]]:
    """Each node with its first operand, for all samples, in both nets, before it is run; whoever is told may add
    to `new` what the changed net computes with."""
    chosen = _few_enough(graph, samples)
    real = [{n: a[k].reshape(graph.type(n).shape) for n, a in samples.items()} for k in chosen]
    made = [dict(values) for values in real]
    last = {name: node.name for node in graph.nodes for name in node.inputs}
    for node in graph.nodes:
        x = node.inputs[0] if node.inputs else ""
        if x and not graph.tensors[x].is_constant:
            yield node, [v[x] for v in real], [v[x] for v in made]
        constants = {name: new[name] for name in node.inputs if name in new}
        for values, other in zip(real, made, strict=True):
            values.update(zip(node.outputs, evaluate(graph, node, values), strict=True))
            found = evaluate(graph, node, {**other, **constants})
            other.update(
                {n: _without(v, gone.get(n)) for n, v in zip(node.outputs, found, strict=True)}
            )
            for name in {name for name in node.inputs if last[name] == node.name}:
                values.pop(name, None)
                other.pop(name, None)


def _without(values: np.ndarray, gone: np.ndarray | None) -> np.ndarray:
    return (
        values if gone is None or not gone.any() else np.where(gone, values.dtype.type(0), values)
    )


def _few_enough(graph: Graph, samples: Samples) -> list[int]:
    """All samples, or as many of them, evenly spread, as memory allows."""
    count = len(next(iter(samples.values())))
    alive = max(
        (sum(t.type.bytes for t in (*site.inputs, *site.outputs) if not t.is_constant) for site in
         (Site.of(graph, node) for node in graph.nodes)),
        default=1,
    )  # fmt: skip
    most = max(_MOST_BYTES // max(4 * alive, 1), 8)
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, most))})
