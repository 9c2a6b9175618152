"""QLinear operators against ONNX Runtime, which rounds some of them in float: one step apart at most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tinycc_ml.errors import TinymlError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.reference.run import run

SCALE = np.float32(0.03)
Y_SCALE = np.float32(0.05)


def _model(
    op_type: str,
    x: tuple[int, ...],
    operands: list[Any],
    attrs: Mapping[str, Any],
    domain: str,
    unsigned: bool,
) -> onnx.ModelProto:
    """x -> QuantizeLinear -> op -> DequantizeLinear. In `operands` "x", "xs", "xz", "ys", "yz" are names, an array
    is a constant, "" is absent."""
    kind = np.uint8 if unsigned else np.int8
    constants = {"xs": SCALE, "xz": kind(3), "ys": Y_SCALE, "yz": kind(120 if unsigned else -8)}
    names = []
    for k, operand in enumerate(operands):
        if not isinstance(operand, str):
            constants[f"c{k}"] = operand
        names.append(operand if isinstance(operand, str) else f"c{k}")
    nodes = [
        helper.make_node("QuantizeLinear", ["in", "xs", "xz"], ["x"]),
        helper.make_node(op_type, names, ["y"], domain=domain, **attrs),
        helper.make_node("DequantizeLinear", ["y", "ys", "yz"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        op_type,
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, x)],
        [helper.make_empty_tensor_value_info("out")],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(-127, 128, shape).astype(np.int8)


def _scales(count: int) -> np.ndarray:
    return np.linspace(0.002, 0.004, count).astype(np.float32)


_X = ["x", "xs", "xz"]
_Y = ["ys", "yz"]
_BIAS = np.arange(-400, 400, 200).astype(np.int32)
_ONE = np.float32(0.004)
_MS = "com.microsoft"
CASES = {
    "conv": ("QLinearConv", (1, 3, 5, 6), [*_X, _weights(4, 3, 3, 3), _scales(4), np.zeros(4, np.int8), *_Y, _BIAS], {"pads": [1, 1, 1, 1]}, ""),
    "conv_one_scale": ("QLinearConv", (1, 3, 5, 6), [*_X, _weights(4, 3, 1, 1), _ONE, np.int8(0), *_Y], {}, ""),
    "depthwise": ("QLinearConv", (1, 4, 5, 6), [*_X, _weights(4, 1, 3, 3), _scales(4), np.zeros(4, np.int8), *_Y, _BIAS], {"group": 4}, ""),
    "matmul": ("QLinearMatMul", (2, 7), [*_X, _weights(7, 4), _ONE, np.int8(0), *_Y], {}, ""),
    "matmul_columns": ("QLinearMatMul", (2, 7), [*_X, _weights(7, 4), _scales(4), np.zeros(4, np.int8), *_Y], {}, ""),
    "gemm": ("QGemm", (2, 7), [*_X, _weights(4, 7), _scales(4), np.zeros(4, np.int8), _BIAS, *_Y], {"transB": 1}, _MS),
    "add": ("QLinearAdd", (2, 7), [*_X, *_X, *_Y], {}, _MS),
    "add_constant": ("QLinearAdd", (2, 7), [*_X, _weights(7), np.float32(0.02), np.int8(1), *_Y], {}, _MS),
    "mul": ("QLinearMul", (2, 7), [*_X, _weights(2, 7), _ONE, np.int8(0), *_Y], {}, _MS),
    "sigmoid": ("QLinearSigmoid", (3, 5), [*_X, *_Y], {}, _MS),
    "leaky_relu": ("QLinearLeakyRelu", (3, 5), [*_X, *_Y], {"alpha": 0.3}, _MS),
    "average_pool": ("QLinearAveragePool", (1, 2, 6, 6), [*_X, *_Y], {"kernel_shape": [3, 2], "strides": [2, 2]}, _MS),
    "global_average_pool": ("QLinearGlobalAveragePool", (1, 4, 3, 5), [*_X, *_Y], {}, _MS),
    "global_average_pool_last": ("QLinearGlobalAveragePool", (1, 3, 5, 4), [*_X, *_Y], {"channels_last": 1}, _MS),
    "concat": ("QLinearConcat", (2, 4), [*_Y, *_X, _weights(2, 3), np.float32(0.02), np.int8(1)], {"axis": 1}, _MS),
    "softmax": ("QLinearSoftmax", (3, 8), [*_X, *_Y], {"axis": -1, "opset": 13}, _MS),
}  # fmt: skip


def _expected(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, ["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"in": x})[0])


@pytest.mark.parametrize("unsigned", [False, True], ids=["i8", "u8"])
@pytest.mark.parametrize("name", CASES)
def test_qlinear_operator_is_within_a_step_of_onnx_runtime(name: str, unsigned: bool) -> None:
    op_type, shape, operands, attrs, domain = CASES[name]
    weights_are_activations = name in ("add_constant", "mul", "concat")
    if unsigned and weights_are_activations:
        operands = [(o.astype(np.int16) + 128).astype(np.uint8) if isinstance(o, (np.ndarray, np.int8)) and o.dtype == np.int8 else o for o in operands]  # fmt: skip
    model = _model(op_type, shape, operands, attrs, domain, unsigned)
    x = np.random.default_rng(1).uniform(-2, 2, shape).astype(np.float32)
    graph = run_passes(load(model), (*FLOAT, *integer_passes(io_type="float")))
    (got,) = (run(graph, {"in": x})[n] for n in graph.outputs)
    steps = np.abs(got - _expected(model, x)) / Y_SCALE
    assert steps.max() < 1.01
    floats = [n.op for n in graph.nodes if graph.type(n.outputs[0]).dtype.is_float]
    assert floats == ["dequantize"]


def test_wrong_number_of_scales_is_refused_by_name() -> None:
    operands = [*_X, _weights(4, 3, 1, 1), _scales(3), np.zeros(3, np.int8), *_Y, _BIAS]
    with pytest.raises(TinymlError, match="scales"):
        load(_model("QLinearConv", (1, 3, 5, 6), operands, {}, "", False))
