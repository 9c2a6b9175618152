"""uint8 activations become int8 with their zero point 128 lower; at the API they stay uint8. Used by absorb_qdq."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..ir.graph import Graph, Node, Tensor
from ..ir.rewrite import Draft
from ..ir.types import I8, U8, Quant, TensorType
from ..ops import op_of
from ..ops.quantization import quant_attrs


def signed_activations(graph: Graph) -> Graph:
    """The same graph on int8: what quantises to uint8 quantises to int8, and what moves values follows."""
    draft = Draft(graph)
    for name in graph.inputs:
        _sign_input(draft, name)
    for former in graph.nodes:
        node = draft.nodes[former.name]
        out = draft.tensors[node.outputs[0]]
        if out.type.dtype != U8 or out.type.quant is None or not out.type.quant.is_per_tensor:
            continue
        type_ = _signed_type(out.type)
        if node.op == "quantize":
            _sign_output(draft, node, type_, quant_attrs(type_))
        elif _moves(draft, node, type_):
            _sign_output(draft, node, type_, node.attrs)
    return draft.graph()


def _moves(draft: Draft, node: Node, type_: TensorType) -> bool:
    """An op on values as they are, whose operands have become int8 with the quantisation `type_`."""
    if op_of(node).quantize is None:
        return False
    types = [draft.tensors[name].type for name in node.inputs if name]
    operands = [t for t in types if t.quant or t.dtype in (I8, U8)]  # the others are indices
    return bool(operands) and all((t.dtype, t.quant) == (I8, type_.quant) for t in operands)


def _signed_type(type_: TensorType) -> TensorType:
    assert type_.quant is not None
    quant = Quant(
        type_.quant.scale, tuple(z - 128 for z in type_.quant.zero_point), type_.quant.axis
    )
    return replace(type_, dtype=I8, quant=quant)


def _sign_output(draft: Draft, node: Node, type_: TensorType, attrs: Mapping[str, object]) -> None:
    out = draft.tensors[node.outputs[0]]
    readers = draft.readers(out.name)
    if out.name not in draft.outputs and all(_follows(draft, r, out.type) for r in readers):
        draft.set_tensor(replace(out, type=type_))
        draft.replace_node(node, attrs=attrs)
        return
    inner = _signed_copy(draft, out, type_)
    draft.replace_node(node, outputs=(inner,), attrs=attrs)
    draft.add_node("requantize", [inner], [out.name], quant_attrs(out.type), f"{out.name}.u8")


def _sign_input(draft: Draft, name: str) -> None:
    tensor = draft.tensors[name]
    if tensor.type.dtype != U8 or tensor.type.quant is None or not tensor.type.quant.is_per_tensor:
        return
    type_ = _signed_type(tensor.type)
    inner = _signed_copy(draft, tensor, type_)
    draft.add_node("requantize", [name], [inner], quant_attrs(type_), f"{name}.i8")


def _signed_copy(draft: Draft, tensor: Tensor, type_: TensorType) -> str:
    """A new int8 tensor for those readers that follow its quantisation; others go on reading `tensor`."""
    name = tensor.name
    readers = [r for r in draft.readers(name) if _follows(draft, r, tensor.type)]
    inner = draft.add_tensor(Tensor(draft.fresh(f"{name}.i8"), type_, origin=tensor.origin))
    for reader in readers:
        draft.replace_node(reader, inputs=tuple(inner if n == name else n for n in reader.inputs))
    return inner


def _follows(draft: Draft, reader: Node, type_: TensorType) -> bool:
    """It takes the integers for what they mean (Cast, MatMulInteger, ... take them as they are)."""
    if reader.op in ("dequantize", "requantize"):
        return True
    moved = draft.tensors[reader.outputs[0]].type
    return op_of(reader).quantize is not None and (moved.dtype, moved.quant) == (U8, type_.quant)
