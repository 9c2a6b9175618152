"""Index arithmetic and C spelling shared by loop nests: strides, broadcasting, collapsing of axes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import prod

import numpy as np

from ..ir.graph import Attrs, Tensor
from ..ir.types import DTYPES, DType, dtype_of
from ..numerics.minifloats import E8M0, c_format
from .base import Loop, Site

Shape = tuple[int, ...]


def strides_of(shape: Sequence[int]) -> Shape:
    """Row-major strides in elements."""
    return tuple(prod(shape[i + 1 :]) for i in range(len(shape)))


def broadcast_strides(shape: Sequence[int], to: Sequence[int]) -> Shape:
    """Strides that read a tensor of `shape` at the indices of `to` (NumPy rules): 0 where it repeats."""
    padded = (1,) * (len(to) - len(shape)) + tuple(shape)
    strides = (0,) * (len(to) - len(shape)) + strides_of(shape)
    return tuple(0 if d == 1 and t != 1 else s for d, t, s in zip(padded, to, strides, strict=True))


def collapse(shape: Shape, strides: Sequence[Shape]) -> tuple[Shape, tuple[Shape, ...]]:
    """Merge neighbouring axes that every operand walks through as one; drop axes of size 1."""
    axes = [i for i, d in enumerate(shape) if d != 1]
    dims: list[int] = []
    kept: list[list[int]] = [[] for _ in strides]
    for axis in axes:
        size = shape[axis]
        joins = bool(dims) and all(
            k[-1] == s[axis] * size for k, s in zip(kept, strides, strict=True)
        )
        if joins:
            dims[-1] *= size
        else:
            dims.append(size)
        for k, s in zip(kept, strides, strict=True):
            if joins:
                k[-1] = s[axis]
            else:
                k.append(s[axis])
    return tuple(dims), tuple(tuple(k) for k in kept)


def affine(variables: Sequence[str], strides: Sequence[int], offset: int = 0) -> str:
    """The C expression offset + sum(stride * variable), in size_t arithmetic (a negative stride wraps back)."""
    text = f"{offset}U" if offset > 0 else ""
    for variable, stride in zip(variables, strides, strict=True):
        if stride == 0:
            continue
        term = variable if abs(stride) == 1 else f"{abs(stride)}U * {variable}"
        if not text:
            text = term if stride > 0 else f"0U - {term}"
        else:
            text += f" + {term}" if stride > 0 else f" - {term}"
    if offset < 0:
        text = f"{text or '0U'} - {-offset}U"  # last: before a size_t it would wrap at 32 bits
    return text or "0"


def names(count: int, prefix: str = "i") -> tuple[str, ...]:
    """Loop variables: i, or i0, i1, ..."""
    return (prefix,) if count == 1 else tuple(f"{prefix}{k}" for k in range(count))


def nested(
    variables: Sequence[str], extents: Sequence[int], body: Sequence[Loop | str]
) -> tuple[Loop | str, ...]:
    """`body` inside one loop per axis, the first outermost; axes of one step get no loop."""
    inner: tuple[Loop | str, ...] = tuple(body)
    for variable, extent in reversed(list(zip(variables, extents, strict=True))):
        inner = (Loop(variable, extent, inner),)
    return inner


def index_table(indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Constant indices in the smallest element type that is read from flash."""
    return np.asarray(indices, np.uint16 if np.max(indices, initial=0) < 1 << 16 else np.uint32)


def table_read(name: str, table: np.ndarray, index: str) -> str:
    """The C expression for an element of an index table, as size_t."""
    return f"(size_t){read_rom(name, index, 'u16' if table.dtype == np.uint16 else 'u32')}"


def read(site: Site, k: int, index: str) -> str:
    """The C expression for element `index` of input k; constants are read through the flash accessor."""
    return read_tensor(site.inputs[k], f"x{k}", index)


