"""Float ops between dequantize and quantize become integer ops; each op's file says how.

One path serves models that come with Q/DQ nodes and float models that the quantiser has marked with
them. Afterwards no float op is left between two quantised tensors, or the model is refused by name.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import Location, ModelError, UnsupportedError
from ..ir.graph import Graph, Node, Tensor, constant
from ..ir.rewrite import Draft
from ..ir.types import I8, I16
from ..numerics.quantization import dequantize
from ..ops import op_of
from ..ops.lowering import Lowering
from ..ops.lut import emit_lut, emit_rescaled
from ..ops.quantization import quant_attrs
from .signed_activations import signed_activations


def absorb_qdq(graph: Graph, *, allow_float: bool = False) -> Graph:
    """The integer graph. UnsupportedError names every float op between quantised tensors that has no
    integer form; with `allow_float` those stay."""
    if not any(tensor.type.quant for tensor in graph.tensors.values()):
        return graph
    draft = Draft(signed_activations(graph))
    problems: dict[str, ModelError] = {}
    for former in draft.graph().nodes:
        node = draft.nodes.get(former.name)
        if node is None:
            continue
        if node.op == "quantize":
            _absorb(draft, node, problems)
        elif _passes_quantisation(draft, node):
            _push_dequantize_down(draft, node)
        elif _decides(draft, node):
            _decide(draft, node, problems)
    after = _float_constants(draft.graph())
    between = _between_quantised(after)
    if between and not allow_float:
        raise UnsupportedError([problems.get(n.name) or _no_form(n) for n in between])
    return after


def _float_constants(graph: Graph) -> Graph:
    """Dequantised constants that float ops still read are float constants."""
    draft = Draft(graph)
    for node in graph.nodes:
        x, y = (
            graph.tensors[node.inputs[0]] if node.inputs else None,
            graph.tensors[node.outputs[0]],
        )
        if (
            node.op == "dequantize"
            and x is not None
            and x.is_constant
            and y.name not in graph.outputs
        ):
            draft.remove_node(node)
            folded = constant(y.name, y.type, dequantize(x.value, x.type))
            draft.set_tensor(replace(folded, origin=y.origin))
    return draft.graph()


def _no_form(node: Node) -> ModelError:
    return ModelError(
        f"{node.op} stays float between quantised tensors",
        loc=Location(node=node.name),
        hint="--allow-float lets it stay",
    )


def _dequantized(draft: Draft, name: str) -> Tensor | None:
    """The run-time quantised tensor that a float tensor is made from by a dequantize."""
    maker = draft.producer(name)
    if maker is None or maker.op != "dequantize":
        return None
    tensor = draft.tensors[maker.inputs[0]]
    return None if tensor.is_constant else tensor


def _is_operand(draft: Draft, name: str) -> bool:
    """A constant, dequantised, or no float at all (indices, conditions): what an integer op can take."""
    maker = draft.producer(name)
    return (
        not name
        or draft.tensors[name].is_constant
        or not draft.tensors[name].type.dtype.is_real
        or (maker is not None and maker.op == "dequantize")
    )


def _passes_quantisation(draft: Draft, node: Node) -> bool:
    """An op that moves values: integers in, the same integers out."""
    rule = op_of(node).quantize
    if rule is None or rule.output != "input" or node.op == "dequantize":
        return False
    sources = [
        _dequantized(draft, name)
        for name in node.inputs
        if name and not draft.tensors[name].is_constant and draft.tensors[name].type.dtype.is_real
    ]
    quants = {s.type.quant for s in sources if s is not None}
    usable = all(s is not None and s.type.dtype in (I8, I16) for s in sources)
    quant = next(iter(quants), None)
    return (
        bool(sources) and usable and len(quants) == 1 and quant is not None and quant.is_per_tensor
    )


def _decides(draft: Draft, node: Node) -> bool:
    """Quantised values in, something else out: a comparison, a cast to integers."""
    if op_of(node).quantize is None or node.op == "quantize":
        return False
    real_out = any(draft.tensors[name].type.dtype.is_real for name in node.outputs)
    quantised_in = any(_dequantized(draft, name) for name in node.inputs if name)
    return quantised_in and not real_out and all(_is_operand(draft, n) for n in node.inputs)


def _decide(draft: Draft, node: Node, problems: dict[str, ModelError]) -> None:
    """The same of the integers, or a note of why that can't be."""
    draft.remove_node(node)
    try:
        _lower(draft, node, node.outputs[0])
    except ModelError as error:
        problems[node.name] = error
        draft.restore_node(node)


def _push_dequantize_down(draft: Draft, node: Node) -> None:
    """move(dequantize(q)) becomes dequantize(move(q)), for each result; what is no float (ArgMax, places of TopK) is
    made of q as it is."""
    rule = op_of(node).quantize
    source = next(s for s in (_dequantized(draft, n) for n in node.inputs) if s is not None)
    if rule is None:
        return
    moved = {name: _quantised_twin(draft, name, source) for name in node.outputs}
    draft.remove_node(node)
    try:
        first, *others = moved.values()
        rule.lower(Lowering(draft, node, first, others=tuple(others)))
    except ModelError:
        draft.restore_node(node)
        return
    for y, q in moved.items():
        if q != y:
            draft.add_node("dequantize", [q], [y], {}, f"{node.name}.dequantize")


def _quantised_twin(draft: Draft, name: str, source: Tensor) -> str:
    """A tensor of the integers of `source` in the shape of a float one; what is no float is its own."""
    y = draft.tensors[name]
    if not y.type.dtype.is_real:
        return name
    type_ = replace(source.type, shape=y.shape)
    return draft.add_tensor(Tensor(draft.fresh(f"{name}.q"), type_, origin=y.origin))


