"""Kernels of neighbours agree on how the tensor between them is stored, at the lowest cost of the whole."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tinycc_ml.backend.candidates import Candidate, Options
from tinycc_ml.backend.formats import Storables, assign, planar_tensors
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops.base import PLAIN, PLANAR

from ..texts import graph

FORMATS = (PLAIN, PLANAR)


def chain(length: int, shape: str = "1,4,4,8") -> Graph:
    lines = [f'input "t0": f32[{shape}]']
    lines += [f'"t{k + 1}": f32[{shape}] = abs("t{k}")' for k in range(length)]
    return graph("\n".join([*lines, f'output "t{length}"']))


def offered(net: Graph, costs: Mapping[tuple[int, str, str], float]) -> dict[str, Options]:
    found: dict[str, list[Candidate]] = {node.name: [] for node in net.nodes}
    for (k, x, y), cycles in costs.items():
        name = net.nodes[k].name
        found[name].append(Candidate(name, None, 0, (), cycles, x, y, index=len(found[name])))
    return {name: Options(tuple(given), ()) for name, given in found.items()}


def formats(net: Graph, chosen: Mapping[str, Candidate]) -> Sequence[tuple[str, str]]:
    return [(chosen[n.name].x_format, chosen[n.name].y_format) for n in net.nodes]


def test_a_detour_over_planes_is_taken_when_it_pays_as_a_whole() -> None:
    net = chain(3)
    costs = {
        (0, PLAIN, PLAIN): 10.0,
        (0, PLAIN, PLANAR): 12.0,
        (1, PLAIN, PLAIN): 10.0,
        (1, PLANAR, PLANAR): 5.0,
        (2, PLAIN, PLAIN): 10.0,
        (2, PLANAR, PLAIN): 12.0,
    }
    chosen = assign(net, net.nodes, offered(net, costs), lambda c: c.cycles)
    assert chosen is not None
    assert formats(net, chosen) == [(PLAIN, PLANAR), (PLANAR, PLANAR), (PLANAR, PLAIN)]
    assert planar_tensors(net, chosen) == {"t1", "t2"}
    costs[(2, PLANAR, PLAIN)] = 14.0
    chosen = assign(net, net.nodes, offered(net, costs), lambda c: c.cycles)
    assert chosen is not None and formats(net, chosen) == [(PLAIN, PLAIN)] * 3


def test_inputs_and_outputs_are_never_planar() -> None:
    net = chain(1)
    costs = {(0, PLANAR, PLANAR): 1.0, (0, PLAIN, PLAIN): 9.0}
    chosen = assign(net, net.nodes, offered(net, costs), lambda c: c.cycles)
    assert chosen is not None and formats(net, chosen) == [(PLAIN, PLAIN)]
    assert assign(net, net.nodes, offered(net, {(0, PLANAR, PLANAR): 1.0}), lambda c: 1.0) is None


def test_one_pixel_is_the_same_in_both_formats() -> None:
    net = chain(2, "1,1,1,8")
    assert Storables(net).alike == {"t0", "t1", "t2"}
    costs = {(0, PLANAR, PLANAR): 1.0, (1, PLAIN, PLAIN): 1.0}
    chosen = assign(net, net.nodes, offered(net, costs), lambda c: c.cycles)
    assert chosen is not None and planar_tensors(net, chosen) == frozenset()


BRANCHES = """\
input "x": f32[1,4,4,8]
"a": f32[1,4,4,8] = abs("x")
"b": f32[1,4,4,8] = abs("a")
"c": f32[1,4,4,8] = abs("a")
"d": f32[1,4,4,8] = add("b", "c")
"e": f32[1,4,4,8] = abs("d")
output "e"
"""


@pytest.mark.parametrize("seed", range(40))
def test_the_result_is_the_cheapest_of_all_assignments(seed: int) -> None:
    net = graph(BRANCHES)
    rng = np.random.default_rng(seed)
    pairs = list(itertools.product(range(5), FORMATS, FORMATS))
    offers = {p: float(rng.integers(1, 50)) for p in pairs if p[1:] == (PLAIN, PLAIN) or rng.random() < 0.7}  # fmt: skip
    options = offered(net, offers)
    best = min(cost for cost in map(_consistent, itertools.product(*(options[n.name].candidates for n in net.nodes))))  # fmt: skip
    chosen = assign(net, net.nodes, options, lambda c: c.cycles)
    assert chosen is not None
    assert sum(c.cycles for c in chosen.values()) == best
    assert _consistent([chosen[n.name] for n in net.nodes]) == best


def _consistent(taken: Sequence[Candidate]) -> float:
    """The cost of candidates for a, b, c, d, e; infinite when they disagree."""
    a, b, c, d, e = taken
    agree = (
        a.x_format == PLAIN and e.y_format == PLAIN and a.y_format == b.x_format == c.x_format
        and b.y_format == c.y_format == d.x_format and d.y_format == e.x_format
    )  # fmt: skip
    return sum(k.cycles for k in taken) if agree else float("inf")
