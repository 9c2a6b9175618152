"""eliminate_common: the first of equal nodes serves all; equal constants are one."""

from __future__ import annotations

import pytest

from tinycc_ml.passes.eliminate_common import eliminate_common

from ..texts import assert_same_values, graph


def test_equal_nodes_are_one() -> None:
    before = graph("""
        input x: f32[2]
        a: f32[2] = neg(x)
        b: f32[2] = neg(x)
        y: f32[2] = mul(a, b)
        output y""")
    assert eliminate_common(before) == graph(
        "input x: f32[2]\na: f32[2] = neg(x)\ny: f32[2] = mul(a, a)\noutput y"
    )


def test_equal_chains_are_one() -> None:
    before = graph("""
        input x: f32[2]
        a: f32[2] = neg(x)
        b: f32[2] = neg(x)
        c: f32[2] = exp(a)
        d: f32[2] = exp(b)
        y: f32[2] = mul(c, d)
        output y""")
    after = graph(
        "input x: f32[2]\na: f32[2] = neg(x)\nc: f32[2] = exp(a)\ny: f32[2] = mul(c, c)\noutput y"
    )
    assert eliminate_common(before) == after


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("clip(x) min=0.0", "clip(x) min=1.0"),
        ("clip(x) min=0.0", "clip(x) max=0.0"),
        ("sub(x, k)", "sub(k, x)"),
        ("neg(x)", "abs(x)"),
    ],
)
def test_nodes_that_differ_stay(first: str, second: str) -> None:
    before = graph(f"""
        input x: f32[2]
        constant k: f32[2] = [1, 2]
        a: f32[2] = {first}
        b: f32[2] = {second}
        y: f32[2] = mul(a, b)
        output y""")
    after = eliminate_common(before)
    assert [n.op for n in after.nodes] == [n.op for n in before.nodes]


def test_quantize_to_two_scales_stays_two_nodes() -> None:
    before = graph("""
        input x: f32[2]
        a: i8[2] scale 0.5 zero 0 = quantize(x) dtype="i8" scale=[0.5] zero_point=[0]
        b: i8[2] scale 0.25 zero 0 = quantize(x) dtype="i8" scale=[0.25] zero_point=[0]
        c: f32[2] = dequantize(a)
        d: f32[2] = dequantize(b)
        y: f32[2] = mul(c, d)
        output y""")
    assert eliminate_common(before) == before


def test_equal_constants_are_one_and_other_types_are_not() -> None:
    before = graph("""
        input x: f32[2]
        constant a: f32[2] = [1, 2]
        constant b: f32[2] = [1, 2]
        constant c: f32[1,2] = [1, 2]
        constant d: f32[2] = [1, -2]
        s: f32[2] = add(x, a)
        t: f32[2] = add(s, b)
        u: f32[1,2] = add(t, c)
        y: f32[1,2] = add(u, d)
        output y""")
    after = eliminate_common(before)
    assert [n.inputs[1] for n in after.nodes] == ["a", "a", "c", "d"]
    assert_same_values(before, after)


def test_constants_of_one_value_and_two_meanings_stay_two() -> None:
    before = graph("""
        constant a: i8[2] scale 0.5 zero 0 = [1, 2]
        constant b: i8[2] scale [0.5,0.25] zero 0 axis 0 = [1, 2]
        c: f32[2] = dequantize(a)
        d: f32[2] = dequantize(b)
        y: f32[2] = add(c, d)
        output y""")
    assert eliminate_common(before) == before


def test_zero_and_minus_zero_are_two_constants() -> None:
    before = graph("""
        input x: f32[1]
        constant a: f32[1] = [0.0]
        constant b: f32[1] = [-0.0]
        c: f32[1] = div(x, a)
        d: f32[1] = div(x, b)
        y: f32[1] = minimum(c, d)
        output y""")
    assert eliminate_common(before) == before


def test_an_output_takes_the_place_of_its_twin() -> None:
    before = graph("""
        input x: f32[2]
        a: f32[2] = neg(x)
        y: f32[2] = neg(x)
        z: f32[2] = exp(a)
        output y
        output z""")
    after = graph("input x: f32[2]\ny: f32[2] = neg(x)\nz: f32[2] = exp(y)\noutput y\noutput z")
    assert eliminate_common(before) == after


def test_two_equal_outputs_stay_two() -> None:
    before = graph("input x: f32[2]\ny: f32[2] = neg(x)\nz: f32[2] = neg(x)\noutput y\noutput z")
    after = eliminate_common(before)
    assert after.outputs == ("y", "z")
    assert_same_values(before, after)


def test_a_third_twin_follows_when_the_second_is_an_output() -> None:
    before = graph("""
        input x: f32[2]
        a: f32[2] = neg(x)
        y: f32[2] = neg(x)
        b: f32[2] = neg(x)
        z: f32[2] = mul(a, b)
        output y
        output z""")
    after = graph("input x: f32[2]\ny: f32[2] = neg(x)\nz: f32[2] = mul(y, y)\noutput y\noutput z")
    assert eliminate_common(before) == after


def test_readers_of_a_renamed_twin_are_still_recognised() -> None:
    before = graph("""
        input x: f32[2]
        a: f32[2] = neg(x)
        c: f32[2] = exp(a)
        y: f32[2] = neg(x)
        d: f32[2] = exp(y)
        z: f32[2] = mul(c, d)
        output y
        output z""")
    after = eliminate_common(eliminate_common(before))
    assert [n.op for n in after.nodes] == ["neg", "exp", "mul"]
    assert_same_values(before, after)
