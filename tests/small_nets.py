"""Tiny networks as ONNX files, and sample data for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from .models import model, node

INPUTS = 6
CLASSES = 3


def write_dense(
    folder: Path, name: str = "tiny", *, leading: str | int = "N", seed: int = 1
) -> Path:
    """x [N, 6] -> Gemm, Relu, Gemm -> y [N, 3]."""
    rng = np.random.default_rng(seed)
    constants = {
        "w0": rng.normal(0, 0.5, (INPUTS, 8)), "b0": rng.normal(0, 0.1, 8),
        "w1": rng.normal(0, 0.5, (8, CLASSES)), "b1": rng.normal(0, 0.1, CLASSES),
    }  # fmt: skip
    constants = {key: array.astype(np.float32) for key, array in constants.items()}
    nodes = [node("Gemm", "x w0 b0", "h"), node("Relu", "h", "r"), node("Gemm", "r w1 b1", "y")]
    return saved(model(nodes, {"x": [leading, INPUTS]}, ["y"], constants), folder / f"{name}.onnx")


def write_two_ends(folder: Path) -> Path:
    """a [1, 6], b [1, 6] -> sum [1, 6], difference [1, 6]."""
    nodes = [node("Add", "a b", "sum"), node("Sub", "a b", "difference")]
    inputs = {"a": [1, INPUTS], "b": [1, INPUTS]}
    return saved(model(nodes, inputs, ["sum", "difference"]), folder / "two.onnx")


def write_unsupported(folder: Path) -> Path:
    """Two operators that nobody serves."""
    nodes = [node("NonZero", "x", "where"), node("ImageDecoder", "x", "picture")]
    return saved(model(nodes, {"x": [6, 6]}, ["where", "picture"]), folder / "odd.onnx")


def saved(proto: onnx.ModelProto, path: Path) -> Path:
    """`path`, with the model in it."""
    onnx.save(proto, path)
    return path


def dense_samples(count: int = 16) -> np.ndarray:
    """Float samples [count, 6] for write_dense."""
    return np.random.default_rng(2).uniform(-1, 1, (count, INPUTS)).astype(np.float32)


def write_samples(folder: Path, **arrays: np.ndarray) -> Path:
    """An .npz file; by default `inputs` for write_dense."""
    path = folder / "samples.npz"
    np.savez(path, **(arrays or {"inputs": dense_samples()}))  # type: ignore[arg-type]
    return path
