"""What is compiled on first use is kept, and never taken for another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinycc_ml.errors import ToolError
from tinycc_ml.toolchain.cache import cached_build


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "a.c").write_text("1", encoding="utf-8")
    return folder


def _copy(sources: Path, built: list[str]) -> Path:
    def build(workdir: Path) -> Path:
        text = (sources / "a.c").read_text(encoding="utf-8")
        built.append(text)
        output = workdir / "out"
        output.write_text(text, encoding="utf-8")
        return output

    return cached_build("thing", sources, build)


def test_a_second_call_builds_nothing(sources: Path) -> None:
    built: list[str] = []
    assert _copy(sources, built) == _copy(sources, built)
    assert built == ["1"]


def test_changed_sources_are_built_again(sources: Path) -> None:
    built: list[str] = []
    first = _copy(sources, built)
    (sources / "a.c").write_text("2", encoding="utf-8")
    second = _copy(sources, built)
    assert built == ["1", "2"]
    assert first != second
    assert second.read_text(encoding="utf-8") == "2"


def test_nothing_but_the_result_is_left(sources: Path) -> None:
    output = _copy(sources, [])
    assert list(output.parent.iterdir()) == [output]


def test_a_cache_that_cannot_be_made_is_told(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with pytest.raises(ToolError, match=r"can't write to the cache.*XDG_CACHE_HOME"):
        _copy(sources, [])
