"""The quantised net in floating point: every stored value rounded, nothing else changed.

It differs from the integer net by the roundings of requantisation that tables and sums share, far below a step;
it serves to compare ways to quantise without building each net.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.types import TensorType
from ..numerics.quantization import rounder
from ..ops import op_of
from ..reference.run import Values, evaluator
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


def start(graph: Graph, sample: Values, rounding: Rounding) -> dict[str, np.ndarray]:
    """The inputs of a run."""
    shaped = {n: np.asarray(sample[n]).reshape(graph.type(n).shape) for n in graph.inputs}
    return {name: rounding.value(name)(value) for name, value in shaped.items()}


def step(graph: Graph, node: Node, rounding: Rounding) -> Step:
    """What gives the results of one node, run after run."""
    results = _with_constants(graph, node, rounding) or evaluator(graph, node)
    rounded = [(name, rounding.value(name)) for name in node.outputs]

    def taken(values: Values) -> dict[str, np.ndarray]:
        made = zip(rounded, results(values), strict=True)
        return {name: value(real) for (name, value), real in made}

    return taken


def _with_constants(
    graph: Graph, node: Node, rounding: Rounding
) -> Callable[[Values], tuple[np.ndarray, ...]] | None:
    """The node with constants of its layers in place of the model's; None where it has none."""
    own: dict[int, np.ndarray] = {}
    for layer in layers_of(graph, node):
        integers = rounding.layers.get(layer.key)
        if integers is not None:
            own[layer.index] = integers.real_tensor(layer)
            if integers.bias is not None and layer.rule.bias is not None:
                own[layer.rule.bias] = integers.bias.astype(np.float32)
    reference = op_of(node).reference
    if not own or reference is None:
        return None
    names = [name for name in node.inputs if name]
    constant = {n: graph.tensors[n].value for n in names if graph.tensors[n].is_constant}
    count = max(len(names), *(k + 1 for k in own))

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
    """What gives the outputs of a run whose nodes before number `first` are done; it leaves the values it is
    given as they are."""
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
    picked = ({n: samples[n][k] for n in graph.inputs} for k in numbers)
    outputs = finish(graph, rounding)
    return [outputs(start(graph, sample, rounding)) for sample in picked]
