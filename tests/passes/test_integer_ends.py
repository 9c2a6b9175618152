"""integer_ends and unsigned_ends: what the API takes and gives when the net inside is integer."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.numerics.quantization import dequantize, quantize
from tinycc_ml.passes.integer_ends import integer_ends, unsigned_ends
from tinycc_ml.reference.run import outputs

from ..texts import assert_same_values, graph, random_inputs

Q = "scale 0.5 zero 3"
TO_Q = 'dtype="i8" scale=[0.5] zero_point=[3]'
R = "scale 0.25 zero -7"
TO_R = 'dtype="i8" scale=[0.25] zero_point=[-7]'


def _assert_same_reals(before: Graph, after: Graph) -> None:
    """Real inputs and outputs of `before`, as integers of `after`, agree."""
    given = random_inputs(before)
    passed = {n: quantize(v, after.type(n)) if after.type(n).quant else v for n, v in given.items()}
    got = outputs(after, passed)
    for name, want in outputs(before, given).items():
        made = dequantize(got[name], after.type(name)) if after.type(name).quant else got[name]
        np.testing.assert_array_equal(made, want)


def _with_integer_ends(lines: str) -> Graph:
    before = graph(lines)
    after = integer_ends(before)
    _assert_same_reals(before, after)
    return after


def test_outer_quantize_and_dequantize_are_dropped() -> None:
    after = _with_integer_ends(f"""
        input x: f32[2]
        q: i8[2] {Q} = quantize(x) {TO_Q}
        d: f32[2] = dequantize(q)
        n: f32[2] = neg(d)
        r: i8[2] {R} = quantize(n) {TO_R}
        y: f32[2] = dequantize(r)
        output y""")
    assert after == graph(f"""
        input x: i8[2] {Q}
        d: f32[2] = dequantize(x)
        n: f32[2] = neg(d)
        y: i8[2] {R} = quantize(n) {TO_R}
        output y""")


def test_reshapes_and_transposes_at_the_ends_become_integer_too() -> None:
    after = _with_integer_ends(f"""
        input x: f32[2,3]
        t: f32[3,2] = transpose(x) perm=[1,0]
        s: f32[6] = reshape(t) shape=[6]
        q: i8[6] {Q} = quantize(s) {TO_Q}
        d: f32[6] = dequantize(q)
        n: f32[6] = neg(d)
        r: i8[6] {R} = quantize(n) {TO_R}
        f: f32[6] = dequantize(r)
        y: f32[2,3] = reshape(f) shape=[2,3]
        output y""")
    assert after == graph(f"""
        input x: i8[2,3] {Q}
        t: i8[3,2] {Q} = transpose(x) perm=[1,0]
        s: i8[6] {Q} = reshape(t) shape=[6]
        d: f32[6] = dequantize(s)
        n: f32[6] = neg(d)
        r: i8[6] {R} = quantize(n) {TO_R}
        y: i8[2,3] {R} = reshape(r) shape=[2,3]
        output y""")


def test_an_input_that_is_also_read_as_it_is_stays_float() -> None:
    lines = f"""
        input x: f32[2]
        q: i8[2] {Q} = quantize(x) {TO_Q}
        d: f32[2] = dequantize(q)
        y: f32[2] = mul(d, x)
        output y"""
    assert _with_integer_ends(lines) == graph(lines)


def test_an_input_with_a_scale_for_each_channel_stays_float() -> None:
    lines = """
        input x: f32[2]
        q: i8[2] scale [0.5,0.25] zero 0 axis 0 = quantize(x) axis=0 dtype="i8" scale=[0.5,0.25] zero_point=[0,0]
        y: f32[2] = dequantize(q)
        output y"""
    assert _with_integer_ends(lines) == graph(lines)


def test_a_float_net_is_left_alone() -> None:
    lines = "input x: f32[2]\ny: f32[2] = neg(x)\noutput y"
    assert _with_integer_ends(lines) == graph(lines)


def test_an_output_that_is_read_inside_is_integer_as_well() -> None:
    after = _with_integer_ends(f"""
        input x: f32[2]
        n: f32[2] = neg(x)
        q: i8[2] {Q} = quantize(n) {TO_Q}
        y: f32[2] = dequantize(q)
        z: f32[2] = exp(y)
        output y
        output z""")
    assert after == graph(f"""
        input x: f32[2]
        n: f32[2] = neg(x)
        y: i8[2] {Q} = quantize(n) {TO_Q}
        "y.dq": f32[2] = dequantize(y)
        z: f32[2] = exp("y.dq")
        output y
        output z""")


def test_two_outputs_of_one_quantised_tensor_are_both_integer() -> None:
    after = _with_integer_ends(f"""
        input x: f32[2]
        n: f32[2] = neg(x)
        q: i8[2] {Q} = quantize(n) {TO_Q}
        y: f32[2] = dequantize(q)
        z: f32[2] = dequantize(q)
        output y
        output z""")
    assert after == graph(f"""
        input x: f32[2]
        n: f32[2] = neg(x)
        y: i8[2] {Q} = quantize(n) {TO_Q}
        z: i8[2] {Q} = identity(y)
        output y
        output z""")


def test_an_input_that_is_an_output_is_integer_at_both_ends() -> None:
    after = _with_integer_ends(f"""
        input x: f32[2]
        q: i8[2] {Q} = quantize(x) {TO_Q}
        d: f32[2] = dequantize(q)
        n: f32[2] = neg(d)
        r: i8[2] {R} = quantize(n) {TO_R}
        y: f32[2] = dequantize(r)
        z: f32[2] = identity(d)
        output y
        output z""")
    assert [after.type(n).dtype.name for n in ("x", "y", "z")] == ["i8", "i8", "i8"]


def test_unsigned_ends_shift_by_128() -> None:
    before = graph(f"""
        input x: i8[2] {Q}
        constant t: i8[256] = seed 1
        y: i8[2] {R} = lut(x, t)
        output y""")
    after = unsigned_ends(before)
    assert after == graph(f"""
        input x: u8[2] scale 0.5 zero 131
        constant t: i8[256] = seed 1
        "x.i8": i8[2] {Q} = requantize(x) {TO_Q}
        "y.i8": i8[2] {R} = lut("x.i8", t)
        y: u8[2] scale 0.25 zero 121 = requantize("y.i8") dtype="u8" scale=[0.25] zero_point=[121]
        output y""")
    q = np.array([-128, 127], np.int8)
    want = outputs(before, {"x": q})["y"]
    got = outputs(after, {"x": (q.astype(int) + 128).astype(np.uint8)})["y"]
    np.testing.assert_array_equal(got.astype(int) - 128, want)


def test_an_unsigned_output_that_is_read_inside_stays_signed_there() -> None:
    before = graph(f"""
        input x: i8[2] {Q}
        constant t: i8[256] = seed 1
        y: i8[2] {R} = lut(x, t)
        z: i8[2] {R} = lut(y, t)
        output y
        output z""")
    after = unsigned_ends(before)
    assert [after.type(n).dtype.name for n in after.outputs] == ["u8", "u8"]
    assert after.producers["z"].op == after.producers["y"].op == "requantize"
    z = after.producers[after.producers["z"].inputs[0]]
    assert z.inputs[0] == after.producers["y"].inputs[0]


@pytest.mark.parametrize("kind", ["f32[2]", "i32[2]", "u8[2] scale 0.5 zero 3"])
def test_other_types_keep_theirs(kind: str) -> None:
    lines = f"input x: {kind}\ny: {kind} = identity(x)\noutput y"
    assert unsigned_ends(graph(lines)) == graph(lines)
    if "u8" not in kind:
        assert_same_values(graph(lines), unsigned_ends(graph(lines)))
