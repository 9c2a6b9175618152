"""Inputs that are only quantised, and outputs that are only dequantised, become integers themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..ir.graph import Graph, Node
from ..ir.rewrite import Draft
from ..ir.types import U8, Quant, TensorType
from ..ops import op_of
from ..ops.quantization import quant_attrs


def integer_ends(graph: Graph) -> Graph:
    """Drop the outer quantize and dequantize nodes: the API then takes and gives integers."""
    draft = Draft(graph)
    for name in graph.inputs:
        _drop_quantize(draft, name)
    for name in graph.outputs:
        _drop_dequantize(draft, name)
    return draft.graph()


def _drop_quantize(draft: Draft, name: str) -> None:
    """input -> moves -> quantize: the input and the moves take the quantised type."""
    chain = [name]
    while True:
        readers = draft.readers(chain[-1])
        if len(readers) != 1 or chain[-1] in draft.outputs:
            return
        if readers[0].op == "quantize":
            break
        if not _moves(readers[0]):
            return
        chain.append(readers[0].outputs[0])
    quantize = readers[0]
    q = draft.tensors[quantize.outputs[0]]
    if not _one_scale(q.type) or q.name in draft.outputs:
        return
    draft.remove_node(quantize)
    _retype(draft, chain, q.type)
    draft.redirect(q.name, chain[-1])


def _drop_dequantize(draft: Draft, name: str) -> None:
    """dequantize -> moves -> output: the output is made of the integers, by the same moves."""
    moves: list[Node] = []
    maker = draft.producer(name)
    while maker is not None and _moves(maker):
        moves.insert(0, maker)
        maker = draft.producer(maker.inputs[0])
    if maker is None or maker.op != "dequantize":
        return
    q = draft.tensors[maker.inputs[0]]
    if q.is_constant or not _one_scale(q.type):
        return
    _keep_real_values(draft, name)
    made = q.name
    for move in moves:
        made = _moved(draft, move, made, name if move is moves[-1] else None)
    if not moves:
        _retype(draft, [name], q.type)
        draft.add_node("identity", [q.name], [name], {}, maker.name)
        draft.redirect(name, q.name)


def _keep_real_values(draft: Draft, name: str) -> None:
    """What reads an output inside the net reads its real values under another name."""
    maker, readers = draft.producer(name), draft.readers(name)
    assert maker is not None
    if not readers:
        draft.remove_node(maker)
        return
    real = draft.add_tensor(replace(draft.tensors[name], name=draft.fresh(f"{name}.dq")))
    draft.replace_node(maker, outputs=(real,))
    for reader in readers:
        draft.replace_node(reader, inputs=tuple(real if n == name else n for n in reader.inputs))


def _moved(draft: Draft, move: Node, x: str, output: str | None) -> str:
    """`move` on the integers `x`; it makes `output`, or a new tensor."""
    former = draft.tensors[move.outputs[0]]
    made = replace(former, type=replace(draft.tensors[x].type, shape=former.shape))
    if output is None:
        made = replace(made, name=draft.fresh(f"{former.name}.q"))
    draft.set_tensor(made)
    draft.add_node(move.op, [x], [made.name], move.attrs, move.name)
    return made.name


def _moves(node: Node) -> bool:
    return op_of(node).alias or node.op == "transpose"


def _retype(draft: Draft, names: list[str], type_: TensorType) -> None:
    for name in names:
        tensor = draft.tensors[name]
        draft.set_tensor(replace(tensor, type=replace(type_, shape=tensor.shape)))


def _one_scale(type_: TensorType) -> bool:
    return type_.quant is not None and type_.quant.is_per_tensor


def unsigned_ends(graph: Graph, names: Collection[str] | None = None) -> Graph:
    """These int8 inputs and outputs (None: all) become uint8 at the API; inside they stay int8."""
    names = (*graph.inputs, *graph.outputs) if names is None else names
    draft = Draft(graph)
    for name in graph.inputs:
        if name in names:
            _unsign_input(draft, name)
    for name in graph.outputs:
        if name in names:
            _unsign_output(draft, name)
    return draft.graph()


def _unsigned(type_: TensorType) -> TensorType | None:
    if type_.dtype.name != "i8" or type_.quant is None:
        return None
    return replace(
        type_, dtype=U8, quant=Quant.per_tensor(type_.quant.scale0, type_.quant.zero + 128)
    )


def _unsign_input(draft: Draft, name: str) -> None:
    tensor = draft.tensors[name]
    type_ = _unsigned(tensor.type)
    if type_ is None:
        return
    inner = draft.add_tensor(replace(tensor, name=draft.fresh(f"{name}.i8")))
    for reader in draft.readers(name):
        inputs = tuple(inner if n == name else n for n in reader.inputs)
        draft.replace_node(reader, inputs=inputs)
    draft.set_tensor(replace(tensor, type=type_))
    draft.add_node("requantize", [name], [inner], quant_attrs(tensor.type), f"{name}.i8")


def _unsign_output(draft: Draft, name: str) -> None:
    tensor, maker = draft.tensors[name], draft.producer(name)
    type_ = _unsigned(tensor.type)
    if type_ is None or maker is None:
        return
    inner = draft.add_tensor(replace(tensor, name=draft.fresh(f"{name}.i8")))
    draft.replace_node(maker, outputs=tuple(inner if n == name else n for n in maker.outputs))
    for reader in draft.readers(name):
        inputs = tuple(inner if n == name else n for n in reader.inputs)
        draft.replace_node(reader, inputs=inputs)
    draft.set_tensor(replace(tensor, type=type_))
    draft.add_node("requantize", [inner], [name], quant_attrs(type_), f"{name}.u8")
