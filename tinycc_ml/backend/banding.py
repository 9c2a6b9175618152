"""Which chains of nodes are worth computing in bands of rows (passes/row_bands.py): an estimate of what each
would take of arena and cycles, by arithmetic on rows alone; choose.py plans the most promising ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..ir.graph import Graph, Node
from ..passes.row_bands import Chain, Stage, Work, stage_of, work_of
from .arena import used_bytes
from .search import Choice, Limits

_LONGEST = 10  # nodes of a chain
_BANDS = (2, 3, 4, 6, 8, 12, 16, 24)
_TRIED = 3  # of all that are thought of
# Bytes of arena that a step is worth where no limit asks for them: its call takes about 70 bytes of flash
BYTES_A_STEP = 32
# Rough cycles of a call, and of a byte that is copied
_CALL, _COPY = 400.0, 1.2


@dataclass(frozen=True)
class Outline:
    """A chain in bands with about the arena and the cycles of the net that has it."""

    chain: Chain
    ram: int
    cycles: float
    steps: int  # more or less

    @property
    def price(self) -> int:
        return self.ram + BYTES_A_STEP * self.steps


def promising(
    graph: Graph, choice: Choice, barred: Collection[str], most_cycles: float, limits: Limits
) -> list[Outline]:
    """A few chains that may make the arena of a choice smaller within so many cycles, the best first: those
    with the least memory for few steps, or, where a limit is not met and they do, the fastest. barred: nodes that are bands."""
    bands = _Bands(graph, choice, barred)
    found = [o for o in bands.outlines() if o.ram < choice.ram and o.cycles <= most_cycles]
    if choice.ram > limits.ram and any(o.ram <= limits.ram for o in found):
        found = sorted((o for o in found if o.ram <= limits.ram), key=lambda o: (o.cycles, o.ram))
    else:
        found.sort(key=lambda o: (o.price, o.cycles))
    first: dict[tuple[tuple[str, ...], bool], Outline] = {}
    for outline in found:
        first.setdefault((outline.chain.nodes, outline.chain.kept), outline)
    return list(first.values())[:_TRIED]


class _Bands:
    """What the estimates need of a choice: by node its step, cycles and scratch, by step the bytes in use."""

    def __init__(self, graph: Graph, choice: Choice, barred: Collection[str]):
        self.graph, self.choice, self.arena = graph, choice, choice.arena
        self.step_of = {n.name: k for k, n in enumerate(self.arena.order)}
        self.used = [used_bytes(self.arena, k) for k in range(len(self.arena.order))]
        self.sizes = {b.name: b.bytes for b in self.arena.blocks}
        self.stages: dict[str, tuple[Stage, Node | None]] = {}
        for node in self.arena.order:
            stage = None if node.name in barred else stage_of(graph, node)
            if stage is not None and graph.type(node.outputs[0]).shape[1] > 1:
                self.stages[node.name] = self._after(node, stage)

    def _after(self, node: Node, stage: Stage) -> tuple[Stage, Node | None]:
        """A stage with the node that it may follow in a chain: the latest one whose result it alone reads."""
        makers = [self.graph.producers.get(node.inputs[k]) for k in stage.rows.operands]
        free = [
            m for m in makers
            if m and m.name in self.stages and self.graph.sole_consumer(m.outputs[0]) == node
        ]  # fmt: skip
        if not free:
            return stage, None
        before = max(free, key=lambda m: self.step_of[m.name])
        follows = stage_of(self.graph, node, before.outputs[0])
        return (stage, None) if follows is None else (follows, before)

    def outlines(self) -> Iterator[Outline]:
        peak = max(self.used, default=0)
        peaks = {k for k, bytes_ in enumerate(self.used) if bytes_ == peak}
        for last in self.stages:
            chain = [last]
            while len(chain) < _LONGEST and (before := self.stages[chain[0]][1]) is not None:
                chain.insert(0, before.name)
                if not peaks.isdisjoint(self.step_of[name] for name in chain):
                    yield from self._of_chain(chain)

    def _of_chain(self, names: Sequence[str]) -> Iterator[Outline]:
        stages = [self.stages[name][0] for name in names]
        height = self.graph.type(stages[-1].node.outputs[0]).shape[1]
        rest = max((u for k, u in enumerate(self.used) if k not in self._steps(names)), default=0)
        around = self._around(names)
        if max(rest, around) >= self.choice.ram:
            return
        for rows in sorted({-(-height // bands) for bands in _BANDS if bands <= height}):
            for kept in (True, False):
                work = work_of(stages, height, rows, kept)
                if work is not None:
                    ram = max(rest, around + self._within(stages, work))
                    cycles = self.choice.cycles + self._extra(stages, work)
                    yield Outline(Chain(tuple(names), rows, kept), ram, cycles, len(work))

    def _steps(self, names: Sequence[str]) -> set[int]:
        return {self.step_of[name] for name in names}

    def _around(self, names: Sequence[str]) -> int:
        """Bytes beside those of the bands: what the chain reads and makes, and what lives meanwhile."""
        storage, steps = self.arena.storage, self._steps(names)
        between = {self.stages[name][0].node.outputs[0] for name in names[:-1]}
        nodes = [self.stages[name][0].node for name in names]
        ends = {t for n in nodes for t in (*n.inputs, *n.outputs) if t and t not in between}
        whole = {storage.buffer_of[t] for t in ends} & self.sizes.keys()
        inner = {storage.buffer_of[t] for t in between} - whole
        scratch = self.sizes.keys() - set(storage.bytes)
        others = [b for b in self.arena.blocks if b.name not in whole | inner | scratch]
        live = (sum(b.bytes for b in others if b.first <= s <= b.last) for s in steps)
        return max(live, default=0) + sum(self.sizes[b] for b in whole)

    def _within(self, stages: Sequence[Stage], work: Sequence[Work]) -> int:
        """The most bytes of rows between the nodes, and of scratch, that are in use at once."""
        pitch = [self._row_bytes(s) for s in stages]
        saved = [0] * len(stages)
        window = [0] * len(stages)
        most = 0
        for w, later in zip(work, _later(work), strict=True):
            window[w.stage] = (w.window[1] - w.window[0]) * pitch[w.stage]
            own = window[w.stage] if w.stage < len(stages) - 1 else 0
            before = window[w.stage - 1] if w.stage else 0
            scratch = self._candidate_bytes(stages[w.stage].node)
            saved[w.stage] = 0
            most = max(most, sum(saved) + own + before + scratch)
            if later is not None:
                saved[w.stage - 1] = (later.new[0] - later.window[0]) * pitch[w.stage - 1]
        return most

    def _candidate_bytes(self, node: Node) -> int:
        return self.choice.chosen[node.name].scratch_bytes

    def _row_bytes(self, stage: Stage) -> int:
        type_ = self.graph.type(stage.node.outputs[0])
        return type_.bytes // type_.shape[1]

    def _extra(self, stages: Sequence[Stage], work: Sequence[Work]) -> float:
        """Cycles beyond those of the whole nodes: rows computed again, rows copied, calls."""
        extra = _CALL * (len(work) - len(stages))
        for w in work:
            extra += 2 * _COPY * (w.new[0] - w.window[0]) * self._row_bytes(stages[w.stage])
        for k, stage in enumerate(stages):
            rows = sum(w.new[1] - w.new[0] for w in work if w.stage == k)
            height = self.graph.type(stage.node.outputs[0]).shape[1]
            extra += self.choice.chosen[stage.node.name].cycles * (rows / height - 1.0)
        return extra


def _later(work: Sequence[Work]) -> list[Work | None]:
    """For each piece of work the next one of the stage before its own."""
    following: dict[int, Work] = {}
    found: list[Work | None] = []
    for w in reversed(work):
        found.append(following.get(w.stage - 1))
        following[w.stage] = w
    return found[::-1]


def in_order_of(graph: Graph, order: Sequence[Node]) -> tuple[Node, ...]:
    """All nodes of a graph such that its steps come in this order; those without code come as soon as they can."""
    steps = {n.name for n in order}
    waiting = [n for n in graph.nodes if n.name not in steps]
    known = {*graph.inputs, *(t.name for t in graph.constants), ""}
    done: list[Node] = []
    for step in (None, *order):
        done += [step] if step is not None else []
        known.update(step.outputs if step is not None else ())
        while ready := [n for n in waiting if known.issuperset(n.inputs)]:
            done += ready
            known.update(out for n in ready for out in n.outputs)
            waiting = [n for n in waiting if n not in ready]
    return tuple(done)
