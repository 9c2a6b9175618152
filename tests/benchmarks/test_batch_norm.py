"""Batch norms put back: the same function, statistics that are those of real data, and int8 that is better for them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from batch_norm import with_batch_norms
from compression import Problem, problem
from ranges import on_rest, with_statistics, without_data

from tinycc_ml.quant.choose import real_outputs
from tinycc_ml.quant.draw import InputRange
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs

from ..models import run_onnx


@pytest.fixture(scope="module", params=["digits_cnn", "digits_mlp"])
def digits(request: pytest.FixtureRequest) -> Problem:
    return problem(request.param)


def test_the_function_is_the_same(digits: Problem) -> None:
    """By ONNX Runtime; 1e-5: a division and a product of float32 more in each layer."""
    proto = onnx.load(digits.path)
    made = with_batch_norms(proto, digits.inputs[: digits.first])
    assert any(node.op_type == "BatchNormalization" for node in made.graph.node)
    name = proto.graph.input[0].name
    shape = [d.dim_value or 1 for d in proto.graph.input[0].type.tensor_type.shape.dim]
    for x in digits.rest[:5]:
        want, got = (run_onnx(p, {name: x.reshape(shape)}) for p in (proto, made))
        for key, values in want.items():
            np.testing.assert_allclose(got[key], values, rtol=0, atol=1e-5)


def test_real_digits_come_out_better_with_statistics_where_the_range_is_loose(
    digits: Problem,
) -> None:
    """Pixels are 0..1; who knows no more than that they are within -4..4 gets ranges for values that never come."""
    real = on_rest(digits, outputs, digits.graph).logits
    loose = InputRange(-4.0, 4.0)
    without, with_them = (
        sqnr_db(real, on_rest(given, real_outputs, without_data(given, loose)).logits)
        for given in (digits, with_statistics(digits))
    )
    assert with_them > without + 6.0
