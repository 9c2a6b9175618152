"""The quantised net in floating point: every stored value rounded, nothing else changed.

It differs from the integer net by the roundings of requantisation that tables and sums share, far below a step;
it serves to compare ways to quantise without building each net.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.types import TensorType
from ..numerics.quantization import rounder
from ..ops import op_of
from ..reference.at_once import (
    Results,
    at_once,
    at_once_of,
    evaluators_at_once,
    laid_out,
    one_by_one,
)
from ..reference.run import Values
from .layers import Integers, layers_of

Step = Callable[[Values], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Rounding:
    """What of a float net is rounded: `types` of activations by tensor, constants of layers by their key. What is
    in neither stays exact."""

    types: Mapping[str, TensorType] = field(default_factory=dict)
    layers: Mapping[str, Integers] = field(default_factory=dict)

    def value(self, name: str) -> Callable[[np.ndarray], np.ndarray]:
        """What the quantised net has for real values of a tensor."""
        type_ = self.types.get(name)
        return _same if type_ is None else rounder(type_)


def _same(real: np.ndarray) -> np.ndarray:
    return real


EXACT = Rounding()


def starts(
    graph: Graph, samples: Values, numbers: Sequence[int], rounding: Rounding
) -> list[dict[str, np.ndarray]]:
    """The inputs of the samples of these numbers, as many together as pay: [runs, *shape]."""
    return [
        {n: rounding.value(n)(v) for n, v in laid_out(graph, samples, part).items()}
        for part in at_once(graph, numbers)
    ]


def step(graph: Graph, node: Node, rounding: Rounding) -> Step:
    """What gives the results of one node, [runs, *shape], from such values."""
    own = _own_constants(graph, node, rounding)
    made_by = partial(_with_constants, graph, own)
    results = at_once_of(graph, node, made_by) if own else evaluators_at_once(graph)[node.name]
    rounded = [(name, rounding.value(name)) for name in node.outputs]

    def taken(values: Values) -> dict[str, np.ndarray]:
        made = zip(rounded, results(values), strict=True)
        return {name: value(real) for (name, value), real in made}

    return taken


def _own_constants(graph: Graph, node: Node, rounding: Rounding) -> Mapping[int, np.ndarray]:
    """Constants of the node's layers that take the place of the model's, by operand."""
    own: dict[int, np.ndarray] = {}
    for layer in layers_of(graph, node) if rounding.layers else ():
        integers = rounding.layers.get(layer.key)
        if integers is not None:
            own[layer.index] = integers.real_tensor(layer)
            if integers.bias is not None and layer.rule.bias is not None:
                own[layer.rule.bias] = integers.bias.astype(np.float32)
    return own


def _with_constants(graph: Graph, own: Mapping[int, np.ndarray], node: Node) -> Results:
    """The node with some of its operands given."""
    names = [name for name in node.inputs if name]
    constant = {n: graph.tensors[n].value for n in names if graph.tensors[n].is_constant}
    count = max(len(names), *(k + 1 for k in own))
    reference = op_of(node).reference
    assert reference is not None

    def results(values: Values) -> tuple[np.ndarray, ...]:
        arrays = [
            own[k] if k in own else values[names[k]] if names[k] in values else constant[names[k]]
            for k in range(count)
        ]
        return reference(arrays, node.attrs)

    return results


def last_reads(graph: Graph) -> Mapping[str, int]:
    """Tensor to the number of the last node that reads it; outputs are read after all nodes."""
    last = {name: k for k, node in enumerate(graph.nodes) for name in node.inputs}
    return {**last, **dict.fromkeys(graph.outputs, len(graph.nodes))}


def finish(
    graph: Graph, rounding: Rounding, first: int = 0
) -> Callable[[Values], dict[str, np.ndarray]]:
    """What gives the outputs of runs whose nodes before number `first` are done; it leaves the values it is
    given, [runs, *shape], as they are."""
    last = last_reads(graph)
    nodes = list(enumerate(graph.nodes))[first:]
    steps = [(step(graph, node, rounding), _dropped(node, last, number)) for number, node in nodes]

    def outputs(values: Values) -> dict[str, np.ndarray]:
        live = dict(values)
        for taken, dropped in steps:
            live.update(taken(live))
            for name in dropped:
                live.pop(name, None)
        return {name: live[name] for name in graph.outputs}

    return outputs


def drop(live: dict[str, np.ndarray], node: Node, last: Mapping[str, int], number: int) -> None:
    """Forget what nothing reads after node `number`."""
    for name in _dropped(node, last, number):
        live.pop(name, None)


def _dropped(node: Node, last: Mapping[str, int], number: int) -> list[str]:
    return [name for name in (*node.inputs, *node.outputs) if last.get(name, -1) <= number]


def simulated(
    graph: Graph, samples: Mapping[str, np.ndarray], numbers: Sequence[int], rounding: Rounding
) -> list[dict[str, np.ndarray]]:
    """The outputs for the samples of these numbers."""
    outputs = finish(graph, rounding)
    parts = starts(graph, samples, numbers, rounding)
    return [one for values in parts for one in one_by_one(outputs(values))]
