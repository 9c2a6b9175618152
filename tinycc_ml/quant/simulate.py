"""The quantised net in floating point: every stored value rounded, nothing else changed.

It differs from the integer net by the roundings of requantisation that tables and sums share, far below a step;
it serves to compare ways to quantise without building each net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.types import TensorType
from ..numerics.quantization import dequantize
from ..numerics.quantization import quantize as to_integers
from ..ops import op_of
from ..reference.run import evaluate
from .layers import Integers, Layer, layers_of

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Rounding:
    """What of a float net is rounded: `types` of activations by tensor, constants of layers by their key. What is
    in neither stays exact."""

    types: Mapping[str, TensorType] = field(default_factory=dict)
    layers: Mapping[str, Integers] = field(default_factory=dict)

    def value(self, name: str, real: np.ndarray) -> np.ndarray:
        """What the quantised net has for the value `real` of a tensor."""
        type_ = self.types.get(name)
        return real if type_ is None else dequantize(to_integers(real, type_), type_)


EXACT = Rounding()


def start(graph: Graph, sample: Values, rounding: Rounding) -> dict[str, np.ndarray]:
    """The inputs of a run."""
    shaped = {n: np.asarray(sample[n]).reshape(graph.type(n).shape) for n in graph.inputs}
    return {name: rounding.value(name, value) for name, value in shaped.items()}


def step(graph: Graph, node: Node, values: Values, rounding: Rounding) -> dict[str, np.ndarray]:
    """The results of one node."""
    found = [
        (layer, rounding.layers[layer.key])
        for layer in layers_of(graph, node)
        if layer.key in rounding.layers
    ]
    results = (
        _with_constants(graph, node, values, found) if found else evaluate(graph, node, values)
    )
    return {n: rounding.value(n, v) for n, v in zip(node.outputs, results, strict=True)}


def _with_constants(
    graph: Graph, node: Node, values: Values, found: Sequence[tuple[Layer, Integers]]
) -> tuple[np.ndarray, ...]:
    reference = op_of(node).reference
    assert reference is not None
    arrays = [values[n] if n in values else graph.tensors[n].value for n in node.inputs if n]
    for layer, integers in found:
        arrays[layer.index] = integers.real_tensor(layer)
        if integers.bias is not None and layer.rule.bias is not None:
            arrays[layer.rule.bias :] = [integers.bias.astype(np.float32)]
    return reference(arrays, node.attrs)


def last_reads(graph: Graph) -> Mapping[str, int]:
    """Tensor to the number of the last node that reads it; outputs are read after all nodes."""
    last = {name: k for k, node in enumerate(graph.nodes) for name in node.inputs}
    return {**last, **dict.fromkeys(graph.outputs, len(graph.nodes))}


def finish(
    graph: Graph, values: Values, rounding: Rounding, first: int = 0
) -> dict[str, np.ndarray]:
    """The outputs of a run whose nodes before number `first` are done; `values` is not changed."""
    live, last = dict(values), last_reads(graph)
    for number, node in enumerate(graph.nodes[first:], first):
        live.update(step(graph, node, live, rounding))
        drop(live, node, last, number)
    return {name: live[name] for name in graph.outputs}


def drop(live: dict[str, np.ndarray], node: Node, last: Mapping[str, int], number: int) -> None:
    """Forget what nothing reads after node `number`."""
    for name in (*node.inputs, *node.outputs):
        if last.get(name, -1) <= number:
            live.pop(name, None)


def simulated(
    graph: Graph, samples: Mapping[str, np.ndarray], numbers: Sequence[int], rounding: Rounding
) -> list[dict[str, np.ndarray]]:
    """The outputs for the samples of these numbers."""
    picked = ({n: samples[n][k] for n in graph.inputs} for k in numbers)
    return [finish(graph, start(graph, sample, rounding), rounding) for sample in picked]
