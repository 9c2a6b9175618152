"""The plan: a kernel for each node, the order of execution, and the place of every buffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from ..errors import InternalError
from ..ir.graph import Graph, Node
from .arena import Arena, plan_arena, scratch_name, settled
from .candidates import Candidate, Options, together
from .costs import Costs
from .formats import assign, planar_tensors
from .limits import check_limits, limits_of
from .place import Block, Placement
from .planning import Bands, Found, Layout, Task
from .search import Choice, Limits, preferred
from .storage import Storage
from .target import Target
from .views import View, plain_view, planar
from .weights import within_weights


@dataclass(frozen=True)
class Plan:
    """Everything that has been decided; spelling adds no decisions."""

    layout: Layout
    target: Target
    io: str
    options: Mapping[str, Options]
    chosen: Mapping[str, Candidate]
    arena: Arena

    @property
    def graph(self) -> Graph:
        """What is computed: of chains in bands, the bands."""
        return self.layout.graph

    @property
    def bands(self) -> tuple[Bands, ...]:
        return self.layout.bands

    @property
    def choice(self) -> Choice:
        """What has been chosen, with its bytes and expected cycles."""
        return Choice(self.chosen, self.arena)

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
    task = Task(target, io, optimize, limits_of(target, limits or Limits()), costs or {})
    return _plan(task, within_weights(task, lambda: task.best(graph)))


def choose_among(
    graphs: Sequence[Graph], target: Target, *, io: str, optimize: str, limits: Limits
) -> tuple[int, Plan]:
    """The number of the graph with the best plan, of some that compute the same, and that plan; errors as for
    `choose`."""
    limits = limits_of(target, limits)
    tasks = [Task(target, io, optimize, limits) for _ in graphs]
    found = [
        within_weights(task, partial(task.best, graph))
        for task, graph in zip(tasks, graphs, strict=True)
    ]
    # where weights can't be within their limit, the least of them are the nearest
    fewest = min(max(f.choice.weights, limits.weights) for f in found)
    near = [f.choice for f in found if f.choice.weights <= fewest]
    best = preferred(optimize, limits, near)
    taken = next(k for k, f in enumerate(found) if f.choice is best)
    return taken, _plan(tasks[taken], found[taken])


def choose_again(plan: Plan, *, optimize: str, limits: Limits, costs: Costs) -> Plan:
    """The plan of the same graph, with the bands and copies that a plan has, by cycles that were measured."""
    task = Task(plan.target, plan.io, optimize, limits_of(plan.target, limits), costs)
    return _plan(task, within_weights(task, lambda: task.found(plan.layout)))


def explore(plan: Plan, *, optimize: str, cost: Callable[[Candidate], float]) -> Plan:
    """The plan of the same steps with the candidates that cost the least: for measuring them."""
    graph = plan.graph
    nodes, options = Task(plan.target, plan.io, optimize, Limits()).candidates(plan.layout)
    chosen = assign(graph, nodes, options, cost)
    if chosen is None:
        raise InternalError("no choice of kernels agrees on the formats of tensors")
    arena = plan_arena(graph, nodes, chosen, plan.io, in_order=bool(plan.layout.bands))
    return replace(plan, options=options, chosen=chosen, arena=arena)


def _plan(task: Task, found: Found) -> Plan:
    best = replace(found.choice, arena=settled(found.choice.arena))
    check_limits(task.target, best, task.limits)
    chosen = dict(zip(best.chosen, together(best.chosen.values()), strict=True))
    return Plan(found.layout, task.target, task.io, found.options, chosen, best.arena)
