"""Views: what a format encodes it decodes, and bytes lie where kernels look for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycc_ml.backend.views import Format, View, plain, plain_view, planar
from tinycc_ml.ir.types import F32, I8, I32, DType, TensorType

shapes = st.lists(st.integers(1, 5), min_size=0, max_size=4).map(tuple)
images = st.tuples(st.just(1), *(st.integers(1, 5) for _ in range(3)))
dtypes = st.sampled_from([I8, I32, F32])


def _array(shape: tuple[int, ...], dtype: DType) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    return rng.integers(-128, 128, shape).astype(dtype.numpy)


def _row_pitch(shape: tuple[int, int, int, int], pitch: int, dtype: DType) -> Format:
    """[N, H, W, C] with rows `pitch` elements apart."""
    n, h, w, c = shape
    return Format(shape, dtype, (h * pitch, pitch, c, 1), elements=n * h * pitch)


@given(shapes, dtypes)
def test_plain_bytes_are_those_of_numpy(shape: tuple[int, ...], dtype: DType) -> None:
    array, made = _array(shape, dtype), plain(shape, dtype)
    assert made.is_plain and made.bytes == array.nbytes
    assert made.encode(array) == array.tobytes()
    np.testing.assert_array_equal(made.decode(array.tobytes()), array)


@given(images, dtypes, st.integers(0, 7))
def test_a_row_pitch_leaves_gaps_at_the_end_of_rows(
    shape: tuple[int, int, int, int], dtype: DType, gap: int
) -> None:
    _, h, w, c = shape
    array, made = _array(shape, dtype), _row_pitch(shape, w * c + gap, dtype)
    raw = made.encode(array, fill=77)
    rows = np.frombuffer(raw, dtype.numpy).reshape(h, w * c + gap)
    np.testing.assert_array_equal(rows[:, : w * c], array.reshape(h, w * c))
    assert np.all(rows[:, w * c :] == 77)
    np.testing.assert_array_equal(made.decode(raw), array)
    assert made.is_plain == (gap == 0)


@given(images, dtypes, st.integers(0, 3), st.sampled_from([1, 4]))
@settings(deadline=None)
def test_planes_hold_one_channel_each_within_a_border(
    shape: tuple[int, int, int, int], dtype: DType, border: int, align: int
) -> None:
    _, h, w, c = shape
    array, made = _array(shape, dtype), planar(shape, dtype, border, align)
    raw = made.encode(array, fill=5)
    planes = np.frombuffer(raw, dtype.numpy).reshape(c, h + 2 * border, -1)
    assert planes.shape[2] % align == 0 and planes.shape[2] >= w + 2 * border
    inner = planes[:, border : border + h, border : border + w]
    np.testing.assert_array_equal(inner, array[0].transpose(2, 0, 1))
    assert np.sum(planes == 5) >= planes.size - inner.size
    np.testing.assert_array_equal(made.decode(raw), array)


@given(images, st.integers(0, 2))
def test_an_encoding_of_128_stores_int8_as_unsigned(
    shape: tuple[int, int, int, int], border: int
) -> None:
    array, made = _array(shape, I8), replace(planar(shape, I8, border), encoding=128)
    raw = made.encode(array, fill=-3)
    stored = np.frombuffer(raw, np.uint8)
    assert sorted({*stored.tolist()} - {125}) == sorted(
        {int(v) + 128 for v in array.ravel()} - {125}
    )
    np.testing.assert_array_equal(made.decode(raw), array)
    assert made.decode(raw).dtype == np.int8


@pytest.mark.parametrize("value", [-128, -1, 0, 127])
def test_encoded_extremes_wrap_nowhere(value: int) -> None:
    made = replace(plain((1,), I8), encoding=128)
    assert made.encode(np.int8([value])) == bytes([value + 128])
    assert made.decode(bytes([value + 128])).tolist() == [value]


@given(images, st.data())
def test_a_row_window_reads_the_rows_in_place(
    shape: tuple[int, int, int, int], data: st.DataObject
) -> None:
    _, h, w, c = shape
    first = data.draw(st.integers(0, h - 1))
    last = data.draw(st.integers(first + 1, h))
    form = data.draw(
        st.sampled_from(
            [plain(shape, I32), _row_pitch(shape, w * c + 3, I32), planar(shape, I32, 1)]
        )
    )
    array = _array(shape, I32)
    whole = View("arena", 16, form)
    window = whole.rows(first, last)
    raw = b"\0" * whole.offset + form.encode(array)
    assert window.buffer == "arena" and window.format.shape == (1, last - first, w, c)
    np.testing.assert_array_equal(window.format.decode(raw[window.offset :]), array[:, first:last])


def test_a_window_of_a_window() -> None:
    view = plain_view("arena", TensorType((1, 6, 2, 1), I8), 100)
    assert view.rows(1, 5).rows(1, 3) == view.rows(2, 4)
    assert view.rows(2, 4).offset == 104
