"""The explanation: figures that can be had another way, and the node that is made bad on purpose is named."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import integer_passes
from tinycc_ml.quant.choose import Accuracy, quantize_with_best
from tinycc_ml.quant.explain import Explanation
from tinycc_ml.quant.methods import Methods

from ..texts import graph, random_inputs

PLAIN = Methods("min-max", "nearest", bias_correction=False, equalize=False)
NET = """
input x: f32[1,16]
constant w: f32[16,16] = seed 1
constant v: f32[16,16]
constant u: f32[4,16] = seed 3
h: f32[1,16] = dense(x, w)
k: f32[1,16] = dense(h, v)
y: f32[1,4] = dense(k, u)
output y
"""


def _net(loud: float = 1.0) -> Graph:
    """One channel of k is `loud`: the last layer hardly hears it, but it takes the range."""
    v = np.random.default_rng(2).standard_normal((16, 16)).astype(np.float32)
    v[0] *= loud
    u = np.random.default_rng(3).standard_normal((4, 16)).astype(np.float32)
    u[:, 0] /= loud**2
    return graph(NET.replace("u: f32[4,16] = seed 3", "u: f32[4,16]"), v=v, u=u)


def _accuracy(made: Graph, count: int = 50) -> Accuracy:
    runs = [random_inputs(made, seed) for seed in range(count)]
    samples = {"x": np.stack([r["x"] for r in runs])}
    return quantize_with_best(
        made, samples, integer_passes(), fixed={}, methods=PLAIN, explained=True
    ).accuracy


def _explained(made: Graph) -> Explanation:
    found = _accuracy(made).explanation
    assert found is not None
    return found


def test_the_node_with_a_loud_channel_is_the_worst() -> None:
    found = _explained(_net(loud=60.0))
    assert found.worst == "k" and found.advice.startswith("'k' (dense) alone makes")
    assert "levels for most of it" in found.advice and "--equalize" in found.advice
    by_name = {n.node: n for n in found.nodes}
    assert by_name["k"].alone_db < by_name["h"].alone_db - 10


def test_every_node_is_there_with_its_figures() -> None:
    made = _net()
    found = _explained(made)
    assert [n.node for n in found.nodes] == ["h", "k", "y"]
    assert all(20 < n.sqnr_db < 60 and n.alone_db > n.sqnr_db - 6 for n in found.nodes)
    assert all(0 < n.levels <= 256 and n.cut_off == 0 for n in found.nodes)
    for n, name in zip(found.nodes, "wvu", strict=True):
        weights = made.tensors[name].value
        assert n.weights is not None and sum(n.weights.counts) == weights.size
        assert (n.weights.low, n.weights.high) == (weights.min(), weights.max())


def test_the_error_of_the_last_node_is_that_of_the_net_on_the_samples_looked_at() -> None:
    made = _net()
    runs = [random_inputs(made, seed)["x"] for seed in range(8)]
    found = quantize_with_best(
        made, {"x": np.stack(runs)}, integer_passes(), fixed={}, methods=PLAIN, explained=True
    ).accuracy
    assert found.explanation is not None
    # the simulation may round a value to the neighbouring integer
    assert found.explanation.nodes[-1].sqnr_db == pytest.approx(found.sqnr_db["y"], abs=0.3)


def test_it_is_left_out_unless_asked_for() -> None:
    made = _net()
    samples = {"x": np.stack([random_inputs(made, seed)["x"] for seed in range(4)])}
    found = quantize_with_best(made, samples, integer_passes(), fixed={}, methods=PLAIN)
    assert found.accuracy.explanation is None
