"""A transpose that only moves axes of size 1 leaves the bytes as they are: it becomes a reshape."""

from __future__ import annotations

from ..ir.graph import Graph
from ..ir.rewrite import Draft


def trivial_transposes(graph: Graph) -> Graph:
    draft = Draft(graph)
    for node in graph.nodes:
        if node.op != "transpose":
            continue
        shape = graph.type(node.inputs[0]).shape
        moved = [p for p in node.attrs["perm"] if shape[p] != 1]
        if moved == sorted(moved):
            draft.replace_node(
                node, op="reshape", attrs={"shape": graph.type(node.outputs[0]).shape}
            )
    return draft.graph()
