"""fold_affine: factors and offsets per channel go into weights and bias, and only where nobody sees between."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.statistics import Statistics
from tinycc_ml.passes.fold_affine import fold_affine

from ..texts import assert_same_values, graph

# The product of two float32 weights is rounded before it is multiplied by x instead of after
ROUNDED = 1e-6
DENSE = """
    input x: f32[1,3]
    constant w: f32[2,3] = seed 1
    constant b: f32[2] = [1, -2]
"""
CONV = """
    input x: f32[1,4,5,3]
    constant w: f32[2,3,3,3] = seed 1
    constant b: f32[2] = [1, -2]
    h: f32[1,2,3,2] = conv2d(x, w, b) dilations=[1,1] groups=1 pads=[0,0,0,0] strides=[1,1]
"""
DEPTHWISE = """
    input x: f32[1,4,5,2]
    constant w: f32[3,3,2] = seed 1
    h: f32[1,2,3,2] = depthwise_conv2d(x, w) dilations=[1,1] pads=[0,0,0,0] strides=[1,1]
"""


def _folded(lines: str) -> Graph:
    before = graph(lines)
    after = fold_affine(before)
    assert_same_values(before, after, relative=ROUNDED)
    return after


def _ops(made: Graph) -> list[str]:
    return [n.op for n in made.nodes]


@pytest.mark.parametrize("head", [f"{DENSE}h: f32[1,2] = dense(x, w, b)\n", CONV, DEPTHWISE])
def test_batch_norm_goes_into_weights_and_bias(head: str) -> None:
    shape = "1,2" if "dense" in head else "1,2,3,2"
    after = _folded(f"""{head}
        constant factor: f32[2] = [0.5, -3]
        constant offset: f32[1,2] = [7, 11]
        m: f32[{shape}] = mul(h, factor)
        y: f32[{shape}] = add(m, offset)
        output y""")
    assert len(after.nodes) == 1
    assert after.nodes[0].outputs == ("y",)


def test_each_row_of_the_weights_takes_the_factor_of_its_channel() -> None:
    after = _folded(f"""{DENSE}
        constant f: f32[2] = [2, 10]
        h: f32[1,2] = dense(x, w, b)
        y: f32[1,2] = mul(f, h)
        output y""")
    before = graph(f"{DENSE}y: f32[1,2] = dense(x, w, b)\noutput y")
    scaled = before.tensors["w"].value * np.float32([[2], [10]])
    assert after == graph(
        """
        input x: f32[1,3]
        constant w_1: f32[2,3]
        constant b_1: f32[2] = [2, -20]
        y: f32[1,2] = dense(x, w_1, b_1)
        output y""",
        w_1=scaled,
    )


def test_an_offset_becomes_the_bias_as_it_is() -> None:
    after = _folded(f"{DENSE}h: f32[1,2] = dense(x, w)\ny: f32[1,2] = add(b, h)\noutput y")
    assert after == graph(f"{DENSE}y: f32[1,2] = dense(x, w, b)\noutput y")


def test_a_scalar_counts_for_every_channel() -> None:
    after = _folded(f"""{DENSE}
        constant k: f32[] = [0.5]
        h: f32[1,2] = dense(x, w)
        a: f32[1,2] = add(h, k)
        y: f32[1,2] = sub(a, k)
        output y""")
    assert len(after.nodes) == 1
    np.testing.assert_array_equal(after.tensors[after.nodes[0].inputs[2]].value, [0, 0])


def test_a_dequantised_bias_stays_quantised() -> None:
    lines = f"""{DENSE}
        constant q: i32[2] scale [0.5,0.25] zero 0 axis 0 = [3, -4]
        d: f32[2] = dequantize(q)
        h: f32[1,2] = dense(x, w)
        y: f32[1,2] = add(h, d)
        output y"""
    after = _folded(lines)
    assert after.nodes[-1].inputs == ("x", "w", "d")


@pytest.mark.parametrize(
    "lines",
    [
        # something else reads the result between, or it is an output
        "h: f32[1,2] = dense(x, w, b)\ny: f32[1,2] = mul(h, b)\nz: f32[1,2] = neg(h)\noutput y\noutput z",
        "h: f32[1,2] = dense(x, w, b)\ny: f32[1,2] = mul(h, b)\noutput y\noutput h",
        # a clamp lies between, or on the factor's node
        "h: f32[1,2] = dense(x, w, b) min=0.0\ny: f32[1,2] = mul(h, b)\noutput y",
        "h: f32[1,2] = dense(x, w, b)\ny: f32[1,2] = add(h, b) min=0.0\noutput y",
        # not a constant, or not one value for each channel
        "h: f32[1,2] = dense(x, w, b)\ny: f32[1,2] = mul(h, h)\noutput y",
        "input z: f32[2]\nh: f32[1,2] = dense(x, w, b)\ny: f32[1,2] = mul(h, z)\noutput y",
        "constant k: f32[3,1] = [1, 2, 3]\nh: f32[1,2] = dense(x, w)\ny: f32[3,2] = mul(h, k)\noutput y",
        "constant k: f32[3,1,2] = seed 4\nh: f32[1,2] = dense(x, w)\ny: f32[3,1,2] = add(h, k)\noutput y",
        # the other way round
        "h: f32[1,2] = dense(x, w, b)\ny: f32[1,2] = sub(b, h)\noutput y",
        "h: f32[1,2] = dense(x, w, b)\ny: f32[1,2] = div(h, b)\noutput y",
    ],
)
def test_what_cannot_be_folded_stays(lines: str) -> None:
    assert _folded(DENSE + lines) == graph(DENSE + lines)


def test_a_factor_along_another_axis_than_the_channels_stays() -> None:
    lines = f"{CONV}constant k: f32[2,1,1] = [1, 2]\ny: f32[1,2,3,2] = mul(h, k)\noutput y"
    assert _folded(lines) == graph(lines)


def test_quantised_weights_keep_their_factor_outside() -> None:
    lines = """
        input x: f32[1,3]
        constant q: i8[2,3] scale [0.5,0.25] zero 0 axis 0 = [1, 2, 3, 4, 5, 6]
        constant k: f32[2] = [1, 2]
        w: f32[2,3] = dequantize(q)
        h: f32[1,2] = dense(x, w)
        y: f32[1,2] = mul(h, k)
        output y"""
    assert _folded(lines) == graph(lines)


def test_weights_that_two_nodes_share_are_scaled_for_one_only() -> None:
    after = _folded(f"""{DENSE}
        input z: f32[1,3]
        h: f32[1,2] = dense(x, w, b)
        y: f32[1,2] = mul(h, b)
        u: f32[1,2] = dense(z, w, b)
        output y
        output u""")
    assert _ops(after) == ["dense", "dense"]
    assert after.nodes[1].inputs == ("z", "w", "b")


@pytest.mark.parametrize(
    ("line", "mean", "deviation"),
    [
        ("y: f32[1,2] = mul(h, c)", [1.0, 6.0], [1.5, 3.0]),
        ("y: f32[1,2] = add(h, c)", [2.5, -5.0], [3.0, 1.0]),
        ("y: f32[1,2] = sub(h, c)", [1.5, 1.0], [3.0, 1.0]),
    ],
)
def test_what_is_known_of_a_result_is_known_of_what_it_becomes(
    line: str, mean: list[float], deviation: list[float]
) -> None:
    before = graph(f"""{DENSE}
        constant c: f32[2] = [0.5, -3]
        h: f32[1,2] = dense(x, w, b)
        {line}
        output y""")
    known = Statistics(np.array([2.0, -2.0]), np.array([3.0, 1.0]), axis=1)
    tensors = {**before.tensors, "h": replace(before.tensors["h"], statistics=known)}
    made = fold_affine(replace(before, tensors=tensors)).tensors["y"].statistics
    assert made is not None and (made.mean.tolist(), made.deviation.tolist()) == (mean, deviation)
