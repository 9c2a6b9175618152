"""What is known of a text: hover, completion, definitions and symbols, by position, without an editor."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tinycc_ml.lsp.analysis import Analysis, analyse, source_of
from tinycc_ml.lsp.complete import complete
from tinycc_ml.lsp.definition import definition
from tinycc_ml.lsp.hover import hover
from tinycc_ml.lsp.symbols import symbols

from ..effort import calls
from ..frontends.spec.texts import EXAMPLES, ROOT, spoilt

sys.path.insert(0, str(ROOT))
from benchmarks.language import text as long_text

NET = """# A net
block sep(x, channels: size, stride: size = 1) {
    y = x |> dw(3, stride) |> relu
    return y |> conv(channels, 1)
}
input image: f32[1, 3, 16, 16]
stem = image |> conv(8, 3, stride=2) |> relu
x = stem
for c in [8, 16] {
    x = x |> sep(c)
}
output scores = x |> flatten |> dense(10)
weights(random(1))
recipe {
    target("cortex-m4", flash=256K)
    optimize("speed")
}
"""


def _analysis(text: str = NET, path: Path | None = None) -> Analysis:
    return analyse(source_of(text, path, "net.tml"))


def _at(text: str, words: str) -> tuple[int, int]:
    """The position of the mark | in words that the text holds without it."""
    index = text.index(words.replace("|", "", 1)) + words.index("|")
    before = text[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _hover(words: str, text: str = NET) -> str:
    found = hover(_analysis(text), _at(text, words))
    assert found is not None
    return found[0]


def test_a_name_shows_its_tensor_and_what_its_line_costs() -> None:
    text = _hover("|stem = image")
    assert "stem: f32[1,8,8,8]" in text
    macs, parameters = 8 * 8 * 8 * 27, 8 * 27 + 8
    assert f"{macs:,} MACs, {parameters} parameters" in text


def test_an_input_shows_its_type() -> None:
    assert "image: f32[1,3,16,16]" in _hover("input |image")


def test_an_operator_shows_arguments_with_defaults_and_what_it_gave() -> None:
    text = _hover("> co|nv(8, 3")
    assert "kernel: sizes = 3" in text and "Convolution" in text
    assert "Gives a tensor f32[1,8,8,8]: 13,824 MACs, 224 parameters" in text


def test_a_block_shows_its_signature_and_the_cost_of_each_call() -> None:
    text = _hover("> se|p(c)")
    assert "block sep(x, channels: size, stride: size = 1)" in text
    assert "f32[1,8,8,8]" in text and "f32[1,16,8,8]" in text


def test_names_in_a_loop_show_each_value() -> None:
    assert "c: 8" in _hover("sep(|c)") and "c: 16" in _hover("sep(|c)")


def test_arguments_and_recipe_calls_are_told() -> None:
    assert "stride: sizes = 1" in _hover("str|ide=2")
    assert "flash: size = none" in _hover("fla|sh=256K")
    assert 'goal: text = "balanced"' in _hover("opti|mize(")


def test_a_hover_is_there_beside_a_mistake() -> None:
    text = NET.replace("dense(10)", "dense(10, foo=)")
    analysis = _analysis(text)
    assert len(analysis.problems) == 1
    assert "f32[1,8,8,8]" in (hover(analysis, _at(text, "|stem = image")) or ("",))[0]


def test_after_a_pipe_there_are_operators_and_blocks() -> None:
    found = _items_after("output scores = x |> ")
    assert found[0] == "sep" and {"conv", "dw", "relu", "Conv", "LeakyRelu"} <= set(found)
    assert "image" not in found and "plus" not in found


def _items_after(before: str, text: str = NET) -> list[str]:
    """What is offered behind the first place of some words, with the rest of the line away."""
    index = text.index(before) + len(before)
    rest = text[text.index("\n", index) :]
    head = text[:index]
    at = head.count("\n") + 1, len(head) - head.rfind("\n")
    return [i.label for i in complete(_analysis(head + rest), head, at)]


def test_in_a_call_there_are_the_arguments_that_are_left() -> None:
    found = _items_after("conv(8, 3, ")
    assert found[:2] == ["stride=", "pad="] and "channels=" not in found and "kernel=" not in found
    assert "x=" not in found and "image" in found
    assert "pad=" in _items_after("conv(8, 3, stride=2, ", NET.replace("stride=2)", "stride=2, )"))
    assert _items_after("> sep(")[:2] == ["channels=", "stride="]


def test_in_a_block_there_are_its_names() -> None:
    found = _items_after("return ")
    assert {"x", "channels", "stride", "y", "image"} <= set(found)


def test_onnx_operators_complete_their_attributes() -> None:
    text = NET.replace("flatten", "Gemm(w, transB=1)")
    assert {"alpha=", "beta=", "transA="} <= set(_items_after("Gemm(w, ", text))


def test_the_recipe_completes_its_calls_arguments_and_choices() -> None:
    assert {"target", "optimize", "prune"} <= set(_items_after("recipe {\n    "))
    assert "ram=" in _items_after('target("cortex-m4", ')
    assert "cortex-m4" in _items_after('target("')
    assert _items_after('optimize("') == ["speed", "balanced", "size"]


@pytest.mark.parametrize("before", ["# a", "x = 64", "model "])
def test_where_nothing_can_be_offered_nothing_is(before: str) -> None:
    assert complete(_analysis(), before, (1, len(before) + 1)) == []


@pytest.mark.parametrize(
    ("words", "line", "column"),
    [
        ("> se|p(c)", 2, 7), ("sep(|c)", 9, 5), ("= |stem", 7, 1), ("conv(|channels", 2, 14), ("return |y", 3, 5),
        ("output scores = |x", 10, 5),
    ],
)  # fmt: skip
def test_definitions(words: str, line: int, column: int) -> None:
    analysis = _analysis()
    found = definition(analysis, _at(NET, words))
    assert found is not None and found[0] is analysis.source
    assert found[1][:2] == (line, column)


def test_operators_are_defined_in_the_prelude() -> None:
    found = definition(_analysis(), _at(NET, "str|ide=2"))
    assert found is not None and getattr(found[0], "name", "") == "prelude.tml"


def test_what_is_included_leads_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "blocks.tml").write_text("block twice(x) {\n    return x |> relu |> relu\n}\n")
    text = 'include "blocks.tml"\ninput x: f32[1, 4]\noutput y = x |> twice\n'
    analysis = _analysis(text, tmp_path / "net.tml")
    assert analysis.problems == ()
    assert definition(analysis, (1, 12)) == ((tmp_path / "blocks.tml").resolve(), (1, 1, 1, 1))
    found = definition(analysis, _at(text, "|twice"))
    assert found is not None and found[0] is analysis.included[0] and found[1][:2] == (1, 7)


def test_a_file_of_blocks_needs_no_output() -> None:
    assert _analysis("block f(x) {\n    return x |> relu\n}\n").problems == ()
    assert _analysis("").problems == ()


def test_names_of_the_recipe_are_checked_too() -> None:
    text = NET.replace('optimize("speed")', 'input_scale(0.5, input="imge")')
    (problem,) = _analysis(text).problems
    assert problem.span.line == 16 and "did you mean 'image'" in str(problem)


def test_symbols_are_an_outline() -> None:
    file = _analysis().file
    assert file is not None
    found = list(symbols(file))
    assert [s.name for s in found] == ["sep", "image", "stem", "x", "c", "scores", "recipe"]
    assert [s.name for s in found[0].inner] == ["y"]
    assert [s.name for s in found[-1].inner] == ["target", "optimize"]


@pytest.mark.parametrize("seed", range(40))
def test_any_text_at_any_position_is_answered(seed: int) -> None:
    rng = random.Random(seed)
    text = spoilt(rng.choice(EXAMPLES).read_text(), rng)
    text = text[: rng.randrange(len(text) + 1)] if seed % 2 else text
    analysis = _analysis(text)
    lines = analysis.source.text.split("\n")
    for _ in range(10):
        line = rng.randrange(len(lines))
        column = rng.randint(0, len(lines[line]))
        at = line + 1, column + 1
        hover(analysis, at), definition(analysis, at)
        complete(analysis, "\n".join([*lines[:line], lines[line][:column]]), at)
    assert analysis.file is None or list(symbols(analysis.file)) is not None


_DEEP = {
    "signs": f"x = {'-' * 20000}1",
    "brackets": f"a = {'(' * 39}1{')' * 39}",
    "calls": "block f(x) { return 1 + (2 + [f(x)][0]) }\ny = 1 |> f",
}


@pytest.mark.parametrize("kind", _DEEP)
def test_deep_texts_do_not_exhaust_the_watcher(kind: str) -> None:
    assert isinstance(_analysis(_DEEP[kind]), Analysis)


def test_2000_lines_are_checked_in_a_second() -> None:
    """0.8 s on a machine of today for these 4.7 million calls and returns."""
    source = source_of(long_text(), None, "big.tml")
    assert analyse(source).problems == ()
    calls(lambda: analyse(source), at_most=6_000_000)
