"""The committed figures hold, and a figure that got worse is named."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import baseline
import page
import pytest
from measure import Case, Figures
from nets import OWN, own_nets
from run import OPTIMIZE, OWN_CORES

from tinycc_ml.backend.target import load_target

from ..toolchain.programs import require
from .conftest import FOLDER

FIGURES = Figures(
    macs=100, cycles=1000, instructions=800, flash=5000, constants=3000, ram=2000, stack=100, arena=1500,
    scratch=0, ends=60,
)  # fmt: skip


@pytest.mark.emulator
@pytest.mark.parametrize("core", OWN_CORES)
def test_our_own_nets_are_no_worse_than_the_baseline(core: str) -> None:
    require(load_target(core))
    command = [sys.executable, str(FOLDER / "run.py"), "--check", "--core", core]
    done = subprocess.run(
        [*command, "--net", *OWN, "--optimize", *OPTIMIZE],
        capture_output=True,
        text=True,
        check=False,
    )
    if "NOT COMPARED" in done.stdout:
        pytest.skip(done.stdout[done.stdout.index("NOT COMPARED") :].strip())
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_baseline_has_our_own_nets() -> None:
    figures = baseline.read()["figures"]
    cases = [Case(n, core, o) for n in own_nets() for core in OWN_CORES for o in OPTIMIZE]
    assert {case.key for case in cases} <= set(figures)
    assert all(entry["reason"] for entry in figures.values())


@pytest.mark.parametrize("path", page.PAGES, ids=lambda path: path.name)
def test_the_pages_show_the_committed_figures(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == page.rewritten(text, page.PAGES[path](baseline.read()["figures"]))


def test_one_percent_is_allowed_and_more_is_named() -> None:
    old = asdict(FIGURES)
    assert baseline.worse("k", old, replace(FIGURES, instructions=808, ram=2020)) == []
    assert baseline.worse("k", old, replace(FIGURES, cycles=1, flash=5051, stack=900)) == [
        "k: flash 5,000 -> 5,051 (+1.0 %)"
    ]
    assert baseline.worse("k", old, replace(FIGURES, instructions=880)) == [
        "k: instructions 800 -> 880 (+10.0 %)"
    ]


def test_the_reason_stands_beside_what_changed_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "compiler_of", lambda core: ("x-", "x-gcc 1"))
    first = baseline.updated(
        {"compilers": {}, "figures": {}}, {"c/a/speed": FIGURES, "c/b/speed": FIGURES}, "first"
    )
    later = baseline.updated(
        first, {"c/a/speed": FIGURES, "c/b/speed": replace(FIGURES, cycles=900)}, "faster"
    )
    assert later["figures"]["c/a/speed"]["reason"] == "first"
    assert later["figures"]["c/b/speed"] == {
        **asdict(FIGURES), "cycles": 900, "reason": "faster",
    }  # fmt: skip
    assert later["compilers"] == {"x-": "x-gcc 1"}


def test_figures_of_another_compiler_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "compiler_of", lambda core: ("x-", "x-gcc 2"))
    reason = baseline.why_not_compared({"compilers": {"x-": "x-gcc 1"}}, "cortex-m4")
    assert reason == "the baseline was measured with x-gcc 1, here is x-gcc 2"
    assert baseline.why_not_compared({"compilers": {"x-": "x-gcc 2"}}, "cortex-m4") is None
