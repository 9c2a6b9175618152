"""Element-wise nodes whose results one node reads, itself element-wise and as large, share its loop nest (ops/chain.py).

Nothing is computed twice and no rounding moves. What enters a chain is read at its end: a node joins only where that
keeps no more bytes alive than its result would be, or where all else that the chain reads is there before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.graph import Graph, Node
from ..ir.rewrite import Draft
from ..ops import op_of
from ..ops.chain import step


def fuse_chains(graph: Graph) -> Graph:
    draft, place = Draft(graph), {node.name: k for k, node in enumerate(graph.nodes)}
    for node in reversed(graph.nodes):
        if node.name in draft.nodes and _joins(graph, node):
            members = _members(graph, node, place)
            if len(members) > 1:
                _fuse(draft, members)
    return draft.graph()


def _joins(graph: Graph, node: Node) -> bool:
    names = [n for n in (*node.inputs, *node.outputs) if n]
    plain = not any(graph.type(name).quant for name in names)
    return plain and op_of(node).element is not None and len(node.outputs) == 1


def _members(graph: Graph, last: Node, place: Mapping[str, int]) -> list[Node]:
    """The nodes that end in `last`, in order of execution."""
    members, found = {last.name: last}, True
    while found:
        found = False
        for name in _operands(graph, members):
            maker = graph.producers.get(name)
            if maker and _can_join(graph, maker, members, place):
                members[maker.name], found = maker, True
    return sorted(members.values(), key=lambda node: place[node.name])


def _operands(graph: Graph, members: Mapping[str, Node]) -> list[str]:
    """What members read and don't make, each once."""
    made = {node.outputs[0] for node in members.values()}
    read = dict.fromkeys(name for node in members.values() for name in node.inputs if name)
    return [name for name in read if name not in made]


def _can_join(
    graph: Graph, maker: Node, members: Mapping[str, Node], place: Mapping[str, int]
) -> bool:
    y = maker.outputs[0]
    reader = graph.sole_consumer(y)
    if reader is None or reader.name not in members or not _joins(graph, maker):
        return False
    last = next(iter(members.values()))
    if graph.type(y).shape != graph.type(last.outputs[0]).shape:
        return False
    others = {n for n in _operands(graph, members) if n != y and not graph.tensors[n].is_constant}
    new = {n for n in maker.inputs if n and not graph.tensors[n].is_constant} - others
    if sum(graph.type(n).bytes for n in new) <= graph.type(y).bytes:
        return True
    makers = [graph.producers[n] for n in others if n in graph.producers]
    return all(place[other.name] < place[maker.name] for other in makers)


def _fuse(draft: Draft, members: list[Node]) -> None:
    made = {node.outputs[0]: k for k, node in enumerate(members)}
    read = dict.fromkeys(name for node in members for name in node.inputs if name)
    inputs = [name for name in read if name not in made]
    index = {name: k for k, name in enumerate(inputs)}
    index |= {name: len(inputs) + k for name, k in made.items()}
    steps = [step(n.op, [index[i] for i in n.inputs if i], n.attrs) for n in members]
    *before, last = members
    for node in before:
        draft.remove_node(node)
    draft.replace_node(last, op="chain", inputs=tuple(inputs), attrs={"steps": steps})
