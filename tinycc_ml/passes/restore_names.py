"""Tensors get the model's own names back where those are free after folding and layout changes."""

from __future__ import annotations

from dataclasses import replace

from ..ir.graph import Graph


def restore_names(graph: Graph) -> Graph:
    public = {*graph.inputs, *graph.outputs}
    names: dict[str, str] = {}
    taken = set(graph.tensors)
    for name, tensor in graph.tensors.items():
        if tensor.is_constant or name in public or tensor.source_name in taken:
            continue
        taken.add(tensor.source_name)
        names[name] = tensor.source_name
    renamed = {names.get(n, n): replace(t, name=names.get(n, n)) for n, t in graph.tensors.items()}
    nodes = tuple(
        replace(
            node,
            inputs=tuple(names.get(n, n) for n in node.inputs),
            outputs=tuple(names.get(n, n) for n in node.outputs),
        )
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes, tensors=renamed)
