"""Nodes that change nothing go: identity, a reshape to the same shape, reshapes of reshapes, an
identity permutation, a requantize to the same type."""

from __future__ import annotations

from ..ir.graph import Graph, Node
from ..ir.rewrite import Draft
from ..ops import op_of


def remove_no_ops(graph: Graph) -> Graph:
    draft = Draft(graph)
    for node in graph.nodes:
        if node.name in draft.nodes:
            _simplify(draft, draft.nodes[node.name])
    return draft.graph()


def _simplify(draft: Draft, node: Node) -> None:
    if not node.inputs:
        return
    if op_of(node).alias:
        node = _skip_aliases(draft, node)
    x, y = node.inputs[0], node.outputs[0]
    if _changes_nothing(draft, node):
        draft.redirect(y, x)


def _skip_aliases(draft: Draft, node: Node) -> Node:
    """A reshape of a reshape reads what the first one read."""
    maker = draft.producer(node.inputs[0])
    while maker is not None and op_of(maker).alias and node.op == "reshape":
        node = draft.replace_node(node, inputs=(maker.inputs[0],))
        maker = draft.producer(node.inputs[0])
    return node


def _changes_nothing(draft: Draft, node: Node) -> bool:
    if op_of(node).alias or node.op == "requantize":
        return draft.tensors[node.inputs[0]].type == draft.tensors[node.outputs[0]].type
    return node.op == "transpose" and node.attrs["perm"] == tuple(sorted(node.attrs["perm"]))
