"""Kernels with int16 activations on emulated cores: odd sizes, groups, and int8 at one end, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import tinycc_ml
from tests.models import model, node, weights
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

CORES = ("cortex-m4", "cortex-m0plus", "rv32imc")
# Nothing is tried
SETTLED = {"ranges": "min-max", "rounding": "nearest", "bias_correction": False, "equalize": False}


def net() -> onnx.ModelProto:
    """Windows of 27, 63, 6 x 9 and 7 inputs, by an odd number of channels and pixels."""
    constants = {
        "w0": weights(0, 7, 3, 3, 3), "w1": weights(1, 7, 1, 3, 3), "w2": weights(2, 6, 7, 3, 3),
        "w3": weights(3, 9, 2, 3, 3), "w4": weights(4, 5, 9, 1, 1), "w5": weights(5, 11, 75),
    }  # fmt: skip
    nodes = [
        node("Conv", "x w0", "first", strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Conv", "first w1", "depthwise", group=7, pads=[1, 1, 1, 1]),
        node("Relu", "depthwise", "relu"),
        node("Conv", "relu w2", "whole", pads=[1, 1, 1, 1]),
        node("Conv", "whole w3", "groups", group=3, strides=[1, 1], dilations=[2, 2], pads=[2, 2, 2, 2]),
        node("Conv", "groups w4", "pointwise"),
        node("Flatten", "pointwise", "flat"),
        node("Gemm", "flat w5", "y", transB=1),
    ]  # fmt: skip
    return model(nodes, {"x": (1, 3, 10, 6)}, ["y"], constants)


def compiled(folder: Path, core: str, default: str, other: str) -> tinycc_ml.Result:
    """Every second operator is of another scheme."""
    path = folder / "net.onnx"
    onnx.save(net(), path)
    samples = np.random.default_rng(6).standard_normal((8, 1, 3, 10, 6)).astype(np.float32)
    others = dict.fromkeys(("node_first_1", "node_groups_1", "node_y"), other)
    return tinycc_ml.compile(
        path, folder / "out", target=core, calibrate={"x": samples}, quantize=default,
        quantize_nodes=others, verify=False, **SETTLED,
    )  # fmt: skip


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("default", "other"),
    [("int16x8", "int16x8"), ("int16x16", "int16x16"), ("int8", "int16x8"), ("int8", "int16x16")],
)
def test_int16_on_a_core_equals_the_reference(
    core: str, default: str, other: str, tmp_path: Path
) -> None:
    target = load_target(core)
    missing = missing_tools(target)
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    result = compiled(tmp_path, core, default, other)
    kernels = {entry["kernel"] for entry in result.report["nodes"]}
    assert any("i16x" in kernel for kernel in kernels if kernel)
    verified, _ = verify_dir(tmp_path / "out", target)
    assert verified.cases == 4
