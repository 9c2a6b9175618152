"""The command line: what it prints where, exit codes, and that nothing is half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import tinycc_ml
from tinycc_ml.cli import compile_main, main
from tinycc_ml.errors import InternalError, VerificationError

from ..small_nets import CLASSES, dense_samples, write_dense, write_samples, write_unsupported

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """tinyml with arguments, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was written: tiny, int8."""
    work = tmp_path_factory.mktemp("cli")
    tinycc_ml.compile(
        write_dense(work), work / "out", calibrate={"x": dense_samples()}, target="cortex-m3"
    )
    return work / "out"


def _one_line(result: Result, code: int) -> str:
    """The error, after checking that it is one line and no traceback."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


# what it prints


def test_a_float_model_becomes_float32_and_one_line_says_how_to_get_int8(
    run: Run, tmp_path: Path
) -> None:
    result = run("compile", write_dense(tmp_path), "-o", "out")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "input x: the leading dimension (N) becomes 1",
        "float32 C; for int8 give --calibrate FILE.npz with sample inputs",
    ]
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        "tiny: float32 C for host in out",
        "  work      72 multiply-accumulates",
        "  flash     332 bytes of constants; code is measured by tinyml verify",
        "  RAM       arena 32 bytes; inputs 24 and outputs 12 bytes are the caller's",
    ]
    assert [line[:17] for line in lines[4:]] == ["  verified  host:"] * 2


def test_calibration_makes_it_int8_and_tells_the_accuracy(run: Run, tmp_path: Path) -> None:
    result = run(
        "compile", write_dense(tmp_path), "-o", "out", "--calibrate", write_samples(tmp_path)
    )
    assert result.exit_code == 0
    assert result.stdout.startswith("tiny: int8 C for host in out\n")
    assert "  accuracy  SQNR of y: " in result.stdout
    assert "bit for bit, 4 samples" in result.stdout


def test_tinyml_compile_is_the_same_verb(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        compile_main, [str(write_dense(tmp_path)), "-o", str(tmp_path / "out"), "-q"]
    )
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "out" / "report.json").is_file()


def test_json_is_one_document_on_standard_output(run: Run, tmp_path: Path) -> None:
    result = run("compile", write_dense(tmp_path), "-o", "out", "--json")
    found = json.loads(result.stdout)
    assert found["ok"] is True
    assert found["verified"] is True
    assert found["messages"][0] == "input x: the leading dimension (N) becomes 1"
    assert found["report"] == json.loads((tmp_path / "out/report.json").read_text())


