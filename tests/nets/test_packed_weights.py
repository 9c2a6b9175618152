"""Nets with weights of few levels, or with zeros: exact on the host and on cores, by kernels that store them packed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

import tinycc_ml
from tests.models import model, node
from tinycc_ml.backend.costs import Code
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

# By case: the scheme, the part of weights that are 0, and a word in the names of kernels that store them
CASES = {
    "int4": ("int4", 0.0, "nibbles"),
    "int4-channel": ("int4-channel", 0.0, "nibbles"),
    "int2": ("int2", 0.0, "palette_4"),
    "ternary": ("ternary", 0.0, "palette_4"),
    "binary": ("binary", 0.0, "palette_4"),
    "codebook4": ("codebook4", 0.0, "palette_16"),
    "sparse": ("int8", 0.6, "sparse"),
}
CORES = ("cortex-m4", "cortex-m0plus", "rv32imc", "atmega328p")
# Bytes of constants that only the wanted form fits in; code, which a net this small does not pay for, is left out
FLASH = {"nibbles": 2600, "palette_16": 2600, "palette_4": 1750, "sparse": 2600}


@pytest.fixture(autouse=True)
def _code_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinycc_ml.backend.costs.code_of", lambda core, optimize: Code())


@cache
def net(zeros: float) -> onnx.ModelProto:
    """Two convolutions and a dense; the first one is small and keeps int8."""
    rng = np.random.default_rng(5)

    def weights(*shape: int) -> np.ndarray:
        values = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        return np.where(rng.random(shape) < zeros, 0, values).astype(np.float32)

    constants = {
        "w0": weights(12, 4, 3, 3), "b0": weights(12), "w1": weights(18, 12, 3, 3), "b1": weights(18),
        "w2": weights(10, 72), "b2": weights(10),
    }  # fmt: skip
    nodes = [
        node("Conv", "x w0 b0", "h0", strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Relu", "h0", "r0"),
        node("Conv", "r0 w1 b1", "h1", strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Relu", "h1", "r1"),
        node("Flatten", "r1", "f"),
        node("Gemm", "f w2 b2", "y", transB=1),
    ]
    return model(nodes, {"x": (1, 4, 8, 8)}, ["y"], constants)


def compiled(case: str, core: str, folder: Path) -> dict:
    """Its report."""
    scheme, zeros, form = CASES[case]
    path = folder / "net.onnx"
    onnx.save(net(zeros), path)
    samples = np.random.default_rng(6).standard_normal((8, 1, 4, 8, 8)).astype(np.float32)
    return tinycc_ml.compile(
        path, folder / "out", target=core, calibrate={"x": samples}, quantize=scheme, flash=FLASH[form],
        verify=core == "host",
    ).report  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_net_equals_its_reference_on_the_host(case: str, tmp_path: Path) -> None:
    report = compiled(case, "host", tmp_path)
    assert all(entry["equal"] for entry in report["verified"])
    kernels = [row["kernel"] or "" for row in report["nodes"]]
    assert sum(CASES[case][2] in kernel for kernel in kernels) == 2
    assert report["totals"]["weights_bytes"] <= FLASH[CASES[case][2]]


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("case", CASES)
def test_net_equals_its_reference_on_the_core(case: str, core: str, tmp_path: Path) -> None:
    target = load_target(core)
    if missing := missing_tools(target):
        pytest.skip(f"missing: {', '.join(missing)}")
    report = compiled(case, core, tmp_path)
    assert any(CASES[case][2] in (row["kernel"] or "") for row in report["nodes"])
    verified, measured = verify_dir(tmp_path / "out", target)
    assert verified.cases == 4 and measured.instructions
