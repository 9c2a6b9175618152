"""Inputs that are only quantised, and outputs that are only dequantised, become integers themselves."""

from __future__ import annotations

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
    """dequantize -> moves -> output: the moves and the output take the quantised type."""
    chain = [name]
    while True:
        maker = draft.producer(chain[-1])
        if maker is None or (draft.readers(chain[-1]) if len(chain) == 1 else not draft.sole_reader(chain[-1])):
            return
        if maker.op == "dequantize":
            break
        if not _moves(maker):
            return
        chain.append(maker.inputs[0])
    q = draft.tensors[maker.inputs[0]]
    if draft.producer(q.name) is None or q.name in draft.outputs or not _one_scale(q.type):
        return
    _retype(draft, chain, q.type)
    draft.redirect(chain[-1], q.name)


def _moves(node: Node) -> bool:
    return op_of(node).alias or node.op == "transpose"


def _retype(draft: Draft, names: list[str], type_: TensorType) -> None:
    for name in names:
        tensor = draft.tensors[name]
        draft.set_tensor(replace(tensor, type=replace(type_, shape=tensor.shape)))


def _one_scale(type_: TensorType) -> bool:
    return type_.quant is not None and type_.quant.is_per_tensor


def unsigned_ends(graph: Graph) -> Graph:
    """int8 inputs and outputs become uint8 at the API; inside they stay int8."""
    draft = Draft(graph)
    for name in graph.inputs:
        _unsign_input(draft, name)
    for name in graph.outputs:
        _unsign_output(draft, name)
    return draft.graph()


def _unsigned(type_: TensorType) -> TensorType | None:
    if type_.dtype.name != "i8" or type_.quant is None:
        return None
    return replace(type_, dtype=U8, quant=Quant.per_tensor(type_.quant.scale0, type_.quant.zero + 128))


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
