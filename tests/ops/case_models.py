"""A Case of the op table as a one-node ONNX model, its inputs, and what another runtime makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tinycc_ml.ops import table
from tinycc_ml.ops.base import Case, Const

# Opset of com.microsoft operators
MICROSOFT = 1


def all_cases(integer: bool | None = None) -> list[object]:
    """pytest parameters (op, case) for every case of every op; `integer`: only those to be quantised."""
    found = []
    for op in table().values():
        for case in op.cases:
            if integer is None or case.integer:
                found.append(pytest.param(op, case, id=f"{op.name}-{case.name}"))
    return found


def rng_of(case: Case) -> np.random.Generator:
    return np.random.default_rng(crc32(f"{case.op_type} {case.name}".encode()))


def constants_of(case: Case) -> dict[str, np.ndarray]:
    rng = rng_of(case)
    found = {}
    for k, entry in enumerate(case.inputs):
        if isinstance(entry, Const):
            value = rng.standard_normal(entry.shape) if entry.value is None else entry.value
            found[f"c{k}"] = np.asarray(value, entry.dtype)
    return found


def run_time_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    return {f"x{k}": entry for k, entry in enumerate(case.inputs) if isinstance(entry, tuple)}


def inputs_of(case: Case, count: int = 1) -> list[dict[str, np.ndarray]]:
    """`count` sets of values in the case's range; both ends occur."""
    rng = np.random.default_rng(rng_of(case).integers(1 << 30))
    return [
        {n: _values(rng, s, case) for n, s in run_time_shapes(case).items()} for _ in range(count)
    ]


def _values(rng: np.random.Generator, shape: tuple[int, ...], case: Case) -> np.ndarray:
    values = rng.uniform(case.low, case.high, shape).astype(np.float32)
    ends = values.reshape(-1)
    if ends.size >= 2:
        ends[[0, -1]] = case.low, case.high
    return values


def model_of(case: Case) -> onnx.ModelProto:
    constants, shapes = constants_of(case), run_time_shapes(case)
    names = [
        "" if entry is None else f"c{k}" if isinstance(entry, Const) else f"x{k}"
        for k, entry in enumerate(case.inputs)
    ]
    outputs = [f"y{k}" for k in range(case.outputs)]
    node = helper.make_node(case.op_type, names, outputs, "node", domain=case.domain, **case.attrs)
    graph = helper.make_graph(
        [node],
        case.name,
        [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in shapes.items()],
        [helper.make_empty_tensor_value_info(n) for n in outputs],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )
    opsets = [helper.make_opsetid("", case.opset)]
    if case.domain:
        opsets.append(helper.make_opsetid(case.domain, MICROSOFT))
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def expected(case: Case, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """What ONNX Runtime makes of a case; onnx's own reference where that has no such kernel."""
    model = model_of(case)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"]
        )
    except Exception:  # its errors are no public types
        return [np.asarray(a) for a in ReferenceEvaluator(model).run(None, dict(inputs))]
    return [np.asarray(a) for a in session.run(None, dict(inputs))]
