"""Unit tests of generated C on the host: compile a model, load the C, ask it things. Run by pytest.

Copy this file next to your model: it is how a firmware repository notices that a new training has broken a net.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tinycc_ml

DIGITS = Path(__file__).parent / "digits"
Net = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    with np.load(DIGITS / "digits_calibration.npz") as file:
        return dict(file)


@pytest.fixture(scope="module", params=["digits_mlp", "digits_cnn"])
def net(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Net:
    """The C of a net behind a Python call."""
    out = tmp_path_factory.mktemp("out") / request.param
    tinycc_ml.compile(
        DIGITS / f"{request.param}.onnx", out, calibrate=DIGITS / "digits_calibration.npz"
    )
    return tinycc_ml.load(out)


def test_the_c_recognises_the_digits(net: Net, data: dict[str, np.ndarray]) -> None:
    right = [
        np.argmax(net(x)) == label for x, label in zip(data["inputs"], data["labels"], strict=True)
    ]
    assert np.mean(right) > 0.98


def test_probabilities_sum_to_one(net: Net, data: dict[str, np.ndarray]) -> None:
    probabilities = net(data["inputs"][0] / np.float32(16))
    assert probabilities.sum() == pytest.approx(1.0, abs=10 / 256)


def test_raw_pixels_and_real_values_are_the_same_input(
    net: Net, data: dict[str, np.ndarray]
) -> None:
    pixels = data["inputs"][3]
    assert np.argmax(net(pixels)) == np.argmax(net(pixels / np.float32(16)))


def test_a_run_leaves_nothing_behind(net: Net, data: dict[str, np.ndarray]) -> None:
    first, second = data["inputs"][:2]
    before = net(first)
    net(second)
    np.testing.assert_array_equal(net(first), before)


def test_extreme_inputs_are_harmless(net: Net) -> None:
    for value in (0, 255):
        assert net(np.full((1, 8, 8), value, np.uint8)).size == 10
