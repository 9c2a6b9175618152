"""remove_no_ops: what changes nothing goes, whatever else reads it; what is promised to the outside stays."""

from __future__ import annotations

import pytest

from tinycc_ml.passes.remove_no_ops import remove_no_ops

from ..texts import assert_same_values, graph

Q = "scale 0.5 zero 3"


@pytest.mark.parametrize(
    "line",
    [
        "a: f32[2,3] = identity(x)",
        "a: f32[2,3] = reshape(x) shape=[2,3]",
        "a: f32[2,3] = transpose(x) perm=[0,1]",
    ],
)
def test_what_changes_nothing_is_removed(line: str) -> None:
    before = graph(f"input x: f32[2,3]\n{line}\ny: f32[2,3] = neg(a)\noutput y")
    after = graph("input x: f32[2,3]\ny: f32[2,3] = neg(x)\noutput y")
    assert remove_no_ops(before) == after


def test_requantize_to_the_same_type_is_removed_and_to_another_stays() -> None:
    same = f'r: i8[2] {Q} = requantize(x) dtype="i8" scale=[0.5] zero_point=[3]'
    other = 'r: i8[2] scale 0.5 zero 2 = requantize(x) dtype="i8" scale=[0.5] zero_point=[2]'
    head, tail = f"input x: i8[2] {Q}\n", "\ny: f32[2] = dequantize(r)\noutput y"
    after = graph(f"{head}y: f32[2] = dequantize(x)\noutput y")
    assert remove_no_ops(graph(head + same + tail)) == after
    assert remove_no_ops(graph(head + other + tail)) == graph(head + other + tail)


def test_a_transpose_that_moves_axes_stays() -> None:
    before = graph(
        "input x: f32[2,2]\na: f32[2,2] = transpose(x) perm=[1,0]\ny: f32[2,2] = neg(a)\noutput y"
    )
    assert remove_no_ops(before) == before


def test_a_reshape_of_reshapes_reads_the_first_input() -> None:
    before = graph("""
        input x: f32[2,6]
        a: f32[3,4] = reshape(x) shape=[3,4]
        i: f32[3,4] = identity(a)
        b: f32[12] = reshape(i) shape=[12]
        y: f32[12] = neg(b)
        output y""")
    after = graph("""
        input x: f32[2,6]
        b: f32[12] = reshape(x) shape=[12]
        y: f32[12] = neg(b)
        output y""")
    assert remove_no_ops(before) == after
    assert_same_values(before, after)


def test_reshapes_there_and_back_vanish() -> None:
    before = graph("""
        input x: f32[2,6]
        a: f32[12] = reshape(x) shape=[12]
        b: f32[2,6] = reshape(a) shape=[2,6]
        y: f32[2,6] = neg(b)
        output y""")
    assert remove_no_ops(before) == graph("input x: f32[2,6]\ny: f32[2,6] = neg(x)\noutput y")


def test_a_reshape_that_is_read_as_it_is_stays_beside_the_shortcut() -> None:
    before = graph("""
        input x: f32[2,6]
        a: f32[12] = reshape(x) shape=[12]
        b: f32[3,4] = reshape(a) shape=[3,4]
        y: f32[12] = neg(a)
        z: f32[3,4] = neg(b)
        output y
        output z""")
    after = graph("""
        input x: f32[2,6]
        a: f32[12] = reshape(x) shape=[12]
        b: f32[3,4] = reshape(x) shape=[3,4]
        y: f32[12] = neg(a)
        z: f32[3,4] = neg(b)
        output y
        output z""")
    assert remove_no_ops(before) == after


def test_an_output_gives_its_name_to_what_it_was_made_from() -> None:
    before = graph("""
        input x: f32[2]
        a: f32[2] = neg(x)
        y: f32[2] = identity(a)
        z: f32[2] = abs(a)
        output y
        output z""")
    after = graph("""
        input x: f32[2]
        y: f32[2] = neg(x)
        z: f32[2] = abs(y)
        output y
        output z""")
    assert remove_no_ops(before) == after


@pytest.mark.parametrize(
    "lines",
    [
        "input x: f32[2]\ny: f32[2] = identity(x)\noutput y",
        "constant c: f32[2] = [1, 2]\ny: f32[2] = identity(c)\noutput y",
        "input x: f32[2]\na: f32[2] = neg(x)\ny: f32[2] = identity(a)\noutput a\noutput y",
    ],
)
def test_a_copy_of_an_input_constant_or_output_to_an_output_stays(lines: str) -> None:
    assert remove_no_ops(graph(lines)) == graph(lines)


def test_chains_of_identities_vanish_whole() -> None:
    before = graph("""
        input x: f32[2]
        a: f32[2] = identity(x)
        b: f32[2] = identity(a)
        c: f32[2] = identity(b)
        s: f32[2] = add(a, c)
        y: f32[2] = identity(s)
        output y""")
    assert remove_no_ops(before) == graph("input x: f32[2]\ny: f32[2] = add(x, x)\noutput y")
