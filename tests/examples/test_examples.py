"""The examples train, compile and run, and what is committed is what the script writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from ..doc_examples import ROOT, environment

DIGITS = ROOT / "examples" / "digits"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    command = [sys.executable, str(DIGITS / "train.py"), "-o", str(folder)]
    subprocess.run(command, check=True, env=environment(ROOT), capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits_mlp", "digits_cnn"])
def test_training_gives_a_net_of_the_committed_shapes(trained: Path, name: str) -> None:
    new, old = (onnx.load(folder / f"{name}.onnx").graph for folder in (trained, DIGITS))
    assert [node.op_type for node in new.node] == [node.op_type for node in old.node]
    assert [list(t.dims) for t in new.initializer] == [list(t.dims) for t in old.initializer]


@pytest.mark.slow
def test_training_gives_the_committed_calibration_file(trained: Path) -> None:
    new, old = (dict(np.load(folder / "digits_calibration.npz")) for folder in (trained, DIGITS))
    assert new.keys() == old.keys()
    for name, array in new.items():
        np.testing.assert_array_equal(array, old[name])


def test_committed_files_are_small() -> None:
    for path in DIGITS.iterdir():
        assert path.stat().st_size < 100_000, path


@pytest.mark.slow
def test_unit_tests_of_generated_code_pass() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(ROOT / "examples" / "test_generated.py"),
    ]
    done = subprocess.run(command, env=environment(ROOT), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
