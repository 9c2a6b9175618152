"""The reference pages: their tables are those of the code, and every snippet of the language compiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

import tinycc_ml
from tinycc_ml.cli import main
from tinycc_ml.frontends.spec import Source, SpecError, read_spec
from tinycc_ml.frontends.spec.functions import FUNCTIONS
from tinycc_ml.lsp.pages import TABLES

from ..doc_examples import ROOT, blocks
from ..doc_examples import Block as Snippet

REFERENCE = ROOT / "docs" / "language_reference.md"
OPERATORS = ROOT / "docs" / "operators.md"
_TABLE = re.compile(r"(<!-- table (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_HEAD = "input x: f32[1, 3, 16, 16]\nweights(random(1))\n"


def test_the_page_of_operators_is_current(update_golden: bool) -> None:
    """`tinyml ops --markdown > docs/operators.md`, or pytest --update-golden."""
    done = CliRunner().invoke(main, ["ops", "--markdown"])
    assert done.exit_code == 0
    if update_golden:
        OPERATORS.write_text(done.stdout, encoding="utf-8")
    assert OPERATORS.read_text(encoding="utf-8") == done.stdout


def test_the_tables_of_the_reference_are_those_of_the_code(update_golden: bool) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    filled = _TABLE.sub(lambda m: f"{m[1]}\n{TABLES[m[2]]()}\n{m[4]}", text)
    if update_golden:
        REFERENCE.write_text(filled, encoding="utf-8")
    assert REFERENCE.read_text(encoding="utf-8") == filled
    assert {m[2] for m in _TABLE.finditer(text)} == set(TABLES)


def test_every_function_is_described() -> None:
    section = REFERENCE.read_text().split("### Functions")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+)\(", section)) >= set(FUNCTIONS)


def test_every_statement_is_described() -> None:
    text = REFERENCE.read_text()
    words = set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) | {"weights", "recipe"}
    assert {"model", "input", "output", "for", "if", "block", "include", "import"} <= words


@dataclass(frozen=True)
class Case:
    """A snippet as a whole spec; `said`: the message that it must give."""

    line: int
    text: str
    said: str | None = None


def _snippets() -> list[Snippet]:
    return [*blocks(REFERENCE)]


def _cases() -> Iterator[Case]:
    every = _snippets()
    for k, snippet in enumerate(every):
        if snippet.language != "tml" or _file(snippet):
            continue
        if "wrong" in snippet.words:
            yield Case(snippet.line, snippet.text, every[k + 1].text)
        else:
            yield Case(snippet.line, _whole(snippet))


def _whole(snippet: Snippet) -> str:
    if "net" not in snippet.words:
        return snippet.text
    end = "" if re.search(r"^output ", snippet.text, re.MULTILINE) else "output result = x\n"
    return f"{_HEAD}{snippet.text}{end}"


def _file(snippet: Snippet) -> str | None:
    return next((w.removeprefix("as=") for w in snippet.words if w.startswith("as=")), None)


def _source(case: Case, folder: Path) -> Source:
    for snippet in _snippets():
        name = _file(snippet)
        if name is not None:
            (folder / name).write_text(snippet.text)
    path = folder / "net.tml"
    path.write_text(case.text)
    return Source("net.tml", case.text, path)


CASES = list(_cases())


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"line {c.line}")
def test_snippets_mean_what_is_said(case: Case, tmp_path: Path) -> None:
    source = _source(case, tmp_path)
    if case.said is None:
        assert read_spec(source).graph.outputs
        return
    with pytest.raises(SpecError) as caught:
        read_spec(source)
    assert f"{caught.value}\n" == case.said


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [c for c in CASES if c.said is None], ids=lambda c: f"line {c.line}"
)
def test_snippets_compile_to_exact_c(case: Case, tmp_path: Path) -> None:
    path = _source(case, tmp_path).path
    assert path is not None
    result = tinycc_ml.compile(path)
    assert result.files


def test_there_are_snippets_of_most_statements() -> None:
    assert len(CASES) >= 15


def test_names_of_weights_are_those_of_the_table() -> None:
    """The section on names, row by row."""
    rows = {
        "stem = x |> conv(8) |> relu": ["stem.weight", "stem.bias"],
        "mid = x |> dw |> conv(8)": ["mid.dw.weight", "mid.dw.bias", "mid.conv.weight", "mid.conv.bias"],
        "x = x |> conv(8)\nx = x |> conv(8)": ["conv.weight", "conv.bias", "conv_2.weight", "conv_2.bias"],
        'x = x |> conv(8, name="a")': ["a.weight", "a.bias"],
    }  # fmt: skip
    text = REFERENCE.read_text()
    for line, names in rows.items():
        last = line.split(" = ")[0]
        made = read_spec(Source("net.tml", f"{_HEAD}{line}\noutput y = {last} |> relu\n"))
        assert list(made.net.initialisers) == names
        assert ", ".join(f"`{n}`" for n in names) in text
