"""Nets of other schemes than int8, on the host and on emulated cores, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinycc_ml
from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import DataError, UnsupportedError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ops.base import Case
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

from ..ops.case_models import model_of
from .nets import OWN, own

CORES = ("cortex-m4", "cortex-m0plus", "rv32imc", "atmega328p")
SCHEMES = ("int16x8", "int16x16", "int8-pow2")
SAMPLES = OWN[0].parent / "digits_calibration.npz"
# Nothing is tried
SETTLED = {"ranges": "min-max", "rounding": "nearest", "bias_correction": False, "equalize": False}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", own())
def test_net_of_another_scheme_equals_its_reference(
    path: Path, scheme: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = tinycc_ml.compile(path, out, calibrate=SAMPLES, quantize=scheme, **SETTLED)
    assert [entry["equal"] for entry in result.report["verified"]] == [True]
    (port,) = tinycc_ml.load(out).outputs
    assert port.type.dtype.name == ("i8" if scheme == "int8-pow2" else "i16")


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", own())
def test_net_of_another_scheme_runs_on_the_core(
    path: Path, scheme: str, core: str, tmp_path: Path
) -> None:
    target, out = load_target(core), tmp_path / "out"
    missing = missing_tools(target)
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    tinycc_ml.compile(
        path, out, target=core, verify=False, calibrate=SAMPLES, quantize=scheme, **SETTLED
    )
    verified, _ = verify_dir(out, target)
    assert verified.cases == 4


@pytest.mark.parametrize(("default", "other"), [("int8", "int16x8"), ("int16x16", "int8")])
def test_nodes_of_two_schemes_meet(default: str, other: str, tmp_path: Path) -> None:
    path = next(p for p in OWN if p.stem == "digits_cnn")
    graph = run_passes(load(path), FLOAT)
    nodes = [n.name for n in graph.nodes if n.op in ("conv2d", "dense", "average_pool2d")]
    result = tinycc_ml.compile(
        path, tmp_path / "out", calibrate=SAMPLES, quantize=default,
        quantize_nodes=dict.fromkeys(nodes[::2], other), **SETTLED,
    )  # fmt: skip
    made = {t.type.dtype.name for t in result.compiled.graph.tensors.values() if not t.is_constant}
    assert {"i8", "i16"} <= made
    assert [entry["equal"] for entry in result.report["verified"]] == [True]


def test_a_loaded_int16_net_takes_and_gives_floats(tmp_path: Path) -> None:
    path = next(p for p in OWN if p.stem == "digits_mlp")
    tinycc_ml.compile(path, tmp_path / "out", calibrate=SAMPLES, quantize="int16x16", **SETTLED)
    tinycc_ml.compile(path, tmp_path / "float", quantize="float32")
    given = np.load(SAMPLES)
    x = ((given["inputs"][0] - given["zero_point"]) * given["scale"]).astype(np.float32)
    exact, near = (tinycc_ml.load(tmp_path / d)(x) for d in ("float", "out"))
    np.testing.assert_allclose(near, exact, atol=2e-3 * np.abs(exact).max())


def test_uint8_ends_are_for_int8() -> None:
    with pytest.raises(DataError, match="int16x8 has int16 activations"):
        tinycc_ml.compile(OWN[0], calibrate=SAMPLES, quantize="int16x8", io_type="uint8", **SETTLED)


def test_what_int16_has_no_form_for_is_named() -> None:
    case = Case("jump", "Floor", ((1, 4),))
    graph = load(model_of(case))
    with pytest.raises(
        UnsupportedError, match="floor has no integer form here: it has none on int16"
    ):
        tinycc_ml.compiler.compile(
            graph, calibrate={"x0": np.ones((4, 1, 4), np.float32)},
            options=tinycc_ml.compiler.Options(quantize="int16x8", **SETTLED),
        )  # fmt: skip