def test_a_failure_is_json_too(run: Run) -> None:
    result = run("compile", "none.onnx", "-o", "out", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found == {
        "ok": False,
        "exit_code": 1,
        "error": {
            "kind": "ModelError",
            "message": "no such model: none.onnx",
            "where": None,
            "hint": None,
        },
    }


def test_quiet_says_nothing_and_verbose_says_more(run: Run, tmp_path: Path) -> None:
    model = write_dense(tmp_path)
    assert run("compile", model, "-o", "out", "-q").output == ""
    assert "pass fold_constants: " in run("compile", model, "-o", "out", "-v").stderr


def test_there_is_no_colour_and_no_bar_without_a_terminal(run: Run, tmp_path: Path) -> None:
    result = run(
        "compile", write_dense(tmp_path), "-o", "out", "--calibrate", write_samples(tmp_path)
    )
    assert "\x1b" not in result.output


def test_no_verify_is_not_called_verified(run: Run, tmp_path: Path) -> None:
    result = run("compile", write_dense(tmp_path), "-o", "out", "--no-verify")
    assert "  verified  NO: not asked for\n" in result.stdout


def test_without_a_compiler_it_says_plainly_that_nothing_is_verified(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("tinycc_ml.toolchain.host.importlib.util.find_spec", lambda _name: None)
    result = run("compile", write_dense(tmp_path), "-o", "out")
    assert result.exit_code == 0
    assert "verified  NO: there is no C compiler on this machine" in result.stdout
    assert "NOT VERIFIED: there is no C compiler" in result.stderr
    assert "pip install 'tinycc-ml[cc]'" in result.stderr
    assert (tmp_path / "out/tiny.c").is_file()


def test_raw_pixels_are_folded_into_the_quantisation_of_the_input(run: Run, tmp_path: Path) -> None:
    data = write_samples(
        tmp_path, inputs=np.random.default_rng(0).integers(0, 256, (16, 6)).astype(np.uint8)
    )
    result = run(
        "compile",
        write_dense(tmp_path),
        "-o",
        "out",
        "--calibrate",
        data,
        "--input-scale",
        "0.00392",
        "-q",
    )
    assert result.exit_code == 0
    port = json.loads((tmp_path / "out/report.json").read_text())["io"][0]
    assert (port["dtype"], port["scale"], port["zero_point"]) == ("u8", pytest.approx(0.00392), 0)


def test_passes_can_be_dumped(run: Run, tmp_path: Path) -> None:
    run("compile", write_dense(tmp_path), "-o", "out", "--dump-passes", "passes", "--no-verify")
    assert list((tmp_path / "passes").glob("*.before.txt"))


def test_verify_runs_the_self_test_and_notes_it(run: Run, out: Path) -> None:
    result = run("verify", out)
    assert result.exit_code == 0
    assert "  verified  host: every byte of the outputs" in result.stdout
    assert "it was compiled for cortex-m3: --target cortex-m3 runs it on that core" in result.stdout
    report = json.loads((out / "report.json").read_text())
    assert [m["target"] for m in report["measured"]] == ["host"]


def test_run_maps_arrays_to_arrays(run: Run, out: Path, tmp_path: Path) -> None:
    write_samples(tmp_path)
    result = run("run", out, "--input", "samples.npz", "-o", "y.npz")
    assert result.stdout == f"y: float32[16, {CLASSES}] -> y.npz\n"
    model = tinycc_ml.load(out)
    assert np.array_equal(np.load(tmp_path / "y.npz")["y"], [model(x) for x in dense_samples()])


def test_run_takes_a_scale_beside_integers_at_its_word(run: Run, out: Path, tmp_path: Path) -> None:
    raw = np.arange(12, dtype=np.uint8).reshape(2, 6)
    write_samples(tmp_path, x=raw, **{"x.scale": np.float32(0.05), "x.zero_point": np.int32(3)})
    assert run("run", out, "-i", "samples.npz", "-o", "y.npz").exit_code == 0
    model = tinycc_ml.load(out)
    real = ((raw.astype(np.int64) - 3) * np.float32(0.05)).astype(np.float32)
    assert np.array_equal(np.load(tmp_path / "y.npz")["y"], [model(x) for x in real])


@pytest.mark.parametrize("what", ["model", "folder"])
def test_inspect_shows_ops_shapes_macs_and_memory(
    what: str, run: Run, out: Path, tmp_path: Path
) -> None:
    result = run("inspect", out if what == "folder" else write_dense(tmp_path))
    assert result.exit_code == 0
    dtype, kernel, arena = (
        ("i8", "tml_dense_i8", 8) if what == "folder" else ("f32", "tml_dense_f32", 32)
    )
    text = " ".join(result.stdout.split())
    assert f"0 dense {dtype}[1,8] 48 {kernel} node_h" in text
    assert "72 MACs" in text
    assert f"arena {arena} bytes" in text
    assert f"at 0, {arena} bytes, steps 0..1: r" in text
    found = json.loads(run("inspect", out if what == "folder" else "tiny.onnx", "--json").stdout)
    assert found["totals"]["macs"] == 72


def test_targets_and_ops_are_listed(run: Run) -> None:
    assert "cortex-m4 " in run("targets").stdout
    lines = [" ".join(line.split()) for line in run("ops").stdout.splitlines()]
    assert "Conv conv2d yes yes" in lines
    assert {t["name"] for t in json.loads(run("targets", "--json").stdout)["targets"]} >= {
        "host",
        "rv32imc",
    }


# what can't be served: 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.onnx",), "no such model: none.onnx"),
        (("garbage.onnx",), "garbage.onnx is no ONNX model: "),
        (("tiny.txt",), "tiny.txt: wanted a model in an .onnx file or a spec in a .tml file"),
        (
            ("tiny.onnx", "--target", "cortex-m44"),
            "unknown target 'cortex-m44' (did you mean cortex-m4",
        ),
        (("tiny.onnx", "--target", "none.toml"), "can't read target file none.toml: "),
        (
            ("tiny.onnx", "--dim", "M=2"),
            "tiny.onnx: --dim M=2: the inputs have no dimension of that name; it has N",
        ),
        (("tiny.onnx", "--dim", "N=0"), "tiny.onnx: --dim N=0: wanted a size of at least 1"),
        (
            ("tiny.onnx", "--quantize", "int8"),
            "int8 needs sample inputs to find ranges (give --calibrate FILE.npz, or do without data: ",
        ),
        (
            ("tiny.onnx", "--calibrate", "none.npz"),
            "can't read none.npz: No such file or directory",
        ),
        (
            ("tiny.onnx", "--calibrate", "garbage.onnx"),
            "garbage.onnx is no .npz file of plain arrays: ",
        ),
        (
            ("tiny.onnx", "--calibrate", "wrong.npz"),
            "wrong.npz: 'x' wants samples [N, 1, 6], got float64[4, 5]",
        ),
        (
            ("tiny.onnx", "--calibrate", "other.npz"),
            "other.npz: wanted an array 'x' or 'inputs', the file has z",
        ),
        (
            ("tiny.onnx", "--calibrate", "nan.npz"),
            "nan.npz: 'x' holds a value that is no number at [0, 0]",
        ),
        (("tiny.onnx", "--input-scale", "0.5"), "--input-scale says what calibration data mean"),
    ],
)
def test_what_can_not_be_served_is_one_line_and_nothing_is_written(
    arguments: Sequence[str], message: str, run: Run, tmp_path: Path
) -> None:
    write_dense(tmp_path)
    (tmp_path / "garbage.onnx").write_bytes(b"\x00\xffgarbage")
    (tmp_path / "tiny.txt").write_text("")
    np.savez(tmp_path / "wrong.npz", x=np.zeros((4, 5)))
    np.savez(tmp_path / "other.npz", z=np.zeros((4, 6)))
    np.savez(tmp_path / "nan.npz", x=np.full((4, 6), np.nan))
    before = sorted(tmp_path.iterdir())
    assert _one_line(run("compile", *arguments, "-o", "out", "-q"), 1).startswith(message)
    assert sorted(tmp_path.iterdir()) == before


