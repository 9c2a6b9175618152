"""channels_last: transposes sink until they cancel; where they meet nothing they stay, and nothing breaks."""

from __future__ import annotations

import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes.channels_last import channels_last

from ..models import residual
from ..texts import assert_same_values, graph

TO_NHWC, TO_NCHW = "perm=[0,2,3,1]", "perm=[0,3,1,2]"
HEAD = f"""
    input x: f32[1,2,3,4]
    t: f32[1,3,4,2] = transpose(x) {TO_NHWC}
"""


def _ops(made: Graph) -> list[str]:
    return [n.op for n in made.nodes]


def _sunk(lines: str, relative: float = 0.0) -> Graph:
    """The pass applied, with the values checked and a second round that finds nothing to do."""
    before = graph(lines)
    after = channels_last(before)
    assert_same_values(before, after, relative=relative)
    assert channels_last(after) == after
    return after


def test_a_transpose_meets_its_inverse_behind_an_element_wise_op() -> None:
    after = _sunk(f"""{HEAD}
        a: f32[1,3,4,2] = neg(t)
        b: f32[1,2,3,4] = transpose(a) {TO_NCHW}
        y: f32[1,2,3,4] = exp(b)
        output y""")
    assert after == graph("""
        input x: f32[1,2,3,4]
        "a.nhwc": f32[1,2,3,4] = neg(x)
        y: f32[1,2,3,4] = exp("a.nhwc")
        output y""")


def test_different_permutations_become_one_transpose() -> None:
    after = _sunk(f"""{HEAD}
        a: f32[1,3,4,2] = neg(t)
        y: f32[2,1,4,3] = transpose(a) perm=[3,0,2,1]
        output y""")
    assert after == graph("""
        input x: f32[1,2,3,4]
        "a.nhwc": f32[1,2,3,4] = neg(x)
        y: f32[2,1,4,3] = transpose("a.nhwc") perm=[1,0,3,2]
        output y""")


def test_operands_through_different_transposes_stay() -> None:
    lines = """
        input x: f32[2,2]
        input z: f32[2,2]
        t: f32[2,2] = transpose(x) perm=[1,0]
        u: f32[2,2] = neg(z)
        y: f32[2,2] = add(t, u)
        output y"""
    assert _sunk(lines) == graph(lines)


def test_both_operands_through_one_transpose_sink_together() -> None:
    after = _sunk(f"""{HEAD}
        input z: f32[1,2,3,4]
        u: f32[1,3,4,2] = transpose(z) {TO_NHWC}
        a: f32[1,3,4,2] = add(t, u)
        y: f32[1,2,3,4] = transpose(a) {TO_NCHW}
        output y""")
    assert _ops(after) == ["add"]


def test_an_operand_that_is_transposed_back_elsewhere_is_read_there() -> None:
    """A residual sum with the input of the net, which the convolution reads channels-last."""
    after = _sunk(f"""
        input x: f32[1,2,3,4]
        constant w: f32[2,1,1,2] = seed 1
        n: f32[1,3,4,2] = transpose(x) {TO_NHWC}
        c: f32[1,3,4,2] = conv2d(n, w) dilations=[1,1] groups=1 pads=[0,0,0,0] strides=[1,1]
        t: f32[1,2,3,4] = transpose(c) {TO_NCHW}
        y: f32[1,2,3,4] = sub(x, t)
        output y""")
    assert [(n.op, n.inputs) for n in after.nodes] == [
        ("transpose", ("x",)),
        ("conv2d", ("n", "w")),
        ("sub", ("n", "c")),
        ("transpose", ("y.nhwc",)),
    ]


def test_an_operand_that_is_nowhere_transposed_back_keeps_the_transpose() -> None:
    lines = f"{HEAD}input z: f32[1,3,4,2]\na: f32[1,3,4,2] = neg(z)\ny: f32[1,3,4,2] = add(t, a)\noutput y"
    assert _sunk(lines) == graph(lines)


