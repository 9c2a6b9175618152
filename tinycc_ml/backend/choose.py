"""The plan: a kernel for each node, the order of execution, and the place of every buffer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..errors import InternalError, ModelError, UnsupportedError
from ..ir.graph import Graph, Node
from .arena import Arena, executed_nodes, plan_arena, scratch_name, settled
from .candidates import Candidate, Options, options_of
from .copying import copies_that_save
from .costs import Costs, fitted, measured
from .formats import assign, planar_tensors
from .limits import check_limits, limits_of
from .place import Block, Placement
from .search import Choice, Limits, Search, preferred
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
    copied: frozenset[str] = frozenset()  # steps that could have been no code

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
        """Where a run-time tensor lies: in the arena, or in the caller's memory."""
        buffer, ahead = self.storage.buffer_of[tensor], self.storage.offset_of[tensor]
        place = self.placement.offsets.get(buffer)
        type_ = self.graph.type(tensor)
        if place is None:
            return plain_view(self.storage.external[buffer], type_, ahead)
        offset = place + ahead
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
    task = _Task(graph, target, io, optimize, limits, costs or {})
    plan = task.plan()
    check_limits(target, Choice(plan.chosen, plan.arena), limits)
    return plan


@dataclass(frozen=True)
class _Task:
    """What is to be planned, and for what."""

    graph: Graph
    target: Target
    io: str
    optimize: str
    limits: Limits
    costs: Costs

    def plan(self) -> Plan:
        """Without moving bytes where that can be, or with it where that takes less memory."""
        given, options = self._best(frozenset())
        copied = copies_that_save(self.graph, given.arena, given.chosen, self._options_of, self.io)
        if copied:
            other, more = self._best(copied)
            if preferred(self.optimize, self.limits, (given, other)) is other:
                return self._kept(other, more, copied)
        return self._kept(given, options, frozenset())

    def _best(self, copied: frozenset[str]) -> tuple[Choice, Mapping[str, Options]]:
        nodes, options = _candidates(self.graph, self.target, self.optimize, copied)
        options = {name: measured(given, self.costs) for name, given in options.items()}
        return Search(self.graph, nodes, options, self.io).best(self.optimize, self.limits), options

    def _options_of(self, name: str) -> Options:
        node = next(n for n in self.graph.nodes if n.name == name)
        return _options(self.graph, node, self.target, self.optimize)

    def _kept(self, choice: Choice, options: Mapping[str, Options], copied: frozenset[str]) -> Plan:
        arena = settled(choice.arena)
        return Plan(self.graph, self.target, self.io, options, choice.chosen, arena, copied)


def explore(plan: Plan, *, optimize: str, known: Collection[tuple[str, int]]) -> Plan:
    """The plan of the same steps with the most candidates whose key is not yet known: for measuring them."""
    graph = plan.graph
    nodes, options = _candidates(graph, plan.target, optimize, plan.copied)
    chosen = assign(graph, nodes, options, lambda c: float(c.key in known))
    if chosen is None:
        raise InternalError("no choice of kernels agrees on the formats of tensors")
    arena = plan_arena(graph, nodes, chosen, plan.io)
    return replace(plan, options=options, chosen=chosen, arena=arena)


def _candidates(
    graph: Graph, target: Target, optimize: str, copied: frozenset[str]
) -> tuple[list[Node], dict[str, Options]]:
    """The steps, and the candidates of those that need a kernel or a loop nest."""
    nodes, copies = executed_nodes(graph, copied)
    computed = [n for n in nodes if n.name not in copies]
    return nodes, _all_options(graph, computed, target, optimize)


def _options(graph: Graph, node: Node, target: Target, optimize: str) -> Options:
    return fitted(node, options_of(graph, node, target, optimize), target, optimize)


def _all_options(
    graph: Graph, nodes: Sequence[Node], target: Target, optimize: str
) -> dict[str, Options]:
    found, problems = {}, []
    for node in nodes:
        try:
            found[node.name] = _options(graph, node, target, optimize)
        except ModelError as error:
            problems.append(error)
    if problems:
        raise UnsupportedError(problems)
    return found
