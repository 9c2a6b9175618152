"""Candidates: for each node, the kernels that can serve it on a target, and a loop nest. Nothing is packed."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Location, ModelError
from ..ir.graph import Graph, Node
from ..ops import op_of
from ..ops.base import PLAIN, Kernel, Overlap, Site
from .target import Target


@dataclass(frozen=True)
class Candidate:
    """One way to compute a node. `kernel` None means the op's loop nest."""

    node: str
    kernel: Kernel | None
    scratch_bytes: int
    overlaps: tuple[Overlap, ...]
    cycles: float
    x_format: str = PLAIN
    y_format: str = PLAIN

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
            found.append(_of_kernel(node, kernel, site))
    if not found and op.nest is not None:
        nest = op.nest(site)
        overlaps = tuple(Overlap(index) for index in nest.in_place)
        found.append(Candidate(node.name, None, 0, overlaps, nest.cycles))
    if not found:
        reasons = "; ".join(f"{name} {reason}" for name, reason in refused) or "it has no kernel"
        raise ModelError(
            f"{node.op} on {site.x} can't be computed: {reasons}", loc=Location(node=node.name)
        )
    return Options(tuple(found), tuple(refused))


def _of_kernel(node: Node, kernel: Kernel, site: Site) -> Candidate:
    return Candidate(
        node.name, kernel, kernel.scratch_bytes(site), kernel.overlaps(site), kernel.cycles(site),
        kernel.x_format, kernel.y_format,
    )  # fmt: skip


def _lacks(kernel: Kernel, target: Target, optimize: str) -> str | None:
    missing = kernel.features - target.features
    if missing:
        return f"needs a core with {', '.join(sorted(missing))}"
    if optimize not in kernel.goals:
        return f"is for --optimize {' and '.join(sorted(kernel.goals))}"
    return None
