"""A chain of image nodes computed in bands of rows, so that of what lies between them only some rows exist at once.

Each node becomes one node for each band: it reads a slice of rows and makes the rows of that band. Rows that
two bands need are kept (copied before the first band's rows go) or computed again. No value changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InternalError
from ..ir.graph import Graph, Node, Origin, Tensor
from ..ops import op_of
from ..ops.base import Site
from ..ops.rows import Rows, Span


@dataclass(frozen=True)
class Chain:
    """Nodes that each read the result of the one before, which nothing else reads, to be computed `rows`
    rows of the last result at a time. kept: rows that two bands need are kept, else computed twice."""

    nodes: tuple[str, ...]
    rows: int
    kept: bool


@dataclass(frozen=True)
class Stage:
    """A node of a chain, how its rows hang together, and which operands are the result of the one before."""

    node: Node
    rows: Rows
    follows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Work:
    """What a band takes of a stage: the reader needs the rows `window` of the stage's result, of which `new`
    are computed, from the rows `reads` before it; those ahead of `new` are there already."""

    stage: int
    window: Span
    new: Span
    reads: Span


@dataclass(frozen=True)
class Banded:
    """The graph with bands. copied: slices of rows that are kept while the rest of their operand goes, so
    that they must be copies; parts: for each node of the chain the nodes that took its place."""

    graph: Graph
    copied: frozenset[str]
    parts: Mapping[str, tuple[str, ...]]


def stages_of(graph: Graph, names: Sequence[str]) -> tuple[Stage, ...]:
    """The nodes of a chain, for which `stage_of` found that they can be told apart by rows."""
    by_name = {node.name: node for node in graph.nodes}
    found: list[Stage] = []
    for name in names:
        before = found[-1].node.outputs[0] if found else None
        stage = stage_of(graph, by_name[name], before)
        if stage is None or (found and not stage.follows):
            raise InternalError(f"{name!r} can't be computed in bands of rows")
        found.append(stage)
    return tuple(found)


def stage_of(graph: Graph, node: Node, before: str | None = None) -> Stage | None:
    """None where rows of the node's result can't be told apart, or it reads `before` as a whole."""
    if len(node.outputs) != 1 or graph.type(node.outputs[0]).rank != 4:
        return None
    rows = op_of(node).rows(Site.of(graph, node)) if all(node.inputs) else None
    if rows is None:
        return None
    follows = tuple(k for k, name in enumerate(node.inputs) if name == before)
    return Stage(node, rows, follows) if set(follows) <= set(rows.operands) else None


def work_of(stages: Sequence[Stage], height: int, rows: int, kept: bool) -> list[Work] | None:
    """All that is done, in order; `height`: rows of the last result. None where an op can't make a band."""
    done: list[Work] = []
    held = [(0, 0)] * len(stages)

    def need(stage: int, window: Span) -> bool:
        if stage < 0:
            return True
        first, end = window
        start = max(first, min(held[stage][1], end)) if kept else first
        new = (start, end)
        reads = stages[stage].rows.reads(*new) if start < end else (0, 0)
        if reads is None or (start < end and not need(stage - 1, reads)):
            return False
        held[stage] = window
        done.append(Work(stage, window, new, reads))
        return True

    last = len(stages) - 1
    bands = ((first, min(first + rows, height)) for first in range(0, height, rows))
    return done if all(need(last, band) for band in bands) else None


def row_bands(graph: Graph, chain: Chain) -> Banded:
    """The chain in bands. InternalError when its nodes can't be."""
    stages = stages_of(graph, chain.nodes)
    height = graph.type(stages[-1].node.outputs[0]).shape[1]
    work = work_of(stages, height, chain.rows, chain.kept)
    if work is None:
        raise InternalError(f"{chain.nodes[-1]!r} can't be computed {chain.rows} rows at a time")
    return _Writer(graph, stages).banded(work)