def _absorb(draft: Draft, quantize: Node, problems: dict[str, ModelError]) -> None:
    """Replace a quantize and the float op before it by integer nodes, or note why that can't be."""
    x, y = quantize.inputs[0], quantize.outputs[0]
    maker = draft.producer(x)
    if maker is None:
        return
    source = _dequantized(draft, x)
    draft.remove_node(quantize)
    try:
        if source is not None:
            _requantize(draft, source, quantize, maker)
        elif all(_is_operand(draft, name) for name in maker.inputs):
            _lower(draft, maker, y, maker.outputs.index(x))
        elif op_of(maker).alias or maker.op == "transpose":
            _quantize_before(draft, maker, y, problems)
        else:
            _table_of_island(draft, maker, y)
    except ModelError as error:
        problems[maker.name] = error
        draft.restore_node(quantize)


def _lower(draft: Draft, node: Node, out: str, index: int = 0) -> None:
    rule = op_of(node).quantize
    low = Lowering(draft, node, out, index)
    if rule is None:
        low.refuse("the op is float only")
    if rule.int8_only and low.is_wide:
        low.refuse("it has none on int16", "give this node the scheme int8")
    rule.lower(low)


def _quantize_before(draft: Draft, move: Node, out: str, problems: dict[str, ModelError]) -> None:
    """quantize(move(x)) becomes move(quantize(x)): what makes x may then be integer too."""
    x, y = draft.tensors[move.inputs[0]], draft.tensors[out]
    type_ = replace(y.type, shape=x.shape)
    q = draft.add_tensor(Tensor(draft.fresh(f"{x.name}.q"), type_, origin=x.origin))
    real = draft.add_tensor(replace(x, name=draft.fresh(f"{x.name}.dq")))
    before = draft.add_node("quantize", [x.name], [q], quant_attrs(type_), f"{x.name}.q")
    draft.add_node("dequantize", [q], [real], {}, f"{x.name}.dq")
    _lower(draft, replace(move, name=draft.fresh_node(f"{move.name}.q"), inputs=(real,)), out)
    _absorb(draft, before, problems)


def _requantize(draft: Draft, source: Tensor, quantize: Node, dequantize: Node) -> None:
    """quantize(dequantize(q)): nothing when both mean the same, else a table, or a product where int16 is met."""
    y = draft.tensors[quantize.outputs[0]]
    if source.type == y.type:
        draft.restore_node(quantize)
        if not draft.redirect(y.name, source.name):
            draft.remove_node(quantize)
            draft.add_node("identity", [source.name], [y.name], {}, quantize.name)
        return
    emit_rescaled(Lowering(draft, quantize, y.name), source)


def _table_of_island(draft: Draft, last: Node, out: str) -> None:
    """Element-wise float nodes that all come from one integer tensor are one table (x * sigmoid(x), ...)."""
    leaf, order = _island(draft, last)
    low = Lowering(draft, last, out)
    if leaf is None:
        low.refuse("an operand comes from a float op and is not quantised")
    emit_lut(low, leaf, lambda real: _evaluate_island(draft, order, real))


def _island(draft: Draft, last: Node) -> tuple[Tensor | None, list[Node]]:
    """The integer tensor all of it depends on (None: there is no such), and the nodes in order."""
    order: dict[str, Node] = {}
    leaves: set[str] = set()

    def visit(name: str) -> bool:
        tensor, maker = draft.tensors[name], draft.producer(name)
        if tensor.is_constant:
            return tensor.type.size == 1
        source = _dequantized(draft, name)
        if source is not None:
            leaves.add(source.name)
            return True
        if maker is None or not op_of(maker).elementwise or op_of(maker).reference is None:
            return False
        if maker.name not in order and not all(visit(n) for n in maker.inputs):
            return False
        order[maker.name] = maker
        return True

    found = visit(last.outputs[0]) and len(leaves) == 1
    leaf = draft.tensors[next(iter(leaves))] if found else None
    if (
        leaf is None
        or leaf.type.dtype not in (I8, I16)
        or leaf.shape != draft.tensors[last.outputs[0]].shape
    ):
        return None, []
    return leaf, list(order.values())


def _evaluate_island(draft: Draft, order: list[Node], real: np.ndarray) -> np.ndarray:
    values: dict[str, np.ndarray] = {}
    for node in order:
        arrays = []
        for name in node.inputs:
            tensor = draft.tensors[name]
            constant = tensor.data.ravel()[0] if tensor.data is not None else real
            arrays.append(values.get(name, np.asarray(constant)))
        reference = op_of(node).reference
        assert reference is not None
        values[node.outputs[0]] = np.asarray(reference(arrays, node.attrs)[0], np.float32)
    return values[order[-1].outputs[0]]


def _between_quantised(graph: Graph) -> list[Node]:
    """Float nodes that lie between a dequantize and a quantize, or an integer node that goes by what they decide."""
    after: set[str] = set()
    for node in graph.nodes:
        starts = node.op == "dequantize" and not graph.tensors[node.inputs[0]].is_constant
        if starts or (node.op != "quantize" and any(name in after for name in node.inputs)):
            after.update(node.outputs)
    before: set[str] = set()
    for node in reversed(graph.nodes):
        quantised = any(graph.type(out).quant for out in node.outputs)
        if quantised or (node.op != "dequantize" and any(out in before for out in node.outputs)):
            before.update(node.inputs)
    return [
        n
        for n in graph.nodes
        if n.op not in ("quantize", "dequantize")
        and n.outputs[0] in after
        and n.outputs[0] in before
        and any(graph.type(name).dtype.is_real for name in (*n.inputs, *n.outputs) if name)
    ]
