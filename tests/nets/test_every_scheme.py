"""Every scheme, and nets that were pruned, on the four kinds of cores: the shipped self-test, emulated, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tinycc_ml
from tinycc_ml.backend.target import load_target
from tinycc_ml.quant.scheme import SCHEMES
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

from .nets import OWN

CORES = ("cortex-m4", "cortex-m0plus", "rv32imc", "atmega328p")
SAMPLES = OWN[0].parent / "digits_calibration.npz"
NET = next(path for path in OWN if path.stem == "digits_cnn")
# Nothing is tried
SETTLED = {"ranges": "min-max", "rounding": "nearest", "bias_correction": False, "equalize": False}
PRUNED: dict[str, dict[str, Any]] = {
    "single": {"prune": 0.5},
    "2:4": {"prune_pattern": "2:4"},
    "1x4": {"prune": 0.5, "prune_pattern": "1x4"},
    "channels": {"prune": 0.3, "prune_pattern": "channels"},
}
WAYS: dict[str, dict[str, Any]] = {name: {"quantize": name} for name in SCHEMES} | PRUNED


def compiled(way: str, core: str, folder: Path) -> dict[str, Any]:
    """Its report. With `optimize` size, so that weights are packed where it pays at all."""
    return tinycc_ml.compile(
        NET, folder, target=core, calibrate=SAMPLES, optimize="size", verify=core == "host",
        **SETTLED, **WAYS[way],
    ).report  # fmt: skip


@pytest.mark.parametrize(
    "way", [*PRUNED, *(pytest.param(name, marks=pytest.mark.slow) for name in SCHEMES)]
)
def test_the_net_equals_its_reference_on_the_host(way: str, tmp_path: Path) -> None:
    report = compiled(way, "host", tmp_path)
    assert [entry["equal"] for entry in report["verified"]] == [True]
    assert (report["removed"] != []) == (way in PRUNED)


@pytest.mark.slow
@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("way", WAYS)
def test_the_net_equals_its_reference_on_the_core(way: str, core: str, tmp_path: Path) -> None:
    target = load_target(core)
    if missing := missing_tools(target):
        pytest.skip(f"missing: {', '.join(missing)}")
    compiled(way, core, tmp_path)
    verified, measured = verify_dir(tmp_path, target)
    assert verified.cases == 4 and measured.instructions
