"""Which quantisation each activation of a float graph gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.types import DType, Quant, TensorType
from ..ops import op_of
from .calibrate import Observed
from .ranges import Ranges
from .scheme import Assignment


def _dtype(graph: Graph, tensor: str, schemes: Assignment) -> DType:
    """The element type that the maker of a tensor gives it."""
    maker = graph.producers.get(tensor)
    return (schemes.default if maker is None else schemes.of(maker)).activation


def activation_types(
    graph: Graph,
    observed: Mapping[str, Observed],
    ranges: Ranges,
    schemes: Assignment,
    fixed: Mapping[str, Quant],
    own: Mapping[str, Ranges] | None = None,
) -> dict[str, TensorType]:
    """The quantised type of every float activation that is stored, in execution order. own: methods of single
    tensors; the others' is `ranges`."""

    def method(name: str) -> Ranges:
        return (own or {}).get(name, ranges)

    chosen = _choose(graph, observed, method, schemes, fixed)
    return {
        name: TensorType(graph.type(name).shape, _dtype(graph, name, schemes), quant)
        for name, quant in chosen.items()
    }


def _choose(
    graph: Graph,
    observed: Mapping[str, Observed],
    method: Callable[[str], Ranges],
    schemes: Assignment,
    fixed: Mapping[str, Quant],
) -> dict[str, Quant]:
    chosen: dict[str, Quant] = {}
    leaves = _islands(graph)
    for name in graph.inputs:
        if graph.type(name).dtype.is_float:
            chosen[name] = fixed.get(name) or method(name).activation(
                observed[name], dtype=schemes.default.activation
            )
    for node in graph.nodes:
        for name in node.outputs:
            if graph.type(name).dtype.is_float and not _inside_island(graph, name, leaves):
                chosen[name] = _output_quant(
                    graph, node, name, chosen, observed, method(name), schemes
                )
    return chosen


def _output_quant(
    graph: Graph,
    node: Node,
    name: str,
    chosen: Mapping[str, Quant],
    observed: Mapping[str, Observed],
    ranges: Ranges,
    schemes: Assignment,
) -> Quant:
    rule = op_of(node).quantize
    if rule is not None and isinstance(rule.output, Quant):
        return rule.output
    runtime = [n for n in node.inputs if n and not graph.tensors[n].is_constant]
    if rule is not None and rule.output == "input" and runtime and runtime[0] in chosen:
        return chosen[runtime[0]]
    reader = _reader(graph, name, observed[name])
    return ranges.activation(observed[name], reader, schemes.of(node).activation)


def _reader(
    graph: Graph, name: str, observed: Observed
) -> Callable[[np.ndarray], np.ndarray] | None:
    """What the tensor's only reader makes of its observed values, if that is where errors count."""
    node = graph.sole_consumer(name)
    rule = op_of(node).quantize if node else None
    shape = graph.type(name).shape
    if node is None or rule is None or not rule.judges_input or not observed.whole:
        return None
    reference = op_of(node).reference
    assert reference is not None
    return lambda values: reference((values.reshape(-1, *shape[1:]),), node.attrs)[0]


def _islands(graph: Graph) -> dict[str, str]:
    """For each tensor of an element-wise island, the one stored tensor that all of it depends on. What
    others need, too, is stored, and so is an island's leaf itself."""
    stored = set(graph.outputs)
    while True:
        leaves = _leaves(graph, stored)
        found = {name for name in leaves if not _inside_island(graph, name, leaves)}
        if found <= stored:
            return leaves
        stored |= found


def _leaves(graph: Graph, stored: set[str]) -> dict[str, str]:
    leaves: dict[str, str] = {}
    for node in graph.nodes:
        operands = [graph.tensors[n] for n in node.inputs if n]
        names = {t.name for t in operands if not t.is_constant}
        runtime = {name if name in stored else leaves.get(name, name) for name in names}
        scalar = all(t.type.size == 1 for t in operands if t.is_constant)
        if op_of(node).elementwise and len(runtime) == 1 and scalar:
            (leaf,) = runtime
            if graph.type(leaf).shape == graph.type(node.outputs[0]).shape:
                leaves[node.outputs[0]] = leaf
    return leaves


def _inside_island(graph: Graph, name: str, leaves: Mapping[str, str]) -> bool:
    """Only read by nodes of the same island: the island becomes one table, nothing is stored here."""
    readers = graph.consumers[name]
    if name not in leaves or name in graph.outputs or not readers:
        return False
    return all(leaves.get(reader.outputs[0]) == leaves[name] for reader in readers)
