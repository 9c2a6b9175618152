"""`tinyml fmt`, `check` and `decompile`: what is printed, written and returned."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tinycc_ml.cli import main

from ..small_nets import write_dense, write_unsupported

UGLY, NICE = (
    "a=1\ninput  x:f32[1,4]\noutput y=x|>relu\n",
    "a = 1\ninput x: f32[1, 4]\noutput y = x |> relu\n",
)
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return lambda *args, text=None: CliRunner().invoke(main, list(map(str, args)), input=text)


def test_fmt_writes_files_and_folders(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.tml", "in/b.tml"):
        (tmp_path / name).write_text(UGLY)
    (tmp_path / "in/c.tml").write_text(NICE)
    result = run("fmt", "a.tml", "in")
    assert (result.exit_code, result.stdout) == (0, "formatted a.tml\nformatted in/b.tml\n")
    assert (tmp_path / "in/b.tml").read_text() == NICE
    assert run("fmt", "a.tml", "in", "--check").output == ""


def test_fmt_check_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tml").write_text(UGLY)
    result = run("fmt", "a.tml", "--check")
    assert (result.exit_code, result.stdout) == (1, "would change a.tml\n")
    assert "error: 1 file is not formatted: a.tml (tinyml fmt does it)" in result.stderr
    assert (tmp_path / "a.tml").read_text() == UGLY


def test_fmt_goes_from_stdin_to_stdout(run: Run) -> None:
    assert run("fmt", "--stdin", text=UGLY).stdout == NICE
    assert json.loads(run("fmt", "--stdin", "--json", text=UGLY).stdout)["text"] == NICE
    assert run("fmt", "--stdin", "--check", text=UGLY).exit_code == 1
    assert run("fmt", "--stdin", "--check", text=NICE).exit_code == 0
    assert run("fmt", "--stdin", text="a = =").exit_code == 1
    assert run("fmt").exit_code == run("fmt", "--stdin", "a.tml").exit_code == 2


def test_fmt_formats_what_it_can_and_says_the_rest(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tml").write_text("a = =\n")
    (tmp_path / "b.tml").write_text(UGLY)
    result = run("fmt", "a.tml", "b.tml")
    assert result.exit_code == 1 and "a.tml:1:5: expected a value" in result.stderr
    assert (tmp_path / "b.tml").read_text() == NICE
    assert "can't read none.tml" in run("fmt", "none.tml").stderr


def test_check_says_what_a_net_reads_and_gives(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.tml").write_text(NICE)
    assert run("check", "net.tml").stdout == "net.tml: no mistakes; x f32[1,4] -> y f32[1,4]\n"
    found = json.loads(run("check", "net.tml", "--json").stdout)
    assert (found["ok"], found["inputs"]) == (True, {"x": "f32[1,4]"})
    assert list(tmp_path.iterdir()) == [tmp_path / "net.tml"]


def test_check_says_all_mistakes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.tml").write_text(
        "input x: f32[1, 4]\na = x |> rellu\noutput y = x |> dense(3, unit=1)\n"
    )
    result = run("check", "net.tml", "--json")
    problems = json.loads(result.stdout)["error"]["problems"]
    assert result.exit_code == 1
    assert [p["message"] for p in problems] == [
        "no operator, block or function 'rellu'", "dense has no argument 'unit'"
    ]  # fmt: skip
    assert problems[0] == {
        "file": "net.tml", "line": 2, "column": 10, "end_line": 2, "end_column": 15,
        "message": "no operator, block or function 'rellu'", "hint": "did you mean 'relu'?", "notes": [],
    }  # fmt: skip
    assert run("check", "net.tml").stderr.count("error: net.tml:2:10") == 1


def test_check_binds_dimensions_and_lets_includes_go_outside(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "f.tml").write_text("block f(x) { return x |> relu }\n")
    text = 'include "../f.tml"\nN = 2\ninput x: f32[1, N]\noutput y = x |> f\n'
    (tmp_path / "in/net.tml").write_text(text)
    assert run("check", "in/net.tml").exit_code == 1
    result = run("check", "in/net.tml", "--allow-outside", "--dim", "N=5")
    assert "x f32[1,5]" in result.stdout


def test_decompile_writes_a_spec_and_its_arrays(run: Run, tmp_path: Path) -> None:
    model = write_dense(tmp_path)
    result = run("decompile", model, "-o", "made/net.tml")
    assert result.exit_code == 0
    assert "arrays in net.npz" in result.stdout
    assert (tmp_path / "made/net.npz").is_file()
    assert "|> dense(8" in (tmp_path / "made/net.tml").read_text()
    assert run("check", "made/net.tml").exit_code == 0
    assert run("decompile", model).exit_code == 0 and model.with_suffix(".tml").is_file()


def test_decompile_refuses_what_it_can_not_serve(run: Run, tmp_path: Path) -> None:
    result = run("decompile", write_unsupported(tmp_path), "-o", "net.tml")
    assert result.exit_code == 1 and not (tmp_path / "net.tml").exists()
    assert run("decompile", write_dense(tmp_path), "-o", "net.txt").exit_code == 2
    assert "can't read none.onnx" in run("decompile", "none.onnx").stderr
