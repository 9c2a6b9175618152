"""Planning: the search for kernels, with bytes moved or not, and with chains of nodes in bands of rows where the goal
or a limit wants the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf

from ..errors import ModelError, UnsupportedError
from ..ir.graph import Graph, Node
from ..passes.row_bands import Chain, row_bands
from .arena import executed_nodes
from .banding import BYTES_A_STEP, in_order_of, promising
from .candidates import Options, options_of
from .copying import copies_that_save
from .costs import Costs, fitted, measured
from .search import AS_FAST, Choice, Limits, Search, preferred
from .target import Target

_CHAINS = 4  # at most so many are computed in bands
# Bytes of flash that a byte of arena is worth where no limit asks for it: parts have four or more for each
_FLASH_OF_RAM = 2


@dataclass(frozen=True)
class Bands:
    """A chain that is computed in bands, and the bytes of arena before and after."""

    chain: Chain
    arena_bytes: tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """A graph with what has been decided of its nodes: the steps that could have been no code, chains in bands
    and the nodes that these became."""

    graph: Graph
    copied: frozenset[str] = frozenset()
    bands: tuple[Bands, ...] = ()
    banded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """A choice for a layout, the candidates there were, and the cycles of the fastest choice looked at."""

    layout: Layout
    choice: Choice
    options: Mapping[str, Options]
    fastest: float


@dataclass
class Task:
    """What is to be planned for what. `known`: candidates by what they depend on. `lean`: nodes, by the names of
    their constants, whose weights are to take the fewest bytes."""

    target: Target
    io: str
    optimize: str
    limits: Limits
    costs: Costs = field(default_factory=dict)
    known: dict[object, Options] = field(default_factory=dict)
    lean: set[tuple[str, ...]] = field(default_factory=set)

    def best(self, graph: Graph) -> Found:
        """The best layout and choice for a graph. UnsupportedError lists the nodes that nothing can compute."""
        best = self._with_copies(self.found(Layout(graph)))
        fastest = best.fastest
        while len(best.layout.bands) < _CHAINS and self._wants_bands(best):
            within = inf if self._is_too_large(best.choice) else AS_FAST[self.optimize] * fastest
            banded = self._with_bands(best, within)
            if banded is None:
                break
            best = banded
        return best

    def found(self, layout: Layout, most_cycles: float = inf) -> Found:
        """The best choice for a layout."""
        search, options = self._search(layout)
        limits = replace(self.limits, cycles=min(self.limits.cycles, most_cycles))
        choice = search.best(self.optimize, limits)
        return Found(layout, choice, options, min(c.cycles for c in search.choices))

    def candidates(self, layout: Layout) -> tuple[list[Node], dict[str, Options]]:
        """The steps, and the candidates of those that need a kernel or a loop nest."""
        nodes, copies = executed_nodes(layout.graph, layout.copied)
        found, problems = {}, []
        for node in nodes:
            try:
                if node.name not in copies:
                    found[node.name] = self._options(layout.graph, node)
            except ModelError as error:
                problems.append(error)
        if problems:
            raise UnsupportedError(problems)
        return nodes, found

    def _search(self, layout: Layout) -> tuple[Search, Mapping[str, Options]]:
        nodes, options = self.candidates(layout)
        options = {name: self._lean(measured(o, self.costs)) for name, o in options.items()}
        search = Search(layout.graph, nodes, options, self.io, in_order=bool(layout.bands))
        return search, options

    def _lean(self, options: Options) -> Options:
        """Numbers of candidates stay: costs are known by them."""
        fewest = min(c.weights_bytes for c in options.candidates)
        kept = tuple(
            c
            for c in options.candidates
            if c.constants not in self.lean or c.weights_bytes == fewest
        )
        return replace(options, candidates=kept)

    def _options(self, graph: Graph, node: Node) -> Options:
        """Nodes that differ in their run-time tensors alone have the same ones: bands by the dozen."""
        operands = (graph.tensors[name] if name else None for name in node.inputs)
        seen = tuple(
            t and (t.name if t.is_constant else (t.type, node.inputs.index(t.name)))
            for t in operands
        )
        made = tuple(graph.type(name) for name in node.outputs)
        key = (node.op, tuple(node.attrs.items()), seen, made)
        if key not in self.known:
            given = options_of(graph, node, self.target, self.optimize)
            self.known[key] = fitted(node, given, self.target, self.optimize)
        found = self.known[key]
        return Options(tuple(replace(c, node=node.name) for c in found.candidates), found.refused)

    def _with_copies(self, given: Found) -> Found:
        """With bytes moved where that takes less memory."""
        graph = given.layout.graph
        by_name = {n.name: n for n in graph.nodes}
        copied = copies_that_save(
            graph, given.choice.arena, given.choice.chosen,
            lambda name: self._options(graph, by_name[name]), self.io,
        )  # fmt: skip
        if not copied:
            return given
        other = self.found(Layout(graph, copied))
        better = preferred(self.optimize, self.limits, (given.choice, other.choice))
        return other if better is other.choice else given

    def _wants_bands(self, best: Found) -> bool:
        return self.optimize == "size" or self._is_too_large(best.choice)

    def _is_too_large(self, choice: Choice) -> bool:
        return choice.ram > self.limits.ram

    def _with_bands(self, best: Found, most_cycles: float) -> Found | None:
        """With one more chain in bands; None where none is worth it."""
        tried = [f for f in self._tries(best, most_cycles) if self._is_worth(best, f, most_cycles)]
        if not tried:
            return None
        fits = [f for f in tried if not self._is_too_large(f.choice)]
        if self._is_too_large(best.choice) and fits:
            quick = min(fits, key=lambda f: (f.choice.cycles, f.choice.ram))
        else:
            quick = min(
                tried, key=lambda f: f.choice.ram + BYTES_A_STEP * len(f.choice.arena.order)
            )
        full = self.found(quick.layout, most_cycles)
        kept = full if self._is_worth(best, full, most_cycles) else quick
        after = replace(kept.layout.bands[-1], arena_bytes=(best.choice.ram, kept.choice.ram))
        bands = (*kept.layout.bands[:-1], after)
        return replace(kept, layout=replace(kept.layout, bands=bands))

    def _tries(self, best: Found, most_cycles: float) -> Iterator[Found]:
        """The fastest choices for some layouts with one more chain in bands."""
        old, choice = best.layout, best.choice
        graph = replace(old.graph, nodes=in_order_of(old.graph, choice.arena.order))
        for outline in promising(graph, choice, old.banded, most_cycles, self.limits):
            made = row_bands(graph, outline.chain)
            nodes = frozenset(name for parts in made.parts.values() for name in parts)
            bands = (*old.bands, Bands(outline.chain, (choice.ram, choice.ram)))
            layout = Layout(made.graph, old.copied | made.copied, bands, old.banded | nodes)
            search, options = self._search(layout)
            fastest = search.fastest()
            if fastest is not None:
                yield Found(layout, fastest, options, fastest.cycles)

    def _is_worth(self, best: Found, found: Found, most_cycles: float) -> bool:
        """Less memory within the cycles; unasked only where it is more than a few bytes for each step, is worth
        the flash, and is a larger part of the arena than the cycles that it costs are of all."""
        saved = best.choice.ram - found.choice.ram
        if saved < 1 or found.choice.cycles > most_cycles:
            return False
        steps = len(found.choice.arena.order) - len(best.choice.arena.order)
        slower = found.choice.cycles / best.choice.cycles - 1.0
        flash = found.choice.flash - best.choice.flash
        cheap = saved >= BYTES_A_STEP * steps and _FLASH_OF_RAM * saved >= flash
        unasked = cheap and saved / best.choice.ram >= slower
        return unasked or self._is_too_large(best.choice)
