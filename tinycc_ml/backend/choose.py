"""The plan: a kernel for each node, the order of execution, and the place of every buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import InternalError, ModelError, TargetError, UnsupportedError
from ..ir.graph import Graph, Node
from ..ops import op_of
from .candidates import Candidate, Options, options_of
from .place import Block, Placement, overlaps, place
from .schedule import Task, schedule
from .storage import Storage, alias_storage, final_storage
from .target import Target
from .views import View, plain_view


@dataclass(frozen=True)
class Plan:
    """Everything that has been decided; spelling adds no decisions."""

    graph: Graph
    target: Target
    io: str
    steps: tuple[Node, ...]
    options: Mapping[str, Options]
    chosen: Mapping[str, Candidate]
    storage: Storage
    blocks: tuple[Block, ...]
    placement: Placement

    def view(self, tensor: str) -> View:
        """Where a run-time tensor lies: in the arena, or in the caller's memory at offset 0."""
        buffer = self.storage.buffer_of[tensor]
        offset = self.placement.offsets.get(buffer)
        type_ = self.graph.type(tensor)
        if offset is None:
            return plain_view(self.storage.external[buffer], type_)
        return plain_view("arena", type_, offset)

    def scratch_offset(self, node: str) -> int | None:
        return self.placement.offsets.get(scratch_name(node))

    @property
    def arena_bytes(self) -> int:
        return self.placement.bytes

    @property
    def scratch_bytes(self) -> int:
        """The most scratch that one node takes."""
        return max((c.scratch_bytes for c in self.chosen.values()), default=0)


def scratch_name(node: str) -> str:
    return f"scratch of {node}"


def choose(graph: Graph, target: Target, *, io: str = "caller", optimize: str = "balanced") -> Plan:
    """The plan for a target. UnsupportedError lists the nodes that nothing can compute; TargetError says
    by how much a plan does not fit and names the tensors at the peak."""
    first = alias_storage(graph)
    nodes = [n for n in graph.nodes if not op_of(n).alias or n.name in first.copies]
    options = _all_options(
        graph, [n for n in nodes if n.name not in first.copies], target, optimize
    )
    chosen = {
        n.name: _best(graph, n, options[n.name].candidates, optimize)
        for n in nodes
        if n.name in options
    }
    order = _order(graph, nodes, chosen, first)
    storage = final_storage(graph, order, chosen)
    blocks = _blocks(graph, order, chosen, storage, io)
    placement = place(blocks)
    clashes = overlaps(blocks, placement.offsets)
    if clashes:
        raise InternalError(f"buffers overlap in the arena: {clashes[0]}")
    plan = Plan(graph, target, io, tuple(order), options, chosen, storage, blocks, placement)
    _check_memory(plan)
    return plan


# Candidates within this factor of the fastest one count as fast: the one that takes least memory serves
_AS_FAST = {"speed": 1.03, "balanced": 1.05, "size": 1.5}


def _best(graph: Graph, node: Node, candidates: Sequence[Candidate], optimize: str) -> Candidate:
    """Of those that are as fast, the one with the fewest bytes of scratch and result."""
    limit = min(c.cycles for c in candidates) * _AS_FAST[optimize]
    fast = [c for c in candidates if c.cycles <= limit]
    return min(fast, key=lambda c: (_memory(graph, node, c), c.cycles))


def _memory(graph: Graph, node: Node, candidate: Candidate) -> int:
    """Bytes that a node needs beside its inputs."""
    if candidate.in_place:
        return candidate.scratch_bytes
    return candidate.scratch_bytes + sum(graph.type(name).bytes for name in node.outputs)


def _all_options(
    graph: Graph, nodes: Sequence[Node], target: Target, optimize: str
) -> dict[str, Options]:
    found, problems = {}, []
    for node in nodes:
        try:
            found[node.name] = options_of(graph, node, target, optimize)
        except ModelError as error:
            problems.append(error)
    if problems:
        raise UnsupportedError(problems)
    return found


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


def _check_memory(plan: Plan) -> None:
    limit = plan.target.memories["ram"]
    if limit is None or plan.arena_bytes <= limit:
        return
    peak = max(
        range(len(plan.steps)),
        key=lambda s: sum(b.bytes for b in plan.blocks if b.first <= s <= b.last),
    )
    live = sorted((b for b in plan.blocks if b.first <= peak <= b.last), key=lambda b: -b.bytes)
    names = ", ".join(f"{b.name} ({b.bytes} bytes)" for b in live)
    raise TargetError(
        f"the arena takes {plan.arena_bytes} bytes, {plan.arena_bytes - limit} more than the RAM of "
        f"{plan.target.name} ({limit}); at the peak, in {plan.steps[peak].name!r}, live: {names}"
    )
