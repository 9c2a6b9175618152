"""Schemes: which integers a net is made of. Each is a row of SCHEMES, and nodes may have schemes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import DataError
from ..ir.graph import Graph, Node
from ..ir.types import I8, I16, DType
from ..ops import op_of
from . import levels
from .grids import INT8, INT8_POW2, INT16, Grid, as_rows


@dataclass(frozen=True)
class Scheme:
    """`activation`: the element type of results. `grid`: the integers that weights may be. `power_of_two`: all
    scales are powers of two, and so are all multipliers."""

    name: str
    activation: DType = I8
    grid: Grid = INT8
    power_of_two: bool = False

    @property
    def has_few_levels(self) -> bool:
        """Fewer than int8 has."""
        return self.grid not in _WHOLE


_WHOLE: tuple[Grid, ...] = (INT8, INT8_POW2, INT16)
_GRIDS: tuple[Grid, ...] = (
    levels.INT4,
    levels.INT4_CHANNEL,
    levels.INT2,
    levels.TERNARY,
    levels.BINARY,
    levels.CODEBOOK4,
)
SCHEMES: Mapping[str, Scheme] = {
    s.name: s
    for s in (
        Scheme("int8"),
        Scheme("int8-pow2", grid=INT8_POW2, power_of_two=True),
        Scheme("int16x8", I16),
        Scheme("int16x16", I16, INT16),
        *(Scheme(grid.name, grid=grid) for grid in _GRIDS),
    )
}
# Channels of fewer weights keep int8: next to their bias and multiplier there is nothing to gain
_SHORT = 32
# The first and the last node with weights keep int8 when they hold less than this part of all weights:
# errors there cost the most
_SMALL_END = 1 / 6


@dataclass(frozen=True)
class Assignment:
    """A scheme for each node: its own, by its name, or that of the net."""

    default: Scheme = SCHEMES["int8"]
    nodes: Mapping[str, Scheme] = field(default_factory=dict)

    def of(self, node: Node) -> Scheme:
        return self.nodes.get(node.name, self.default)


def assignment(graph: Graph, default: str, nodes: Mapping[str, str]) -> Assignment:
    """From names to schemes. Where the net's scheme has fewer levels than int8, nodes with short channels and
    small ends keep int8 unless `nodes` says otherwise. DataError for a scheme or a node that is not there."""
    known = {node.name for node in graph.nodes}
    for name in nodes:
        if name not in known:
            raise DataError(
                f"a scheme is given for node {name!r}, which the model does not have",
                hint=f"its nodes are {', '.join(sorted(known))}",
            )
    scheme = _scheme(default)
    kept = _kept(graph) if scheme.has_few_levels else ()
    whole = {name: Scheme("int8", scheme.activation) for name in kept}
    return Assignment(scheme, {**whole, **{n: _scheme(own) for n, own in nodes.items()}})


def _kept(graph: Graph) -> list[str]:
    """Names of the nodes that keep int8."""
    shapes = {n.name: shape for n in graph.nodes if (shape := _weights(graph, n)) is not None}
    names, sizes = list(shapes), {n: channels * k for n, (channels, k) in shapes.items()}
    most = _SMALL_END * sum(sizes.values())
    ends = {name for name in (*names[:1], *names[-1:]) if sizes[name] < most}
    return [n for n, (_, columns) in shapes.items() if columns < _SHORT or n in ends]


def _weights(graph: Graph, node: Node) -> tuple[int, int] | None:
    """Channels, and weights of a channel, of a node that has weights to quantise."""
    rule = op_of(node).quantize
    for index, axis in (rule.weights if rule else {}).items():
        tensor = graph.tensors[node.inputs[index]] if index < len(node.inputs) else None
        if tensor is not None and tensor.data is not None and tensor.type.dtype.is_float:
            channels, columns = as_rows(tensor.data, axis).shape
            return channels, columns
    return None


def _scheme(name: str) -> Scheme:
    if name not in SCHEMES:
        raise DataError(f"no scheme {name!r}", hint=f"there are {', '.join(SCHEMES)}")
    return SCHEMES[name]
