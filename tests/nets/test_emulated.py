"""Whole nets on the host and on emulated cores: every byte of the outputs, every tensor by checksum."""

from __future__ import annotations

from pathlib import Path

import pytest

import tinycc_ml
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain import missing_tools
from tinycc_ml.toolchain.verify_dir import verify_dir

from .nets import SHARED_FOLDER, SHARED_NAMES, own, shared

MAIN_CORES = ("cortex-m4", "cortex-m0plus", "rv32imc")
OTHER_CORES = ("cortex-m3", "cortex-m7", "cortex-m33", "cortex-m55", "atmega328p")


def check(path: Path, core: str, folder: Path) -> None:
    target = load_target(core)
    missing = missing_tools(target)
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    tinycc_ml.compile(path, folder, target=core, verify=False)
    verified, measured = verify_dir(folder, target)
    assert verified.cases == 4
    assert measured.instructions


@pytest.mark.parametrize("path", [*own(), *shared()])
def test_net_equals_its_reference_on_the_host(path: Path, tmp_path: Path) -> None:
    result = tinycc_ml.compile(path, tmp_path / "out")
    assert result.report["verified"]
    assert all(entry["equal"] for entry in result.report["verified"])


@pytest.mark.emulator
@pytest.mark.parametrize("core", MAIN_CORES)
@pytest.mark.parametrize("path", [*own(), *shared()])
def test_net_equals_its_reference_on_the_core(path: Path, core: str, tmp_path: Path) -> None:
    check(path, core, tmp_path / "out")


@pytest.mark.emulator
@pytest.mark.parametrize("core", OTHER_CORES)
@pytest.mark.parametrize("path", shared(("hello_world_int8qdq",)))
def test_the_smallest_net_runs_on_every_core(path: Path, core: str, tmp_path: Path) -> None:
    check(path, core, tmp_path / "out")


def test_the_list_of_shared_nets_is_whole() -> None:
    if not SHARED_FOLDER.is_dir():
        pytest.skip("../shared/models is not here")
    assert {p.stem for p in SHARED_FOLDER.glob("*.onnx")} == set(SHARED_NAMES)
