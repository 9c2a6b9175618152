"""`QuantizeRule.windows`: products of the rows it gives with the weights are the node's own sums."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ops import op_of, table
from tinycc_ml.ops.base import Case, Op, Site
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.quant.grids import as_rows
from tinycc_ml.reference.run import run

from ..texts import random_inputs
from .case_models import model_of

# Recurrent ops have weights on their inputs and on their states, and sums of both
WITH_WINDOWS = [op for op in table().values() if op.quantize and len(op.quantize.weights) == 1]
CASES = [(op, case) for op in WITH_WINDOWS for case in op.cases]


def test_every_op_with_one_operand_of_weights_says_how_they_meet_its_input() -> None:
    assert WITH_WINDOWS
    assert all(op.quantize and op.quantize.windows for op in WITH_WINDOWS)


@pytest.mark.parametrize(("op", "case"), CASES, ids=lambda v: v.name)
def test_rows_times_weights_are_the_sums(op: Op, case: Case) -> None:
    graph = run_passes(load(model_of(case)), FLOAT)
    values = run(graph, random_inputs(graph))
    nodes = [n for n in graph.nodes if op_of(n) is op]
    for node in nodes:
        site, rule = Site.of(graph, node), op.quantize
        assert rule and rule.windows
        ((index, axis),) = rule.weights.items()
        met = rule.windows(site, values[node.inputs[0]])
        weights = as_rows(site.const(index), axis)
        by_group = weights.reshape(len(met), -1, weights.shape[1])
        sums = np.einsum("grk,gok->rgo", met, by_group).reshape(-1, len(weights))
        bias = site.const(2) if len(site.inputs) > 2 else 0.0
        # float32 sums in another order
        np.testing.assert_allclose(
            sums + bias, values[node.outputs[0]].reshape(sums.shape), rtol=1e-4, atol=1e-4
        )
