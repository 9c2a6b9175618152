"""Which tensors are the same bytes: aliases (a reshape is its input); and the tensors that lie in the
caller's memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..ir.graph import Graph
from ..ops import op_of


@dataclass(frozen=True)
class Storage:
    """`buffer_of`: tensor to buffer; `external`: buffers that are an input, an output or a constant of
    this name; `copies`: alias nodes whose ends both lie outside, so that bytes must move."""

    buffer_of: Mapping[str, str]
    external: Mapping[str, str]
    copies: frozenset[str]
    bytes: Mapping[str, int]

    def is_arena(self, buffer: str) -> bool:
        return buffer not in self.external


class _Classes:
    """Union-find over tensors; a class holds at most one tensor that lies outside the arena."""

    def __init__(self, graph: Graph):
        self.parent = {name: name for name in graph.tensors}
        outside = {*graph.inputs, *graph.outputs, *(t.name for t in graph.constants)}
        self.external: dict[str, str] = {name: name for name in outside}

    def root(self, name: str) -> str:
        while self.parent[name] != name:
            self.parent[name] = self.parent[self.parent[name]]
            name = self.parent[name]
        return name

    def join(self, a: str, b: str) -> bool:
        a, b = self.root(a), self.root(b)
        if a == b:
            return True
        if a in self.external and b in self.external:
            return False
        self.parent[b] = a
        if b in self.external:
            self.external[a] = self.external[b]
        return True


def alias_storage(graph: Graph) -> Storage:
    """One buffer for each value."""
    classes, copies = _aliases(graph)
    return _storage(graph, classes, copies)


def _aliases(graph: Graph) -> tuple[_Classes, frozenset[str]]:
    classes = _Classes(graph)
    copies = set()
    for node in graph.nodes:
        if op_of(node).alias and not classes.join(node.inputs[0], node.outputs[0]):
            copies.add(node.name)
    return classes, frozenset(copies)


def _storage(graph: Graph, classes: _Classes, copies: frozenset[str]) -> Storage:
    buffer_of = {name: classes.root(name) for name in graph.tensors}
    sizes: dict[str, int] = {}
    for name, buffer in buffer_of.items():
        sizes[buffer] = max(sizes.get(buffer, 0), graph.type(name).bytes)
    external = {b: classes.external[b] for b in sizes if b in classes.external}
    return Storage(buffer_of, external, copies, sizes)
