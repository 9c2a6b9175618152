"""Weights that are stored as integers with scales beside them, and what spec says about integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinycc_ml.frontends.spec import Spec, SpecError
from tinycc_ml.reference.run import outputs

from .texts import net, spec

WEIGHT = np.arange(-6, 6, dtype=np.int8).reshape(4, 3, 1, 1)


def _conv(folder: Path, **arrays: np.ndarray) -> Spec:
    np.savez(folder / "w.npz", **arrays)
    return spec(
        'input x: f32[1, 3, 2, 2]\noutput y = x |> conv(4, 1, bias=false)\nweights("w.npz")', folder
    )


@pytest.mark.parametrize("shape", [(), (4, 1, 1, 1)])
def test_integers_with_scales_are_real_weights(shape: tuple[int, ...], tmp_path: Path) -> None:
    scale = np.full(shape, 0.25, np.float32)
    made = _conv(tmp_path, **{"y.weight": WEIGHT, "y.weight.scale": scale})
    given = np.ones((1, 3, 2, 2), np.float32)
    got = outputs(made.graph, {"x": given})["y"][0, :, 0, 0]
    np.testing.assert_allclose(got, 0.25 * WEIGHT.astype(float).sum((1, 2, 3)))


def test_scales_must_fit(tmp_path: Path) -> None:
    scale = np.ones((3, 1, 1, 1), np.float32)
    with pytest.raises(
        SpecError, match=r"y.weight.scale \[3, 1, 1, 1\] does not fit \[4, 3, 1, 1\]"
    ):
        _conv(tmp_path, **{"y.weight": WEIGHT, "y.weight.scale": scale})


def test_a_weight_without_a_shape_is_taken_as_it_is_stored(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"y.b": np.float32([1, 2, 3, 4])})
    text = 'block f(x) { return Add(x, param("b")) }\ninput x: f32[1, 4]\noutput y = x |> f\nweights("w.npz")'
    made = spec(text, tmp_path)
    assert outputs(made.graph, {"x": np.zeros((1, 4), np.float32)})["y"].tolist() == [[1, 2, 3, 4]]
    np.savez(tmp_path / "w.npz", other=np.float32([1]))
    with pytest.raises(SpecError, match=r"missing: +y\.b, net.tml:1"):
        spec(text, tmp_path)


def test_a_tensor_goes_through_integers() -> None:
    made = net(
        "output y = x |> fake_quantize(0.5, 3) |> quantize(0.1, -128) |> dequantize(0.1, -128)"
    )
    given = np.full((1, 3, 16, 16), 0.74, np.float32)
    assert set(outputs(made.graph, {"x": given})["y"].ravel().tolist()) == {np.float32(0.5)}


def test_array_says_when_numbers_do_not_fit() -> None:
    with pytest.raises(SpecError, match="300 does not fit i8"):
        net("output y = x |> quantize(0.5, 300)")
    with pytest.raises(SpecError, match="no element type 'i9'"):
        net('output y = x |> quantize(0.5, 3, "i9")')
