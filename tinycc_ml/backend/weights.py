"""Bytes of int8 weights as kernels store them: the fewest there are, and plans that keep within a number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from ..ir.graph import Graph
from .candidates import options_of
from .planning import Found, Task
from .target import Target


def fewest_weights_bytes(graph: Graph, target: Target, optimize: str) -> Mapping[str, int]:
    """For an integer graph: what the weights of each node of the float graph take at least, in the form
    of a kernel that serves the target. Constants know by their origin which node they were made for."""
    found: dict[str, int] = defaultdict(int)
    counted: set[tuple[str, ...]] = set()
    for node in graph.nodes:
        tensors = [graph.tensors[name] for name in node.inputs if name]
        origins = [t.origin for t in tensors if t.is_constant]
        names = tuple(t.name for t in tensors if t.is_constant)
        if not names or names in counted:
            continue
        counted.add(names)
        candidates = options_of(graph, node, target, optimize).candidates
        owner = next((origin.name for origin in origins if origin), node.name)
        found[owner] += min(c.weights_bytes for c in candidates)
    return {name: size for name, size in found.items() if size}


def within_weights(task: Task, plan: Callable[[], Found]) -> Found:
    """A plan whose weights are within the limit: while they are not, those with the most bytes to spare take
    their smallest form. When all do, what is left over is for the caller to refuse."""
    found = plan()
    while found.choice.weights > task.limits.weights:
        excess = found.choice.weights - task.limits.weights
        spare = _to_spare(found)
        if not spare:
            break
        for constants, size in sorted(spare.items(), key=lambda item: -item[1]):
            if excess <= 0:
                break
            task.lean.add(constants)
            excess -= size
        found = plan()
    return found


def _to_spare(found: Found) -> dict[tuple[str, ...], int]:
    """By the constants of nodes: bytes above the smallest form there is."""
    spare = {}
    for name, taken in found.choice.chosen.items():
        fewest = min(c.weights_bytes for c in found.options[name].candidates)
        if taken.weights_bytes > fewest:
            spare[taken.constants] = taken.weights_bytes - fewest
    return spare
