"""The plan of several graphs that compute the same: the one that serves the goal best."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.backend.choose import choose, choose_among
from tinycc_ml.backend.search import Limits
from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import TargetError
from tinycc_ml.integers import live_graphs
from tinycc_ml.ir.graph import Graph
from tinycc_ml.options import Options

from ..integer_nets import Net

CORE = load_target("cortex-m4")
FIGURES = ("ram", "flash", "cycles")


def net(dead: int) -> Graph:
    """64 channels through pointwise and depthwise convolutions; `dead` of the last depthwise one are constant."""
    rng = np.random.default_rng(7)
    made, x = Net((1, 25, 5, 64)), "x"
    for last in (False, True):
        weights = rng.integers(1, 128, (64, 1, 1, 64))
        weights[: dead * last] = 0
        x = made.conv(x, weights, rng.integers(-99, 99, 64))
        x = made.depthwise(x, rng.integers(1, 128, (3, 3, 64)), [0] * 64, pads=(1, 1, 1, 1))
    return made.graph(made.conv(x, rng.integers(1, 128, (64, 1, 1, 64)), [0] * 64))


def graphs_of(dead: int) -> list[Graph]:
    return [live.graph for live in live_graphs(net(dead), Options())]


def widths(graph: Graph) -> list[int]:
    return [graph.type(node.outputs[0]).shape[-1] for node in graph.nodes]


def test_dead_channels_may_fill_up_words() -> None:
    least, filled = graphs_of(5)
    assert widths(least) == [64, 64, 59, 59, 64] and widths(filled) == [64, 64, 60, 60, 64]
    assert len(graphs_of(0)) == len(graphs_of(4)) == 1


@pytest.mark.parametrize("optimize", ["speed", "balanced"])
def test_no_graph_is_better_in_everything(optimize: str) -> None:
    graphs = graphs_of(5)
    taken, plan = choose_among(graphs, CORE, io="caller", optimize=optimize, limits=Limits())
    figures = [
        [getattr(choose(graph, CORE, optimize=optimize).choice, f) for f in FIGURES]
        for graph in graphs
    ]
    (other,) = (found for k, found in enumerate(figures) if k != taken)
    assert [getattr(plan.choice, f) for f in FIGURES] == figures[taken]
    assert any(a < b for a, b in zip(figures[taken], other, strict=True)) or figures[taken] == other


def test_what_no_graph_can_keep_to_is_refused() -> None:
    with pytest.raises(TargetError):
        choose_among(graphs_of(5), CORE, io="caller", optimize="speed", limits=Limits(ram=100))
