"""Keyword-like recurrent nets: 49 frames of 10 features, 32 units, a dense layer; int8 from float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tinycc_ml
from tinycc_ml.api import Result
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

FRAMES, FEATURES, UNITS, CLASSES = 49, 10, 32, 12
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def keyword_net(op: str, **attrs: object) -> onnx.ModelProto:
    """Weights as after training: of the size of 1 / sqrt(units)."""
    rng, rows = np.random.default_rng(3), GATES[op] * UNITS

    def weights(*shape: int, size: float = 1.0) -> np.ndarray:
        return (rng.uniform(-size, size, shape) / np.sqrt(UNITS)).astype(np.float32)

    constants = {
        "w": weights(1, rows, FEATURES, size=2), "r": weights(1, rows, UNITS), "b": weights(1, 2 * rows),
        "d": weights(UNITS, CLASSES, size=3), "e": weights(CLASSES), "first": np.array([0]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Transpose", ["x"], ["frames"], perm=[1, 0, 2]),
        helper.make_node(
            op, ["frames", "w", "r", "b"], ["all", "last"], hidden_size=UNITS, **attrs
        ),
        helper.make_node("Squeeze", ["last", "first"], ["flat"]),
        helper.make_node("Gemm", ["flat", "d", "e"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "keywords",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, FRAMES, FEATURES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, CLASSES])],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def compiled(op: str, folder: Path, target: str = "host", **attrs: object) -> Result:
    onnx.save(keyword_net(op, **attrs), folder / "net.onnx")
    samples = np.random.default_rng(4).standard_normal((16, FRAMES, FEATURES)).astype(np.float32)
    return tinycc_ml.compile(
        folder / "net.onnx", folder / "out", target=target, calibrate={"x": samples}, verify=target == "host"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("op", "attrs"), [("LSTM", {}), ("GRU", {}), ("GRU", {"linear_before_reset": 1}), ("RNN", {})]
)
def test_int8_net_is_near_the_float_net_and_exact_on_the_host(
    op: str, attrs: dict, tmp_path: Path
) -> None:
    report = compiled(op, tmp_path, **attrs).report
    assert report["verified"]
    assert all(entry["equal"] for entry in report["verified"])
    assert report["accuracy"]["sqnr_db"]["y"] > 25


def test_only_the_last_state_is_kept(tmp_path: Path) -> None:
    """Nothing reads all states, so that memory does not grow with the frames."""
    arena = compiled("LSTM", tmp_path).report["totals"]["arena_bytes"]
    assert arena < FRAMES * UNITS


@pytest.mark.emulator
@pytest.mark.parametrize("op", GATES)
def test_int8_net_is_exact_on_the_core(op: str, tmp_path: Path) -> None:
    target = load_target("cortex-m4")
    if missing_tools(target):
        pytest.skip(f"missing: {', '.join(missing_tools(target))}")
    compiled(op, tmp_path, "cortex-m4")
    verified, measured = verify_dir(tmp_path / "out", target)
    assert verified.cases
    assert measured.instructions


def test_a_quantised_model_around_a_recurrent_layer_is_refused_by_name(tmp_path: Path) -> None:
    from tinycc_ml.errors import UnsupportedError

    model = keyword_net("LSTM")
    scale = [
        numpy_helper.from_array(np.float32(1 / 32), "s"),
        numpy_helper.from_array(np.int8(0), "z"),
    ]
    model.graph.initializer.extend(scale)
    pairs = []
    for source, target in (("x", "x.dq"), ("last", "last.dq")):
        pairs.append(helper.make_node("QuantizeLinear", [source, "s", "z"], [f"{source}.q"]))
        pairs.append(helper.make_node("DequantizeLinear", [f"{source}.q", "s", "z"], [target]))
    nodes = list(model.graph.node)
    nodes[0].input[0], nodes[2].input[0] = "x.dq", "last.dq"
    del model.graph.node[:]
    model.graph.node.extend([*pairs[:2], *nodes[:2], *pairs[2:], *nodes[2:]])
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(UnsupportedError, match="lstm has no integer form here"):
        tinycc_ml.compile(tmp_path / "net.onnx", tmp_path / "out")
    result = tinycc_ml.compile(tmp_path / "net.onnx", tmp_path / "float", allow_float=True)
    assert result.report["verified"]
