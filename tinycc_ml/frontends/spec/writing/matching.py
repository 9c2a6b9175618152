"""What matching nodes with friendly operators asks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from ...onnx.nodes import attribute_value
from .items import Arg, Item, Ref
from .source_net import SourceNet, Weight

Args = list[Arg]


@dataclass(frozen=True)
class Node:
    """A node with what matching asks of it."""

    proto: onnx.NodeProto
    net: SourceNet

    @property
    def attrs(self) -> dict[str, Any]:
        return {a.name: attribute_value(a) for a in self.proto.attribute}

    def input(self, index: int) -> str:
        return self.proto.input[index] if index < len(self.proto.input) else ""

    def weight(self, index: int, *shape: int) -> Weight | None:
        """A constant operand that can be a weight, of this shape if one is given."""
        weight = self.net.weights.get(self.input(index))
        if weight is None or (shape and weight.array.shape != shape):
            return None
        shared = weight.node is not None and self.net.uses[self.input(index)] > 1
        is_float = weight.integers is not None or weight.array.dtype == np.float32
        return weight if is_float and not shared and weight.array.ndim else None

    def shape(self, index: int) -> tuple[int, ...]:
        return self.net.types[self.input(index)].shape

    def runs(self, index: int) -> bool:
        """The operand is computed at run time."""
        return bool(self.input(index)) and self.input(index) not in self.net.weights


def item_of(node: Node, callee: str, args: Args, weights: Sequence[int] = ()) -> Item:
    """A call whose operand is the first one; `weights`: the indices of operands it has as weights."""
    names = tuple(node.input(index) for index in weights)
    made = [node.net.weights[name].node for name in names]
    nodes = (*(n for n in made if n is not None), node.proto)
    operand = Arg("x", Ref(node.input(0)))
    return Item(callee, (operand, *args), tuple(node.proto.output[:1]), nodes, names)


def only(node: Node, *known: str) -> bool:
    """There are no other attributes."""
    return set(node.attrs) <= set(known)


def read_again(node: Node) -> bool:
    return node.net.uses.get(node.proto.output[0], 0) != 1