def test_all_unsupported_nodes_are_listed(run: Run, tmp_path: Path) -> None:
    result = run("compile", write_unsupported(tmp_path), "-o", "out")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "error: 2 nodes not supported:",
        "  node 'node_where': NonZero needs a constant input 0, got 'x' made at run time (bind it: --bind x=VALUE)",
        "  node 'node_picture': operator ImageDecoder (opset 17) is not supported",
    ]
    assert not (tmp_path / "out").exists()


def test_an_out_that_can_not_be_written_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    model = write_dense(tmp_path)
    for out in ("file", "file/out"):
        line = _one_line(run("compile", model, "-o", out, "-q"), 1)
        assert line.startswith(f"can't write {out}: ")
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "tiny.onnx"]


def test_a_failed_compilation_leaves_an_older_result_as_it_was(run: Run, tmp_path: Path) -> None:
    run("compile", write_dense(tmp_path), "-o", "out", "--no-verify")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert run("compile", "none.onnx", "-o", "out").exit_code == 1
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    "verb", [("verify", "."), ("run", ".", "-i", "x.npz", "-o", "y.npz"), ("inspect", ".")]
)
def test_a_folder_without_a_report_is_told(verb: Sequence[str], run: Run) -> None:
    line = _one_line(run(*verb), 1)
    assert line == ". holds no report.json (tinyml-compile MODEL -o DIR writes one)"


def test_run_names_what_is_wrong_with_its_input(run: Run, out: Path, tmp_path: Path) -> None:
    assert "can't read none.npz" in _one_line(run("run", out, "-i", "none.npz", "-o", "y.npz"), 1)
    write_samples(tmp_path, x=np.zeros((2, 5), np.float32))
    assert "'x' wants i8[1,6], got float32[5]" in _one_line(
        run("run", out, "-i", "samples.npz", "-o", "y.npz"), 1
    )
    write_samples(tmp_path)
    assert "can't write no/y.npz" in _one_line(
        run("run", out, "-i", "samples.npz", "-o", "no/y.npz"), 1
    )
    assert [p.name for p in tmp_path.iterdir()] == ["samples.npz"]


