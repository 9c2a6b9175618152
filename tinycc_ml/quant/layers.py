"""Layers: nodes with weights, and the integers that their constants become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.types import Quant, TensorType
from ..ops import op_of
from ..ops.base import QuantizeRule, Site
from .grids import Levels, as_rows, from_rows, rounded
from .scheme import Assignment

# By bits of activations: enough for a bias to be exact to 2^-12 of an output step, far from the 31, or 62, that
# there are
_BIAS_BITS = {8: 20, 16: 40}


@dataclass(frozen=True)
class Layer:
    """A float node whose operand `index` holds constant weights with channels along `axis`. `shared`: other
    nodes read them, too, so that one set of integers has to serve all."""

    node: Node
    site: Site
    rule: QuantizeRule
    index: int
    axis: int
    shared: bool = False

    @property
    def key(self) -> str:
        """What its integers are kept under: its node, and the operand if it is not the first with weights."""
        first = next(iter(self.rule.weights))
        return self.node.name if self.index == first else f"{self.node.name}:{self.index}"

    @property
    def rows(self) -> np.ndarray:
        """Real weights [channels, columns]."""
        return as_rows(self.site.const(self.index), self.axis)

    @property
    def bias(self) -> np.ndarray | None:
        """Real bias [channels]; zeros where the node has none and could have one, None where it can't, or
        where a bias alone does not say what enters the sums: beside two products, in recurrent nodes."""
        if len(self.rule.weights) > 1:
            return None
        if self.rule.bias is None or self.rule.bias > len(self.site.inputs):
            return None
        if self.rule.bias == len(self.site.inputs):
            return np.zeros(len(self.rows))
        data = self.site.inputs[self.rule.bias].data
        return None if data is None else data.astype(np.float64).ravel()


@dataclass(frozen=True)
class Integers:
    """What the constants of a layer become: integer weights as rows, their scales, and a real bias [channels]
    where it is another than the model's."""

    rows: np.ndarray
    scale: np.ndarray
    bias: np.ndarray | None = None

    @property
    def real(self) -> np.ndarray:
        """Real weights [channels, columns] that the integers stand for."""
        return self.scale[:, None] * self.rows

    def tensor(self, layer: Layer) -> tuple[np.ndarray, Quant]:
        """Weights in the tensor's own shape."""
        data = from_rows(self.rows, layer.site.inputs[layer.index].shape, layer.axis)
        return data, Quant(tuple(self.scale.tolist()), (0,) * len(self.rows), layer.axis)

    def real_tensor(self, layer: Layer) -> np.ndarray:
        shape = layer.site.inputs[layer.index].shape
        return from_rows(self.real, shape, layer.axis).astype(np.float32)


def layers(graph: Graph) -> Iterator[Layer]:
    """In execution order."""
    for node in graph.nodes:
        yield from layers_of(graph, node)


def layers_of(graph: Graph, node: Node) -> Iterator[Layer]:
    """One for each operand with weights: recurrent nodes have two."""
    rule, site = op_of(node).quantize, Site.of(graph, node)
    for index, axis in (rule.weights if rule else {}).items():
        weights = site.inputs[index]
        if rule and weights.is_constant and weights.type.dtype.is_float:
            yield Layer(node, site, rule, index, axis, len(graph.consumers[weights.name]) > 1)


def fitted(
    layer: Layer,
    schemes: Assignment,
    types: Mapping[str, TensorType],
    rows: np.ndarray | None = None,
) -> Levels:
    """The grid of the layer's scheme, fitted to its weights, or to others in their place. types: of activations."""
    wanted = layer.rows if rows is None else rows
    return schemes.of(layer.node).grid.fit(wanted, _smallest_scales(layer, types))


def nearest(layer: Layer, schemes: Assignment, types: Mapping[str, TensorType]) -> Integers:
    """Each weight rounded by itself."""
    levels = fitted(layer, schemes, types)
    return Integers(rounded(layer.rows, levels), levels.scale)


def _smallest_scales(layer: Layer, types: Mapping[str, TensorType]) -> np.ndarray | None:
    """Scales of weights below which the bias would take more than _BIAS_BITS bits of the accumulator."""
    x, bias = types.get(layer.node.inputs[0]), layer.bias
    if x is None or x.quant is None or bias is None or not bias.any():
        return None
    return np.abs(bias) / (x.quant.scale0 * 2.0 ** _BIAS_BITS[x.dtype.bits])
