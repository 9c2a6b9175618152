"""Which quantisation each activation of a float graph gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.types import I8, Quant, TensorType
from ..numerics.quantization import affine, dequantize, quantize
from ..ops import op_of
from .calibrate import Observed
from .ranges import Ranges
from .scheme import Assignment, Scheme


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

    chosen: dict[str, TensorType] = {}
    leaves = _islands(graph)
    for name in graph.inputs:
        if graph.type(name).dtype.is_float:
            chosen[name] = _input_type(graph, name, observed, method(name), schemes, fixed)
    for node in graph.nodes:
        for name in node.outputs:
            if graph.type(name).dtype.is_float and not _inside_island(graph, name, leaves):
                chosen[name] = _output_type(
                    graph, node, name, chosen, observed, method(name), schemes.of(node)
                )
    return chosen


def _input_type(
    graph: Graph,
    name: str,
    observed: Mapping[str, Observed],
    ranges: Ranges,
    schemes: Assignment,
    fixed: Mapping[str, Quant],
) -> TensorType:
    """What the user fixes is a scale of int8."""
    if name in fixed:
        return TensorType(graph.type(name).shape, I8, fixed[name])
    return _calibrated(graph, name, observed[name], ranges, schemes.default)


def _calibrated(
    graph: Graph,
    name: str,
    observed: Observed,
    ranges: Ranges,
    scheme: Scheme,
    reader: Callable[[np.ndarray], np.ndarray] | None = None,
) -> TensorType:
    quant = ranges.activation(observed, reader, scheme.activation)
    made = TensorType(graph.type(name).shape, scheme.activation, quant)
    return made if not scheme.power_of_two else _nearest_power(made, observed)


def _nearest_power(type_: TensorType, observed: Observed) -> TensorType:
    """The scale as the power of two above it, or the one below, which clips: that with less error."""
    assert type_.quant is not None
    values = np.append(observed.values, (observed.low, observed.high)).astype(np.float32)
    low, high = ((end - type_.quant.zero) * type_.quant.scale0 for end in type_.dtype.range)
    above = 2.0 ** np.ceil(np.log2(type_.quant.scale0))

    def at(scale: float) -> TensorType:
        """With as much of the range as the integers hold, the same part cut off at either end."""
        part = min(1.0, scale * 255 / (high - low)) if high > low else 1.0
        zero = affine(part * low, part * high, type_.dtype).zero
        return replace(type_, quant=Quant.per_tensor(scale, zero))

    def error(made: TensorType) -> float:
        return float(np.square(dequantize(quantize(values, made), made) - values).sum())

    return min((at(above), at(above / 2)), key=error)


def _output_type(
    graph: Graph,
    node: Node,
    name: str,
    chosen: Mapping[str, TensorType],
    observed: Mapping[str, Observed],
    ranges: Ranges,
    scheme: Scheme,
) -> TensorType:
    rule, shape = op_of(node).quantize, graph.type(name).shape
    if rule is not None and isinstance(rule.output, Quant):
        return TensorType(shape, scheme.activation, _fixed(rule.output, scheme))
    runtime = [n for n in node.inputs if n and not graph.tensors[n].is_constant]
    if rule is not None and rule.output == "input" and runtime and runtime[0] in chosen:
        return chosen[runtime[0]].with_shape(shape)
    reader = _reader(graph, name, observed[name])
    return _calibrated(graph, name, observed[name], ranges, scheme, reader)


def _fixed(quant: Quant, scheme: Scheme) -> Quant:
    """The quantisation that a rule gives int8 results; of int16, symmetric over the same range. As powers of
    two they lack the upper end."""
    bits = scheme.activation.bits
    if bits > 8:
        top = (I8.range[1] - quant.zero) * quant.scale0
        return Quant.per_tensor(2.0 ** np.rint(np.log2(top)) / 2 ** (bits - 1))
    below = 2.0 ** np.floor(np.log2(quant.scale0))
    return Quant.per_tensor(below, quant.zero) if scheme.power_of_two else quant


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
