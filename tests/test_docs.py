"""README.md and docs/ say what is so: their examples run, their tables hold, their links lead somewhere."""

from __future__ import annotations

import filecmp
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tinycc_ml.ops import onnx_importers

from .doc_examples import ROOT, blocks, copy_checkout, environment, marked, pages, run_page

README = ROOT / "README.md"
# What adding something costs in edits of existing files: (files, lines added)
EDITS = {"adding_an_op.md": (0, 0), "adding_a_pass.md": (1, 1), "adding_a_target.md": (0, 0)}


def _marks(page: Path, mark: str) -> set[str]:
    """Compiling takes seconds: of the pages that do, the quick set only runs the README."""
    compiles = any(block.language == "sh" for block in blocks(page))
    slow = {"slow"} if compiles and page != README else set()
    return slow | ({mark} if mark else set())


def _page_tests() -> list[object]:
    return [
        pytest.param(
            page,
            mark,
            id=f"{page.relative_to(ROOT)}{f' {mark}' if mark else ''}",
            marks=[getattr(pytest.mark, m) for m in _marks(page, mark)],
        )
        for page in pages()
        for mark in marked(page)
    ]


@pytest.mark.parametrize(("page", "mark"), _page_tests())
def test_examples_run(page: Path, mark: str, tmp_path: Path) -> None:
    run_page(page, mark, copy_checkout(tmp_path / "checkout"))


@pytest.mark.parametrize("name", EDITS)
def test_adding_something_costs_the_edits_that_are_promised(name: str, tmp_path: Path) -> None:
    before, after = copy_checkout(tmp_path / "before"), copy_checkout(tmp_path / "after")
    page = ROOT / "docs" / name
    for block in blocks(page):
        if block.file is not None:
            target = after / block.file
            assert not target.exists(), f"{name}:{block.line} writes over {block.file}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text)
        elif block.language == "diff":
            subprocess.run(["patch", "-p1"], cwd=after, input=block.text, text=True, check=True)
    changed = _changed(filecmp.dircmp(before, after), before, after)
    assert (len(changed), sum(changed.values())) == EDITS[name]


def _changed(pair: filecmp.dircmp, before: Path, after: Path) -> dict[str, int]:
    """Existing files that differ, with the lines they have gained; none may lose any."""
    found = {}
    for name in pair.diff_files:
        old, new = (Path(side) / name for side in (pair.left, pair.right))
        lines = old.read_text().splitlines(), new.read_text().splitlines()
        assert not set(lines[0]) - set(lines[1])
        found[str(new.relative_to(after))] = len(lines[1]) - len(lines[0])
    assert not pair.left_only
    for sub in pair.subdirs.values():
        found |= _changed(sub, before, after)
    return found


def test_readme_lists_the_onnx_operators_of_the_op_table() -> None:
    section = README.read_text().split("<!-- operators -->")[1]
    listed = re.findall(r"`([\w.]+)`", section)
    assert len(listed) == len(set(listed)), "an operator is listed twice"
    wanted = {name.removeprefix("com.microsoft.") for name in onnx_importers()}
    assert set(listed) == wanted | {"Constant", "Shape", "Size"}


def _links() -> list[object]:
    return [
        pytest.param(page, link, id=f"{page.relative_to(ROOT)} -> {link}")
        for page in pages()
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    ]


@pytest.mark.parametrize(("page", "link"), _links())
def test_links_lead_to_files(page: Path, link: str) -> None:
    assert (page.parent / link).exists()


def test_paths_named_in_the_architecture_page_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(
        r"`((?:tinycc_ml|runtime_c|templates|tests|docs|examples|grammar|\.ci)/[\w./-]*)`", text
    )
    missing = [path for path in named if not (ROOT / path).exists()]
    assert named and not missing


def test_every_section_of_numerics_that_code_refers_to_exists() -> None:
    sections = set(
        re.findall(r"^## (§\d+)", (ROOT / "docs" / "numerics.md").read_text(), re.MULTILINE)
    )
    for folder in ("tinycc_ml", "runtime_c", "templates"):
        for path in (ROOT / folder).rglob("*.[pchj]*"):
            if path.suffix in (".py", ".c", ".h", ".j2"):
                named = set(re.findall(r"numerics\.md (§\d+)", path.read_text(encoding="utf-8")))
                assert named <= sections, f"{path} refers to {sorted(named - sections)}"


def test_what_we_ship_into_firmware_is_under_0bsd() -> None:
    """runtime_c and the templates of generated C name their licence in the first line."""
    sources = [*(ROOT / "runtime_c").rglob("*.[ch]"), *(ROOT / "templates").glob("*.[ch].j2")]
    assert sources
    for path in sources:
        text = path.read_text(encoding="utf-8")
        assert "SPDX-License-Identifier: 0BSD" in text or "common.banner(" in text, path


def test_ci_script_is_what_the_readme_calls() -> None:
    script = ROOT / ".ci" / "run"
    installs = [b.text for b in blocks(README) if "install" in b.words]
    assert any("./.ci/run" in text for text in installs)
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.slow
@pytest.mark.skipif("CI" not in os.environ, reason="downloads packages: set CI=true to run it")
def test_first_command_of_the_readme_installs_and_compiles(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")
    command = next(b.text for b in blocks(README) if "install" in b.words)
    clean = {
        k: v for k, v in environment(checkout).items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=checkout,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (checkout / "out" / "digits_cnn" / "digits_cnn.h").is_file()
