"""Candidates: for each node, the kernels that can serve it on a target, and a loop nest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ..errors import Location, ModelError
from ..ir.graph import Graph, Node
from ..ir.types import I8
from ..ops import op_of
from ..ops.base import PLAIN, Kernel, Nest, Overlap, Site
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
    slow_cycles: float = 0.0  # of cycles, those of the kernel's slower path
    index: int = 0  # among the node's candidates
    flash_bytes: int = 0  # its constants
    code_bytes: int = 0  # C of this call: with its parameters, and what is inlined into it
    pieces: tuple[tuple[str, int], ...] = ()  # functions that all calls share, with bytes
    single_bytes: int = (
        0  # so many fewer when nothing else calls the kernel: inlined, for literal shapes
    )
    single_cycles: float = 0.0  # and so many cycles fewer then
    constants: tuple[str, ...] = ()  # their names: nodes with the same ones share them
    weights_bytes: int = 0  # of flash_bytes, what int8 weights take in its form
    packed: bool = False  # that is less than a byte each

    @property
    def key(self) -> tuple[str, int]:
        """What costs of candidates are kept under."""
        return self.node, self.index

    @property
    def name(self) -> str:
        return self.kernel.name if self.kernel else "loop nest"


def shared_code(candidates: Iterable[Candidate]) -> dict[str, int]:
    """The functions that candidates need, each once, with their bytes."""
    return {name: size for c in candidates for name, size in c.pieces}


def code_bytes(candidates: Collection[Candidate]) -> int:
    """Of all the C of nodes together."""
    calls = Counter(c.name for c in candidates)
    single = sum(c.single_bytes for c in candidates if calls[c.name] == 1)
    return sum(c.code_bytes for c in candidates) + sum(shared_code(candidates).values()) - single


def cycles_of(candidates: Collection[Candidate]) -> float:
    """Of all nodes together."""
    return sum(c.cycles for c in together(candidates))


def together(candidates: Collection[Candidate]) -> list[Candidate]:
    """What is chosen together, in the same order, each with the cycles that it then takes."""
    calls = Counter(c.name for c in candidates)
    return [
        replace(c, cycles=c.cycles - c.single_cycles, single_cycles=0.0)
        if calls[c.name] == 1 and c.single_cycles
        else c
        for c in candidates
    ]


@dataclass(frozen=True)
class Options:
    """All candidates of a node and, for each kernel that was turned down, why."""

    candidates: tuple[Candidate, ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def unpacked(self) -> Options:
        """Without weights in less than a byte, where there are others."""
        whole = tuple(c for c in self.candidates if not c.packed)
        return replace(self, candidates=whole or self.candidates)


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
    if op.nest is not None and (not found or _repeats(site)):
        found.append(_of_nest(node, op.nest(site), site))
    if not found:
        reasons = "; ".join(f"{name} {reason}" for name, reason in refused) or "it has no kernel"
        raise ModelError(
            f"{node.op} on {site.x} can't be computed: {reasons}", loc=Location(node=node.name)
        )
    constants = tuple(t.name for t in site.inputs if t.is_constant)
    whole = sum(_int8_sizes(site).values())
    stored = (_weights_bytes(c, site) for c in found)
    numbered = tuple(
        replace(c, index=k, constants=constants, weights_bytes=size, packed=size < whole)
        for k, (c, size) in enumerate(zip(found, stored, strict=True))
    )
    return Options(numbered, tuple(refused))


def _of_kernel(node: Node, kernel: Kernel, site: Site) -> Candidate:
    return Candidate(
        node.name, kernel, kernel.scratch_bytes(site), overlaps_of(kernel, site), kernel.cycles(site),
        kernel.x_format, kernel.y_format, kernel.slow_cycles(site), flash_bytes=_flash_bytes(kernel, site),
    )  # fmt: skip


def _of_nest(node: Node, nest: Nest, site: Site) -> Candidate:
    overlaps = (*(Overlap(index) for index in nest.in_place), *nest.overlaps)
    flash = sum(
        t.value.itemsize if t.is_uniform else t.type.bytes for t in site.inputs if t.is_constant
    )
    return Candidate(
        node.name, None, nest.scratch_bytes, overlaps, nest.cycles,
        flash_bytes=flash if _repeats(site) else 0,
    )  # fmt: skip


def _repeats(site: Site) -> bool:
    """Weights that are all alike: a nest keeps one of them, a kernel would take them all."""
    constants = [t for t in site.inputs if t.is_constant and t.type.dtype == site.x.dtype]
    return any(t.is_uniform for t in constants)


def overlaps_of(kernel: Kernel, site: Site) -> tuple[Overlap, ...]:
    """Of one image; those of a batch keep their distance only where x and y are of one size."""
    batch = kernel.per_image and site.y.rank > 1 and site.y.shape[0] > 1
    return () if batch and site.x.bytes != site.y.bytes else kernel.overlaps(site)


def _flash_bytes(kernel: Kernel, site: Site) -> int:
    """As the kernel says, else of what it packs."""
    if kernel.flash_bytes is not None:
        return kernel.flash_bytes(site)
    return sum(array.nbytes for _, array in kernel.arrays(site))


def _weights_bytes(candidate: Candidate, site: Site) -> int:
    """All but what other constants take; 0 where no constant is int8."""
    sizes = {tensor.name: tensor.type.bytes for tensor in site.inputs if tensor.is_constant}
    plain = _int8_sizes(site)
    if not plain or candidate.kernel is None:
        return sum(plain.values())
    return max(candidate.flash_bytes - sum(sizes.values()) + sum(plain.values()), 0)


def _int8_sizes(site: Site) -> dict[str, int]:
    return {t.name: t.type.bytes for t in site.inputs if t.is_constant and t.type.dtype == I8}


def _lacks(kernel: Kernel, target: Target, optimize: str) -> str | None:
    missing = kernel.features - target.abilities
    if missing:
        return f"needs a core with {', '.join(sorted(missing))}"
    if optimize not in kernel.goals:
        return f"is for --optimize {' and '.join(sorted(kernel.goals))}"
    return None
