"""The integer reference of every op against its float reference on the same quantised values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tinycc_ml.errors import UnsupportedError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph, Node
from tinycc_ml.ir.types import Quant
from tinycc_ml.ops import table
from tinycc_ml.ops.base import Case, Op
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.accumulators import accumulator_bounds
from tinycc_ml.quant.calibrate import calibrate
from tinycc_ml.quant.quantize import quantize
from tinycc_ml.quant.ranges import Ranges
from tinycc_ml.quant.scheme import SCHEMES, Assignment
from tinycc_ml.reference.run import run

from .case_models import all_cases, inputs_of, model_of

# In steps of the result: half a step of rounding, and what multipliers and tables are off
OF_ONE_NODE = 0.52
WITHOUT_INT16 = {name for name, op in table().items() if op.quantize and op.quantize.int8_only}
# What becomes a table of 256 entries, or a division by one, at least in some cases
TABLES_OF_INT8 = ("Cast", "Div", "LRN", "LpNormalization", "Mod")


# int16 is 256 times as fine. What is off there: straight lines between entries of a table, weights of 1/2048 on
# two axes, terms of 2^-15, a constant matrix of 16 bits
OFF_INT16 = {
    "lut": 300.0,
    "resize_linear": 33.0,
    "softmax": 4.0,
    "log_softmax": 4.0,
    "reduce_log_sum_exp": 4.0,
    "matmul": 1.0,
}
# Steep or infinite near an end of their range, so that straight lines say little there
STEEP = ("acos", "asin", "acosh", "reciprocal", "tan", "div_scalar_left")


def quantised(
    case: Case, inputs: list[dict[str, np.ndarray]], scheme: str = "int8"
) -> tuple[Graph, Graph]:
    """A case's graph with quantize and dequantize around float ops, and the integer graph made of it."""
    graph = run_passes(load(model_of(case)), FLOAT)
    samples = {name: np.stack([sample[name] for sample in inputs]) for name in inputs[0]}
    observed, _ = calibrate(graph, samples)
    marked = quantize(graph, observed, Ranges("min-max"), Assignment(SCHEMES[scheme]))
    return marked, run_passes(marked, integer_passes(io_type="float"))


def has_form(case: Case, scheme: str) -> bool:
    """Whether the case has an integer form on the activations of this scheme."""
    if scheme == "int8":
        return True
    try:
        integer = quantised(case, inputs_of(case, 1), scheme)[1]
    except UnsupportedError as error:
        assert "int16" in str(error)
        return False
    return not _floats(integer)  # at an end of the net floats may stay


def _floats(integer: Graph) -> list[Node]:
    """Nodes that read floats."""
    return [
        n for n in integer.nodes
        if n.op != "quantize" and integer.type(n.inputs[0]).dtype.is_float
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["int8", "int16x8", "int16x16"])
@pytest.mark.parametrize(("op", "case"), all_cases(integer=True))
def test_integer_reference_is_the_float_reference_rounded(op: Op, case: Case, scheme: str) -> None:
    if not has_form(case, scheme):
        assert op.name in WITHOUT_INT16 or case.op_type in TABLES_OF_INT8
        return
    inputs = inputs_of(case, 4)
    marked, integer = quantised(case, inputs, scheme)
    if not marked.nodes or marked.outputs[0] in marked.inputs:
        return  # an operator that does nothing
    accumulator_bounds(integer)
    assert not _floats(integer)
    depth = sum(
        n.op not in ("quantize", "dequantize", "reshape", "transpose") for n in integer.nodes
    )
    for sample in inputs:
        want, got = run(marked, sample), run(integer, sample)
        for name in integer.outputs:
            if not marked.type(name).dtype.is_real:  # places in the order of values
                np.testing.assert_array_equal(got[name], want[name])
                continue
            off = (
                np.abs(got[name] - _unrounded(marked, name, want)) / _quant_of(marked, name).scale0
            )
            if scheme != "int8" and case.name in STEEP:
                continue
            more = sum(OFF_INT16.get(n.op, 0.0) for n in integer.nodes) if scheme != "int8" else 0
            assert off.max(initial=0) <= (
                more + OF_ONE_NODE + max(depth - 1, 0) + _rounded_before(marked, name) + case.off
            )


def _quantize_before(graph: Graph, output: str) -> Node:
    """The quantize node behind a float output."""
    maker = graph.producers[output]
    while maker.op != "quantize":
        maker = graph.producers[maker.inputs[0]]
    return maker


def _rounded_before(graph: Graph, output: str) -> float:
    """Half a step when the values before the last quantize have been rounded by another one."""
    maker = graph.producers[_quantize_before(graph, output).inputs[0]]
    return 0.5 if maker.op in ("reshape", "transpose") else 0.0


def _quant_of(graph: Graph, output: str) -> Quant:
    quant = graph.type(_quantize_before(graph, output).outputs[0]).quant
    assert quant is not None
    return quant


def _unrounded(graph: Graph, output: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The float result before it is rounded, saturated as the integers are."""
    quant = _quant_of(graph, output)
    limits = graph.type(_quantize_before(graph, output).outputs[0]).dtype.range
    low, high = ((q - quant.zero) * quant.scale0 for q in limits)
    return np.clip(values[_quantize_before(graph, output).inputs[0]], low, high).reshape(
        values[output].shape
    )
