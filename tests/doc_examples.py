"""The examples of README.md and docs/*.md, as blocks that can be run in a copy of the checkout.

The words after a fence's language say what a block is:

    ```sh                   run by bash
    ```python               run by Python, on its own
    ```c file=net/main.c    written to that file; any language
    ```diff                 applied to the checkout
    ```text output          what the block before prints; "..." stands for any text
    ```text output like     the same, and every number stands for any number
    ```sh slow              run by the tests with that mark only (slow, cross, emulator)
    ```sh install           run by a test of its own, or not at all
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKS = ("slow", "cross", "emulator")
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# As re.escape leaves it
_NUMBER = re.compile(r"\d(?:[\d,]|\\\.\d)*")
_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", "out", "build", "dist"
)
_TIMEOUT_S = 600


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words after it, its text, and where it stands."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    @property
    def file(self) -> str | None:
        return next((w.removeprefix("file=") for w in self.words if w.startswith("file=")), None)

    @property
    def marks(self) -> frozenset[str]:
        return frozenset(self.words) & frozenset(MARKS)

    @property
    def runs(self) -> bool:
        """Whether there is something to do with it."""
        if "install" in self.words:
            return False
        shown = "output" in self.words
        return self.file is not None or shown or self.language in ("sh", "python", "diff")


def pages() -> tuple[Path, ...]:
    folders = sorted((*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")))
    return (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *folders)


def blocks(page: Path) -> tuple[Block, ...]:
    """All the blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return tuple(
        Block(m[1], tuple(m[2].split()), m[3], text.count("\n", 0, m.start()) + 1)
        for m in _BLOCK.finditer(text)
    )


def marked(page: Path) -> Iterator[str]:
    """ "" when a page has blocks to run without a mark, and every mark that some block has."""
    todo = [b for b in blocks(page) if b.runs]
    if any(not b.marks for b in todo):
        yield ""
    yield from sorted({mark for b in todo for mark in b.marks})


def copy_checkout(target: Path) -> Path:
    shutil.copytree(ROOT, target, ignore=_NOT_COPIED)
    return target


def run_page(page: Path, mark: str, checkout: Path) -> None:
    """Run the blocks of a page that have no mark but `mark`, in order. AssertionError names the line."""
    printed = ""
    for block in blocks(page):
        if block.runs and block.marks <= {mark}:
            where = f"{page.name}:{block.line}"
            if "output" in block.words:
                matches = _matches(printed, block.text, like="like" in block.words)
                assert matches, f"{where}: printed was\n{printed}"
            elif block.file is not None:
                _write(checkout / block.file, block.text)
            else:
                printed = _run(block, checkout, where)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _matches(printed: str, shown: str, *, like: bool) -> bool:
    parts = [re.escape(part) for part in shown.strip().split("...")]
    if like:
        parts = [_NUMBER.sub(r"[\\d.,]+", part) for part in parts]
    return re.fullmatch(".*?".join(parts), printed.strip(), re.DOTALL) is not None


def _run(block: Block, checkout: Path, where: str) -> str:
    commands: dict[str, Sequence[str]] = {
        "sh": ("bash", "-euo", "pipefail", "-c", block.text),
        "python": (sys.executable, "-c", block.text),
        "diff": ("patch", "-p1", "--no-backup-if-mismatch"),
    }
    done = subprocess.run(
        commands[block.language],
        cwd=checkout,
        env=environment(checkout),
        input=block.text if block.language == "diff" else "",
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{where}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def environment(checkout: Path) -> dict[str, str]:
    """The checkout's own package before an installed one, and our commands on the PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {**os.environ, "PATH": path, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
