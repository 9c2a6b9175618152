"""permute_dense: the columns of the weights are permuted, so that an image need not be transposed."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes.permute_dense import permute_dense

from ..texts import assert_same_values, graph

# The sum of products is taken in another order
REORDERED = 1e-6
HEAD = """
    input x: f32[1,3,2,4]
    constant w: f32[5,24] = seed 1
    t: f32[1,4,3,2] = transpose(x) perm=[0,3,1,2]
"""
TAIL = "\ny: f32[1,5] = dense(f, w)\noutput y"


def _permuted(lines: str) -> Graph:
    before = graph(lines)
    after = permute_dense(before)
    assert_same_values(before, after, relative=REORDERED)
    return after


def _ops(made: Graph) -> list[str]:
    return [n.op for n in made.nodes]


def test_flatten_after_a_transpose_reads_the_image_as_it_lies() -> None:
    after = _permuted(f"{HEAD}f: f32[1,24] = reshape(t) shape=[1,24]{TAIL}")
    assert _ops(after) == ["reshape", "dense"]
    former = graph(f"{HEAD}output t\noutput w").tensors["w"].value
    expected = former.reshape(5, 4, 3, 2).transpose(0, 2, 3, 1).reshape(5, 24)
    np.testing.assert_array_equal(after.tensors[after.nodes[1].inputs[1]].value, expected)


@pytest.mark.parametrize("perm", ["0,3,1,2", "0,2,3,1", "0,1,3,2", "3,0,2,1"])
def test_any_permutation_is_undone(perm: str) -> None:
    shape = ",".join(str((1, 3, 2, 4)[int(p)]) for p in perm.split(","))
    after = _permuted(f"""
        input x: f32[1,3,2,4]
        constant w: f32[5,24] = seed 1
        t: f32[{shape}] = transpose(x) perm=[{perm}]
        f: f32[1,24] = reshape(t) shape=[1,24]{TAIL}""")
    assert "transpose" not in _ops(after)


def test_element_wise_ops_and_reshapes_between_are_kept() -> None:
    after = _permuted(f"""{HEAD}
        a: f32[1,4,3,2] = clip(t) min=0.0
        g: f32[2,12] = reshape(a) shape=[2,12]
        e: f32[2,12] = sigmoid(g)
        f: f32[1,24] = reshape(e) shape=[1,24]{TAIL}""")
    assert _ops(after) == ["clip", "sigmoid", "reshape", "dense"]


def test_quantize_and_dequantize_between_are_kept() -> None:
    q = "scale 0.05 zero 0"
    after = _permuted(f"""{HEAD}
        q: i8[1,4,3,2] {q} = quantize(t) dtype="i8" scale=[0.05] zero_point=[0]
        d: f32[1,4,3,2] = dequantize(q)
        f: f32[1,24] = reshape(d) shape=[1,24]{TAIL}""")
    assert _ops(after) == ["quantize", "dequantize", "reshape", "dense"]


def test_quantised_weights_keep_their_quantisation() -> None:
    after = _permuted(
        """
        input x: f32[1,3,2,4]
        constant q: i8[5,24] scale [0.1,0.2,0.3,0.4,0.5] zero 0 axis 0 = seed 1
        w: f32[5,24] = dequantize(q)
        t: f32[1,4,3,2] = transpose(x) perm=[0,3,1,2]
        f: f32[1,24] = reshape(t) shape=[1,24]"""
        + TAIL
    )
    (integers,) = (t for t in after.tensors.values() if t.is_constant)
    assert (
        integers.type.quant
        == graph("constant q: i8[5] scale [0.1,0.2,0.3,0.4,0.5] zero 0 axis 0 = seed 1\noutput q")
        .type("q")
        .quant
    )
    assert "transpose" not in _ops(after)


def test_the_transpose_stays_for_others_that_read_it() -> None:
    after = _permuted(f"""{HEAD}
        f: f32[1,24] = reshape(t) shape=[1,24]
        z: f32[1,4,3,2] = neg(t)
        y: f32[1,5] = dense(f, w)
        output y
        output z""")
    assert _ops(after).count("transpose") == 1
    assert after.producers["y"].inputs[0] not in ("f", "t")


def test_weights_that_two_nodes_share_are_permuted_for_one_only() -> None:
    after = _permuted(f"""{HEAD}
        input v: f32[1,24]
        f: f32[1,24] = reshape(t) shape=[1,24]
        y: f32[1,5] = dense(f, w)
        z: f32[1,5] = dense(v, w)
        output y
        output z""")
    assert after.producers["z"].inputs == ("v", "w")
    assert after.producers["y"].inputs[1] != "w"


@pytest.mark.parametrize(
    "lines",
    [
        # several rows
        """input x: f32[2,3,4]
        constant w: f32[5,12] = seed 1
        t: f32[2,4,3] = transpose(x) perm=[0,2,1]
        f: f32[2,12] = reshape(t) shape=[2,12]
        y: f32[2,5] = dense(f, w)
        output y""",
        # another operand between, or a sum over an axis
        f"{HEAD}constant k: f32[4,1,1] = [1, 2, 3, 4]\nm: f32[1,4,3,2] = mul(t, k)\nf: f32[1,24] = reshape(m) shape=[1,24]{TAIL}",
        f"{HEAD}m: f32[1,4,3,2] = softmax(t)\nf: f32[1,24] = reshape(m) shape=[1,24]{TAIL}",
        # weights made at run time
        """input x: f32[1,3,4]
        input w: f32[5,12]
        t: f32[1,4,3] = transpose(x) perm=[0,2,1]
        f: f32[1,12] = reshape(t) shape=[1,12]
        y: f32[1,5] = dense(f, w)
        output y""",
        # no transpose at all
        "input x: f32[1,24]\nconstant w: f32[5,24] = seed 1\nf: f32[1,24] = neg(x)" + TAIL,
    ],
)
def test_what_cannot_be_permuted_stays(lines: str) -> None:
    assert _permuted(lines) == graph(lines)


def test_per_channel_values_between_keep_their_transpose() -> None:
    quant = "scale [0.1,0.2,0.3,0.4] zero 0 axis 1"
    attrs = 'axis=1 dtype="i8" scale=[0.1,0.2,0.3,0.4] zero_point=[0,0,0,0]'
    lines = f"""{HEAD}
        q: i8[1,4,3,2] {quant} = quantize(t) {attrs}
        d: f32[1,4,3,2] = dequantize(q)
        f: f32[1,24] = reshape(d) shape=[1,24]{TAIL}"""
    assert _permuted(lines) == graph(lines)
