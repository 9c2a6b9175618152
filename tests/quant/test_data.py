"""Calibration data: what fits is read, everything else is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinycc_ml.errors import DataError
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.types import I8, U8, Quant
from tinycc_ml.passes.io_layout import io_layout
from tinycc_ml.quant.data import Data, InputScale, load_data

from ..texts import graph

ONE = "input x: f32[1,3]\ny: f32[1,3] = neg(x)\noutput y"
TWO = "input a: f32[1,2]\ninput b: f32[2,2]\nc: f32[2,2] = add(a, b)\noutput c"
Read = Callable[..., Data]
X = np.arange(12, dtype=np.float32).reshape(4, 3)


def _saved(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Data as read from a file of these arrays; `__` in a name is a dot."""

    def read(
        lines: str = ONE, scales: dict[str, InputScale] | None = None, **arrays: np.ndarray
    ) -> Data:
        return load_data(
            _saved(tmp_path, **{k.replace("__", "."): v for k, v in arrays.items()}),
            graph(lines),
            scales,
        )

    return read


@pytest.mark.parametrize("name", ["x", "inputs"])
@pytest.mark.parametrize("shape", [(4, 3), (4, 1, 3)])
def test_one_input_by_its_name_or_as_inputs_with_or_without_the_leading_1(
    read: Read, name: str, shape: tuple[int, ...]
) -> None:
    data = read(**{name: X.reshape(shape)})
    assert data.samples["x"].shape == (4, 1, 3)
    np.testing.assert_array_equal(data.samples["x"].ravel(), X.ravel())
    assert data.quants == {} and data.labels is None


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float64, bool])
def test_integers_without_a_scale_are_real_values(read: Read, dtype: type) -> None:
    samples = read(x=X.astype(dtype)).samples["x"]
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples.ravel(), X.astype(dtype).astype(np.float32).ravel())


def test_two_inputs_by_name(read: Read) -> None:
    data = read(TWO, a=np.ones((3, 2)), b=np.ones((3, 2, 2)))
    assert {n: a.shape for n, a in data.samples.items()} == {"a": (3, 1, 2), "b": (3, 2, 2)}


