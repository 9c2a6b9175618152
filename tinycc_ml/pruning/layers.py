"""What can be pruned: float constants that operators call weights, as rows of a channel each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Graph, Node, Tensor, constant
from ..ir.rewrite import Draft
from ..ops import op_of
from ..ops.base import QuantizeRule, Site
from ..quant.grids import as_rows, from_rows
from ..quant.moments import Moments

# New constants by tensor
Changed = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Layer:
    """The weights `tensor` of a node, with their channel axis, and what its operator says of them."""

    site: Site
    tensor: Tensor
    axis: int
    rule: QuantizeRule

    @property
    def node(self) -> Node:
        return self.site.node

    @property
    def rows(self) -> np.ndarray:
        """float32 [channels, columns]"""
        return as_rows(self.tensor.value, self.axis)

    def from_rows(self, rows: np.ndarray) -> np.ndarray:
        """In the shape of the tensor."""
        return from_rows(rows, self.tensor.shape, self.axis).astype(self.tensor.value.dtype)

    def met(self, x: np.ndarray) -> np.ndarray:
        """The rows of inputs that the weights meet: [groups, rows, columns]."""
        assert self.rule.windows is not None
        return self.rule.windows(self.site, x)

    @property
    def bias(self) -> Tensor | None:
        """A constant bias that no other node reads."""
        index = self.rule.bias
        if index is None or index >= len(self.site.inputs):
            return None
        tensor = self.site.inputs[index]
        return tensor if tensor.is_constant else None


def layers(graph: Graph) -> dict[str, Layer]:
    """By tensor: the first node that reads each."""
    found: dict[str, Layer] = {}
    for node in graph.nodes:
        rule, site = op_of(node).quantize, Site.of(graph, node)
        for index, axis in (rule.weights if rule else {}).items():
            tensor = graph.tensors[node.inputs[index]]
            if tensor.is_constant and tensor.type.dtype.is_float:
                found.setdefault(tensor.name, Layer(site, tensor, axis, rule))  # type: ignore[arg-type]
    return found


def with_bias(layer: Layer, met: Moments, rows: np.ndarray) -> Changed:
    """New weights, and the bias with which the mean of every result stays what it was."""
    new = {layer.tensor.name: layer.from_rows(rows)}
    if layer.bias is not None:
        share = len(rows) // len(met.real)
        real, made = (np.repeat(m / met.rows, share, axis=0) for m in (met.real, met.made))
        moved = (layer.rows * real - rows * made).sum(axis=1)
        new[layer.bias.name] = (layer.bias.value + moved).astype(layer.bias.value.dtype)
    return new


def with_constants(graph: Graph, new: Changed) -> Graph:
    """`graph` with other values of constants."""
    draft = Draft(graph)
    for name, data in new.items():
        tensor = graph.tensors[name]
        draft.set_tensor(replace(constant(name, tensor.type, data), origin=tensor.origin))
    return draft.graph()
