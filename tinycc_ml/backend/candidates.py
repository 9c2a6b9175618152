"""Candidates: for each node, the kernels that can serve it on a target, and a loop nest. Nothing is packed."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Location, ModelError
from ..ir.graph import Graph, Node
from ..ops import op_of
from ..ops.base import Kernel, Site
from .target import Target


@dataclass(frozen=True)
class Candidate:
    """One way to compute a node. `kernel` None means the op's loop nest."""

    node: str
    kernel: Kernel | None
    scratch_bytes: int
    in_place: tuple[int, ...]
    cycles: float

    @property
    def name(self) -> str:
        return self.kernel.name if self.kernel else "loop nest"


@dataclass(frozen=True)
class Options:
    """All candidates of a node and, for each kernel that was turned down, why."""

    candidates: tuple[Candidate, ...]
    refused: tuple[tuple[str, str], ...]


def options_of(graph: Graph, node: Node, target: Target, optimize: str = "balanced") -> Options:
    """ModelError when nothing can compute the node."""
    op, site = op_of(node), Site.of(graph, node)
    found: list[Candidate] = []
    refused: list[tuple[str, str]] = []
    for kernel in op.kernels:
        reason = _lacks(kernel, target, optimize) or kernel.accepts(site)
        if reason:
            refused.append((kernel.name, reason))
        else:
            scratch = kernel.scratch_bytes(site)
            found.append(
                Candidate(node.name, kernel, scratch, kernel.in_place(site), kernel.cycles(site))
            )
    if not found and op.nest is not None:
        nest = op.nest(site)
        found.append(Candidate(node.name, None, 0, nest.in_place, nest.cycles))
    if not found:
        reasons = "; ".join(f"{name} {reason}" for name, reason in refused) or "it has no kernel"
        raise ModelError(
            f"{node.op} on {site.x} can't be computed: {reasons}", loc=Location(node=node.name)
        )
    return Options(tuple(found), tuple(refused))


def _lacks(kernel: Kernel, target: Target, optimize: str) -> str | None:
    missing = kernel.features - target.features
    if missing:
        return f"needs a core with {', '.join(sorted(missing))}"
    if optimize not in kernel.goals:
        return f"is for --optimize {' and '.join(sorted(kernel.goals))}"
    return None
