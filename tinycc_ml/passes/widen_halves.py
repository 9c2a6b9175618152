"""float16 and bfloat16 become float32. For nets on their way to int8: the rounding of 16 bits is no part of
what they mean, and it would stand between operators that become one."""

from __future__ import annotations

from dataclasses import replace

from ..ir.graph import Graph, Node, Tensor, constant
from ..ir.rewrite import Draft
from ..ir.types import DTYPES, F32, DType


def widen_halves(graph: Graph) -> Graph:
    """The same net in float32, inputs and outputs too."""
    draft = Draft(graph)
    for tensor in graph.tensors.values():
        if _is_wide(tensor.type.dtype):
            draft.set_tensor(_widened(tensor))
    for node in graph.nodes:
        if node.op == "cast":
            _cast(draft, node)
    return draft.graph()


def _is_wide(dtype: DType) -> bool:
    """Of fewer bits, the rounding is what a net means."""
    return dtype.is_half and not dtype.is_mini


def _cast(draft: Draft, node: Node) -> None:
    """A cast to 16 bits makes float32; one from float32 to float32 does nothing."""
    x, y = (draft.tensors[name].type.dtype for name in (node.inputs[0], node.outputs[0]))
    if not _is_wide(DTYPES[node.attrs["dtype"]]) and x != y:
        return
    if x == y:
        draft.replace_node(node, op="identity", attrs={})
    else:
        draft.replace_node(node, attrs={"dtype": y.name})


def _widened(tensor: Tensor) -> Tensor:
    type_ = replace(tensor.type, dtype=F32)
    if tensor.data is None:
        return replace(tensor, type=type_)
    return replace(constant(tensor.name, type_, tensor.data), origin=tensor.origin)
