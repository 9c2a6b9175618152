"""Common subexpressions: of nodes with the same op, operands and attributes the first one serves all;
equal constants are one constant."""

from __future__ import annotations

from collections.abc import Hashable

from ..ir.graph import Graph
from ..ir.rewrite import Draft


def eliminate_common(graph: Graph) -> Graph:
    draft = Draft(graph)
    _merge_constants(draft, graph)
    seen: dict[Hashable, str] = {}
    for former in graph.nodes:
        node = draft.nodes[former.name]
        types = tuple(draft.tensors[name].type for name in node.outputs)
        key = (node.op, node.inputs, tuple(node.attrs.items()), types)
        first = seen.setdefault(key, node.name)
        if first == node.name:
            continue
        for old, new in zip(node.outputs, draft.nodes[first].outputs, strict=True):
            draft.redirect(old, new)
    return draft.graph()


def _merge_constants(draft: Draft, graph: Graph) -> None:
    seen: dict[Hashable, str] = {}
    for tensor in graph.constants:
        alike = tensor.value.reshape(-1)[:1] if tensor.is_uniform else tensor.value
        key = (tensor.type, tensor.is_uniform, alike.tobytes())
        first = seen.setdefault(key, tensor.name)
        if first != tensor.name:
            draft.redirect(tensor.name, first)
