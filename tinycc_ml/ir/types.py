"""Element types, quantisation and tensor types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import ml_dtypes
import numpy as np


@dataclass(frozen=True)
class DType:
    """An element type: its short name in text, its NumPy and C names, and its size. In memory, one of less than
    8 bits has a byte: an integer is an int8_t or uint8_t, a real number the code in the low bits of a uint8_t."""

    name: str
    c: str
    bits: int  # of the value
    kind: str  # "float", "half", "int", "uint" or "bool"

    @property
    def numpy(self) -> np.dtype:
        return np.dtype(_NUMPY[self.name])

    @property
    def stored(self) -> np.dtype:
        """The NumPy type whose bytes are those of the C; the values' own but for integers of less than 8 bits."""
        return np.dtype(f"{self.kind}8") if self.is_small else self.numpy

    @property
    def bytes(self) -> int:
        return max(self.bits // 8, 1)

    @property
    def is_float(self) -> bool:
        return self.kind == "float"

    @property
    def is_half(self) -> bool:
        """A real number of 16 bits or less: only stored and converted, all arithmetic is float32's."""
        return self.kind == "half"

    @property
    def is_mini(self) -> bool:
        """A real number of 8 bits or less."""
        return self.is_half and self.bits <= 8

    @property
    def is_small(self) -> bool:
        """An integer of less than 8 bits: only stored and converted, too."""
        return self.is_integer and self.bits < 8

    @property
    def is_storage(self) -> bool:
        return self.is_half or self.is_small

    @property
    def step(self) -> float:
        """Of neighbouring real numbers of a half, half the distance as a part of the larger."""
        return float(ml_dtypes.finfo(self.numpy).eps) / 2

    @property
    def rom(self) -> str:
        """Constants are read by tml_rom_... of this name."""
        if self.is_half:
            return f"u{8 * self.bytes}"
        return f"{self.name[0]}8" if self.is_small else self.name

    @property
    def is_real(self) -> bool:
        return self.is_float or self.is_half

    @property
    def is_integer(self) -> bool:
        return self.kind in ("int", "uint")

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value of an integer type."""
        if self.kind == "uint":
            return 0, 2**self.bits - 1
        return -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1

    def __str__(self) -> str:
        return self.name


_NUMPY = {
    "f16": "float16", "bf16": ml_dtypes.bfloat16, "f32": "float32", "f64": "float64", "bool": "bool",
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
    "i2": ml_dtypes.int2, "i4": ml_dtypes.int4, "u2": ml_dtypes.uint2, "u4": ml_dtypes.uint4,
    "e4m3fn": ml_dtypes.float8_e4m3fn, "e4m3fnuz": ml_dtypes.float8_e4m3fnuz, "e5m2": ml_dtypes.float8_e5m2,
    "e5m2fnuz": ml_dtypes.float8_e5m2fnuz, "e8m0": ml_dtypes.float8_e8m0fnu, "e3m2": ml_dtypes.float6_e3m2fn,
    "e2m3": ml_dtypes.float6_e2m3fn, "e2m1": ml_dtypes.float4_e2m1fn,
}  # fmt: skip

F32 = DType("f32", "float", 32, "float")
F16 = DType("f16", "uint16_t", 16, "half")
BF16 = DType("bf16", "uint16_t", 16, "half")
F64 = DType("f64", "double", 64, "float")
BOOL = DType("bool", "bool", 8, "bool")
I8, I16, I32, I64 = (DType(f"i{n}", f"int{n}_t", n, "int") for n in (8, 16, 32, 64))
U8, U16, U32, U64 = (DType(f"u{n}", f"uint{n}_t", n, "uint") for n in (8, 16, 32, 64))
SMALL = tuple(DType(f"{k}{n}", c, n, kind) for k, kind, c in (("i", "int", "int8_t"), ("u", "uint", "uint8_t")) for n in (2, 4))  # fmt: skip
MINIS = tuple(
    DType(name, "uint8_t", bits, "half")
    for bits, names in {
        8: ("e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz", "e8m0"), 6: ("e3m2", "e2m3"), 4: ("e2m1",)
    }.items()
    for name in names
)  # fmt: skip

_ALL = (F32, F64, BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, *SMALL, *MINIS)
DTYPES = {d.name: d for d in _ALL}
_BY_NUMPY = {np.dtype(name): DTYPES[short] for short, name in _NUMPY.items()}

HALVES = tuple(d.numpy for d in _ALL if d.is_half)


def dtype_of(array: np.ndarray) -> DType:
    """The element type of an array. KeyError for a type the IR does not have."""
    return _BY_NUMPY[np.dtype(array.dtype)]


def plain_values(array: np.ndarray) -> np.ndarray:
    """The same values in a type that NumPy computes with."""
    dtype = dtype_of(array)
    return array.astype(np.float32 if dtype.is_half else dtype.stored)


@dataclass(frozen=True)
class Quant:
    """real = scale * (q - zero_point); one entry for the tensor, or one per channel of `axis`."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None

    @staticmethod
    def per_tensor(scale: float, zero_point: int = 0) -> Quant:
        return Quant((float(scale),), (int(zero_point),))

    @property
    def is_per_tensor(self) -> bool:
        return self.axis is None

    @property
    def scale0(self) -> float:
        return self.scale[0]

    @property
    def zero(self) -> int:
        return self.zero_point[0]

    def moved(self, permutation: tuple[int, ...]) -> Quant:
        """The same quantisation after a transpose by `permutation`."""
        return self if self.axis is None else replace(self, axis=permutation.index(self.axis))


@dataclass(frozen=True)
class TensorType:
    """Shape, element type and, for a quantised tensor, what its integers mean."""

    shape: tuple[int, ...]
    dtype: DType
    quant: Quant | None = None

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * self.dtype.bytes

    @property
    def rank(self) -> int:
        return len(self.shape)

    def with_shape(self, shape: tuple[int, ...]) -> TensorType:
        return replace(self, shape=tuple(int(d) for d in shape))

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"
