"""absorb_qdq: float ops between quantised tensors become integer ones, or are refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.errors import UnsupportedError
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes.absorb_qdq import absorb_qdq
from tinycc_ml.reference.run import outputs

from ..texts import assert_same_values, graph, random_inputs

Q = "scale 0.05 zero 3"
R = "scale 0.03 zero -7"
U = "scale 0.05 zero 131"


def to(quant: str, dtype: str = "i8") -> str:
    """The attributes of a quantize to `quant`."""
    _, scale, _, zero = quant.split()
    return f'dtype="{dtype}" scale=[{scale}] zero_point=[{zero}]'


def _absorbed(lines: str, steps: float = 1.01) -> Graph:
    """The pass applied; float outputs agree within `steps` of the coarser scale."""
    before = graph(lines)
    after = absorb_qdq(before)
    for seed in range(3):
        given = random_inputs(before, seed)
        got = outputs(after, given)
        for name, want in outputs(before, given).items():
            bound = steps * (0.05 if before.type(name).dtype.is_float else 1)
            assert np.abs(got[name].astype(float) - want.astype(float)).max() <= bound
    return after


def _ops(made: Graph) -> list[str]:
    return [n.op for n in made.nodes]


IN = f"""
    input x: f32[1,4]
    q: i8[1,4] {Q} = quantize(x) {to(Q)}
    d: f32[1,4] = dequantize(q)