def read_tensor(tensor: Tensor, pointer: str, index: str) -> str:
    """Of values that are all alike, the first, and only, one."""
    if tensor.is_uniform:
        return read_rom(pointer, "0", tensor.type.dtype.name)
    if tensor.is_constant:
        return read_rom(pointer, index, tensor.type.dtype.name)
    return f"{pointer}[{index}]"


def read_rom(pointer: str, index: str, dtype: str) -> str:
    return f"tml_rom_{DTYPES[dtype].rom}(&{pointer}[{index}])"


def elementwise_loops(
    shape: Shape, strides: Sequence[Shape]
) -> tuple[tuple[str, ...], Shape, tuple[Shape, ...]]:
    """Loop variables, extents and collapsed strides for an element-wise walk."""
    dims, kept = collapse(shape, strides)
    return names(len(dims)), dims, kept


def c_float(value: float) -> str:
    """The shortest C literal that reads back as the same float32; infinities and NaN by name."""
    return c_real(np.float32(value), "F")


def clamped_c(expression: str, attrs: Attrs) -> str:
    """A float expression within the fused clamp."""
    if "min" in attrs:
        expression = f"fmaxf({expression}, {c_float(attrs['min'])})"
    if "max" in attrs:
        expression = f"fminf({expression}, {c_float(attrs['max'])})"
    return expression


def c_real(value: np.floating, suffix: str = "") -> str:
    """A float32 (suffix F) or float64 as C."""
    width = "F32" if suffix else "F64"
    if np.isnan(value):
        return f"TML_NAN_{width}"
    if np.isinf(value):
        return f"{'-' if value < 0 else ''}TML_INFINITY_{width}"
    text = str(value)
    return (text if any(c in text for c in ".e") else f"{text}.0") + suffix


_SUFFIX = {"i64": "LL", "u32": "U", "u64": "ULL"}
_LOWEST = {"i32": "(-2147483647 - 1)", "i64": "(-9223372036854775807LL - 1)"}


def c_values(flat: np.ndarray) -> list[str]:
    """Elements of an array as C literals."""
    name = dtype_of(flat).name
    if dtype_of(flat).is_half:
        size = flat.itemsize
        return [f"0x{v:0{2 * size}X}U" for v in flat.view(f"u{size}").tolist()]
    if flat.dtype.kind == "f":
        return [c_real(v, "F" if name == "f32" else "") for v in flat]
    suffix, lowest = (
        _SUFFIX.get(name, ""),
        np.iinfo(flat.dtype).min if flat.dtype.kind == "i" else None,
    )
    return [
        _LOWEST[name] if v == lowest and name in _LOWEST else f"{int(v)}{suffix}"
        for v in flat.tolist()
    ]


def to_f32_c(dtype: DType, value: str) -> str:
    """The C expression that widens a value of 16 bits or less (common/tml_half.h, tml_mini.h)."""
    if dtype.is_mini and dtype.numpy != E8M0:
        return f"tml_mini_to_f32({value}, {c_format(dtype)})"
    return f"tml_{dtype}_to_f32({value})"


def half_headers(dtypes: Iterable[DType]) -> tuple[str, ...]:
    """The headers that widen and narrow them."""
    halves = [dtype for dtype in dtypes if dtype.is_half]
    found = ("common/tml_half.h",) if halves else ()
    return (*found, *(("common/tml_mini.h",) if any(d.is_mini for d in halves) else ()))


def c_value(value: float, dtype: DType) -> str:
    """One value of an element type as C."""
    return c_values(np.asarray([value]).astype(dtype.numpy))[0]


def typed_c(text: str, dtype: DType) -> str:
    """C written for float (1.0F, expf(v), float) as it is for `dtype`; {t} is its name in C."""
    text = text.replace("{t}", dtype.c).replace(
        "{u}", "uint64_t" if dtype.bits == 64 else "uint32_t"
    )
    if dtype.name != "f64":
        return text
    text = re.sub(r"\b([a-z]\w*)f\(", r"\1(", text)
    text = re.sub(r"(?<=[\d.])F\b", "", text)
    return re.sub(r"\bfloat\b", "double", text).replace("TML_INFINITY_F32", "TML_INFINITY_F64")
