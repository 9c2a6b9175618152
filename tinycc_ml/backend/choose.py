"""The plan: a kernel for each node, the order of execution, and the place of every buffer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..errors import InternalError, ModelError, UnsupportedError
from ..ir.graph import Graph, Node
from .arena import Arena, executed_nodes, plan_arena, scratch_name, settled
from .candidates import Candidate, Options, options_of
from .costs import Costs, fitted, measured
from .formats import assign, planar_tensors
from .limits import check_limits, limits_of
from .place import Block, Placement
from .search import Limits, Search
from .storage import Storage
from .target import Target
from .views import View, plain_view, planar


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
        if tensor in self.planar:
            return View("arena", offset, planar(type_.shape, type_.dtype))  # type: ignore[arg-type]
        return plain_view("arena", type_, offset)

    @cached_property
    def planar(self) -> frozenset[str]:
        return planar_tensors(self.graph, self.chosen)

    def scratch_offset(self, node: str) -> int | None:
        return self.placement.offsets.get(scratch_name(node))

    @property
    def arena_bytes(self) -> int:
        return self.placement.bytes

    @property
    def scratch_bytes(self) -> int:
        """The most scratch that one node takes."""
        return max((c.scratch_bytes for c in self.chosen.values()), default=0)


def choose(
    graph: Graph,
    target: Target,
    *,
    io: str = "caller",
    optimize: str = "balanced",
    limits: Limits | None = None,
    costs: Costs | None = None,
) -> Plan:
    """The plan for a target; `costs` are cycles that were measured. UnsupportedError lists the nodes that
    nothing can compute; TargetError says which limit can't be met, by how much, and what takes the most."""
    limits = limits_of(target, limits or Limits())
    nodes, options = _candidates(graph, target, optimize)
    options = {name: measured(given, costs or {}) for name, given in options.items()}
    best = Search(graph, nodes, options, io).best(optimize, limits)
    best = replace(best, arena=settled(best.arena))
    check_limits(target, best, limits)
    return Plan(graph, target, io, options, best.chosen, best.arena)


def explore(
    graph: Graph, target: Target, *, io: str, optimize: str, known: Collection[tuple[str, int]]
) -> Plan:
    """The plan with the most candidates whose key is not yet known: for measuring them."""
    nodes, options = _candidates(graph, target, optimize)
    chosen = assign(graph, nodes, options, lambda c: float(c.key in known))
    if chosen is None:
        raise InternalError("no choice of kernels agrees on the formats of tensors")
    return Plan(graph, target, io, options, chosen, plan_arena(graph, nodes, chosen, io))


def _candidates(
    graph: Graph, target: Target, optimize: str
) -> tuple[list[Node], dict[str, Options]]:
    """The steps, and the candidates of those that need a kernel or a loop nest."""
    nodes, copies = executed_nodes(graph)
    computed = [n for n in nodes if n.name not in copies]
    options = _all_options(graph, computed, target, optimize)
    return nodes, {n.name: fitted(n, options[n.name], target, optimize) for n in computed}


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