"""


def _out(shape: str) -> str:
    return f"\nr: i8[{shape}] {R} = quantize(f) {to(R)}\ny: f32[{shape}] = dequantize(r)\noutput y"


def test_a_dense_between_quantised_tensors_is_integer() -> None:
    after = _absorbed(f"""{IN}
        constant k: i8[2,4] scale [0.01,0.02] zero 0 axis 0 = [1, -20, 100, 4, 127, -127, 3, 0]
        constant b: f32[2] = [0.5, -1]
        w: f32[2,4] = dequantize(k)
        f: f32[1,2] = dense(d, w, b) min=0.0{_out("1,2")}""")
    assert _ops(after) == ["quantize", "dense", "dequantize"]
    dense = after.nodes[1]
    assert [after.type(n).dtype.name for n in dense.inputs] == ["i8", "i8", "i32", "i32"]
    assert dense.attrs["q_min"] == -7 and dense.attrs["q_max"] == 127
    # 0.5 / (0.05 * 0.01) = 1000, less the zero point times the sum of the row
    np.testing.assert_array_equal(
        after.tensors[dense.inputs[2]].value, [1000 - 3 * 85, -1000 - 3 * 3]
    )


def test_a_quantised_bias_at_the_scale_of_the_accumulator_is_taken_as_it_is() -> None:
    after = _absorbed(f"""{IN}
        constant k: i8[2,4] scale 0.01 zero 0 = [1, -20, 100, 4, 127, -127, 3, 0]
        constant b: i32[2] scale 0.0005 zero 0 = [123, -456]
        w: f32[2,4] = dequantize(k)
        c: f32[2] = dequantize(b)
        f: f32[1,2] = dense(d, w, c){_out("1,2")}""")
    np.testing.assert_array_equal(
        after.tensors[after.nodes[1].inputs[2]].value, [123 - 3 * 85, -456 - 3 * 3]
    )


def test_zero_points_of_weights_are_taken_off() -> None:
    after = _absorbed(f"""{IN}
        constant k: u8[2,4] scale 0.01 zero 128 = [1, 20, 100, 4, 127, 227, 255, 0]
        w: f32[2,4] = dequantize(k)
        f: f32[1,2] = dense(d, w){_out("1,2")}""")
    np.testing.assert_array_equal(
        after.tensors[after.nodes[1].inputs[1]].value.ravel()[:3], [-127, -108, -28]
    )


@pytest.mark.parametrize("op", ["sigmoid(d)", "clip(d) max=1.0 min=0.0", "leaky_relu(d) alpha=0.1"])
def test_a_function_of_one_value_is_a_table(op: str) -> None:
    after = _absorbed(f"{IN}f: f32[1,4] = {op}{_out('1,4')}", 0)
    assert _ops(after) == ["quantize", "lut", "dequantize"]


def test_a_clip_at_one_scale_clips_integers() -> None:
    after = _absorbed(
        f"{IN}f: f32[1,4] = clip(d) min=0.0{_out('1,4').replace(R, Q).replace(to(R), to(Q))}", 0
    )
    assert _ops(after) == ["quantize", "clip", "dequantize"]
    assert after.nodes[1].attrs["q_min"] == 3


def test_element_wise_islands_of_one_tensor_are_one_table() -> None:
    after = _absorbed(
        f"""{IN}
        s: f32[1,4] = sigmoid(d)
        constant two: f32[] = [2]
        t: f32[1,4] = mul(s, two)
        e: f32[1,4] = exp(t)
        f: f32[1,4] = leaky_relu(e) alpha=0.5{_out("1,4")}""",
        0,
    )
    assert _ops(after) == ["quantize", "lut", "dequantize"]


def test_a_sum_of_two_quantised_tensors_is_integer() -> None:
    after = _absorbed(f"""{IN}
        input z: f32[1,4]
        p: i8[1,4] {R} = quantize(z) {to(R)}
        e: f32[1,4] = dequantize(p)
        f: f32[1,4] = add(d, e){_out("1,4")}""")
    assert sorted(_ops(after)) == ["add", "dequantize", "quantize", "quantize"]


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("m: f32[4,1] = transpose(d) perm=[1,0]", "4,1"),
        ("m: f32[2,2] = reshape(d) shape=[2,2]", "2,2"),
        ("m: f32[1,2] = slice(d) starts=[0,1] steps=[1,2] shape=[1,2]", "1,2"),
    ],
)
def test_what_moves_values_moves_integers(line: str, shape: str) -> None:
    after = _absorbed(f"{IN}{line}\nf: f32[{shape}] = sigmoid(m){_out(shape)}", 0)
    assert _ops(after) == ["quantize", line.split("= ")[1].split("(")[0], "lut", "dequantize"]


def test_moved_values_that_go_nowhere_quantised_are_moved_as_integers() -> None:
    after = _absorbed(f"{IN}y: f32[4,1] = transpose(d) perm=[1,0]\noutput y", 0)
    assert _ops(after) == ["quantize", "transpose", "dequantize"]


def test_a_quantize_after_a_move_goes_before_it() -> None:
    after = _absorbed(
        f"""{IN}
        s: f32[1,4] = sigmoid(d)
        f: f32[2,2] = reshape(s) shape=[2,2]{_out("2,2")}""",
        0,
    )
    assert _ops(after) == ["quantize", "lut", "reshape", "dequantize"]


def test_operands_of_a_concat_come_to_its_scale() -> None:
    after = _absorbed(f"""{IN}
        input z: f32[1,4]
        p: i8[1,4] {R} = quantize(z) {to(R)}
        e: f32[1,4] = dequantize(p)
        f: f32[1,8] = concat(d, e) axis=1{_out("1,8")}""")
    assert sorted(_ops(after)) == ["concat", "dequantize", "lut", "quantize", "quantize"]


def test_quantize_of_a_dequantize_vanishes_at_one_scale_and_is_a_table_at_another() -> None:
    same = f"r: i8[1,4] {Q} = quantize(d) {to(Q)}\ne: f32[1,4] = dequantize(r)\ny: f32[1,4] = neg(e)\noutput y"
    assert "lut" not in _ops(_absorbed(IN + same, 0))
    other = same.replace(f"{Q} = quantize(d) {to(Q)}", f"{R} = quantize(d) {to(R)}")
    assert _ops(_absorbed(IN + other, 0)) == ["quantize", "lut", "dequantize", "neg"]


def test_a_requantised_copy_of_an_input_to_an_output_stays_a_copy() -> None:
    lines = f"input x: i8[2] {Q}\nd: f32[2] = dequantize(x)\ny: i8[2] {Q} = quantize(d) {to(Q)}\noutput y"
    assert absorb_qdq(graph(lines)) == graph(
        f"input x: i8[2] {Q}\ny: i8[2] {Q} = identity(x)\noutput y"
    )


def test_unsigned_activations_are_signed_inside() -> None:
    after = _absorbed(
        f"""
        input x: f32[1,4]
        q: u8[1,4] {U} = quantize(x) {to(U, "u8")}
        d: f32[1,4] = dequantize(q)
        f: f32[1,4] = sigmoid(d)
        r: u8[1,4] {U} = quantize(f) {to(U, "u8")}
        y: f32[1,4] = dequantize(r)
        output y""",
        0,
    )
    assert {t.type.dtype.name for t in after.tensors.values()} == {"f32", "i8"}
    assert after.type("q").quant == graph(f"input x: i8[1] {Q}\noutput x").type("x").quant


def test_unsigned_inputs_and_outputs_stay_unsigned() -> None:
    after = _absorbed(
        f"""
        input x: u8[1,4] {U}
        d: f32[1,4] = dequantize(x)
        f: f32[1,4] = sigmoid(d)
        y: u8[1,4] {U} = quantize(f) {to(U, "u8")}
        z: f32[1,4] = dequantize(y)
        output y
        output z""",
        0,
    )
    assert after.type("x").dtype.name == after.type("y").dtype.name == "u8"
    assert sorted(_ops(after)) == ["dequantize", "lut", "requantize", "requantize"]


def test_a_tensor_that_several_ops_read_is_quantised_once() -> None:
    after = _absorbed(
        f"""{IN}
        a: f32[1,4] = sigmoid(d)
        b: f32[1,4] = tanh(d)
        p: i8[1,4] {R} = quantize(a) {to(R)}
        o: i8[1,4] {R} = quantize(b) {to(R)}
        e: f32[1,4] = dequantize(p)
        g: f32[1,4] = dequantize(o)
        f: f32[1,4] = mul(e, g){_out("1,4")}""",
        1.01,
    )
    assert _ops(after) == ["quantize", "lut", "lut", "mul", "dequantize"]


def test_a_float_output_inside_keeps_its_real_values() -> None:
    after = _absorbed(
        f"""{IN}
        f: f32[1,4] = sigmoid(d)
        r: i8[1,4] {R} = quantize(f) {to(R)}
        y: f32[1,4] = dequantize(r)
        g: f32[1,4] = tanh(y)
        o: i8[1,4] {R} = quantize(g) {to(R)}
        z: f32[1,4] = dequantize(o)
        output y
        output z""",
        0,
    )
    assert sorted(_ops(after)) == ["dequantize", "dequantize", "lut", "lut", "quantize"]


def test_a_net_without_quantisation_is_left_alone() -> None:
    lines = "input x: f32[2]\ny: f32[2] = neg(x)\noutput y"
    assert absorb_qdq(graph(lines)) == graph(lines)


def test_float_ops_at_the_ends_stay() -> None:
    lines = f"""
        input x: f32[1,4]
        n: f32[1,4] = exp(x)
        q: i8[1,4] {Q} = quantize(n) {to(Q)}
        d: f32[1,4] = dequantize(q)
        y: f32[1,4] = einsum(d) terms=["ab"] result="ab"
        output y"""
    assert _absorbed(lines, 0) == graph(lines)


REFUSED = f"""{IN}
    input z: f32[1,4]
    a: f32[1,4] = einsum(d) terms=["ab"] result="ab"
    q1: i8[1,4] {R} = quantize(a) {to(R)}
    e: f32[1,4] = dequantize(q1)
    b: f32[1,4] = add(e, z)
    q2: i8[1,4] {R} = quantize(b) {to(R)}
    y: f32[1,4] = dequantize(q2)
    output y"""


def test_all_float_ops_between_quantised_tensors_are_named_at_once() -> None:
    with pytest.raises(UnsupportedError) as caught:
        absorb_qdq(graph(REFUSED))
    assert len(caught.value.problems) == 2
    assert "node 'a'" in str(caught.value) and "einsum" in str(caught.value)
    assert "node 'b'" in str(caught.value) and "comes from a float op" in str(caught.value)


def test_floats_that_decide_for_integers_are_refused() -> None:
    """The mask of an integer Where comes from a float op of quantised values."""
    lines = f"""{IN}
        a: f32[1,4] = einsum(d) terms=["ab"] result="ab"
        m: bool[1,4] = elementwise(a, a) function="equal"
        f: f32[1,4] = elementwise(m, d, d) function="where"{_out("1,4")}"""
    with pytest.raises(UnsupportedError, match="einsum"):
        absorb_qdq(graph(lines))


def test_float_ops_stay_when_that_is_allowed() -> None:
    before = graph(REFUSED)
    after = absorb_qdq(before, allow_float=True)
    assert {"einsum", "add"} <= set(_ops(after))
    assert_same_values(before, after)


def test_a_chain_of_float_ops_without_a_scale_between_is_refused() -> None:
    lines = f"""{IN}
        constant w: f32[4,4] = seed 1
        a: f32[1,4] = dense(d, w)
        f: f32[1,4] = softmax(a){_out("1,4")}"""
    with pytest.raises(UnsupportedError, match="dense"):
        absorb_qdq(graph(lines))


def test_an_activation_with_a_scale_for_each_channel_is_refused() -> None:
    quant = "scale [0.1,0.2,0.3,0.4] zero 0 axis 1"
    attrs = 'axis=1 dtype="i8" scale=[0.1,0.2,0.3,0.4] zero_point=[0,0,0,0]'
    lines = f"""
        input x: f32[1,4]
        q: i8[1,4] {quant} = quantize(x) {attrs}
        d: f32[1,4] = dequantize(q)
        f: f32[1,4] = sigmoid(d){_out("1,4")}"""
    with pytest.raises(UnsupportedError, match="one scale"):
        absorb_qdq(graph(lines))


def test_of_several_results_the_values_stay_quantised_and_the_places_are_none() -> None:
    after = _absorbed(f"""
        input x: f32[2,5]
        q: i8[2,5] {Q} = quantize(x) {to(Q)}
        d: f32[2,5] = dequantize(q)
        v: f32[2,3], k: i64[2,3] = top_k(d) axis=1 k=3 largest=True
        p: i8[2,3] {Q} = quantize(v) {to(Q)}
        y: f32[2,3] = dequantize(p)
        output y
        output k""")
    assert _ops(after) == ["quantize", "top_k", "dequantize"]
    assert after.type(after.nodes[1].outputs[0]).dtype.name == "i8"


@pytest.mark.parametrize("zeros", ["zero -128", "zero 127"])
def test_zero_points_at_both_ends(zeros: str) -> None:
    quant = f"scale 0.05 {zeros}"
    after = _absorbed(f"""
        input x: f32[1,4]
        q: i8[1,4] {quant} = quantize(x) {to(quant)}
        d: f32[1,4] = dequantize(q)
        constant k: i8[2,4] scale 0.01 zero 0 = [1, -20, 100, 4, 127, -127, 3, 0]
        w: f32[2,4] = dequantize(k)
        f: f32[1,2] = dense(d, w)
        r: i8[1,2] {quant} = quantize(f) {to(quant)}
        y: f32[1,2] = dequantize(r)
        output y""")
    assert _ops(after) == ["quantize", "dense", "dequantize"]
