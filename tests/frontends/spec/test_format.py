"""`tinyml fmt`: one style, the same meaning, comments in their places."""

from __future__ import annotations

import random
import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tinycc_ml.frontends.spec import Source, SpecError, parse
from tinycc_ml.frontends.spec.writing.format import format_file, format_text, same
from tinycc_ml.frontends.spec.writing.layout import WIDTH
from tinycc_ml.ir.text import canonical_text

from ...effort import calls
from .texts import EXAMPLES, ROOT, random_specs, spec

STYLE = Path(__file__).parent / "style"
PRELUDE = ROOT / "grammar" / "prelude.tml"


def formatted(text: str) -> str:
    return format_text(Source("net.tml", text))


def _comments(text: str) -> list[str]:
    return [c.text for c in parse(Source("net.tml", text)).comments]


def _check_round_trip(text: str) -> None:
    """A formatted spec is formatted, has the same comments, and is the same net."""
    once = formatted(text)
    assert formatted(once) == once
    assert _comments(once) == _comments(text)
    before, after = spec(text), spec(once)
    assert canonical_text(after.graph) == canonical_text(before.graph)
    assert after.settings == before.settings


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_specs())
def test_a_formatted_spec_is_the_same_net(text: str) -> None:
    _check_round_trip(text)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_specs())
def test_200_formatted_specs_are_the_same_nets(text: str) -> None:
    _check_round_trip(text)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_specs())
def test_lines_are_short_and_clean(text: str) -> None:
    for line in formatted(text).splitlines():
        assert line == line.rstrip() and "\t" not in line
        assert len(line.partition("  #")[0]) <= WIDTH


_BREAKS = re.compile(r"(?<=[(\[,{])|(?<=\+ )|(?<=\* )|(?<=\|>)|(?=[)\]}]|\|>| else)")


@pytest.mark.parametrize("seed", range(100))
def test_comments_and_line_ends_may_be_anywhere(seed: int) -> None:
    rng = random.Random(seed)
    text = rng.choice([*EXAMPLES, STYLE / "style.tml"]).read_text(encoding="utf-8")
    places = [match.start() for match in _BREAKS.finditer(text)]
    for at in sorted(rng.sample(places, rng.choice((1, 3, 8))), reverse=True):
        noise = rng.choice(("\n", " # c\n", "\n# own\n", "\n\n", " # a\n # b\n"))
        text = text[:at] + noise + text[at:]
    try:
        wanted = parse(Source("net.tml", text))
    except SpecError:
        return  # a line ends where none may
    once = formatted(text)
    assert formatted(once) == once
    assert same(parse(Source("net.tml", once)), wanted)


def test_the_style_is_the_golden_one(update_golden: bool) -> None:
    """Every construct and every place for a comment; read style.txt like code."""
    text = formatted((STYLE / "style.tml").read_text(encoding="utf-8"))
    golden = STYLE / "style.txt"
    if update_golden:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("path", [*EXAMPLES, PRELUDE], ids=lambda p: p.stem)
def test_formatting_is_done_once(path: Path) -> None:
    once = formatted(path.read_text(encoding="utf-8"))
    assert formatted(once) == once
    if path != PRELUDE:
        assert once == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""), ("\n\n# only\n\n", "# only\n"), ("a=1", "a = 1\n"), ("a = [1,2,]", "a = [1, 2]\n"),
        ("a=not  b==- 1", "a = not b == -1\n"), ("a = (1+2)*-3**2", "a = (1 + 2) * -3 ** 2\n"),
        ("block f(x){return x}", "block f(x) { return x }\n"), ("block f(x){\nreturn x}", "block f(x) {\n    return x\n}\n"),
        ("x = a |>\n  relu", "x = a\n    |> relu\n"), ("x = w [ \"a b\" ]", "x = w[\"a b\"]\n"),
        ("a = 1\n\n\n\nb = 2", "a = 1\n\nb = 2\n"), ("if a { b = 1 } else { b = 2 }", "if a { b = 1 } else { b = 2 }\n"),
        ("a = 64K#why", "a = 64K  #why\n"), ("output y as \"a\\\"b\"", "output y as \"a\\\"b\"\n"),
    ],
)  # fmt: skip
def test_small_things(text: str, wanted: str) -> None:
    assert formatted(text) == wanted


def test_what_can_not_be_parsed_is_not_formatted() -> None:
    with pytest.raises(SpecError, match="expected a value"):
        formatted("a = =\n")


def test_two_files_are_not_the_same_when_a_word_differs() -> None:
    texts = (
        "a = f(1, b)",
        "a = f(1, c)",
        "a = f(1)\n",
        "a = f(1, b)  # c",
        "a = (f(1, b))",
        "a = f([1], b)",
    )
    files = [parse(Source("net.tml", text)) for text in texts]
    assert [same(files[0], file) for file in files] == [True, False, False, False, False, False]


def test_a_file_is_written_only_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "net.tml"
    path.write_bytes(b"a=1\r\n")
    assert format_file(path, write=False) and path.read_bytes() == b"a=1\r\n"
    assert format_file(path) and path.read_bytes() == b"a = 1\n"
    assert not format_file(path)


def test_a_long_file_is_formatted_soon() -> None:
    block = textwrap.dedent("""
        x = x |> conv(8, 3, stride=1, pad="same") |> relu  # a layer
        # and what it is for
        y = [1, 2, 3]
    """)
    calls(lambda: formatted(block * 500), at_most=9_000_000)  # 6.2 million
