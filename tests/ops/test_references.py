"""The float reference of every op against ONNX Runtime, on the op's own cases."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ops import verify
from tinycc_ml.ops.base import Case, Op
from tinycc_ml.reference.run import run

from .case_models import all_cases, expected, inputs_of, model_of

# Sums in another order and other exp, tanh, ...: a few units of the last place of the largest term
BOUND = 3e-6


@pytest.mark.parametrize(("op", "case"), all_cases())
def test_reference_gives_what_onnx_runtime_gives(op: Op, case: Case) -> None:
    graph = load(model_of(case))
    verify(graph)
    (inputs,) = inputs_of(case)
    values = run(graph, inputs)
    for name, want in zip(graph.outputs, expected(case, inputs), strict=True):
        got = values[name]
        assert got.shape == want.shape
        if want.dtype.kind in "iu":
            np.testing.assert_array_equal(got, want)
            continue
        peak = max(float(np.abs(want).max(initial=0)), 1.0)
        np.testing.assert_allclose(got, want, rtol=0, atol=BOUND * peak * _terms(case))


def _terms(case: Case) -> float:
    """Sums lose with the root of their length."""
    largest = max([int(np.prod(e)) for e in case.inputs if isinstance(e, tuple)], default=1)
    return max(1.0, largest**0.5 / 4)
