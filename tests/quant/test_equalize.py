"""Equalisation changes no value of the float net, evens channels out, and refuses where it would change one."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import integer_passes
from tinycc_ml.quant.choose import quantize_with_best
from tinycc_ml.quant.equalize import equalized, pairs
from tinycc_ml.quant.methods import Methods
from tinycc_ml.reference.run import run

from ..texts import graph, random_inputs

CONV = "strides=[1,1] dilations=[1,1]"


def _net(clamp: str = "min=0", between: str = "h", more: str = "") -> Graph:
    """conv -> relu -> depthwise -> relu -> conv in two groups, with channels of very different sizes,
    all of which count in the end."""
    rng = np.random.default_rng(3)
    sizes = np.float32(2.0 ** rng.uniform(-5, 5, 8))
    return graph(
        f"""
        input x: f32[1,6,6,3]
        constant w: f32[8,3,3,3]
        constant b: f32[8] = seed 2
        constant d: f32[3,3,8] = seed 3
        constant v: f32[4,1,1,4]
        h: f32[1,6,6,8] = conv2d(x, w, b) groups=1 pads=[1,1,1,1] {CONV} {clamp}
        {more}
        k: f32[1,6,6,8] = depthwise_conv2d({between}, d) pads=[1,1,1,1] {CONV} {clamp}
        y: f32[1,6,6,4] = conv2d(k, v) groups=2 pads=[0,0,0,0] {CONV}
        output y""",
        w=np.float32(rng.standard_normal((8, 3, 3, 3))) * sizes[:, None, None, None],
        v=np.repeat(1 / sizes.reshape(2, 1, 1, 4), 2, axis=0),
    )


def _samples(made: Graph, count: int = 16) -> dict[str, np.ndarray]:
    runs = [random_inputs(made, seed) for seed in range(count)]
    return {n: np.stack([r[n] for r in runs]) for n in made.inputs}


def test_the_float_net_stays_the_same_to_the_bit_and_its_channels_are_even() -> None:
    made = _net()
    even = equalized(made, _samples(made), range(16))
    assert len(tuple(pairs(made))) == 2
    reach = []
    for seed in range(100, 103):
        sample = random_inputs(made, seed)
        before, after = run(made, sample), run(even, sample)
        np.testing.assert_array_equal(before["y"], after["y"])
        reach.append([np.abs(v["h"]).reshape(-1, 8).max(axis=0) for v in (before, after)])
    spread = np.mean([[r.max() / r.min() for r in pair] for pair in reach], axis=0)
    assert spread[1] < 0.3 * spread[0]


def test_equalised_channels_lose_less_to_rounding() -> None:
    made = _net()
    samples = _samples(made)
    plain, even = (
        quantize_with_best(
            made, samples, integer_passes(), fixed={},
            methods=Methods("min-max", "nearest", bias_correction=False, equalize=on),
        )
        for on in (False, True)
    )  # fmt: skip
    assert even.accuracy.equalized and not plain.accuracy.equalized
    assert even.accuracy.sqnr_db["y"] > plain.accuracy.sqnr_db["y"] + 1


@pytest.mark.parametrize(
    ("net", "left"),
    [
        (_net("max=6.0 min=0"), 0),  # relu6 is not homogeneous
        (_net("min=-1.0"), 0),
        (_net(between="t", more="t: f32[1,6,6,8] = sigmoid(h)"), 1),
        (_net(more="u: f32[1,6,6,8] = neg(h)\noutput u"), 1),  # another reader
    ],
)
def test_where_a_factor_would_show_nothing_is_done(net: Graph, left: int) -> None:
    assert len(tuple(pairs(net))) == left
    if not left:
        assert equalized(net, _samples(net), range(2)) is net


def test_a_dead_channel_stays_as_it_is() -> None:
    made = graph(
        "input x: f32[1,4]\nconstant w: f32[3,4]\nconstant v: f32[2,3] = seed 1\n"
        "h: f32[1,3] = dense(x, w) min=0\ny: f32[1,2] = dense(h, v)\noutput y",
        w=np.float32([[1, 2, 3, 4], [0, 0, 0, 0], [100, 0, 0, 0]]),
    )
    even = equalized(made, _samples(made), range(16))
    for seed in range(3):
        sample = random_inputs(made, seed)
        np.testing.assert_array_equal(run(made, sample)["y"], run(even, sample)["y"])
    assert all(np.isfinite(t.value).all() for t in even.constants)
