"""Proof that no int32 accumulator overflows: the bound of each, from its weights and its input's range."""

from __future__ import annotations

from ..errors import Location, ModelError, UnsupportedError
from ..ir.graph import Graph
from ..numerics.fixedpoint import INT32_MAX
from ..ops import op_of
from ..ops.base import Site


def accumulator_bounds(graph: Graph) -> dict[str, int]:
    """Node to the largest |accumulator| that any input can cause. UnsupportedError names the nodes whose
    accumulator could leave int32."""
    bounds: dict[str, int] = {}
    problems = []
    for node in graph.nodes:
        bound_of = op_of(node).accumulator
        site = Site.of(graph, node)
        if bound_of is None or site.y.quant is None:
            continue
        bounds[node.name] = bound = int(bound_of(site).max(initial=0))
        if bound > INT32_MAX:
            problems.append(
                ModelError(
                    f"{node.op}: an accumulator could reach {bound}, more than int32 holds",
                    loc=Location(node=node.name),
                    hint="quantise with smaller weights or split the node",
                )
            )
    if problems:
        raise UnsupportedError(problems)
    return bounds