def test_a_transpose_with_two_readers_sinks_through_both() -> None:
    after = _sunk(f"""{HEAD}
        a: f32[1,3,4,2] = neg(t)
        b: f32[1,3,4,2] = exp(t)
        s: f32[1,3,4,2] = mul(a, b)
        y: f32[1,2,3,4] = transpose(s) {TO_NCHW}
        output y""")
    assert _ops(after) == ["neg", "exp", "mul"]


def test_a_transposed_output_keeps_its_axes() -> None:
    lines = f"{HEAD}y: f32[1,2,3,4] = transpose(t) {TO_NCHW}\noutput t\noutput y"
    after = _sunk(lines)
    assert [after.type(n).shape for n in after.outputs] == [(1, 3, 4, 2), (1, 2, 3, 4)]


def test_an_output_inside_keeps_its_axes_and_what_follows_goes_without() -> None:
    after = _sunk(f"""{HEAD}
        a: f32[1,3,4,2] = neg(t)
        b: f32[1,3,4,2] = exp(a)
        y: f32[1,2,3,4] = transpose(b) {TO_NCHW}
        output a
        output y""")
    assert after == graph(f"""
        input x: f32[1,2,3,4]
        "a.nhwc": f32[1,2,3,4] = neg(x)
        y: f32[1,2,3,4] = exp("a.nhwc")
        a: f32[1,3,4,2] = transpose("a.nhwc") {TO_NHWC}
        output a
        output y""")


@pytest.mark.parametrize(
    ("constant", "expected"),
    [
        ("f32[] = [3]", "f32[] = [3.0]"),
        ("f32[1] = [3]", "f32[1] = [3.0]"),
        ("f32[2] = [1, 2]", '"k.nhwc": f32[1,2,1,1] = [1.0, 2.0]'),
        ("f32[4,1] = [1, 2, 3, 4]", '"k.nhwc": f32[1,1,1,4] = [1.0, 2.0, 3.0, 4.0]'),
        ("f32[3,1,1] = [1, 2, 3]", '"k.nhwc": f32[1,1,3,1] = [1.0, 2.0, 3.0]'),
    ],
)
def test_constants_of_any_rank_follow_the_transpose(constant: str, expected: str) -> None:
    after = _sunk(f"""{HEAD}
        constant k: {constant}
        a: f32[1,3,4,2] = mul(k, t)
        y: f32[1,2,3,4] = transpose(a) {TO_NCHW}
        output y""")
    name = '"k.nhwc"' if "nhwc" in expected else "k"
    line = expected if "nhwc" in expected else f"k: {expected}"
    assert after == graph(f"""
        input x: f32[1,2,3,4]
        constant {line}
        y: f32[1,2,3,4] = mul({name}, x)
        output y""")


def test_a_constant_that_others_read_untransposed_stays_for_them() -> None:
    after = _sunk(f"""{HEAD}
        constant k: f32[2] = [1, 2]
        a: f32[1,3,4,2] = mul(k, t)
        b: f32[1,2,3,4] = transpose(a) {TO_NCHW}
        y: f32[1,2,3,4] = neg(b)
        z: f32[2] = exp(k)
        output y
        output z""")
    assert after.type("k").shape == (2,)


def test_the_axis_of_a_quantize_follows() -> None:
    quant = "scale [0.5,0.25] zero 0 axis {}"
    attrs = 'dtype="i8" scale=[0.5,0.25] zero_point=[0,0] axis={}'
    after = _sunk(f"""{HEAD}
        q: i8[1,3,4,2] {quant.format(3)} = quantize(t) {attrs.format(3)}
        d: f32[1,3,4,2] = dequantize(q)
        y: f32[1,2,3,4] = transpose(d) {TO_NCHW}
        output y""")
    assert after == graph(f"""
        input x: f32[1,2,3,4]
        "q.nhwc": i8[1,2,3,4] {quant.format(1)} = quantize(x) {attrs.format(1)}
        y: f32[1,2,3,4] = dequantize("q.nhwc")
        output y""")


