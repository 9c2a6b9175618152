"""Mark a float graph with quantize and dequantize; the pass absorb_qdq then makes it integer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import Location, ModelError, UnsupportedError
from ..ir.graph import Graph, Node, Tensor
from ..ir.rewrite import Draft
from ..ir.types import Quant, TensorType
from ..ops import op_of
from ..ops.quantization import quant_attrs
from .calibrate import Observed, inside_name
from .layers import Integers, Layer, layers, nearest
from .ranges import Ranges
from .scales import activation_types
from .scheme import Assignment


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
    Weights are rounded to nearest.

    `fixed`: quantisation of inputs that the user has given. UnsupportedError names the ops that have no
    integer form, unless `allow_float` lets them stay.
    """
    check_ops(graph, allow_float)
    graph = with_inside_ranges(graph, observed)
    schemes = schemes or Assignment()
    chosen = activation_types(graph, observed, ranges, schemes, fixed or {})
    integers = {layer.key: nearest(layer, schemes, chosen) for layer in layers(graph)}
    return marked(graph, chosen, integers)


def check_ops(graph: Graph, allow_float: bool) -> None:
    """UnsupportedError names the ops without an integer form."""
    without = [n for n in graph.nodes if op_of(n).quantize is None and _is_on_floats(graph, n)]
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


def _is_on_floats(graph: Graph, node: Node) -> bool:
    """It reads or makes floats at run time: what computes shapes, indices and conditions may stay."""
    tensors = [graph.tensors[name] for name in (*node.inputs, *node.outputs) if name]
    return any(t.type.dtype.is_real and not t.is_constant for t in tensors)


def with_inside_ranges(graph: Graph, observed: Mapping[str, Observed]) -> Graph:
    """Observed ranges of values within nodes (QuantizeRule.inside) become attributes of theirs."""
    draft = Draft(graph)
    for node in graph.nodes:
        prefix = inside_name(node.name, "")
        ranges = {
            f"{name.removeprefix(prefix)}_range": (known.low, known.high)
            for name, known in observed.items()
            if name.startswith(prefix)
        }
        if ranges:
            draft.replace_node(draft.nodes[node.name], attrs={**node.attrs, **ranges})
    return draft.graph()


def marked(
    graph: Graph, chosen: Mapping[str, TensorType], integers: Mapping[str, Integers]
) -> Graph:
    """`graph` with activations of the types `chosen` and the layers' constants `integers`, by Layer.key."""
    draft = Draft(graph)
    for layer in layers(graph):
        if layer.key in integers:
            _set_weights(draft, layer, integers[layer.key])
            _set_bias(draft, layer, integers[layer.key])
    for name, type_ in chosen.items():
        _insert_pair(draft, name, type_)
    return draft.graph()


def _set_weights(draft: Draft, layer: Layer, integers: Integers) -> None:
    weights = layer.site.inputs[layer.index]
    q, quant = integers.tensor(layer)
    constant = draft.add_constant(f"{weights.name}.q", q, quant, weights.origin)
    real = draft.add_tensor(
        Tensor(
            draft.fresh(f"{weights.name}.dq"),
            replace(weights.type, quant=None),
            origin=weights.origin,
        )
    )
    draft.add_node("dequantize", [constant], [real], {}, f"{weights.name}.dq")
    _set_operand(draft, layer, layer.index, real)


def _set_bias(draft: Draft, layer: Layer, integers: Integers) -> None:
    index = layer.rule.bias
    if integers.bias is None or index is None:
        return
    old = layer.site.inputs[index] if index < len(layer.site.inputs) else None
    name = old.name if old else f"{layer.node.name}.bias"
    made = draft.add_constant(
        name, integers.bias.astype("float32"), origin=old.origin if old else None
    )
    _set_operand(draft, layer, index, made)


def _set_operand(draft: Draft, layer: Layer, index: int, name: str) -> None:
    """A bias that was absent comes after the last operand."""
    current = draft.nodes[layer.node.name]
    inputs = [*current.inputs, *([""] * (index + 1 - len(current.inputs)))]
    inputs[index] = name
    draft.replace_node(current, inputs=tuple(inputs))


def _insert_pair(draft: Draft, name: str, type_: TensorType) -> None:
    """What reads `name` gets dequantize(quantize(name)). The dequantised tensor takes over the name, so
    that outputs keep theirs; only an input keeps its own."""
    tensor = draft.tensors[name]
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
