"""Mark a float graph with quantize and dequantize; the pass absorb_qdq then makes it integer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..errors import Location, ModelError, UnsupportedError
from ..ir.graph import Graph, Node, Tensor
from ..ir.rewrite import Draft
from ..ir.types import DType, Quant, TensorType
from ..ops import op_of
from ..ops.quantization import quant_attrs
from .calibrate import Observed, inside_name
from .grids import as_rows, from_rows, rounded
from .ranges import Ranges
from .scheme import Assignment

# Enough for a bias to be exact to 2^-12 of an output step, far from the 31 bits there are
_BIAS_BITS = 20


def quantize(
    graph: Graph,
    observed: Mapping[str, Observed],
    ranges: Ranges,
    schemes: Assignment | None = None,
    *,
    fixed: Mapping[str, Quant] | None = None,
    allow_float: bool = False,
) -> Graph:
    """`graph` with every activation and weight quantised as the scheme of its node says; default: int8.

    `fixed`: quantisation of inputs that the user has given. UnsupportedError names the ops that have no
    integer form, unless `allow_float` lets them stay.
    """
    _check_ops(graph, allow_float)
    schemes = schemes or Assignment()
    chosen = _choose(graph, observed, ranges, schemes, fixed or {})
    draft = Draft(graph)
    for node in graph.nodes:
        _quantize_weights(draft, node, schemes, chosen)
        _note_inside(draft, node, observed)
    for name, quant in chosen.items():
        _insert_pair(draft, name, quant, _dtype(graph, name, schemes))
    return draft.graph()


def _check_ops(graph: Graph, allow_float: bool) -> None:
    without = [node for node in graph.nodes if op_of(node).quantize is None]
    if without and not allow_float:
        raise UnsupportedError(
            [
                ModelError(
                    f"{node.op} has no integer form",
                    loc=Location(node=node.name),
                    hint="--allow-float lets it stay float",
                )
                for node in without
            ]
        )


def _dtype(graph: Graph, tensor: str, schemes: Assignment) -> DType:
    """The element type that the maker of a tensor gives it."""
    maker = graph.producers.get(tensor)
    return (schemes.default if maker is None else schemes.of(maker)).activation


def _choose(
    graph: Graph,
    observed: Mapping[str, Observed],
    ranges: Ranges,
    schemes: Assignment,
    fixed: Mapping[str, Quant],
) -> dict[str, Quant]:
    """The quantisation of every float activation, in execution order."""
    chosen: dict[str, Quant] = {}
    leaves = _islands(graph)
    for name in graph.inputs:
        if graph.type(name).dtype.is_float:
            chosen[name] = fixed.get(name) or ranges.activation(
                observed[name], dtype=schemes.default.activation
            )
    for node in graph.nodes:
        for name in node.outputs:
            if graph.type(name).dtype.is_float and not _inside_island(graph, name, leaves):
                chosen[name] = _output_quant(graph, node, name, chosen, observed, ranges, schemes)
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


def _note_inside(draft: Draft, node: Node, observed: Mapping[str, Observed]) -> None:
    """Observed ranges of values within a node, as its attributes."""
    prefix = inside_name(node.name, "")
    ranges = {
        f"{name.removeprefix(prefix)}_range": (known.low, known.high)
        for name, known in observed.items()
        if name.startswith(prefix)
    }
    if ranges:
        current = draft.nodes[node.name]
        draft.replace_node(current, attrs={**current.attrs, **ranges})


def _quantize_weights(
    draft: Draft, node: Node, schemes: Assignment, chosen: Mapping[str, Quant]
) -> None:
    rule = op_of(node).quantize
    for index, axis in (rule.weights if rule else {}).items():
        weights = draft.tensors[draft.nodes[node.name].inputs[index]]
        if weights.data is None or not weights.type.dtype.is_float:
            continue
        rows = as_rows(weights.data, axis)
        levels = schemes.of(node).grid.fit(rows, _smallest_scales(draft, node, chosen))
        q = from_rows(rounded(rows, levels), weights.shape, axis)
        quant = Quant(tuple(levels.scale.tolist()), (0,) * len(rows), axis)
        constant = draft.add_constant(f"{weights.name}.q", q, quant, weights.origin)
        real = draft.add_tensor(
            Tensor(
                draft.fresh(f"{weights.name}.dq"),
                replace(weights.type, quant=None),
                origin=weights.origin,
            )
        )
        draft.add_node("dequantize", [constant], [real], {}, f"{weights.name}.dq")
        current = draft.nodes[node.name]
        inputs = tuple(real if k == index else n for k, n in enumerate(current.inputs))
        draft.replace_node(current, inputs=inputs)


def _smallest_scales(draft: Draft, node: Node, chosen: Mapping[str, Quant]) -> np.ndarray | None:
    """Scales of weights below which the bias would take more than _BIAS_BITS bits of the accumulator."""
    rule = op_of(node).quantize
    if (
        rule is None
        or rule.bias is None
        or rule.bias >= len(node.inputs)
        or node.inputs[0] not in chosen
    ):
        return None
    bias = draft.tensors[node.inputs[rule.bias]].data
    if bias is None:
        return None
    return np.abs(bias.astype(np.float64)) / (chosen[node.inputs[0]].scale0 * 2.0**_BIAS_BITS)


def _insert_pair(draft: Draft, name: str, quant: Quant, dtype: DType) -> None:
    """What reads `name` gets dequantize(quantize(name)). The dequantised tensor takes over the name, so
    that outputs keep theirs; only an input keeps its own."""
    tensor = draft.tensors[name]
    type_ = TensorType(tensor.shape, dtype, quant)
    q = draft.add_tensor(Tensor(draft.fresh(f"{name}.q"), type_, origin=tensor.origin))
    maker = draft.producer(name)
    if maker is None:
        exact, real = name, draft.add_tensor(replace(tensor, name=draft.fresh(f"{name}.dq")))
        for reader in draft.readers(name):
            inputs = tuple(real if n == name else n for n in reader.inputs)
            draft.replace_node(reader, inputs=inputs)
    else:
        exact, real = draft.add_tensor(replace(tensor, name=draft.fresh(f"{name}.f"))), name
        outputs = tuple(exact if n == name else n for n in maker.outputs)
        draft.replace_node(maker, outputs=outputs)
    draft.add_node("quantize", [exact], [q], quant_attrs(type_), f"{name}.q")
    draft.add_node("dequantize", [q], [real], {}, f"{name}.dq")
