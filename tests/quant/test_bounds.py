"""Bounds of float nets: no value ever leaves them, and sums of products reach them."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops.base import Case, Op
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.quant.bounds import bounds
from tinycc_ml.reference.run import run

from ..models import NETS
from ..ops.case_models import all_cases, inputs_of, model_of
from ..texts import graph

# Sums in float32 are not those of the bound
_ROUNDING = 1e-4


def _stay(made: Graph, low: float, high: float, runs: list[dict[str, np.ndarray]]) -> None:
    known = bounds(made, dict.fromkeys(made.inputs, (low, high)))
    for given in runs:
        values = run(made, given)
        for name, bound in known.items():
            slack = _ROUNDING * (1 + np.abs(values[name]))
            within = (values[name] >= bound.low - slack) & (values[name] <= bound.high + slack)
            assert (within | np.isnan(values[name])).all(), name


def _extremes(made: Graph, low: float, high: float, count: int) -> list[dict[str, np.ndarray]]:
    """Inputs of which every value is at an end: sums come near their bounds."""
    rng = np.random.default_rng(1)
    return [
        {n: rng.choice([low, high], made.type(n).shape).astype(np.float32) for n in made.inputs}
        for _ in range(count)
    ]


@pytest.mark.parametrize("name", NETS)
def test_no_value_of_a_net_leaves_its_bounds(name: str) -> None:
    made = run_passes(load(NETS[name]()), FLOAT)
    _stay(made, -2.0, 3.0, _extremes(made, -2.0, 3.0, 20))


@pytest.mark.parametrize(("op", "case"), all_cases(integer=True))
def test_no_value_of_an_operator_leaves_its_bounds(op: Op, case: Case) -> None:
    made = run_passes(load(model_of(case)), FLOAT)
    if any(made.type(name).dtype.is_real for name in made.inputs):
        _stay(made, case.low, case.high, inputs_of(case, 3))


def test_sums_of_products_reach_their_bounds() -> None:
    w = np.random.default_rng(2).standard_normal((3, 8)).astype(np.float32)
    made = graph(
        "input x: f32[1,8]\nconstant w: f32[3,8]\ny: f32[1,3] = dense(x, w)\noutput y", w=w
    )
    found = bounds(made, {"x": (-1.0, 3.0)})["y"]
    most = np.where(w > 0, 3 * w, -w).sum(axis=1)
    least = np.where(w > 0, -w, 3 * w).sum(axis=1)
    np.testing.assert_allclose(found.high[0], most, rtol=1e-6)
    np.testing.assert_allclose(found.low[0], least, rtol=1e-6)


def test_padding_counts_as_zero_and_clamps_cut() -> None:
    w = np.ones((1, 3, 3, 1), np.float32)
    made = graph(
        "input x: f32[1,2,2,1]\nconstant w: f32[1,3,3,1]\n"
        "y: f32[1,2,2,1] = conv2d(x, w) dilations=[1,1] groups=1 max=5.5 pads=[1,1,1,1] strides=[1,1]\noutput y",
        w=w,
    )
    assert bounds(made, {"x": (1.0, 2.0)})["y"].ends == (4.0, 5.5)


def test_functions_with_a_fixed_range_keep_it_and_poles_have_none() -> None:
    made = graph(
        "input x: f32[1,4]\ns: f32[1,4] = sigmoid(x)\nr: f32[1,4] = reciprocal(x)\noutput s\noutput r"
    )
    found = bounds(made, {"x": (-1.0, 1.0)})
    assert found["s"].ends == (0.0, 1.0)
    assert found["r"].ends == (-np.inf, np.inf)
