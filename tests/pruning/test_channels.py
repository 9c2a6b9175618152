"""Structured pruning: a smaller dense net, that computes what the larger one does without those channels."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops import verify
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.passes.remove_dead_work import work_of
from tinycc_ml.pruning.channels import coupled_channels
from tinycc_ml.pruning.layers import with_constants
from tinycc_ml.pruning.prune import Pruning, prune
from tinycc_ml.reference.run import outputs

from ..models import NETS
from ..texts import graph

CHAIN = """
    input x: f32[1,5,5,3]
    constant a: f32[4,3,3,3] = seed 1
    constant ab: f32[4] = seed 2
    constant d: f32[3,3,4] = seed 3
    constant db: f32[4] = seed 4
    constant b: f32[2,1,1,4] = seed 5
    constant bb: f32[2] = seed 6
    h: f32[1,5,5,4] = conv2d(x, a, ab) dilations=[1,1] groups=1 pads=[1,1,1,1] strides=[1,1]
    g: f32[1,5,5,4] = depthwise_conv2d(h, d, db) dilations=[1,1] pads=[1,1,1,1] strides=[1,1]
    y: f32[1,5,5,2] = conv2d(g, b, bb) dilations=[1,1] groups=1 pads=[0,0,0,0] strides=[1,1]
    output y
"""


def test_depthwise_ties_its_channels_and_the_ends_stay() -> None:
    groups = coupled_channels(graph(CHAIN))
    assert [g.members for g in groups] == [(("h", c), ("g", c)) for c in range(4)]


def test_a_residual_ties_both_its_sides() -> None:
    made = run_passes(load(NETS["residual"]()), FLOAT)
    tied = [g.tensors for g in coupled_channels(made)]
    adds = [n for n in made.nodes if n.op == "add"]
    assert adds
    for node in adds:
        sides = {n for n in node.inputs if not made.tensors[n].is_constant}
        assert all(sides <= tensors for tensors in tied if sides & tensors)


def test_the_smaller_net_is_the_larger_one_without_those_channels() -> None:
    whole = graph(CHAIN)
    small, report = prune(whole, Pruning(0.5, pattern="channels"))
    assert small.type("h").shape == small.type("g").shape == (1, 5, 5, 2)
    gone = list(report[0].channels)
    assert len(gone) == 2 and report[0].channels_gone == 2
    assert [p.channels for p in report] == [tuple(gone), tuple(gone), ()]
    weights = whole.tensors["b"].value.copy()
    weights[..., gone] = 0
    x = np.random.default_rng(1).standard_normal((1, 5, 5, 3)).astype(np.float32)
    wanted = outputs(with_constants(whole, {"b": weights}), {"x": x})["y"]
    np.testing.assert_allclose(outputs(small, {"x": x})["y"], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scope", ["tensor", "global"])
@pytest.mark.parametrize("name", NETS)
def test_every_net_is_smaller_and_keeps_its_ends(name: str, scope: str) -> None:
    made = run_passes(load(NETS[name]()), FLOAT)
    small, report = prune(made, Pruning(0.5, scope, pattern="channels"))
    verify(small)
    for end in (*made.inputs, *made.outputs):
        assert small.type(end) == made.type(end)
    if coupled_channels(made):
        assert work_of(small).weights <= work_of(made).weights
        assert sum(p.channels_gone for p in report) > 0


def test_fitting_anew_brings_the_results_nearer() -> None:
    made = run_passes(load(NETS["residual"]()), FLOAT)
    rng = np.random.default_rng(2)
    samples = {
        n: rng.standard_normal((24, *made.type(n).shape)).astype(np.float32) for n in made.inputs
    }
    error = {}
    for method in ("wanda", "reconstruct"):
        small, _ = prune(made, Pruning(0.4, method=method, pattern="channels"), samples)
        error[method] = sum(
            _distance(made, small, {n: a[k] for n, a in samples.items()}) for k in range(8)
        )
    assert error["reconstruct"] < 0.7 * error["wanda"]


def _distance(a: Graph, b: Graph, x: dict[str, np.ndarray]) -> float:
    real, made = outputs(a, x), outputs(b, x)
    return sum(float(((real[n] - made[n]) ** 2).sum()) for n in real)


def test_magnitude_looks_at_weights_alone() -> None:
    made = run_passes(load(NETS["residual"]()), FLOAT)
    zeros = {n: np.zeros((2, *made.type(n).shape), np.float32) for n in made.inputs}
    asked = Pruning(0.4, method="magnitude", pattern="channels")
    assert prune(made, asked, zeros) == prune(made, asked)
