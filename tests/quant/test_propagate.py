"""Moments: as the calculus has them, before clamps; ranges from them, within what values can be."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from tinycc_ml.errors import DataError
from tinycc_ml.ir.graph import Graph
from tinycc_ml.quant.draw import InputRange, drawn, input_range, known_ranges
from tinycc_ml.quant.propagate import REACH, Spread, propagate

from ..texts import graph

COUNT = 1200


def _dense(clamp: str = "") -> tuple[Graph, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    w = rng.standard_normal((5, 16)).astype(np.float32)
    b = rng.standard_normal(5).astype(np.float32)
    made = graph(
        "input x: f32[1,16]\nconstant w: f32[5,16]\nconstant b: f32[5]\n"
        f"y: f32[1,5] = dense(x, w, b){clamp}\noutput y",
        w=w, b=b,
    )  # fmt: skip
    return made, w, b


def _normal(mean: float, deviation: float) -> dict[str, np.ndarray]:
    values = np.random.default_rng(1).normal(mean, deviation, (COUNT, 1, 16))
    return {"x": values.astype(np.float32)}


@pytest.mark.parametrize("clamp", ["", " max=6.0 min=0.0"])
def test_moments_of_sums_are_those_of_independent_terms_whatever_the_clamp(clamp: str) -> None:
    made, w, b = _dense(clamp)
    found = propagate(made, _normal(0.5, 2.0), {"x": (-9.0, 9.0)}).spreads["y"]
    deviation = 2.0 * np.sqrt((w**2).sum(axis=1))
    # of a mean of COUNT values: five of its own standard deviations
    off = 5 * deviation.max() / np.sqrt(COUNT)
    np.testing.assert_allclose(found.mean, 0.5 * w.sum(axis=1) + b, atol=off)
    np.testing.assert_allclose(found.deviation, deviation, atol=off)


def test_a_range_holds_the_reach_of_every_channel_and_keeps_to_clamps_and_bounds() -> None:
    made, _, _ = _dense()
    spread = (found := propagate(made, _normal(0.5, 2.0), {"x": (-9.0, 9.0)})).spreads["y"]
    observed = found.observed["y"]
    assert observed.low == pytest.approx((spread.mean - REACH * spread.deviation).min())
    assert observed.high == pytest.approx((spread.mean + REACH * spread.deviation).max())
    assert (found.observed["x"].low, found.observed["x"].high) == (-9.0, 9.0)
    clamped, _, _ = _dense(" max=6.0 min=0.0")
    observed = propagate(clamped, _normal(0.5, 2.0), {"x": (-9.0, 9.0)}).observed["y"]
    assert (observed.low, observed.high) == (0.0, 6.0)
    narrow = propagate(made, _normal(0.5, 2.0), {"x": (-0.1, 0.1)})
    assert (narrow.observed["y"].low, narrow.observed["y"].high) == narrow.limits["y"].ends


@pytest.mark.parametrize("times", [1.0, 2.0])
def test_what_lies_beyond_is_what_the_normal_distribution_says(times: float) -> None:
    spread = Spread(np.array([0.0, 3.0]), np.array([1.0, 2.0]))
    low, high = -1.5, 5.0
    each = [NormalDist(m, times * s) for m, s in ((0.0, 1.0), (3.0, 2.0))]
    wanted = sum(d.cdf(low) + 1 - d.cdf(high) for d in each) / 2
    assert spread.beyond(low, high, times) == pytest.approx(wanted)


# drawn inputs


def _images() -> Graph:
    return graph("input x: f32[1,24,24,3]\ny: f32[1,24,24,3] = neg(x)\noutput y")


def test_inputs_are_drawn_within_their_range_about_their_mean_and_always_the_same() -> None:
    made = _images()
    known = InputRange(-1.0, 9.0, mean=2.0, deviation=1.5)
    values = drawn(made, {"x": known}, count=400)["x"]
    assert values.shape == (400, 1, 24, 24, 3) and values.dtype == np.float32
    assert values.min() >= -1.0 and values.max() <= 9.0
    # brightness differs from image to image by half a deviation, and -1 cuts some off
    assert abs(values.mean() - 2.0) < 0.2
    assert 1.0 < values.std() < 1.7
    np.testing.assert_array_equal(values, drawn(made, {"x": known}, count=400)["x"])


def test_every_other_image_is_smooth() -> None:
    values = drawn(_images(), {"x": InputRange(-100.0, 100.0)}, count=64)["x"][:, 0]
    steps = np.abs(np.diff(values, axis=1)).mean(axis=(1, 2, 3)) / values.std(axis=(1, 2, 3))
    assert steps[0::2].min() > 1.5 * steps[1::2].max()


def test_ranges_by_moments_reach_four_deviations() -> None:
    known = input_range({"mean": -2.0, "deviation": 0.5})
    assert (known.low, known.high, known.moments) == (-4.0, 0.0, (-2.0, 0.5))
    assert input_range((0.0, 8.0)).moments == (4.0, 2.0)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ((1.0, 1.0), r"a low end below its high end, got 1\.\.1"),
        ((0.0, float("nan")), "a low end below"),
        ({"low": 0, "high": 1, "mean": 2, "deviation": 1}, r"the mean 2 is not within 0\.\.1"),
        ({"low": 0, "high": 1, "deviation": 0}, "a standard deviation is above 0, got 0"),
        ({"low": 0}, "wants the lowest and the highest value, or mean and deviation, got low"),
    ],
)
def test_what_is_no_range_is_refused(said: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        input_range(said)  # type: ignore[arg-type]


def test_an_input_without_a_range_is_named() -> None:
    with pytest.raises(DataError, match=r"that of 'x' is not known.*--input-range x=LO\.\.HI"):
        known_ranges(_images(), {})
    with pytest.raises(DataError, match="--input-range for 'z', the inputs are x"):
        known_ranges(_images(), {"z": InputRange(0, 1)})
