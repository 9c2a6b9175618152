"""Tiny networks as ONNX files, and sample data for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUTS = 6
CLASSES = 3


def write_dense(folder: Path, name: str = "tiny", *, leading: str | int = "N") -> Path:
    """x [N, 6] -> Gemm, Relu, Gemm -> y [N, 3]."""
    rng = np.random.default_rng(1)
    constants = {
        "w0": rng.normal(0, 0.5, (INPUTS, 8)), "b0": rng.normal(0, 0.1, 8),
        "w1": rng.normal(0, 0.5, (8, CLASSES)), "b1": rng.normal(0, 0.1, CLASSES),
    }  # fmt: skip
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"], name="first"),
        helper.make_node("Relu", ["h"], ["r"], name="relu"),
        helper.make_node("Gemm", ["r", "w1", "b1"], ["y"], name="second"),
    ]
    shapes = {"x": [leading, INPUTS]}, {"y": [leading, CLASSES]}
    return _write(folder / f"{name}.onnx", nodes, *shapes, constants)


def write_two_ends(folder: Path) -> Path:
    """a [1, 6], b [1, 6] -> sum [1, 6], difference [1, 6]."""
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"], name="add"),
        helper.make_node("Sub", ["a", "b"], ["difference"], name="sub"),
    ]
    shape = [1, INPUTS]
    return _write(folder / "two.onnx", nodes, {"a": shape, "b": shape}, {"sum": shape, "difference": shape}, {})


def write_unsupported(folder: Path) -> Path:
    """Two operators that nobody serves."""
    nodes = [
        helper.make_node("NonZero", ["x"], ["n"], name="where_it_is"),
        helper.make_node("Det", ["x"], ["d"], name="volume"),
    ]
    return _write(folder / "odd.onnx", nodes, {"x": [6, 6]}, {"n": [2, 36], "d": [1]}, {})


def _write(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list],
    outputs: dict[str, list],
    constants: dict[str, np.ndarray],
) -> Path:
    ends = [
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in end.items()]
        for end in (inputs, outputs)
    ]
    arrays = [numpy_helper.from_array(a.astype(np.float32), n) for n, a in constants.items()]
    graph = helper.make_graph(nodes, path.stem, *ends, arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def dense_samples(count: int = 16) -> np.ndarray:
    """Float samples [count, 6] for write_dense."""
    return np.random.default_rng(2).uniform(-1, 1, (count, INPUTS)).astype(np.float32)


def write_samples(folder: Path, **arrays: np.ndarray) -> Path:
    """An .npz file; by default `inputs` for write_dense."""
    path = folder / "samples.npz"
    np.savez(path, **(arrays or {"inputs": dense_samples()}))  # type: ignore[arg-type]
    return path
