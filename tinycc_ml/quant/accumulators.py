"""Proof that no accumulator overflows: the bound of each, from its weights and its input's range."""

from __future__ import annotations

from ..errors import Location, ModelError, UnsupportedError
from ..ir.graph import Graph
from ..ops import op_of
from ..ops.base import Site
from ..ops.integer_end import fits, is_wide


def accumulator_bounds(graph: Graph) -> dict[str, int]:
    """Node to the largest |accumulator| that any input can cause. UnsupportedError names the nodes whose
    accumulator could leave int32, or whose product with the multiplier could leave int64."""
    bounds: dict[str, int] = {}
    problems = []
    for node in graph.nodes:
        bound_of = op_of(node).accumulator
        site = Site.of(graph, node)
        if bound_of is None or site.y.quant is None:
            continue
        of_channels = bound_of(site)
        bounds[node.name] = bound = int(of_channels.max(initial=0))
        if not fits(site, of_channels):
            held = "an int64 product allows" if is_wide(site) else "int32 holds"
            problems.append(
                ModelError(
                    f"{node.op}: an accumulator could reach {bound}, more than {held}",
                    loc=Location(node=node.name),
                    hint="quantise with smaller weights or split the node",
                )
            )
    if problems:
        raise UnsupportedError(problems)
    return bounds
