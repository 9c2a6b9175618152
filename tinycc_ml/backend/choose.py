"""The plan: a kernel for each node, the order of execution, and the place of every buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ModelError, TargetError, UnsupportedError
from ..ir.graph import Graph, Node
from .arena import Arena, executed_nodes, plan_arena, scratch_name
from .candidates import Candidate, Options, options_of
from .place import Block, Placement
from .storage import Storage
from .target import Target
from .views import View, plain_view


@dataclass(frozen=True)
class Plan:
    """Everything that has been decided; spelling adds no decisions."""

    graph: Graph
    target: Target
    io: str
    options: Mapping[str, Options]
    chosen: Mapping[str, Candidate]
    arena: Arena

    @property
    def steps(self) -> tuple[Node, ...]:
        return self.arena.order

    @property
    def storage(self) -> Storage:
        return self.arena.storage

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.arena.blocks

    @property
    def placement(self) -> Placement:
        return self.arena.placement

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


def choose(graph: Graph, target: Target, *, io: str = "caller", optimize: str = "balanced") -> Plan:
    """The plan for a target. UnsupportedError lists the nodes that nothing can compute; TargetError says
    by how much a plan does not fit and names the tensors at the peak."""
    nodes, copies = executed_nodes(graph)
    options = _all_options(graph, [n for n in nodes if n.name not in copies], target, optimize)
    chosen = {
        n.name: _best(graph, n, options[n.name].candidates, optimize)
        for n in nodes
        if n.name in options
    }
    arena = plan_arena(graph, nodes, chosen, io)
    plan = Plan(graph, target, io, options, chosen, arena)
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
    if any(overlap.lead == 0 for overlap in candidate.overlaps):
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
