"""The names and arrays that go with a text: it is run once with the constants of the model, in the order in which
its calls take them, and what everything is called there is put beside what the model calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnx

from ....errors import ModelError
from .. import syntax as s
from ..evaluate import Evaluator
from ..limits import LIMITS, Limits
from ..net import Net, Step
from ..parse import parse
from ..read import evaluate
from ..stored import NAMES, NODE_NAMES, Quantised, table
from ..values import Block, Tensor
from ..weights import Weights
from .items import Item, Param
from .source_net import SourceNet, Weight

# Operators that are written as another one, which does the same
_WRITTEN_AS = {"Reshape": "Flatten"}


class _Queue(Weights):
    """Weights in the order in which they are asked for, whatever name they are asked by."""

    def __init__(self, net: SourceNet, wanted: Sequence[str]):
        super().__init__()
        self.net = net
        self.waiting: Iterator[str] = iter(wanted)
        self.taken: dict[str, Weight] = {}  # by the name in the text
        self._next: Weight | None = None

    def quantised(self, name: str, shape: tuple[int, ...] | None) -> Quantised | None:
        self._next = self._of(name)
        return self._next.integers

    def take(self, name: str, shape: tuple[int, ...], init: str, where: str) -> np.ndarray:
        assert self._next is not None
        if self._next.array.shape != shape:
            raise ModelError(f"{name} would be {list(shape)}")
        return self._next.array

    def stored(self, name: str, where: str) -> np.ndarray | None:
        assert self._next is not None
        return self._next.array

    def named(self, name: str) -> np.ndarray | None:
        self.taken[name] = self.net.weights[name]
        return self.net.weights[name].array

    def _of(self, name: str) -> Weight:
        found = next(self.waiting, None)
        if found is None or name in self.taken:
            raise ModelError(f"there is no weight for {name}")
        self.taken[name] = self.net.weights[found]
        return self.taken[name]


class _Recorder(Net):
    """A net whose tensors are called as those of the model, and what the text called them."""

    def __init__(self, limits: Limits, nodes: Sequence[onnx.NodeProto]):
        super().__init__(limits)
        self.waiting = iter(nodes)
        self.said: dict[str, str] = {}
        self.said_nodes: dict[str, str] = {}
        self._hints: dict[str, str] = {}

    @property
    def renames(self) -> bool:
        return True

    def _added(self, hint: str, array: np.ndarray) -> Tensor:
        made = super()._added(hint, array)
        self._hints[made.name] = hint
        return made

    def add_node(
        self, op_type: str, domain: str, inputs: Sequence[str], outputs: Sequence[str],
        attributes: Sequence[onnx.AttributeProto], name: str, step: Step,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """The next node of the model, by its names."""
        node = next(self.waiting, None)
        if node is None or op_type not in (node.op_type, _WRITTEN_AS.get(node.op_type)):
            raise ModelError(f"there is no {op_type} here")
        called = [theirs or ours for ours, theirs in zip(outputs, node.output, strict=False)]
        made = super().add_node(
            op_type, domain, inputs, called, attributes, node.name or called[0], step
        )
        self._note(node, inputs, outputs)
        return made

    def _note(self, node: onnx.NodeProto, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        pairs = [*zip(outputs, node.output, strict=False)]
        pairs += [
            (self._hints[i], o)
            for i, o in zip(inputs, node.input, strict=False)
            if i in self._hints
        ]
        for ours, theirs in pairs:
            if theirs:
                self.said.setdefault(ours, theirs)
        if node.name and node.name != node.output[0]:
            self.said_nodes[outputs[0]] = node.name


def recorded(text: str, net: SourceNet, items: Sequence[Item]) -> Mapping[str, np.ndarray]:
    """The arrays beside a text: weights by the names that it gives them, and names."""
    recorder = _Recorder(LIMITS, [node for item in items for node in item.nodes])
    queue = _Queue(net, [name for item in items for name in _asked_for(item)])

    def evaluator(
        _net: Net, _weights: Weights, limits: Limits, blocks: dict[str, Block]
    ) -> Evaluator:
        return Evaluator(recorder, queue, limits, blocks)

    lines = [line for line in text.splitlines() if not line.startswith("weights(")]
    found = evaluate(parse(s.Source("net.tml", "\n".join(lines))), evaluator=evaluator)
    if found.problems:
        raise ModelError(str(found.problems[0]))
    arrays: dict[str, np.ndarray] = {}
    names = dict(recorder.said)
    for name, weight in queue.taken.items():
        arrays |= {name: weight.array} if weight.integers is None else weight.integers.stored(name)
        if weight.integers is not None:
            names[name] = weight.name
    names = {ours: theirs for ours, theirs in names.items() if ours != theirs}
    return {**arrays, NAMES: table(names), NODE_NAMES: table(recorder.said_nodes)}


def _asked_for(item: Item) -> tuple[str, ...]:
    """The weights that a call takes by `param`; outside of blocks, raw operators have theirs from w["..."]."""
    raw = any(isinstance(arg.value, Param) for arg in item.args)
    return () if raw else item.weights
