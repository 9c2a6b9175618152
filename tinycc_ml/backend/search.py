"""The search for a choice: plans of a net from the fastest one to smaller ones, and the one that a goal wants.

Whatever is chosen for one node bears on the others, by formats of tensors and by the arena. So whole
choices are compared: the cheapest one in modelled cycles first, then, as long as the goal may want it,
choices in which the step that needs the most memory gets along with less, or constants cost something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from ..ir.graph import Graph, Node
from .arena import Arena, plan_arena
from .candidates import Candidate, Options
from .formats import assign

# How much slower than the fastest choice one may be that takes less memory
AS_FAST = {"speed": 1.03, "balanced": 1.05, "size": 1.5}
# Cycles that a byte of constants is worth, tried in turn while a limit of flash is not met
_FLASH_PRICES = tuple(0.05 * 2.0**k for k in range(24))
_ROUNDS = 200
# A byte of memory that no peak asks for: it decides between equals
_CYCLES_A_BYTE = 1e-3


@dataclass(frozen=True)
class Limits:
    """What a plan may take at most; inf where nothing is said. Bytes of arena, bytes of constants, modelled
    cycles."""

    ram: float = inf
    flash: float = inf
    cycles: float = inf


@dataclass(frozen=True)
class Choice:
    """A candidate for each node, with the arena that they need."""

    chosen: Mapping[str, Candidate]
    arena: Arena

    @property
    def ram(self) -> int:
        return self.arena.placement.bytes

    @property
    def flash(self) -> int:
        """About the bytes of constants: before any is packed. Bands of a node share theirs."""
        shared = {(c.name, c.constants or c.node): c.flash_bytes for c in self.chosen.values()}
        return sum(shared.values())

    @property
    def cycles(self) -> float:
        return sum(c.cycles for c in self.chosen.values())

    def meets(self, limits: Limits) -> bool:
        return (
            self.ram <= limits.ram and self.flash <= limits.flash and self.cycles <= limits.cycles
        )


@dataclass
class Search:
    """Nodes with their candidates; `choices` are the plans looked at."""

    graph: Graph
    nodes: Sequence[Node]
    options: Mapping[str, Options]
    io: str
    in_order: bool = False  # the order of the nodes stays
    choices: list[Choice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_name = {node.name: node for node in self.nodes}

    def best(self, optimize: str, limits: Limits) -> Choice:
        """Of choices within the limits that are about as fast as the fastest of them, the one with the
        least memory. When none is within, the one that misses them least."""
        for flash_price in (0.0, *_FLASH_PRICES):
            self._shrink(flash_price, AS_FAST[optimize], limits)
            if min(c.flash for c in self.choices) <= limits.flash:
                break
        return preferred(optimize, limits, self.choices)

    def fastest(self) -> Choice | None:
        """The cheapest choice alone, whatever memory it takes; None when formats can't be agreed on."""
        chosen = assign(self.graph, self.nodes, self.options, self._cost(0.0, {}))
        return None if chosen is None else Choice(chosen, self._arena(chosen))

    def _shrink(self, flash_price: float, as_fast: float, limits: Limits) -> None:
        """The cheapest choice, then smaller ones: the nodes at the peak must do with less each time."""
        caps: dict[str, float] = {}
        fastest = inf
        for _ in range(_ROUNDS):
            chosen = assign(self.graph, self.nodes, self.options, self._cost(flash_price, caps))
            if chosen is None:
                return
            choice = Choice(chosen, self._arena(chosen))
            self.choices.append(choice)
            fastest = min(fastest, choice.cycles)
            if choice.cycles > as_fast * fastest and choice.ram <= limits.ram:
                return
            caps.update({n: self.memory(chosen[n]) - 1 for n in _peak_nodes(choice)})

    def _arena(self, chosen: Mapping[str, Candidate]) -> Arena:
        return plan_arena(self.graph, self.nodes, chosen, self.io, in_order=self.in_order)

    def _cost(self, flash_price: float, caps: Mapping[str, float]) -> Callable[[Candidate], float]:
        def cost(candidate: Candidate) -> float:
            memory = self.memory(candidate)
            if memory > caps.get(candidate.node, inf):
                return inf
            return candidate.cycles + flash_price * candidate.flash_bytes + _CYCLES_A_BYTE * memory

        return cost

    def memory(self, candidate: Candidate) -> int:
        """Bytes that a node needs beside its inputs: scratch, and what its result takes beyond an input
        that it may lie over."""
        node = self._by_name[candidate.node]
        result = sum(self.graph.type(name).bytes for name in node.outputs)
        beyond = [result]
        for overlap in candidate.overlaps:
            x = node.inputs[overlap.input]
            if self._dies(x):
                size = self.graph.type(x).bytes
                beyond.append(max(max(overlap.lead, 0), result - size))
        return candidate.scratch_bytes + min(beyond)

    def _dies(self, tensor: str) -> bool:
        """Whether a tensor of the arena is read by one node only."""
        given = tensor in self.graph.inputs and self.io == "caller"
        kept = tensor in self.graph.outputs
        return not (given or kept) and self.graph.sole_consumer(tensor) is not None


def preferred(optimize: str, limits: Limits, choices: Sequence[Choice]) -> Choice:
    """What a goal takes of some choices: see `Search.best`."""
    within = [c for c in choices if c.meets(limits)]
    if not within:
        return min(choices, key=lambda c: _excess(c, limits))
    bar = AS_FAST[optimize] * min(c.cycles for c in within)
    return min((c for c in within if c.cycles <= bar), key=lambda c: (c.ram, c.cycles, c.flash))


def peak_step(arena: Arena) -> int:
    """The step at which most bytes of the arena are in use."""
    return max(range(len(arena.order)), key=lambda step: used_bytes(arena, step))


def used_bytes(arena: Arena, step: int) -> int:
    """Bytes in use at a step; those of buffers that lie over each other count once."""
    live = sorted(
        (arena.placement.offsets[b.name], b.bytes)
        for b in arena.blocks
        if b.first <= step <= b.last
    )
    used, end = 0, 0
    for offset, size in live:
        used += max(offset + size - max(end, offset), 0)
        end = max(end, offset + size)
    return used


def _peak_nodes(choice: Choice) -> list[str]:
    """Nodes with candidates at whose step most bytes are in use."""
    arena = choice.arena
    used = [used_bytes(arena, step) for step in range(len(arena.order))]
    peak = max(used, default=0)
    names = (n.name for n, bytes_ in zip(arena.order, used, strict=True) if bytes_ == peak)
    return [name for name in names if name in choice.chosen]


def _excess(choice: Choice, limits: Limits) -> float:
    """By how much limits are missed, as the sum of ratios."""
    pairs = ((choice.ram, limits.ram), (choice.flash, limits.flash), (choice.cycles, limits.cycles))
    return sum(max(have / most - 1.0, 0.0) if most else float(have > 0) for have, most in pairs)
