"""The arena of a choice of kernels: the order of execution, what shares bytes, and the place of every buffer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import InternalError
from ..ir.graph import Graph, Node
from ..ops.base import Overlap
from .blocks import Allowance, Block, lower_bound
from .candidates import Candidate
from .place import HEURISTIC, Placement, overlaps, place
from .schedule import Task, schedule
from .storage import Storage, storage_of


@dataclass(frozen=True)
class Arena:
    """The nodes in order, the buffers their tensors lie in, where those lie, and which may lie over others."""

    order: tuple[Node, ...]
    storage: Storage
    blocks: tuple[Block, ...]
    placement: Placement
    allowances: tuple[Allowance, ...] = ()


def scratch_name(node: str) -> str:
    return f"scratch of {node}"


def executed_nodes(graph: Graph, copied: Collection[str] = ()) -> tuple[list[Node], frozenset[str]]:
    """The nodes that are steps, and the names of those that only copy an alias from end to end. copied: nodes
    that are steps although their results could be their operands' bytes."""
    storage = storage_of(graph, copied)
    return [n for n in graph.nodes if n.name not in storage.vanished], storage.copies


def plan_arena(
    graph: Graph,
    nodes: Sequence[Node],
    chosen: Mapping[str, Candidate],
    io: str,
    *,
    in_order: bool = False,
) -> Arena:
    """The smallest arena found for these kernels in some milliseconds: what choosing compares its choices by.
    in_order: no other order is looked for."""
    storage = storage_of(graph, {n.name for n in nodes})
    given = _unplaced(graph, nodes, chosen, storage, io)
    if in_order:
        return _placed(given)
    order = _order(graph, nodes, chosen, storage, io)
    made = given if order == list(nodes) else _unplaced(graph, order, chosen, storage, io)
    best = _placed(made)
    # a lower peak need not be a smaller arena
    if made is not given and best.placement.bytes > lower_bound(given.blocks, given.allowances):
        best = min(best, _placed(given), key=lambda arena: arena.placement.bytes)
    return best


def settled(arena: Arena) -> Arena:
    """The arena that is kept: where it is not proven to be the smallest one, after a search of up to seconds."""
    if arena.placement.proof != HEURISTIC:
        return arena
    return min(
        arena,
        _placed(arena, thorough=True),
        key=lambda a: (a.placement.bytes, a.placement.proof == HEURISTIC),
    )


def peak_step(arena: Arena) -> int:
    """The step at which most bytes of the arena are in use."""
    return max(range(len(arena.order)), key=lambda step: used_bytes(arena, step))


def used_bytes(arena: Arena, step: int) -> int:
    """Bytes in use at a step; those of buffers that lie over each other count once."""
    live = sorted(
        (arena.placement.offsets[b.name], b.bytes)
        for b in arena.blocks
        if b.first <= step <= b.last
    )
    used, end = 0, 0
    for offset, size in live:
        used += max(offset + size - max(end, offset), 0)
        end = max(end, offset + size)
    return used


def _unplaced(
    graph: Graph,
    order: Sequence[Node],
    chosen: Mapping[str, Candidate],
    storage: Storage,
    io: str,
) -> Arena:
    blocks = _blocks(graph, order, chosen, storage, io)
    allowances = _allowances(order, chosen, storage, blocks)
    return Arena(tuple(order), storage, blocks, Placement({}, 0, 0), allowances)


def _placed(arena: Arena, *, thorough: bool = False) -> Arena:
    placement = place(arena.blocks, arena.allowances, thorough=thorough)
    clashes = overlaps(arena.blocks, placement.offsets, arena.allowances)
    if clashes:
        raise InternalError(f"buffers overlap in the arena: {clashes[0]}")
    return replace(arena, placement=placement)


