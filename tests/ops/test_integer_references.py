"""The integer reference of every op against its float reference on the same quantised values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph, Node
from tinycc_ml.ir.types import Quant
from tinycc_ml.ops.base import Case, Op
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.accumulators import accumulator_bounds
from tinycc_ml.quant.calibrate import calibrate
from tinycc_ml.quant.quantize import quantize
from tinycc_ml.quant.ranges import Ranges
from tinycc_ml.reference.run import run

from .case_models import all_cases, inputs_of, model_of

# In steps of the result: half a step of rounding, and what multipliers and tables are off
OF_ONE_NODE = 0.52


def quantised(case: Case, inputs: list[dict[str, np.ndarray]]) -> tuple[Graph, Graph]:
    """A case's graph with quantize and dequantize around float ops, and the integer graph made of it."""
    graph = run_passes(load(model_of(case)), FLOAT)
    samples = {name: np.stack([sample[name] for sample in inputs]) for name in inputs[0]}
    observed, _ = calibrate(graph, samples)
    marked = quantize(graph, observed, Ranges("min-max"))
    return marked, run_passes(marked, integer_passes(io_type="float"))


@pytest.mark.parametrize(("op", "case"), all_cases(integer=True))
def test_integer_reference_is_the_float_reference_rounded(op: Op, case: Case) -> None:
    inputs = inputs_of(case, 4)
    marked, integer = quantised(case, inputs)
    if not marked.nodes or marked.outputs[0] in marked.inputs:
        return  # an operator that does nothing
    accumulator_bounds(integer)
    assert all(
        n.op == "quantize" or not integer.type(n.inputs[0]).dtype.is_float for n in integer.nodes
    )
    depth = sum(
        n.op not in ("quantize", "dequantize", "reshape", "transpose") for n in integer.nodes
    )
    for sample in inputs:
        want, got = run(marked, sample), run(integer, sample)
        for name in integer.outputs:
            off = (
                np.abs(got[name] - _unrounded(marked, name, want)) / _quant_of(marked, name).scale0
            )
            assert off.max(initial=0) <= (
                OF_ONE_NODE + max(depth - 1, 0) + _rounded_before(marked, name) + case.off
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
    low, high = ((q - quant.zero) * quant.scale0 for q in (-128, 127))
    return np.clip(values[_quantize_before(graph, output).inputs[0]], low, high).reshape(
        values[output].shape
    )