def test_arrays_are_taken_as_a_file_is() -> None:
    made = load_data({"inputs": X, "labels": np.arange(4)}, graph(ONE))
    assert made.labels is not None and made.labels.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": X}, "wanted an array 'x' or 'inputs', the file has z"),
        ({}, "the file has nothing"),
        ({"x": X[:, :2]}, r"'x' wants samples [N, 1, 3], got float32[4, 2]"),
        ({"x": X[0]}, "got float32[3]"),
        ({"x": np.float32(1)}, "got float32[]"),
        ({"x": X[:0]}, "got float32[0, 3]"),
        ({"x": X.astype(str)}, "'x' wants samples"),
        ({"x": X.astype(complex)}, "'x' wants samples"),
        ({"x": np.where(X == 7, np.nan, X)}, "no number at [2, 1]"),
        ({"x": np.where(X == 7, np.inf, X)}, "no number at [2, 1]"),
        ({"x": X.astype(np.float64) * 1e300}, "no number at [0, 1]"),
        ({"x": X, "labels": np.arange(3)}, "'labels' wants 4 class numbers, got int64[3]"),
        ({"x": X, "labels": np.zeros((4, 2))}, "'labels' wants 4 class numbers, got float64[4, 2]"),
        ({"x": X, "labels": np.array(list("abcd"))}, "'labels' wants 4 class numbers, got <U1[4]"),
        ({"x": X, "scale": np.float32(0)}, "must be positive"),
        ({"x": X, "scale": np.float32(-1)}, "must be positive"),
        ({"x": X, "scale": np.float32(np.nan)}, "must be positive"),
        ({"x": X, "scale": np.float32([1, 2, 3])}, "'scale' wants one number, got float32[3]"),
        ({"x": X, "scale": np.array("a")}, "'scale' wants one number"),
        (
            {"x": X, "scale": np.float32(1), "zero_point": np.int8([1, 2])},
            "'zero_point' wants one number",
        ),
        (
            {"x": X, "scale": np.float32(1), "zero_point": np.float32(0.5)},
            "'zero_point' wants a whole number, got 0.5",
        ),
        (
            {"x": X, "scale": np.float32(1), "zero_point": np.float32(np.nan)},
            "'zero_point' wants a whole number, got nan",
        ),
        (
            {"x": X, "scale": np.float32(1), "zero_point": np.int32(200)},
            "must lie in -128..127, got 200",
        ),
        (
            {"x": X.astype(np.uint8), "scale": np.float32(1), "zero_point": np.int32(-1)},
            "must lie in 0..255, got -1",
        ),
        ({"x": X, "zero_point": np.int32(1)}, "'zero_point' without a scale"),
    ],
)
def test_what_does_not_fit_is_refused(
    read: Read, arrays: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read(**arrays)
    assert "data.npz" in str(caught.value)


def test_several_inputs_have_no_short_names(read: Read) -> None:
    with pytest.raises(DataError, match="wanted an array 'a', the file has inputs"):
        read(TWO, inputs=np.ones((3, 2)))


def test_different_numbers_of_samples_are_refused(read: Read) -> None:
    with pytest.raises(DataError, match="different numbers of samples"):
        read(TWO, a=np.ones((3, 2)), b=np.ones((4, 2, 2)))


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_data_are_in_the_layout_of_the_model_whatever_the_api_has(layout: str) -> None:
    model = graph("input x: f32[1,2,3,4]\ny: f32[1,2,3,4] = neg(x)\noutput y")
    array = np.arange(48, dtype=np.float32).reshape(2, 1, 2, 3, 4)
    made = load_data({"x": array[:, 0]}, io_layout(model, layout)).samples["x"]
    there = {"nhwc": (0, 1, 3, 4, 2), "nchw": (0, 1, 4, 2, 3)}[layout]
    np.testing.assert_array_equal(made, array.transpose(there))


# -- scales ------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("scale", "zero_point"), ("x__scale", "x__zero_point")])
def test_a_scale_in_the_file_makes_integers_real(read: Read, names: tuple[str, str]) -> None:
    raw = X.astype(np.int8)
    data = read(x=raw, **{names[0]: np.float32(0.5), names[1]: np.int8(3)})
    np.testing.assert_array_equal(data.samples["x"].ravel(), (X.ravel() - 3) * 0.5)
    assert data.quants == {"x": (Quant.per_tensor(0.5, 3), I8)}


def test_a_scale_without_a_zero_point_has_none(read: Read) -> None:
    assert read(x=X, scale=np.float32([0.25])).quants["x"] == (Quant.per_tensor(0.25, 0), I8)


def test_uint8_pixels_are_uint8_at_the_api(read: Read) -> None:
    data = read(scales={"": InputScale(1 / 255)}, x=X.astype(np.uint8))
    assert data.quants["x"] == (Quant.per_tensor(1 / 255, 0), U8)
    np.testing.assert_allclose(data.samples["x"].ravel(), X.ravel() / 255, rtol=1e-6)


def test_scales_that_the_user_gives(read: Read) -> None:
    data = read(TWO, {"b": InputScale(0.5, 1)}, a=np.ones((3, 2)), b=np.full((3, 2, 2), 4, np.int8))
    assert list(data.quants) == ["b"]
    assert np.all(data.samples["b"] == 1.5) and np.all(data.samples["a"] == 1)


def test_an_input_whose_name_holds_the_word_scale(read: Read) -> None:
    lines = ONE.replace("input x", "input rescale").replace("neg(x)", "neg(rescale)")
    data = read(lines, rescale=X, rescale__scale=np.float32(0.5), rescale__zero_point=np.int8(3))
    assert data.quants == {"rescale": (Quant.per_tensor(0.5, 3), I8)}


def test_a_scale_that_is_said_twice_is_refused(read: Read) -> None:
    with pytest.raises(DataError, match="'scale' is in the file and --input-scale is given too"):
        read(scales={"": InputScale(0.5)}, x=X, scale=np.float32(0.5))


def test_a_scale_without_a_name_needs_a_single_input(read: Read) -> None:
    with pytest.raises(DataError, match="the inputs are a, b"):
        read(TWO, {"": InputScale(0.5)}, a=np.ones((3, 2)), b=np.ones((3, 2, 2)))


def test_a_scale_for_an_unknown_input_is_refused(read: Read) -> None:
    with pytest.raises(DataError, match="--input-scale for 'q', the inputs are x"):
        read(scales={"q": InputScale(0.5)}, x=X)


# -- files -------------------------------------------------------------------------------------


def _refused(path: Path, made: Graph | None = None) -> str:
    with pytest.raises(DataError) as caught:
        load_data(path, made or graph(ONE))
    return str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "can't read" in _refused(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "content", [b"", b"text, no numbers", b"PK\x03\x04 no archive", b"\x93NUMPY\x01\x00"]
)
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    assert "data.npz" in _refused(path)


def test_a_cut_off_archive_is_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path, x=X)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    assert "data.npz" in _refused(path)
    damaged = bytearray(raw)
    damaged[60:90] = b"\xff" * 30
    path.write_bytes(bytes(damaged))
    assert "data.npz" in _refused(path)


def test_a_single_array_or_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npy"
    np.save(path, X)
    assert "wanted an .npz file" in _refused(path)
    np.savez(tmp_path / "data.npz", x=np.array([{}, {}], object))
    assert "no .npz file of plain arrays" in _refused(tmp_path / "data.npz")