def _order(
    graph: Graph,
    nodes: Sequence[Node],
    chosen: Mapping[str, Candidate],
    storage: Storage,
    io: str,
) -> list[Node]:
    def buffers(names: Sequence[str]) -> frozenset[str]:
        return frozenset(
            storage.buffer_of[n] for n in names if n and not graph.tensors[n].is_constant
        )

    makers = _makers(graph, nodes)
    tasks = [
        Task(
            n.name,
            buffers(n.inputs),
            buffers(n.outputs),
            chosen[n.name].scratch_bytes if n.name in chosen else 0,
            tuple(_rules(n, chosen, storage).items()),
            frozenset().union(*(makers.get(name, ()) for name in n.inputs)),
        )
        for n in nodes
    ]
    ends = {*graph.inputs, *graph.outputs}
    inside = {b for n, b in storage.buffer_of.items() if _in_arena(storage, n, io, ends)}
    kept = frozenset(storage.buffer_of[n] for n in graph.outputs)
    by_name = {n.name: n for n in nodes}
    names = schedule(tasks, {b: storage.bytes[b] for b in inside}, kept)
    return [by_name[name] for name in names]


def _makers(graph: Graph, nodes: Sequence[Node]) -> dict[str, frozenset[str]]:
    """The steps that must be done before a tensor is whole."""
    steps = {n.name for n in nodes}
    found: dict[str, frozenset[str]] = {}
    for node in graph.nodes:
        read = (found.get(name, frozenset()) for name in node.inputs)
        made = frozenset({node.name}) if node.name in steps else frozenset().union(*read)
        found.update(dict.fromkeys(node.outputs, made))
    return found


def _rules(
    node: Node, chosen: Mapping[str, Candidate], storage: Storage
) -> dict[str, tuple[int, bool]]:
    """Buffers that the buffer of the node's result may lie over when nothing reads them later: lead, and
    whether it is exact. All operands in a buffer must allow it."""
    if node.name not in chosen or len(node.outputs) != 1:
        return {}
    rules: dict[str, list[Overlap]] = {}
    for overlap in chosen[node.name].overlaps:
        x = node.inputs[overlap.input]
        ahead = storage.offset_of[node.outputs[0]] - storage.offset_of[x]
        rules.setdefault(storage.buffer_of[x], []).append(
            replace(overlap, lead=overlap.lead + ahead)
        )
    operands = [(k, storage.buffer_of[name]) for k, name in enumerate(node.inputs) if name]
    merged = {buffer: _merged(found) for buffer, found in rules.items()}
    return {
        buffer: rule
        for buffer, rule in merged.items()
        if rule is not None
        and buffer != storage.buffer_of[node.outputs[0]]
        and {k for k, other in operands if other == buffer} == {o.input for o in rules[buffer]}
    }


def _merged(overlaps_: Sequence[Overlap]) -> tuple[int, bool] | None:
    """Lead, and whether it is exact, such that all of the rules hold; None when they can't."""
    lead = max(o.lead for o in overlaps_)
    exact = {o.lead for o in overlaps_ if o.exact}
    return (lead, bool(exact)) if exact <= {lead} else None


def _allowances(
    order: Sequence[Node],
    chosen: Mapping[str, Candidate],
    storage: Storage,
    blocks: Sequence[Block],
) -> tuple[Allowance, ...]:
    """The rules of nodes whose input dies in the very step that begins their result."""
    by_name = {b.name: b for b in blocks}
    found = []
    for step, node in enumerate(order):
        result = by_name.get(storage.buffer_of[node.outputs[0]])
        for buffer, (lead, exact) in _rules(node, chosen, storage).items():
            operand = by_name.get(buffer)
            if result and operand and (result.first, operand.last) == (step, step):
                found.append(Allowance(result.name, buffer, lead, exact))
    return tuple(found)


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
    wide = {storage.buffer_of[t.name] for t in graph.tensors.values() if t.type.dtype.bits == 64}
    blocks = [Block(b, storage.bytes[b], first[b], last[b], 8 if b in wide else 4) for b in first]
    for step, node in enumerate(order):
        if node.name in chosen and chosen[node.name].scratch_bytes:
            blocks.append(
                Block(scratch_name(node.name), chosen[node.name].scratch_bytes, step, step)
            )
    return tuple(blocks)


def _in_arena(storage: Storage, tensor: str, io: str, ends: set[str]) -> bool:
    buffer = storage.buffer_of[tensor]
    return storage.is_arena(buffer) or (io == "arena" and storage.external[buffer] in ends)
