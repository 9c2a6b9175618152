"""prune: the smallest weights become zero, and what is reported is what happened."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.errors import DataError, ModelError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.pruning.prune import Pruned, Pruning, prune

from ..models import residual
from ..texts import graph

NET = """
    input x: f32[1,4]
    constant small: f32[2,4] = [0.1, -0.2, 0.3, 0.4, -0.5, 0.6, 0.7, 0.0]
    constant large: f32[2,2] = [1, -2, 3, 4]
    constant b: f32[2] = [0.01, 0.02]
    h: f32[1,2] = dense(x, small, b)
    y: f32[1,2] = dense(h, large, b)
    output y
"""


def _values(made: Graph, name: str) -> list[float]:
    return [round(float(v), 6) for v in made.tensors[name].value.ravel()]


def test_every_tensor_loses_its_smallest_part() -> None:
    after, report = prune(graph(NET), Pruning(0.5, "tensor"))
    assert _values(after, "small") == [0, 0, 0, 0.4, -0.5, 0.6, 0.7, 0]
    assert _values(after, "large") == [0, 0, 3, 4]
    assert report == (
        Pruned("h", "small", 8, zeros_before=1, zeros_after=4, channels_gone=0),
        Pruned("y", "large", 4, zeros_before=0, zeros_after=2, channels_gone=1),
    )


def test_one_threshold_for_all_weights() -> None:
    after, report = prune(graph(NET), Pruning(0.5, "global"))
    assert _values(after, "small") == [0, 0, 0, 0, 0, 0.6, 0.7, 0]
    assert _values(after, "large") == [1, -2, 3, 4]
    assert [(p.zeros_after, p.channels_gone) for p in report] == [(6, 1), (0, 0)]


def test_biases_are_left_alone() -> None:
    after, _ = prune(graph(NET), Pruning(1.0, "tensor"))
    assert _values(after, "b") == [0.01, 0.02]
    assert not after.tensors["small"].value.any()


@pytest.mark.parametrize("scope", ["tensor", "global"])
def test_nothing_pruned_is_the_same_graph(scope: str) -> None:
    after, report = prune(graph(NET), Pruning(0.0, scope))
    assert after == graph(NET)
    assert all(p.zeros_before == p.zeros_after for p in report)


def test_equal_weights_are_taken_from_the_front() -> None:
    lines = "input x: f32[1,4]\nconstant w: f32[1,4] = [1, -1, 1, 1]\ny: f32[1,1] = dense(x, w)\noutput y"
    after, _ = prune(graph(lines), Pruning(0.5, "tensor"))
    assert _values(after, "w") == [0, 0, 1, 1]


def test_weights_that_two_nodes_share_are_pruned_and_told_once() -> None:
    lines = """
        input x: f32[1,2]
        constant w: f32[2,2] = [1, 2, 3, 4]
        h: f32[1,2] = dense(x, w)
        y: f32[1,2] = dense(h, w)
        output y"""
    after, report = prune(graph(lines), Pruning(0.5, "tensor"))
    assert _values(after, "w") == [0, 0, 3, 4]
    assert [p.node for p in report] == ["h"]


def test_convolutions_are_pruned_too() -> None:
    before = run_passes(load(residual()), FLOAT)
    after, report = prune(before, Pruning(0.3, "global"))
    assert sorted(p.tensor for p in report) == ["w0", "w1", "w2"]
    total = sum(p.size for p in report)
    assert sum(p.zeros_after for p in report) == int(0.3 * total)
    assert [n.op for n in after.nodes] == [n.op for n in before.nodes]


def test_a_net_without_weights_has_nothing_to_prune() -> None:
    lines = "input x: f32[2]\ny: f32[2] = neg(x)\noutput y"
    for scope in ("tensor", "global"):
        assert prune(graph(lines), Pruning(0.5, scope)) == (graph(lines), ())


@pytest.mark.parametrize("ratio", [-0.1, 1.01, float("nan")])
def test_a_ratio_outside_0_to_1_is_refused(ratio: float) -> None:
    with pytest.raises(ModelError, match="from 0 to 1"):
        prune(graph(NET), Pruning(ratio, "tensor"))


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(ModelError, match="tensor or global, got 'row'"):
        prune(graph(NET), Pruning(0.5, "row"))


def test_a_model_that_comes_quantised_is_refused() -> None:
    lines = """
        input x: f32[1,2]
        constant q: i8[2,2] scale 0.5 zero 0 = [1, 2, 3, 4]
        w: f32[2,2] = dequantize(q)
        y: f32[1,2] = dense(x, w)
        output y"""
    with pytest.raises(ModelError, match="comes quantised"):
        prune(graph(lines), Pruning(0.5, "tensor"))


def test_the_result_does_not_touch_the_graph_that_was_given() -> None:
    before = graph(NET)
    prune(before, Pruning(1.0, "tensor"))
    assert np.count_nonzero(before.tensors["large"].value) == 4


@pytest.mark.parametrize("method", ["wanda", "reconstruct"])
def test_methods_that_look_at_inputs_want_samples(method: str) -> None:
    with pytest.raises(DataError, match=f"pruning by {method} looks at what the weights meet"):
        prune(graph(NET), Pruning(0.5, method=method))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ModelError, match="no pruning method 'best'"):
        prune(graph(NET), Pruning(0.5, method="best"))


def test_weights_that_meet_zeros_go_first_by_wanda() -> None:
    x = np.ones((5, 1, 4), np.float32)
    x[..., [2, 3]] = 0
    after, _ = prune(graph(NET), Pruning(0.5, method="wanda"), {"x": x})
    assert _values(after, "small") == [0.1, -0.2, 0, 0, -0.5, 0.6, 0, 0]
