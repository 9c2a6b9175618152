"""Which tensors share bytes: aliases (a reshape is its input), results written over an input that dies,
and the tensors that lie in the caller's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..ir.graph import Graph, Node
from ..ops import op_of
from .candidates import Candidate


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
    """Buffers after aliasing only: what the order of execution is chosen with."""
    classes, copies = _aliases(graph)
    return _storage(graph, classes, copies)


def final_storage(graph: Graph, order: Sequence[Node], chosen: Mapping[str, Candidate]) -> Storage:
    """Buffers after aliasing and writing in place, for nodes executed in `order`."""
    classes, copies = _aliases(graph)
    last = _last_reads(graph, order, classes)
    for step, node in enumerate(order):
        if node.name not in copies:
            _write_in_place(graph, node, step, chosen[node.name], classes, last)
    return _storage(graph, classes, copies)


def _aliases(graph: Graph) -> tuple[_Classes, frozenset[str]]:
    classes = _Classes(graph)
    copies = set()
    for node in graph.nodes:
        if op_of(node).alias and not classes.join(node.inputs[0], node.outputs[0]):
            copies.add(node.name)
    return classes, frozenset(copies)


def _last_reads(graph: Graph, order: Sequence[Node], classes: _Classes) -> dict[str, int]:
    """Buffer to the last step that reads any of its tensors."""
    last: dict[str, int] = {}
    for step, node in enumerate(order):
        for name in node.inputs:
            if name:
                last[classes.root(name)] = step
    return last


def _write_in_place(
    graph: Graph,
    node: Node,
    step: int,
    candidate: Candidate,
    classes: _Classes,
    last: dict[str, int],
) -> None:
    y = classes.root(node.outputs[0])
    if y in classes.external or len(node.outputs) != 1:
        return
    for overlap in candidate.overlaps:
        operand = node.inputs[overlap.input]
        x = classes.root(operand)
        fits = overlap.lead == 0 and graph.type(operand).bytes >= graph.type(node.outputs[0]).bytes
        if x in classes.external or x == y or last.get(x) != step or not fits:
            continue
        until = max(last.get(y, step), step)
        classes.join(x, y)
        last[classes.root(x)] = until
        return


def _storage(graph: Graph, classes: _Classes, copies: frozenset[str]) -> Storage:
    buffer_of = {name: classes.root(name) for name in graph.tensors}
    sizes: dict[str, int] = {}
    for name, buffer in buffer_of.items():
        sizes[buffer] = max(sizes.get(buffer, 0), graph.type(name).bytes)
    external = {b: classes.external[b] for b in sizes if b in classes.external}
    return Storage(buffer_of, external, copies, sizes)
