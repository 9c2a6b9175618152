"""The arena of a choice of kernels: the order of execution, what shares bytes, and the place of every buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import InternalError
from ..ir.graph import Graph, Node
from ..ops import op_of
from .candidates import Candidate
from .place import Block, Placement, overlaps, place
from .schedule import Task, schedule
from .storage import Storage, alias_storage, final_storage


@dataclass(frozen=True)
class Arena:
    """The nodes in order, the buffers their tensors lie in, and where those lie."""

    order: tuple[Node, ...]
    storage: Storage
    blocks: tuple[Block, ...]
    placement: Placement


def scratch_name(node: str) -> str:
    return f"scratch of {node}"


def executed_nodes(graph: Graph) -> tuple[list[Node], frozenset[str]]:
    """The nodes that are steps, and the names of those that only copy an alias from end to end."""
    storage = alias_storage(graph)
    nodes = [n for n in graph.nodes if not op_of(n).alias or n.name in storage.copies]
    return nodes, storage.copies


def plan_arena(
    graph: Graph, nodes: Sequence[Node], chosen: Mapping[str, Candidate], io: str
) -> Arena:
    """The smallest arena found for these kernels. What choosing compares its choices by."""
    order = _order(graph, nodes, chosen, alias_storage(graph))
    storage = final_storage(graph, order, chosen)
    blocks = _blocks(graph, order, chosen, storage, io)
    placement = place(blocks)
    clashes = overlaps(blocks, placement.offsets)
    if clashes:
        raise InternalError(f"buffers overlap in the arena: {clashes[0]}")
    return Arena(tuple(order), storage, blocks, placement)


def _order(
    graph: Graph, nodes: Sequence[Node], chosen: Mapping[str, Candidate], storage: Storage
) -> list[Node]:
    def buffers(names: Sequence[str]) -> frozenset[str]:
        return frozenset(
            storage.buffer_of[n] for n in names if n and not graph.tensors[n].is_constant
        )

    tasks = [
        Task(
            n.name,
            buffers(n.inputs),
            buffers(n.outputs),
            chosen[n.name].scratch_bytes if n.name in chosen else 0,
        )
        for n in nodes
    ]
    sizes = {b: size for b, size in storage.bytes.items() if storage.is_arena(b)}
    by_name = {n.name: n for n in nodes}
    return [by_name[name] for name in schedule(tasks, sizes)]


def _blocks(
    graph: Graph, order: Sequence[Node], chosen: Mapping[str, Candidate], storage: Storage, io: str
) -> tuple[Block, ...]:
    """What lies in the arena and when. With io "arena", inputs live from the start, outputs to the end."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    ends = {*graph.inputs, *graph.outputs}
    if io == "arena":
        for name in graph.inputs:
            first[storage.buffer_of[name]] = last[storage.buffer_of[name]] = 0
    for step, node in enumerate(order):
        for name in (*node.inputs, *node.outputs):
            if name and _in_arena(storage, name, io, ends):
                buffer = storage.buffer_of[name]
                first.setdefault(buffer, step)
                last[buffer] = step
    if io == "arena":
        for name in graph.outputs:
            last[storage.buffer_of[name]] = len(order)
    blocks = [Block(b, storage.bytes[b], first[b], last[b]) for b in first]
    for step, node in enumerate(order):
        if node.name in chosen and chosen[node.name].scratch_bytes:
            blocks.append(
                Block(scratch_name(node.name), chosen[node.name].scratch_bytes, step, step)
            )
    return tuple(blocks)


def _in_arena(storage: Storage, tensor: str, io: str, ends: set[str]) -> bool:
    buffer = storage.buffer_of[tensor]
    return storage.is_arena(buffer) or (io == "arena" and storage.external[buffer] in ends)
