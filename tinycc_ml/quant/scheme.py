"""Schemes: which integers a net is made of. Each is a row of SCHEMES, and nodes may have schemes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import DataError
from ..ir.graph import Graph, Node
from ..ir.types import I8, DType
from .grids import INT8, Grid


@dataclass(frozen=True)
class Scheme:
    """`activation`: the element type of results. `grid`: the integers that weights may be."""

    name: str
    activation: DType = I8
    grid: Grid = INT8


SCHEMES: Mapping[str, Scheme] = {s.name: s for s in (Scheme("int8"),)}


@dataclass(frozen=True)
class Assignment:
    """A scheme for each node: its own, by its name, or that of the net."""

    default: Scheme = SCHEMES["int8"]
    nodes: Mapping[str, Scheme] = field(default_factory=dict)

    def of(self, node: Node) -> Scheme:
        return self.nodes.get(node.name, self.default)


def assignment(graph: Graph, default: str, nodes: Mapping[str, str]) -> Assignment:
    """From names to schemes. DataError for a scheme or a node that is not there."""
    known = {node.name for node in graph.nodes}
    for name in nodes:
        if name not in known:
            raise DataError(
                f"a scheme is given for node {name!r}, which the model does not have",
                hint=f"its nodes are {', '.join(sorted(known))}",
            )
    return Assignment(_scheme(default), {n: _scheme(scheme) for n, scheme in nodes.items()})


def _scheme(name: str) -> Scheme:
    if name not in SCHEMES:
        raise DataError(f"no scheme {name!r}", hint=f"there are {', '.join(SCHEMES)}")
    return SCHEMES[name]
