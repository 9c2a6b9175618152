"""Views: where a tensor lies and how its elements are stored there.

Every format can encode an array into bytes and decode it again, so that any tensor can be read out of
an arena, whatever kernel wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..ir.types import DType, TensorType
from ..ops.indexing import strides_of

Raw = bytes  # the type, where a class has a property `bytes`


@dataclass(frozen=True)
class Format:
    """How the elements of a tensor are stored: a step in elements for each axis, a border before the
    first element, and what is added to each value (`encoding`, for unsigned storage of int8: 128)."""

    shape: tuple[int, ...]
    dtype: DType
    pitches: tuple[int, ...]
    border: int = 0
    encoding: int = 0
    elements: int = 0  # all that the format covers, borders and gaps included

    @property
    def bytes(self) -> int:
        return self.elements * self.dtype.bytes

    @property
    def is_plain(self) -> bool:
        """Row-major without gaps: the bytes are those of a NumPy array."""
        return self == plain(self.shape, self.dtype)

    def _indices(self) -> np.ndarray:
        index = np.full(self.shape, self.border, np.int64)
        for axis, (size, pitch) in enumerate(zip(self.shape, self.pitches, strict=True)):
            steps = [1] * len(self.shape)
            steps[axis] = size
            index += np.arange(size).reshape(steps) * pitch
        return index

    def encode(self, array: np.ndarray, fill: int = 0) -> Raw:
        """The bytes of `array` in this format; borders and gaps hold `fill`."""
        kind = np.dtype(np.int64) if self.encoding else array.dtype
        store = np.full(self.elements, fill + self.encoding, kind)
        whole = array.astype(kind)
        store[self._indices()] = whole + kind.type(self.encoding) if self.encoding else whole
        return store.astype(self._stored()).tobytes()

    def decode(self, data: Raw) -> np.ndarray:
        """The array that `encode` was given."""
        store = np.frombuffer(data, self._stored())
        if not self.encoding:
            return store[self._indices()].astype(self.dtype.numpy, copy=False)
        return (store[self._indices()].astype(np.int64) - self.encoding).astype(self.dtype.numpy)

    def _stored(self) -> np.dtype:
        return np.dtype(f"u{self.dtype.bytes}") if self.encoding else self.dtype.stored


def plain(shape: tuple[int, ...], dtype: DType) -> Format:
    """Row-major without gaps."""
    count = int(np.prod(shape, dtype=np.int64))
    return Format(shape, dtype, strides_of(shape), elements=count)


def planar(
    shape: tuple[int, int, int, int], dtype: DType, border: int = 0, align: int = 1
) -> Format:
    """[N, H, W, C] stored as planes, one per channel, each with `border` elements around the image and a
    row pitch that is a multiple of `align`."""
    n, h, w, c = shape
    row = -(-(w + 2 * border) // align) * align
    plane = row * (h + 2 * border)
    first = border * row + border
    return Format(shape, dtype, (c * plane, row, 1, plane), first, elements=n * c * plane)


@dataclass(frozen=True)
class View:
    """A tensor, or rows of it, in a buffer: the buffer's name, byte offset in it, and the format."""

    buffer: str
    offset: int
    format: Format

    def rows(self, first: int, last: int) -> View:
        """The row window [first, last) of an image [N, H, W, C] with N = 1, in the same buffer."""
        n, _, w, c = self.format.shape
        skipped = first * self.format.pitches[1] * self.format.dtype.bytes
        shape = (n, last - first, w, c)
        return replace(self, offset=self.offset + skipped, format=replace(self.format, shape=shape))


def plain_view(buffer: str, type_: TensorType, offset: int = 0) -> View:
    return View(buffer, offset, plain(type_.shape, type_.dtype))
