"""Missing and failing tools are told by name and by what brings them."""

from __future__ import annotations

import sys

import pytest

from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import ToolError
from tinycc_ml.toolchain import find_tool, missing_tools
from tinycc_ml.toolchain.tools import first_lines, run_tool


def test_a_missing_tool_is_told_with_its_package() -> None:
    with pytest.raises(ToolError, match=r"no-such-gcc is not installed.*apt install gcc-none"):
        find_tool("no-such-gcc", package="gcc-none")


def test_a_failing_tool_shows_its_first_lines() -> None:
    script = "import sys; sys.exit('\\n'.join(f'line {i}' for i in range(100)))"
    with pytest.raises(ToolError, match=r"could not do it:\nline 0\nline 1\n") as caught:
        run_tool((sys.executable, "-c", script), doing="do it")
    assert "line 50" not in str(caught.value)
    assert "88 more lines" in str(caught.value)


def test_empty_lines_are_left_out() -> None:
    assert first_lines("a\n\n \nb\n") == "a\nb"


def test_missing_tools_are_listed_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    missing = missing_tools(load_target("cortex-m4"))
    assert "arm-none-eabi-gcc (Debian package gcc-arm-none-eabi)" in missing
    assert "qemu-system-arm (Debian package qemu-system-arm)" in missing
    assert not any(
        "qemu" in name for name in missing_tools(load_target("cortex-m4"), emulator=False)
    )