def test_a_missing_cross_compiler_is_named_with_its_package(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    line = _one_line(run("verify", out, "--target", "cortex-m3"), 1)
    assert line.startswith("arm-none-eabi-gcc is not installed or not on the PATH")
    assert "apt install gcc-arm-none-eabi" in line


# usage: 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compile",), "Missing argument 'MODEL'"),
        (("compile", "tiny.onnx"), "Missing option '-o' / '--out'"),
        (("compile", "tiny.onnx", "-o", "out", "--dim", "N"), "--dim wants NAME=SIZE, got 'N'"),
        (("compile", "tiny.onnx", "-o", "out", "--dim", "N=x"), "--dim wants NAME=SIZE, got 'N=x'"),
        (
            ("compile", "tiny.onnx", "-o", "out", "--dim", "N=1", "--dim", "N=2"),
            "--dim N is given twice",
        ),
        (
            ("compile", "tiny.onnx", "-o", "out", "--input-scale", "a"),
            "--input-scale wants [NAME=]NUMBER, got 'a'",
        ),
        (
            ("compile", "tiny.onnx", "-o", "out", "--input-offset", "1"),
            "--input-offset goes with --input-scale",
        ),
        (
            ("compile", "tiny.onnx", "-o", "out", "--input-range", "x=1.."),
            "--input-range wants [NAME=]LO..HI or [NAME=]MEAN+-DEVIATION, got 'x=1..'",
        ),
        (("compile", "tiny.onnx", "-o", "out", "--prune", "1.5"), "Invalid value for '--prune'"),
        (("compile", "tiny.onnx", "-o", "out", "--io", "x"), "Invalid value for '--io'"),
        (("conquer",), "No such command 'conquer'"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: Sequence[str], message: str, run: Run) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("Usage: ")


# our own fault: 70


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            InternalError("two nodes have one name"),
            "internal error: two nodes have one name (this is our fault",
        ),
        (
            KeyError("x"),
            "internal error: KeyError: 'x' (this is our fault, please report it; -v shows where)",
        ),
        (
            VerificationError("tensor 'r' differs"),
            "tensor 'r' differs (this is our fault, please report it)",
        ),
    ],
)
def test_our_own_fault_is_exit_code_70(
    error: Exception, text: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr("tinycc_ml.api.verify_compiled", fail)
    model = write_dense(tmp_path)
    assert _one_line(run("compile", model, "-o", "out", "-q"), 70).startswith(text)
    assert not (tmp_path / "out").exists()
    assert "Traceback" in run("compile", model, "-o", "out", "-v").stderr


# the process


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tinycc_ml.cli import main; main(['--help'], standalone_mode=False); "
        "print(sorted({'numpy', 'onnx', 'jinja2', 'rich', 'cffi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_same_command_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    model, data = write_dense(tmp_path), write_samples(tmp_path)
    folders = (tmp_path / "one", tmp_path / "deep/two")
    for folder in folders:
        assert run("compile", model, "-o", folder, "--calibrate", data, "-q").exit_code == 0
    one, two = (
        {p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders
    )
    assert one == two
    assert not any(str(tmp_path).encode() in text for text in one.values())


@pytest.mark.parametrize(
    ("option", "amount", "words"),
    [
        ("--ram", "1", "the arena takes"),
        ("--flash", "20", "constants take about"),
        ("--cycles", "0.005K", "the fastest choice takes about"),
    ],
)
def test_a_limit_that_can_not_be_met_is_an_error_that_names_nodes(
    run: Run, tmp_path: Path, option: str, amount: str, words: str
) -> None:
    result = run("compile", write_dense(tmp_path, leading=1), "-o", "limited", option, amount)
    line = _one_line(result, 1)
    assert words in line and option in line
    assert not (tmp_path / "limited").exists()


@pytest.mark.parametrize("amount", ["-4K", "many", "4T", "", "0"])
def test_an_amount_is_a_number_with_k_m_or_g(run: Run, tmp_path: Path, amount: str) -> None:
    result = run("compile", write_dense(tmp_path, leading=1), "-o", "limited", "--ram", amount)
    assert result.exit_code == 2
    assert "wants a number such as 4000, 64K or 1.5M" in result.stderr


def test_limits_are_noted_in_the_report(run: Run, tmp_path: Path) -> None:
    model = write_dense(tmp_path, leading=1)
    result = run(
        "compile", model, "-o", "limited", "--ram", "4K", "--cycles", "1.5M", "--no-verify"
    )
    assert result.exit_code == 0, result.output
    options = json.loads((tmp_path / "limited" / "report.json").read_text())["options"]
    assert (options["ram"], options["flash"], options["cycles"]) == (4096, None, 1_500_000)


def test_tuning_needs_a_core_that_is_counted(run: Run, tmp_path: Path) -> None:
    line = _one_line(run("compile", write_dense(tmp_path, leading=1), "-o", "tuned", "--tune"), 1)
    assert line.startswith("--tune needs a target whose cycles are counted, not the host")
