"""float16 and bfloat16 models: stored in 16 bits, computed in float32, each result rounded."""

from __future__ import annotations

import ctypes
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tinycc_ml import backend
from tinycc_ml.compiler import Options
from tinycc_ml.compiler import compile as compile_model
from tinycc_ml.errors import ModelError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.parse import parse_graph
from tinycc_ml.ir.text import canonical_text
from tinycc_ml.ir.types import BF16, F16, F32, TensorType
from tinycc_ml.ops import infer
from tinycc_ml.toolchain.host import build_library

from ..models import node

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def _model(
    nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], code: int = TensorProto.FLOAT16
) -> onnx.ModelProto:
    x = helper.make_tensor_value_info("x", code, [4])
    made = [helper.make_empty_tensor_value_info("y")]
    held = [onnx.numpy_helper.from_array(a, name) for name, a in constants.items()]
    graph = helper.make_graph(nodes, "net", [x], made, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def _ops(graph: Graph) -> list[str]:
    return [n.op for n in graph.nodes]


K = np.float16([0.1, 0.2, 0.3, 0.4])
CHAIN = [node("Mul", "x k", "m"), node("Add", "m k", "y")]


def test_each_operator_computes_in_float32_and_its_result_is_rounded() -> None:
    graph = load(_model(CHAIN, {"k": K}))
    assert _ops(graph) == ["cast", "mul", "cast", "cast", "add", "cast"]
    assert [graph.type(name).dtype for name in (*graph.inputs, "m", *graph.outputs)] == [F16] * 3


@pytest.mark.parametrize("kind", [np.dtype(np.float16), BFLOAT16], ids=str)
def test_c_rounds_where_numpy_does(kind: np.dtype) -> None:
    code = helper.np_dtype_to_tensor_dtype(kind)
    k, x = K.astype(kind), np.asarray([1.7, -2.3, 1e-6, 300], np.float32).astype(kind)
    (y,) = backend.prepare(_model(CHAIN, {"k": k}, code)).run([x])
    np.testing.assert_array_equal(y, x * k + k)
    assert y.dtype == kind


def test_what_only_moves_stays_16_bits() -> None:
    shape = np.int64([2, 2])
    nodes = [node("Reshape", "x s", "r"), node("Transpose", "r", "t"), node("Identity", "t", "y")]
    graph = load(_model(nodes, {"s": shape}))
    assert "cast" not in _ops(graph)
    (y,) = backend.prepare(_model(nodes, {"s": shape})).run([K])
    np.testing.assert_array_equal(y, K.reshape(2, 2).T)


def test_results_of_other_types_are_not_rounded() -> None:
    graph = load(_model([node("Less", "x k", "y")], {"k": K}))
    assert graph.type("y").dtype.name == "bool"


def test_an_operand_is_widened_once() -> None:
    graph = load(_model([node("Neg", "x", "a"), node("Mul", "x a", "y")], {}))
    assert len([n for n in graph.nodes if n.op == "cast" and n.inputs == ("x",)]) == 1


def test_ops_without_a_form_on_16_bits_say_so() -> None:
    with pytest.raises(ModelError, match=r"add of f16\[2\], f16\[2\] .* cast it to f32"):
        infer("add", [TensorType((2,), F16)] * 2, {})
    assert infer("cast", [TensorType((2,), BF16)], {"dtype": "f32"})[0].dtype == F32


def test_the_text_of_a_graph_holds_them() -> None:
    graph = load(_model([node("Identity", "k", "y")], {"k": K}))
    assert "f16[4] = [" in canonical_text(graph)
    assert parse_graph(canonical_text(graph)) == graph


@pytest.mark.parametrize("single", [False, True], ids=["folder", "single_file"])
@pytest.mark.parametrize("nodes", [CHAIN, [node("Identity", "x", "y")]], ids=["chain", "copy"])
def test_the_self_test_builds_and_passes(
    nodes: list[onnx.NodeProto], single: bool, tmp_path: Path
) -> None:
    options = Options(name="net", io_type="float", allow_float=True, single_file=single)
    compiled = compile_model(load(_model(nodes, {"k": K})), "host", options=options)
    for path, text in compiled.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    sources = [tmp_path / path for path in compiled.files if path.endswith(".c")]
    library = build_library(
        sources, include_dirs=(tmp_path,), cflags=("-Wall", "-Werror"), workdir=tmp_path
    )
    assert ctypes.CDLL(str(library)).net_selftest() == 0
