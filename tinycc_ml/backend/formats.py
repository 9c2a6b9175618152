"""Kernels for all nodes together, such that every tensor is stored as its producer and its consumers want it.

A tensor is stored in one format. Kernels read and write given ones, so that the kernel of a node bears
on those of its neighbours: the cheapest assignment is found for the net as a whole, by dynamic
programming over the nodes in order. A state is which live tensors are planar; on a chain of nodes
there are two, and the result is exact. Of many states the cheapest ones are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..ir.graph import Graph, Node
from ..ops.base import PLAIN, PLANAR
from .candidates import Candidate, Options
from .storage import parts_of

_STATES = 256
Cost = Callable[[Candidate], float]


@dataclass(frozen=True)
class _Path:
    """The candidates taken so far, the latest first."""

    cost: float
    candidate: Candidate | None = None
    before: _Path | None = None


@lru_cache(maxsize=2)
def _storables(graph: Graph) -> Storables:
    """Those of a graph that hundreds of assignments are made for, one after the other."""
    return Storables(graph)


class Storables:
    """The run-time tensors of each node: which may be planar, and for which ones it makes no difference."""

    def __init__(self, graph: Graph):
        ends = {*graph.inputs, *graph.outputs}
        self.of = {node.name: _tensors(graph, node) for node in graph.nodes}
        sharing = (node for node in graph.nodes if parts_of(graph, node) is not None)
        aliased = {n for node in sharing for n in self.of[node.name]}
        images = {n for n, t in graph.tensors.items() if len(t.shape) == 4 and not t.is_constant}
        self.alike = frozenset(n for n in images if _alike(graph.type(n).shape))
        self.free = frozenset(images - ends - aliased - self.alike)

    def takes(self, tensor: str, format_: str, planar: frozenset[str]) -> bool:
        """Whether a tensor is stored in a format, where `planar` are those that are planar."""
        return tensor in self.alike or (format_ == PLANAR) == (tensor in planar)

    def may_be(self, tensor: str, format_: str) -> bool:
        return format_ == PLAIN or tensor in self.free or tensor in self.alike


def _alike(shape: tuple[int, ...]) -> bool:
    """One pixel, or one channel: the bytes are the same in both formats."""
    _, h, w, c = shape
    return h * w == 1 or c == 1


def _tensors(graph: Graph, node: Node) -> list[str]:
    """The run-time tensors of a node."""
    return [n for n in (*node.inputs, *node.outputs) if n and not graph.tensors[n].is_constant]


def planar_tensors(graph: Graph, chosen: Mapping[str, Candidate]) -> frozenset[str]:
    """The tensors that the chosen kernels write as planes."""
    free = _storables(graph).free
    nodes = (n for n in graph.nodes if n.name in chosen)
    written = (t for n in nodes if chosen[n.name].y_format == PLANAR for t in n.outputs)
    return frozenset(t for t in written if t in free)


def assign(
    graph: Graph, nodes: Sequence[Node], options: Mapping[str, Options], cost: Cost
) -> dict[str, Candidate] | None:
    """A candidate for each node that has options, at the lowest sum of costs; None when no assignment
    has a finite one. The cost of a candidate may be infinite."""
    storables = _storables(graph)
    last = {t: k for k, node in enumerate(nodes) for t in storables.of[node.name]}
    states: dict[frozenset[str], _Path] = {frozenset(): _Path(0.0)}
    for step, node in enumerate(nodes):
        if node.name in options:
            dead = frozenset(t for t in storables.of[node.name] if last[t] == step)
            priced = _cheapest(options[node.name].candidates, cost)
            states = _advanced(graph, node, states, priced, storables, dead)
    best = min(states.values(), key=lambda path: path.cost, default=None)
    return None if best is None else _taken(best)


def _cheapest(candidates: Sequence[Candidate], cost: Cost) -> list[tuple[float, Candidate]]:
    """The best candidate for each pair of formats."""
    best: dict[tuple[str, str], tuple[float, Candidate]] = {}
    for candidate in candidates:
        price, formats = cost(candidate), (candidate.x_format, candidate.y_format)
        if price != float("inf") and (formats not in best or price < best[formats][0]):
            best[formats] = (price, candidate)
    return list(best.values())


def _advanced(
    graph: Graph,
    node: Node,
    states: Mapping[frozenset[str], _Path],
    priced: Sequence[tuple[float, Candidate]],
    storables: Storables,
    dead: frozenset[str],
) -> dict[frozenset[str], _Path]:
    """The states behind a node."""
    reads = [t for t in node.inputs if t and not graph.tensors[t].is_constant]
    found: dict[frozenset[str], _Path] = {}
    for planar, path in states.items():
        for price, candidate in priced:
            if not all(storables.takes(t, candidate.x_format, planar) for t in reads):
                continue
            if not all(storables.may_be(t, candidate.y_format) for t in node.outputs):
                continue
            made = storables.free.intersection(node.outputs)
            after = (planar | made if candidate.y_format == PLANAR else planar) - dead
            total = path.cost + price
            if after not in found or total < found[after].cost:
                found[after] = _Path(total, candidate, path)
    kept = sorted(found, key=lambda state: found[state].cost)[:_STATES]
    return {state: found[state] for state in kept}


def _taken(path: _Path) -> dict[str, Candidate]:
    taken: dict[str, Candidate] = {}
    step: _Path | None = path
    while step is not None and step.candidate is not None:
        taken[step.candidate.node] = step.candidate
        step = step.before
    return taken