class _Writer:
    """Nodes and tensors of the bands as they are made."""

    def __init__(self, graph: Graph, stages: Sequence[Stage]):
        self.graph, self.stages = graph, stages
        self.gone = {s.node.name for s in stages}
        between = {s.node.outputs[0] for s in stages[:-1]}
        self.tensors = {n: t for n, t in graph.tensors.items() if n not in between}
        self.nodes: list[Node] = []
        self.names = {n.name for n in graph.nodes} - self.gone
        self.slices: dict[tuple[str, Span], str] = {}
        self.copied: set[str] = set()
        self.saved: dict[int, str] = {}
        self.parts: dict[str, list[str]] = {name: [] for name in self.gone}

    def banded(self, work: Sequence[Work]) -> Banded:
        windows = [""] * len(self.stages)
        made: list[str] = []
        for k, w in enumerate(work):
            pieces = [self.saved.pop(w.stage)] if w.window[0] < w.new[0] else []
            if w.new[0] < w.new[1]:
                pieces = [self._copy(name) for name in pieces]
                pieces.append(self._computed(w, windows[w.stage - 1] if w.stage else ""))
                self._save(windows, work, k)
            windows[w.stage] = self._joined(w, pieces)
            made += [windows[w.stage]] if w.stage == len(self.stages) - 1 else []
        last = self.stages[-1].node
        self._add("concat", made, last.outputs[0], {"axis": 1}, last.name)
        nodes: list[Node] = []
        for node in self.graph.nodes:
            nodes += self.nodes if node.name == last.name else []
            nodes += [node] if node.name not in self.gone else []
        graph = replace(self.graph, nodes=tuple(nodes), tensors=self.tensors)
        parts = {name: tuple(found) for name, found in self.parts.items()}
        return Banded(graph, frozenset(self.copied), parts)

    def _save(self, windows: Sequence[str], work: Sequence[Work], k: int) -> None:
        """What the next band needs of the rows that were just read for the last time in this one."""
        before = work[k].stage - 1
        later = next((w for w in work[k + 1 :] if w.stage == before), None)
        if before < 0 or later is None or later.window[0] >= later.new[0]:
            return
        kept, first = (later.window[0], later.new[0]), work[k].reads[0]
        name = self._tensor(self.stages[before].node.outputs[0], kept, "kept rows")
        self._slice(windows[before], (kept[0] - first, kept[1] - first), name)
        self.copied.add(name)
        self.saved[before] = name

    def _copy(self, saved: str) -> str:
        """The same rows again: before the rows that follow them."""
        source = self.tensors[saved]
        name = _free(saved, self.tensors.keys() | self.names)
        self.tensors[name] = replace(source, name=name)
        self._slice(saved, (0, source.shape[1]), name)
        self.copied.add(name)
        return name

    def _computed(self, w: Work, before: str) -> str:
        node, rows = self.stages[w.stage].node, self.stages[w.stage].rows
        inputs = list(node.inputs)
        for k in rows.operands:
            follows = w.stage > 0 and k in self.stages[w.stage].follows
            inputs[k] = before if follows else self._rows_of(node.inputs[k], w.reads)
        name = self._tensor(node.outputs[0], w.new)
        made = self._add(node.op, inputs, name, rows.attrs(*w.new), f"{node.name} {_text(w.new)}")
        self.parts[node.name].append(made)
        return name

    def _joined(self, w: Work, pieces: Sequence[str]) -> str:
        if len(pieces) == 1:
            return pieces[0]
        name = self._tensor(self.stages[w.stage].node.outputs[0], w.window)
        self._add("concat", pieces, name, {"axis": 1}, name)
        return name

    def _rows_of(self, tensor: str, rows: Span) -> str:
        """Rows of a tensor that is there as a whole."""
        if (tensor, rows) not in self.slices:
            name = self._tensor(tensor, rows)
            self._slice(tensor, rows, name)
            self.slices[tensor, rows] = name
        return self.slices[tensor, rows]

    def _slice(self, tensor: str, rows: Span, name: str) -> None:
        starts, shape = (0, rows[0], 0, 0), self.tensors[name].shape
        attrs = {"starts": starts, "steps": (1, 1, 1, 1), "shape": shape}
        self._add("slice", [tensor], name, attrs, name)

    def _tensor(self, whole: str, rows: Span, what: str = "rows") -> str:
        """A new tensor that is rows of one of the graph."""
        source = self.graph.tensors[whole]
        shape = (1, rows[1] - rows[0], *source.shape[2:])
        origin = replace(
            source.origin or Origin(whole), name=f"{source.source_name} {_text(rows, what)}"
        )
        name = _free(f"{whole} {_text(rows, what)}", self.tensors.keys() | self.names)
        self.tensors[name] = Tensor(name, source.type.with_shape(shape), None, origin)
        return name

    def _add(
        self, op: str, inputs: Sequence[str], output: str, attrs: Mapping[str, Any], name: str
    ) -> str:
        node = Node(_free(name, self.names), op, tuple(inputs), (output,), attrs)
        self.names.add(node.name)
        self.nodes.append(node)
        return node.name


def _text(rows: Span, what: str = "rows") -> str:
    first, last = rows[0], rows[1] - 1
    return f"[{what} {first}-{last}]" if first < last else f"[{what.removesuffix('s')} {first}]"


def _free(hint: str, taken: set[str]) -> str:
    name, count = hint, 1
    while name in taken:
        count += 1
        name = f"{count}: {hint}"
    return name
