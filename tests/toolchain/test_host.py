"""The host compiler: found in order, named when missing, its complaints passed on."""

from __future__ import annotations

import ctypes
import importlib.util
import subprocess
from pathlib import Path

import pytest

from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import ToolError
from tinycc_ml.toolchain import build_library, build_program, find_compiler

from .programs import require, write


@pytest.fixture(autouse=True)
def _host_compiler() -> None:
    require(load_target("host"))


def test_cc_is_taken_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "sh -e")
    assert find_compiler().command == ("sh", "-e")


def test_a_cc_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(ToolError, match=r"\$CC names 'no-such-cc'"):
        find_compiler()


def test_no_compiler_at_all_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ToolError, match=r"no C compiler.*can't be verified.*tinycc-ml\[cc\]"):
        find_compiler()


def test_ziglang_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert find_compiler().command[1:] == ("-m", "ziglang", "cc")


def test_the_compiler_tells_its_version() -> None:
    assert any(character.isdigit() for character in find_compiler().version())


def test_a_library_can_be_opened(tmp_path: Path) -> None:
    source = write(tmp_path, "int scaled(int x) { return x * FACTOR + BIAS; }\n")
    write(tmp_path, "#define BIAS 5\n", "bias.h")
    user = write(tmp_path, '#include "bias.h"\n#include "program.c"\n', "user.c")
    assert source.is_file()
    path = build_library(
        [user], include_dirs=[tmp_path], defines=["FACTOR=3"], workdir=tmp_path / "out"
    )
    assert ctypes.CDLL(str(path)).scaled(7) == 26


def test_a_program_runs(tmp_path: Path) -> None:
    source = write(tmp_path, '#include <stdio.h>\nint main(void) { puts("there"); return 3; }\n')
    done = subprocess.run([build_program([source], workdir=tmp_path)], capture_output=True)
    assert (done.returncode, done.stdout) == (3, b"there\n")


def test_a_compile_error_shows_the_compilers_words(tmp_path: Path) -> None:
    source = write(tmp_path, "int broken(void) { return undeclared; }\n")
    with pytest.raises(ToolError, match=r"could not compile program\.c:(.|\n)*undeclared"):
        build_library([source], workdir=tmp_path)
