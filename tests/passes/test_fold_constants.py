"""fold_constants: what depends on constants only is computed now, unless integers or size speak against it."""

from __future__ import annotations

import numpy as np

from tinycc_ml.passes.fold_constants import fold_constants

from ..texts import assert_same_values, graph


def test_chains_of_constants_are_computed() -> None:
    before = graph("""
        input x: f32[2]
        constant a: f32[2] = [1, -2]
        constant b: f32[2] = [0.5, 0.5]
        n: f32[2] = neg(a)
        s: f32[2] = add(n, b)
        y: f32[2] = mul(x, s)
        output y""")
    after = graph("""
        input x: f32[2]
        constant s: f32[2] = [-0.5, 2.5]
        y: f32[2] = mul(x, s)
        output y""")
    assert fold_constants(before) == after
    assert_same_values(before, after)


def test_dequantised_weights_stay_because_the_integers_are_needed() -> None:
    before = graph("""
        input x: f32[1,3]
        constant q: i8[2,3] scale [0.5,0.25] zero 0 axis 0 = seed 1
        w: f32[2,3] = dequantize(q)
        y: f32[1,2] = dense(x, w)
        output y""")
    assert fold_constants(before) == before


def test_a_result_that_is_an_output_is_still_made_by_a_node() -> None:
    before = graph("constant a: f32[2] = [1, 2]\ny: f32[2] = neg(a)\noutput y")
    assert fold_constants(before) == before


def test_a_node_with_one_run_time_operand_stays() -> None:
    before = graph("input x: f32[2]\nconstant a: f32[2] = [1, 2]\ny: f32[2] = add(a, x)\noutput y")
    assert fold_constants(before) == before


def test_a_small_constant_is_not_blown_up() -> None:
    big = "y: f32[512,512] = add(a, b)\nz: f32[512,512] = add(y, x)\noutput z"
    before = graph(
        f"input x: f32[1]\nconstant a: f32[512,1] = seed 1\nconstant b: f32[1,512] = seed 2\n{big}"
    )
    assert fold_constants(before) == before


def test_a_constant_that_others_read_stays_for_them() -> None:
    before = graph("""
        input x: f32[2]
        constant a: f32[2] = [1, 2]
        n: f32[2] = neg(a)
        s: f32[2] = add(x, n)
        y: f32[2] = mul(s, a)
        output y""")
    after = fold_constants(before)
    assert [n.op for n in after.nodes] == ["add", "mul"]
    np.testing.assert_array_equal(after.tensors["n"].value, [-1, -2])
    assert_same_values(before, after)


def test_folded_values_are_read_only() -> None:
    before = graph(
        "input x: f32[2]\nconstant a: f32[2] = [1, 2]\nn: f32[2] = identity(a)\ny: f32[2] = add(x, n)\noutput y"
    )
    assert not fold_constants(before).tensors["n"].value.flags.writeable
