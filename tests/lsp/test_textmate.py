"""The colours: every word of a spec has a name in the TextMate grammar, and the right one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tinycc_ml.frontends.spec.arithmetic import UNITS
from tinycc_ml.frontends.spec.values import KINDS
from tinycc_ml.lsp.complete import KEYWORDS
from tinycc_ml.resources import grammar_dir

from ..frontends.spec.texts import EXAMPLES, ROOT

pytest.importorskip("onigurumacffi", reason="onigurumacffi is not installed")
from .textmate import Grammar, Piece

FOLDER = ROOT / "editors" / "vscode"
PATH = FOLDER / "syntaxes" / "tinyml.tmLanguage.json"
GRAMMAR = Grammar(json.loads(PATH.read_text()))
TEXTS = [*EXAMPLES, grammar_dir() / "prelude.tml"]


def _pieces(text: str) -> list[Piece]:
    return list(GRAMMAR.pieces(text))


def _name(text: str, word: str) -> str | None:
    """The name of the last piece that is a word."""
    return [p.name for p in _pieces(text) if p.text == word][-1]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.stem)
def test_everything_in_the_examples_has_a_name(path: Path) -> None:
    pieces = _pieces(path.read_text())
    assert pieces and [p for p in pieces if p.name is None] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.stem)
def test_nothing_is_lost(path: Path) -> None:
    text = path.read_text()
    assert "".join(re.sub(r"\s", "", p.text) for p in _pieces(text)) == re.sub(r"\s", "", text)


_LINES = {
    "model": "model net", "input": "input x: f32[1]", "output": "output y", "block": "block f(x) {", "for": "for i in a {",
    "if": "if a {", "else": "} else {", "return": "return x", "import": 'import "a"', "include": 'include "a"',
    "recipe": "recipe {", "in": "for i in a {", "as": 'output y as "z"', "and": "a = b and c", "or": "a = b or c",
    "not": "a = not b",
}  # fmt: skip


def test_every_keyword_of_the_language_is_tried() -> None:
    """The words in the rules of the grammar."""
    rules = re.sub(r"//[^\n]*", "", (grammar_dir() / "tinyml.lark").read_text())
    words = set(re.findall(r'"([a-z]+)"', rules)) - {"true", "false", "none"}
    assert words == set(_LINES)
    assert set(KEYWORDS) - {"weights"} <= set(_LINES)


@pytest.mark.parametrize("word", _LINES)
def test_keywords_are_keywords(word: str) -> None:
    assert (_name(_LINES[word], word) or "").startswith("keyword.")


@pytest.mark.parametrize("unit", [u for u in UNITS if u])
def test_units_are_units(unit: str) -> None:
    assert _name(f"a = 64{unit}", unit) == "keyword.other.unit.tinyml"


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_types(kind: str) -> None:
    assert _name(f"block f(x: {kind} = 1) {{", kind) == "storage.type.tinyml"


@pytest.mark.parametrize(
    ("text", "word", "name"),
    [
        ("x = a |> conv", "conv", "support.function.tinyml"),
        ("x = Conv(a)", "Conv", "support.function.tinyml"),
        ("recipe {\n    output(", "output", "support.function.tinyml"),
        ("x = a |> conv(8, stride=2)", "stride", "variable.parameter.tinyml"),
        ("a = 1e-5", "1e-5", "constant.numeric.tinyml"),
        ("a = 64Q", "64Q", None),
        ('a = "x{i}" # c', "i", "variable.other.interpolated.tinyml"),
        ('a = "# no" # yes', "# yes", "comment.line.number-sign.tinyml"),
        ("for_each = 1", "for_each", "variable.other.tinyml"),
        ("input signal: f32[1]", "f32", "storage.type.tinyml"),
        ("a = true", "true", "constant.language.tinyml"),
    ],
)
def test_words_have_the_right_names(text: str, word: str, name: str | None) -> None:
    assert _name(text, word) == name


def test_a_text_that_is_not_closed_ends_with_its_line() -> None:
    assert _name('a = "open\nb = 1', "b") == "variable.other.tinyml"


def test_the_extension_names_files_that_are_there() -> None:
    package = json.loads((FOLDER / "package.json").read_text())
    (language,), (grammar,) = (
        package["contributes"]["languages"],
        package["contributes"]["grammars"],
    )
    assert language["extensions"] == [".tml"] and grammar["scopeName"] == "source.tinyml"
    named = [package["main"], language["configuration"], grammar["path"]]
    assert all((FOLDER / name).is_file() for name in named)
    json.loads((FOLDER / language["configuration"]).read_text())
