"""The C of three tiny nets, kept to be read and reviewed. `pytest --update-golden` rewrites it.

All numbers are exact on every machine: float weights are multiples of 1/8, the int8 net comes quantised.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tinycc_ml.compiler import Options, compile

from ..models import model, node

FOLDER = Path(__file__).parent


def _eighths(seed: int, *shape: int) -> np.ndarray:
    return (np.random.default_rng(seed).integers(-8, 9, shape) / 8).astype(np.float32)


def _bytes(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-127, 128, shape).astype(np.int8)


def tiny_dense() -> onnx.ModelProto:
    """float32: two layers, a gate written out, a softmax."""
    nodes = [
        node("Gemm", "features w0 b0", "hidden", transB=1),
        node("Relu", "hidden", "active"),
        node("Sigmoid", "active", "gate"),
        node("Mul", "active gate", "gated"),
        node("Gemm", "gated w1 b1", "logits", transB=1),
        node("Softmax", "logits", "probabilities", axis=-1),
    ]
    constants = {
        "w0": _eighths(1, 6, 4),
        "b0": _eighths(2, 6),
        "w1": _eighths(3, 3, 6),
        "b1": _eighths(4, 3),
    }
    return model(nodes, {"features": (1, 4)}, ["probabilities"], constants)


def tiny_conv() -> onnx.ModelProto:
    """int8: a convolution, a residual sum with a clamp, a pool, a dense; channels first."""

    def pair(x: str, y: str, scale: str, zero: str) -> list[onnx.NodeProto]:
        return [
            node("QuantizeLinear", f"{x} {scale} {zero}", f"{y}.q"),
            node("DequantizeLinear", f"{y}.q {scale} {zero}", y),
        ]

    nodes = [
        *pair("image", "image.dq", "s0", "z0"),
        node("DequantizeLinear", "w0 sw0 zw0", "w0.dq", axis=0),
        node("DequantizeLinear", "w1 sw1 zw1", "w1.dq", axis=0),
        node("Conv", "image.dq w0.dq b0", "conv", pads=[1, 1, 1, 1]),
        *pair("conv", "conv.dq", "s1", "z1"),
        node("Add", "conv.dq image.dq", "sum"),
        node("Relu", "sum", "relu"),
        *pair("relu", "relu.dq", "s2", "z2"),
        node("MaxPool", "relu.dq", "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "pool", "flat"),
        node("Gemm", "flat w1.dq b1", "scores.f", transB=1),
        *pair("scores.f", "scores", "s3", "z3"),
    ]
    constants = {
        "s0": np.float32(2**-5), "z0": np.int8(-3), "s1": np.float32(2**-4), "z1": np.int8(5),
        "s2": np.float32(2**-5), "z2": np.int8(-128), "s3": np.float32(2**-3), "z3": np.int8(0),
        "w0": _bytes(1, 2, 2, 3, 3), "sw0": np.float32([2**-9, 2**-8]), "zw0": np.int8([0, 0]), "b0": _eighths(2, 2),
        "w1": _bytes(3, 3, 8), "sw1": np.float32([2**-9, 2**-8, 2**-7]), "zw1": np.int8([0, 0, 0]), "b1": _eighths(4, 3),
    }  # fmt: skip
    return model(nodes, {"image": (1, 2, 4, 4)}, ["scores"], constants)


def tiny_bands() -> onnx.ModelProto:
    """float32, by --optimize size in bands of rows: what lies between two small ends."""
    nodes = [
        node("Conv", "image w b", "wide", pads=[1, 1, 1, 1]),
        node("Relu", "wide", "active"),
        node("MaxPool", "active", "pool", kernel_shape=[4, 4], strides=[4, 4]),
    ]
    constants = {"w": _eighths(1, 4, 1, 3, 3), "b": _eighths(2, 4)}
    return model(nodes, {"image": (1, 1, 12, 12)}, ["pool"], constants)


GOALS = {"tiny_bands": "size"}


@pytest.mark.parametrize("net", [tiny_dense, tiny_conv, tiny_bands], ids=lambda f: f.__name__)
def test_c_is_what_was_reviewed(
    net: Callable[[], onnx.ModelProto], tmp_path: Path, update_golden: bool
) -> None:
    path = tmp_path / f"{net.__name__}.onnx"
    onnx.save(net(), path)
    name = net.__name__
    made = compile(path, options=Options(optimize=GOALS.get(name, "balanced"))).files
    for file in (f"{name}.h", f"{name}.c", f"{name}_weights.h", f"{name}_weights.c"):
        golden = FOLDER / name / file
        if update_golden:
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(made[file], encoding="utf-8")
        wanted = golden.read_text(encoding="utf-8").splitlines()
        change = difflib.unified_diff(
            wanted, made[file].splitlines(), "reviewed", "made", lineterm="", n=2
        )
        assert not (lines := list(change)), "\n".join(
            [f"{file}: pytest --update-golden rewrites it", *lines]
        )
