"""The search for a choice: plans of a net from the fastest one to smaller ones, and the one that a goal wants.

Whatever is chosen for one node bears on the others, by formats of tensors, by the arena and by the code that
they share. So whole choices are compared: the cheapest one in modelled cycles and bytes of flash first, then,
as long as the goal may want it, choices in which the step that needs the most memory gets along with less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from ..ir.graph import Graph, Node
from ..ops.base import PLANAR
from .arena import Arena, plan_arena, used_bytes
from .candidates import Candidate, Options, code_bytes, cycles_of, shared_code
from .formats import assign

# How much slower than the fastest choice one may be that takes less memory
AS_FAST = {"speed": 1.03, "balanced": 1.05, "size": 1.5}
# Cycles that a byte of flash is worth: as many as a part of 80 MHz and 256 KB has for each of its bytes when it
# runs the net 20 times a second, for size five times a second
_BYTE_WORTH = {"speed": 0.0, "balanced": 16.0, "size": 64.0}
# What of a byte of memory one of flash counts for where the least is wanted: parts have about four times as much of it
_FLASH_IN_MEMORY = {"speed": 0.0, "balanced": 0.0, "size": 0.25}
# What a byte of flash is worth instead, in cycles, tried in turn while the limits of memory and flash are not met together
_FLASH_PRICES = tuple(0.05 * 2.0**k for k in range(24))
_ROUNDS = 200
# A byte of memory that no peak asks for: it decides between equals
_CYCLES_A_BYTE = 1e-3


@dataclass(frozen=True)
class Limits:
    """What a plan may take at most; inf where nothing is said. Bytes of arena, bytes of constants and code,
    modelled cycles; of the constants, bytes of int8 weights as they are stored."""

    ram: float = inf
    flash: float = inf
    cycles: float = inf
    weights: float = inf


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
        return self.constants + self.code

    @property
    def constants(self) -> int:
        return _constants(self.chosen.values())

    @property
    def weights(self) -> int:
        """Of the constants, what int8 weights take."""
        return sum({(c.name, c.constants): c.weights_bytes for c in self.chosen.values()}.values())

    @property
    def code(self) -> int:
        """About: as far as kernels were measured for the core."""
        return code_bytes(self.chosen.values())

    @property
    def cycles(self) -> float:
        return cycles_of(self.chosen.values())

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
        self._every = [c for given in self.options.values() for c in given.candidates]
        self._memory = {c.key: self.memory(c) for c in self._every}

    def best(self, optimize: str, limits: Limits) -> Choice:
        """Of choices within the limits that are about as good as the best of them in cycles and flash, the one
        with the least memory, for size with the least memory and flash. When none is within, the one that misses them
        least."""
        worth, slack = _BYTE_WORTH[optimize], AS_FAST[optimize] - 1.0
        for price in (worth, *(p for p in _FLASH_PRICES if p > worth)):
            self._shrink(price, slack, limits, slack if price == worth else inf)
            if any(c.meets(replace(limits, cycles=inf)) for c in self.choices):
                break
        dense = self._unpacked()
        if dense is not None:
            dense._shrink(worth, slack, limits, slack)
            self.choices += dense.choices
        return preferred(optimize, limits, self.choices)

    def _unpacked(self) -> Search | None:
        """The search without weights in less than a byte, as which choices are looked at depends on the first
        one. None where there are no such weights."""
        plain = {name: given.unpacked for name, given in self.options.items()}
        return replace(self, options=plain, choices=[]) if plain != self.options else None

    def fastest(self) -> Choice | None:
        """The cheapest choice alone, whatever memory it takes; None when formats can't be agreed on."""
        chosen = self._assigned(0.0, self._every)
        return None if chosen is None else Choice(chosen, self._arena(chosen))

    def _shrink(self, price: float, slack: float, limits: Limits, slower: float) -> None:
        """The best choice at a price of flash, then smaller ones: the nodes at the peak must do with less each
        time."""
        caps: dict[str, float] = {}
        best, fastest = inf, inf
        chosen = self._with_less_code(price, slower)
        for _ in range(_ROUNDS):
            if chosen is None:
                return
            choice = Choice(chosen, self._arena(chosen))
            self.choices.append(choice)
            best, fastest = min(best, _value(chosen, price)), min(fastest, choice.cycles)
            if _value(chosen, price) > best + slack * fastest and choice.ram <= limits.ram:
                return
            caps.update({n: self.memory(chosen[n]) - 1 for n in _peak_nodes(choice)})
            chosen = self._assigned(price, chosen.values(), caps)

    def _arena(self, chosen: Mapping[str, Candidate]) -> Arena:
        return plan_arena(self.graph, self.nodes, chosen, self.io, in_order=self.in_order)

    def _with_less_code(self, price: float, slower: float) -> Mapping[str, Candidate] | None:
        """The fastest assignment, then without kernels that are not worth their code: those that share a function
        or a format are given up together, one such group after the other, the best one first,
        as long as it is not `slower` by more than so much of the fastest."""
        groups = _groups(self._every)
        fastest = self._assigned(0.0, self._every)
        most = inf if fastest is None else (1.0 + slower) * _value(fastest, 0.0)
        chosen = self._at_price(price, most)
        while chosen is not None and price > 0.0:
            used = {c.name for c in chosen.values()}
            tried = {group for group in groups if group & used}
            offers = [
                o
                for group in tried
                for o in self._without(group, chosen, price)
                if _value(o, 0.0) <= most
            ]
            better = min((chosen, *offers), key=lambda offer: _value(offer, price))
            if better is chosen:
                break
            chosen = better
        return chosen

    def _at_price(self, price: float, most: float) -> Mapping[str, Candidate] | None:
        """The cheapest assignment at a price of flash, or at as large a part of it as keeps to so many cycles."""
        parts = (price * 0.5**k for k in range(8)) if price > 0.0 else ()
        for part in (*parts, 0.0):
            chosen = self._assigned(part, self._every)
            if chosen is None or _value(chosen, 0.0) <= most:
                return chosen
        return None

    def _without(
        self, kernels: Collection[str], chosen: Mapping[str, Candidate], price: float
    ) -> Iterator[Mapping[str, Candidate]]:
        """Once as if each node had to bear all the code that is new, once as if none had to; a second look knows
        what they share."""
        kept = [c for c in chosen.values() if c.name not in kernels]
        for there in (kept, self._every):
            first = self._assigned(price, there, without=kernels)
            second = first and self._assigned(price, first.values(), without=kernels)
            if second:
                yield second

    def _assigned(
        self,
        price: float,
        there: Iterable[Candidate],
        caps: Mapping[str, float] | None = None,
        without: Collection[str] = (),
    ) -> Mapping[str, Candidate] | None:
        """The cheapest assignment where the functions of candidates that are `there` cost nothing."""
        free = shared_code(there)
        missing: dict[str, int] = {}

        def cost(c: Candidate) -> float:
            memory = self._memory[c.key]
            if c.name in without or memory > (caps or {}).get(c.node, inf):
                return inf
            if c.name not in missing:
                new = sum(size for name, size in c.pieces if name not in free)
                missing[c.name] = new if c.name in free else max(new - c.single_bytes, 0)
            flash = c.flash_bytes + c.code_bytes + missing[c.name]
            return c.cycles + price * flash + _CYCLES_A_BYTE * memory

        return assign(self.graph, self.nodes, self.options, cost)

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
    worth, slack = _BYTE_WORTH[optimize], AS_FAST[optimize] - 1.0
    best = min(within, key=lambda c: (_value(c.chosen, worth), c.cycles))
    fastest = min(c.cycles for c in within)
    slowest = max(best.cycles, (1.0 + slack) * fastest)
    bar = _value(best.chosen, worth) + slack * fastest
    good = (c for c in within if _value(c.chosen, worth) <= bar and c.cycles <= slowest)
    part = _FLASH_IN_MEMORY[optimize]
    return min(good, key=lambda c: (c.ram + part * c.flash, _value(c.chosen, worth), c.flash))


def _constants(candidates: Iterable[Candidate]) -> int:
    """Bytes of constants; bands of a node share theirs, else those that two nodes share count for both."""
    return sum({(c.name, c.constants or c.node): c.flash_bytes for c in candidates}.values())


def _value(chosen: Mapping[str, Candidate], price: float) -> float:
    """Cycles, and those that the bytes of flash are worth."""
    candidates = chosen.values()
    flash = _constants(candidates) + code_bytes(candidates)
    return cycles_of(candidates) + price * flash


def _groups(candidates: Iterable[Candidate]) -> set[frozenset[str]]:
    """The kernels that use a function, for each function, and those that read or write planes."""
    users: dict[str, set[str]] = {}
    for c in candidates:
        planar = [PLANAR] if PLANAR in (c.x_format, c.y_format) else []
        for name in (*planar, *(name for name, _ in c.pieces)):
            users.setdefault(name, set()).add(c.name)
    return {frozenset(kernels) for kernels in users.values()}


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
