"""Where moving bytes takes less memory than not moving them.

The parts of a concat lie in its result from the first one on, and a slice keeps the whole of its operand
alive. Where the peak comes from that, the same node as a step of its own may be better.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ..ir.graph import Graph
from ..ops import op_of
from .arena import Arena, executed_nodes, peak_step, plan_arena
from .candidates import Candidate, Options

_TRIED = 12  # nodes at a peak


def copies_that_save(
    graph: Graph,
    arena: Arena,
    chosen: Mapping[str, Candidate],
    options_of: Callable[[str], Options],
    io: str,
) -> frozenset[str]:
    """Nodes without code that, made steps one after the other, each make the arena smaller. arena and chosen: a
    choice in which they are none; options_of: the candidates of a node by its name."""
    copied: frozenset[str] = frozenset()
    while True:
        best: tuple[Arena, str] | None = None
        for name in _at_the_peak(graph, arena):
            fastest = min(options_of(name).candidates, key=lambda c: c.cycles)
            nodes, _ = executed_nodes(graph, {*copied, name})
            tried = plan_arena(graph, nodes, {**chosen, name: fastest}, io)
            if tried.placement.bytes < (best[0] if best else arena).placement.bytes:
                best = tried, name
        if best is None:
            return copied
        arena, name = best
        copied |= {name}
        chosen = {**chosen, name: min(options_of(name).candidates, key=lambda c: c.cycles)}


def _at_the_peak(graph: Graph, arena: Arena) -> Collection[str]:
    """Nodes without code whose bytes are in use at the step that uses most."""
    step = peak_step(arena) if arena.order else 0
    live = {b.name for b in arena.blocks if b.first <= step <= b.last}
    vanished = (n for n in graph.nodes if n.name in arena.storage.vanished and not op_of(n).alias)
    found = [n.name for n in vanished if arena.storage.buffer_of[n.outputs[0]] in live]
    return found[:_TRIED]
