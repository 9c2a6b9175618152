"""An evaluator that notes what every expression of a text was worth, and which nodes were made for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..frontends.spec import syntax as s
from ..frontends.spec.evaluate import Evaluator
from ..frontends.spec.limits import Limits
from ..frontends.spec.net import Net
from ..frontends.spec.scope import Frame
from ..frontends.spec.values import Block, Tensor, Value
from ..frontends.spec.weights import Weights
from ..ir.graph import Node
from ..ir.graph import Tensor as GraphTensor
from ..ops import table
from ..ops.base import Site

_MOST_VALUES = 8


@dataclass(frozen=True)
class Cost:
    macs: int
    parameters: int


@dataclass(frozen=True)
class Made:
    """A value, and what was made for it: ranges of the net's nodes and of its weights. `depth`: of blocks."""

    value: Value
    span: s.Span
    nodes: tuple[int, int]
    weights: tuple[int, int]
    depth: int


class Watcher(Evaluator):
    """Watches one text: expressions of other files and of the prelude are not noted."""

    def __init__(
        self, watched: s.Source, net: Net, weights: Weights, limits: Limits, prelude: dict[str, Block]
    ):  # fmt: skip
        super().__init__(net, weights, limits, prelude)
        self.watched = watched
        # In the order of time: in a loop, one expression has several values
        self.seen: dict[s.Span, list[Made]] = {}
        self._makers: dict[tuple[str, int], Made] = {}
        self._weights: dict[str, int] = {}  # elements of each, in the order of use

    def value(self, node: s.Expr, frame: Frame) -> Value:
        if frame.source is not self.watched or isinstance(node, (s.Number, s.Text, s.Truth)):
            return super().value(node, frame)
        nodes, weights = len(self.net.draft.nodes), len(self._weights)
        value = super().value(node, frame)
        if isinstance(node, s.Index) and isinstance(value, Tensor):  # w["name"]
            self._weights.setdefault(value.name, math.prod(value.shape))
        self._note(node.span, value, nodes, weights, frame)
        return value

    def apply(self, call: s.Call, given: Any, frame: Frame, own: Any) -> Value:
        nodes, weights = len(self.net.draft.nodes), len(self._weights)
        value = super().apply(call, given, frame, own)
        if call.callee.id == "param" and isinstance(value, Tensor):
            self._weights.setdefault(value.name, math.prod(value.shape))
        if frame.source is self.watched:
            self._note(call.callee.span, value, nodes, weights, frame)
        return value

    def _note(self, span: s.Span, value: Value, nodes: int, weights: int, frame: Frame) -> None:
        ends = len(self.net.draft.nodes), len(self._weights)
        made = Made(value, span, (nodes, ends[0]), (weights, ends[1]), frame.depth)
        noted = self.seen.setdefault(span, [])
        if len(noted) < _MOST_VALUES:
            noted.append(made)
        if ends[0] > nodes:
            # What comes last is the outermost: the whole line
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Tensor):
                    self._makers[item.name, frame.depth] = made

    def maker(self, tensor: Tensor, depth: int) -> Made | None:
        """The line that made a tensor, as it is seen from blocks so deep."""
        found = (self._makers.get((tensor.name, d)) for d in range(depth, -1, -1))
        return next((made for made in found if made is not None), None)

    def cost(self, made: Made) -> Cost:
        """Of everything that was made for a value."""
        nodes = list(self.net.draft.nodes.values())[slice(*made.nodes)]
        macs = sum(_macs(node, self.net.draft.tensors) for node in nodes)
        return Cost(macs, sum(list(self._weights.values())[slice(*made.weights)]))


def _macs(node: Node, tensors: Mapping[str, GraphTensor]) -> int:
    def of(names: Sequence[str]) -> tuple[GraphTensor, ...]:
        return tuple(tensors[name] for name in names if name)

    return table()[node.op].macs(Site(node, of(node.inputs), of(node.outputs)))