@pytest.mark.parametrize(
    "line",
    [
        "a: f32[1,3,4,4] = concat(t, t) axis=3",
        "a: f32[1,1,4,2] = slice(t) starts=[0,1,0,0] steps=[1,1,1,1] shape=[1,1,4,2]",
        'a: f32[1,5,4,2] = pad(t) pads=[0,1,0,0,0,1,0,0] mode="constant" value=0.0',
        "a: f32[1,1,1,2] = reduce_mean(t) axes=[1,2]",
    ],
)
def test_ops_with_axes_are_turned(line: str) -> None:
    shape = line[line.index("[") + 1 : line.index("]")].split(",")
    back = ",".join(shape[i] for i in (0, 3, 1, 2))
    sums_differ = 1e-6  # NumPy adds in the order of the axes
    after = _sunk(f"{HEAD}{line}\ny: f32[{back}] = transpose(a) {TO_NCHW}\noutput y", sums_differ)
    assert "transpose" not in _ops(after)


def test_softmax_along_channels_keeps_its_transpose() -> None:
    lines = (
        f"{HEAD}a: f32[1,3,4,2] = softmax(t)\ny: f32[1,2,3,4] = transpose(a) {TO_NCHW}\noutput y"
    )
    assert _sunk(lines) == graph(lines)


def test_a_broadcast_of_lower_rank_keeps_its_transpose() -> None:
    lines = """
        input x: f32[2,3]
        input z: f32[4,3,2]
        t: f32[3,2] = transpose(x) perm=[1,0]
        y: f32[4,3,2] = add(t, z)
        output y"""
    assert _sunk(lines) == graph(lines)


def test_reshapes_of_size_1_axes_cancel_around_element_wise_ops() -> None:
    after = _sunk("""
        input x: f32[1,2,4]
        constant k: f32[2,1] = [1, 2]
        i: f32[1,2,1,4] = reshape(x) shape=[1,2,1,4]
        n: f32[1,2,1,4] = neg(i)
        r: f32[1,2,4] = reshape(n) shape=[1,2,4]
        a: f32[1,2,4] = exp(r)
        j: f32[1,2,1,4] = reshape(a) shape=[1,2,1,4]
        y: f32[1,2,1,4] = neg(j)
        output y""")
    assert _ops(after).count("reshape") == 1


def test_single_values_follow_their_reshape() -> None:
    after = _sunk("""
        input x: f32[1]
        constant k: f32[1,1,1] = [3]
        r: f32[1,1,1] = reshape(x) shape=[1,1,1]
        s: f32[1,1,1] = sigmoid(r)
        y: f32[1,1,1] = clip(s) max=0.5
        m: f32[1,1,1] = mul(r, k)
        output y
        output m""")
    assert after.type("y").shape == (1, 1, 1)


def test_a_reshape_that_regroups_values_does_not_sink() -> None:
    lines = """
        input x: f32[2,6]
        r: f32[3,4] = reshape(x) shape=[3,4]
        y: f32[3,4] = neg(r)
        output y"""
    assert _sunk(lines) == graph(lines)


def test_origins_lead_back_to_the_axes_of_the_model() -> None:
    after = channels_last(load(residual()))
    images = [
        t
        for t in after.tensors.values()
        if t.type.rank == 4 and not t.is_constant and t.name != "x"
    ]
    made = [t.origin for t in images if t.origin]
    assert {origin.permutation for origin in made} <= {None, (0, 3, 1, 2)}
    relu = next(t for t in images if t.source_name == "r0")
    assert relu.shape == (1, 6, 5, 6)
    assert relu.origin is not None and relu.origin.permutation == (0, 3, 1, 2)
