"""restore_names: the model's own names, where they are free."""

from __future__ import annotations

from dataclasses import replace

from tinycc_ml.ir.graph import Graph, Origin
from tinycc_ml.passes.restore_names import restore_names

from ..texts import assert_same_values, graph

LINES = """
    input x: f32[2]
    "a.nhwc": f32[2] = neg(x)
    "a.q": f32[2] = exp("a.nhwc")
    b: f32[2] = abs("a.q")
    y: f32[2] = mul("a.nhwc", b)
    output y
"""


def _with_origins(made: Graph, **origins: str) -> Graph:
    names = {key.replace("_", "."): value for key, value in origins.items()}
    tensors = {
        n: replace(t, origin=Origin(names[n])) if n in names else t for n, t in made.tensors.items()
    }
    return replace(made, tensors=tensors)


def test_a_tensor_takes_the_name_it_had_in_the_model() -> None:
    before = _with_origins(graph(LINES), a_nhwc="relu/a")
    after = restore_names(before)
    assert after == graph(LINES.replace("a.nhwc", "relu/a"))
    assert_same_values(before, after)


def test_the_first_of_two_takes_the_name() -> None:
    after = restore_names(_with_origins(graph(LINES), a_nhwc="a", a_q="a"))
    assert [n.outputs[0] for n in after.nodes] == ["a", "a.q", "b", "y"]


def test_a_name_that_is_taken_is_left_to_its_owner() -> None:
    before = _with_origins(graph(LINES), a_nhwc="b", a_q="x")
    assert restore_names(before) == before


def test_inputs_outputs_and_constants_keep_their_names() -> None:
    lines = "input x: f32[2]\nconstant k: f32[2] = [1, 2]\ny: f32[2] = add(x, k)\noutput y"
    before = _with_origins(graph(lines), x="other", k="third", y="fourth")
    assert restore_names(before) == before
