"""Verification: what is claimed, and that wrong C is found and named, on the host and on cores."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tinycc_ml
from tinycc_ml.api import Result
from tinycc_ml.backend.target import list_targets, load_target
from tinycc_ml.compiler import Compiled
from tinycc_ml.errors import TargetError, ToolError, VerificationError
from tinycc_ml.toolchain.verify import verify_compiled, verify_dir

from ..models import model, node
from ..small_nets import dense_samples, saved, write_dense
from .programs import require

EMBEDDED = [target.name for target in list_targets() if target.emulator.kind != "host"]


@pytest.fixture(autouse=True)
def _host_compiler() -> None:
    require(load_target("host"))


@pytest.fixture(scope="module")
def integer(tmp_path_factory: pytest.TempPathFactory) -> Result:
    work = tmp_path_factory.mktemp("integer")
    return tinycc_ml.compile(
        write_dense(work), work / "out", calibrate={"x": dense_samples()}, verify=False
    )


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Compiled, Path]:
    path = write_dense(tmp_path_factory.mktemp("real"))
    return tinycc_ml.compile(path, verify=False).compiled, path


def _broken(compiled: Compiled, file: str, old: str, new: str) -> Compiled:
    """The compilation with one place of its C changed."""
    assert old in compiled.files[file]
    return replace(
        compiled, files={**compiled.files, file: compiled.files[file].replace(old, new, 1)}
    )


def _spoiled(out: Path, work: Path) -> Path:
    """A copy of a folder whose C is wrong from the first node on."""
    work.mkdir()
    for path in out.rglob("*.*"):
        target = work / path.relative_to(out)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    source = work / "tiny.c"
    source.write_text(source.read_text().replace("TML_PROBE(0,", "a[0] ^= 0x55U; TML_PROBE(0,", 1))
    return work


def test_an_integer_net_is_claimed_to_be_exact(integer: Result) -> None:
    (found,) = verify_compiled(integer.compiled)
    assert (found.where, found.cases, found.equal) == ("host", 4, True)
    assert found.what == "every tensor equals the integer reference, bit for bit"
    assert any(character.isdigit() for character in found.tools[0])


def test_a_float_net_is_compared_with_another_runtime_too(real: tuple[Compiled, Path]) -> None:
    ours, theirs = verify_compiled(*real)
    assert "our reference" in ours.what
    assert "onnxruntime" in theirs.what
    assert len(theirs.tools) == 2


def test_without_onnxruntime_onnx_itself_is_asked(
    real: tuple[Compiled, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "onnxruntime" else found(n)
    )
    assert "onnx.reference" in verify_compiled(*real)[1].what


def test_the_first_wrong_tensor_is_named_with_index_expected_and_got(integer: Result) -> None:
    wrong = _broken(integer.compiled, "tiny.c", "TML_PROBE(0,", "a[2] ^= 0x55U; TML_PROBE(0,")
    pattern = (
        r"sample 0: tensor 'r' differs at \[0, 2\]: expected -?\d+, got -?\d+ \(1 of 8 values\)"
    )
    with pytest.raises(VerificationError, match=pattern):
        verify_compiled(wrong)


def test_a_float_that_is_off_is_found(real: tuple[Compiled, Path]) -> None:
    wrong = _broken(real[0], "tiny.c", "TML_PROBE(1,", "y[1] += 0.01F; TML_PROBE(1,")
    with pytest.raises(VerificationError, match=r"tensor 'y' differs at \[0, 1\]"):
        verify_compiled(wrong, real[1])


def test_a_reference_that_is_off_is_found_by_the_other_runtime(
    real: tuple[Compiled, Path], tmp_path: Path
) -> None:
    other = write_dense(tmp_path, seed=5)
    with pytest.raises(VerificationError, match="differs from onnxruntime"):
        verify_compiled(real[0], other)


def test_c_that_does_not_compile_is_our_fault(integer: Result) -> None:
    wrong = _broken(integer.compiled, "tiny.c", "void tiny_run(", "viod tiny_run(")
    with pytest.raises(VerificationError, match="refuses the generated C"):
        verify_compiled(wrong)


def test_without_a_compiler_nothing_is_claimed(
    integer: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(ToolError):
        verify_compiled(integer.compiled)
    result = tinycc_ml.compile(write_dense(tmp_path), tmp_path / "out")
    assert result.report["verified"] == []
    assert "no-such-cc" in result.report["unverified"]
    assert "**Not verified**" in result.files["report.md"]


def test_where_floats_and_integers_mix_each_node_is_compared_on_its_own_operands(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(1)
    weights = {"w": rng.normal(size=(6, 5)), "v": rng.normal(size=(5, 3))}
    nodes = [
        node("Gemm", "x w", "h"),
        node("Einsum", "h", "s", equation="ab->ab"),
        node("Gemm", "s v", "y"),
    ]
    proto = model(
        nodes, {"x": [1, 6]}, ["y"], {n: a.astype(np.float32) for n, a in weights.items()}
    )
    path = saved(proto, tmp_path / "mixed.onnx")
    result = tinycc_ml.compile(path, calibrate={"x": dense_samples()}, allow_float=True)
    assert result.report["model"]["arithmetic"] == "int8 and float32"
    assert "from the same operands" in result.report["verified"][0]["what"]
    last = f"TML_PROBE({result.compiled.program.steps[-1].probe.id},"
    wrong = _broken(result.compiled, "mixed.c", last, f"y[1] ^= 0x55; {last}")
    with pytest.raises(VerificationError, match=r"'y' differs at \[0, 1\]"):
        verify_compiled(wrong)


@pytest.mark.parametrize("io_type", ["float", "uint8"])
def test_float_and_uint8_ends_are_verified(io_type: str, tmp_path: Path) -> None:
    path = write_dense(tmp_path)
    result = tinycc_ml.compile(path, calibrate={"x": dense_samples()}, io_type=io_type)
    assert result.report["verified"]


def test_nhwc_ends_are_compared_in_the_models_layout(tmp_path: Path) -> None:
    w = np.random.default_rng(3).normal(size=(4, 3, 3, 3)).astype(np.float32)
    proto = model(
        [node("Conv", "x w", "y", pads=[1, 1, 1, 1])], {"x": [1, 3, 5, 7]}, ["y"], {"w": w}
    )
    result = tinycc_ml.compile(saved(proto, tmp_path / "conv.onnx"), io_layout="nhwc")
    assert result.compiled.program.inputs[0].type.shape == (1, 5, 7, 3)
    assert len(result.report["verified"]) == 2


def test_a_folder_verifies_on_the_host(integer: Result) -> None:
    assert integer.out is not None
    verified, measured = verify_dir(integer.out, load_target("host"))
    assert verified.what == "every byte of the outputs, and the checksum of every tensor"
    assert (measured.cycles, measured.stack_bytes) == (None, None)


def test_a_spoiled_folder_names_the_first_wrong_tensor(
    integer: Result, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert integer.out is not None
    folder = _spoiled(integer.out, tmp_path / "out")
    with pytest.raises(
        VerificationError, match=r"on host differs.*first wrong tensor is 'r'; \d+ values"
    ):
        verify_dir(folder, load_target("host"))
    assert "tiny.c is not as it was written" in caplog.text


@pytest.mark.emulator
@pytest.mark.parametrize("name", EMBEDDED)
def test_a_folder_verifies_on_every_core(name: str, integer: Result) -> None:
    require(load_target(name))
    assert integer.out is not None
    verified, measured = verify_dir(integer.out, load_target(name))
    assert verified.where == measured.target == name
    assert measured.code_bytes is not None and 200 < measured.code_bytes < 5000
    assert measured.stack_bytes is not None and 0 < measured.stack_bytes < 1000
    assert measured.instructions is not None and 200 < measured.instructions < 20000
    assert measured.cycles is not None


@pytest.mark.emulator
def test_a_spoiled_folder_is_found_on_a_core(integer: Result, tmp_path: Path) -> None:
    require(load_target("cortex-m3"))
    assert integer.out is not None
    with pytest.raises(VerificationError, match=r"on cortex-m3 differs.*'r'"):
        verify_dir(_spoiled(integer.out, tmp_path / "out"), load_target("cortex-m3"))


def test_what_does_not_fit_says_by_how_much_and_names_the_peak(integer: Result) -> None:
    assert integer.out is not None
    small = replace(load_target("atmega328p"), memories={"flash": 32768, "ram": 12})
    with pytest.raises(
        TargetError, match=r"take 17 bytes, 5 more than the RAM.*\(12\).*live: r \(8 bytes\)"
    ):
        verify_dir(integer.out, small)
    small = replace(load_target("atmega328p"), memories={"flash": 50, "ram": 2048})
    with pytest.raises(TargetError, match=r"the constants take \d+ bytes, \d+ more than the flash"):
        verify_dir(integer.out, small)


def test_a_model_too_large_for_the_flash_is_refused(tmp_path: Path) -> None:
    target = replace(load_target("cortex-m3"), memories={"flash": 100, "ram": None})
    with pytest.raises(TargetError, match=r"more than the flash of cortex-m3 \(100\)"):
        tinycc_ml.compile(write_dense(tmp_path), target=target)
