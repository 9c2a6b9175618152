"""common/tml_mini.h and numerics/minifloats.py against ONNX's reference: every code, floats at random and where
rounding decides."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx.reference.ops.op_cast import cast_to

from tinycc_ml.ir.types import DTYPES, MINIS, DType
from tinycc_ml.numerics.minifloats import E8M0, ROUND_MODES, to_mini
from tinycc_ml.ops.cast import ONNX_TYPES
from tinycc_ml.ops.elementwise import cast_c
from tinycc_ml.resources import runtime_dir
from tinycc_ml.toolchain import build_library

F32 = DTYPES["f32"]
MODES = {dtype: ROUND_MODES if dtype.numpy == E8M0 else ("up",) for dtype in MINIS}
# In formats without infinity and NaN, what is too large is limited in any case
NARROWING = [(d, s, m) for d in MINIS for s in (True, False) for m in MODES[d] if s or d.bits == 8]
ONNX_CODES = {name: code for code, name in ONNX_TYPES.items()}
Convert = Callable[[str, np.ndarray], np.ndarray]


def _name(dtype: DType, saturate: bool, mode: str) -> str:
    return f"to_{dtype}_{int(saturate)}_{mode}"


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    folder: Path = tmp_path_factory.mktemp("mini")
    made = {f"of_{d}": (d, F32, cast_c(d, F32)) for d in MINIS}
    made |= {_name(d, s, m): (F32, d, cast_c(F32, d, s, m)) for d, s, m in NARROWING}
    loops = [
        f"void {name}(const {a.c} *x, {b.c} *y, long n);\n"
        f"void {name}(const {a.c} *x, {b.c} *y, long n)\n"
        f"{{ for (long i = 0; i < n; i++) {{ {a.c} v0 = x[i]; y[i] = {c}; }} }}"
        for name, (a, b, c) in made.items()
    ]
    source = folder / "mini.c"
    source.write_text("\n".join(['#include "common/tml_mini.h"', *loops, ""]))
    flags = ("-O2", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover")  # fmt: skip
    path = build_library([source], include_dirs=[runtime_dir()], cflags=flags, workdir=folder)
    library = ctypes.CDLL(str(path))

    def converted(name: str, x: np.ndarray) -> np.ndarray:
        y = np.zeros(x.shape, made[name][1].numpy)
        pointers = [ctypes.c_void_p(v.ctypes.data) for v in (x, y)]
        getattr(library, name)(*pointers, ctypes.c_long(x.size))
        return y

    return converted


def _codes(dtype: DType) -> np.ndarray:
    return np.arange(1 << dtype.bits).astype(np.uint8).view(dtype.numpy)


def _floats(dtype: DType) -> np.ndarray:
    """Any bits; all values of the type, what lies halfway, and both with one bit to either side; the ends of float32."""
    rng = np.random.default_rng(0)
    wide = _codes(dtype).astype(np.float32)
    values = np.unique(wide[np.isfinite(wide)])
    last = values[-1] + (values[-1] - values[-2]) * np.arange(1, 4, dtype=np.float32) / 2
    ties = (values[1:] + values[:-1]) / 2
    exact = np.concatenate([values, ties, last, -last, -values]).astype(np.float32)
    bits = exact.view(np.uint32)
    near = np.concatenate([bits, bits + np.uint32(1), bits - np.uint32(1)]).view(np.float32)
    ends = np.float32([0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 3.4028235e38, -3.4028235e38, 1e-45, -1e-45])  # fmt: skip
    return np.concatenate([rng.integers(0, 1 << 32, 200_000, np.uint32).view(np.float32), near, ends])  # fmt: skip


def _same(got: np.ndarray, want: np.ndarray) -> None:
    """Bit for bit; a NaN is any NaN."""
    nan = np.isnan(got.astype(np.float32)) & np.isnan(want.astype(np.float32))
    got, want = (np.where(nan, 0, a.view(np.uint8)) for a in (got, want))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", MINIS, ids=str)
def test_every_code_is_a_float_and_comes_back(dtype: DType, convert: Convert) -> None:
    codes = _codes(dtype)
    wide = convert(f"of_{dtype}", codes)
    np.testing.assert_array_equal(wide, codes.astype(np.float32))
    real = ~np.isnan(wide)
    np.testing.assert_array_equal(np.signbit(wide)[real], np.signbit(codes.astype(np.float32))[real])  # fmt: skip
    name = _name(dtype, dtype.bits < 8, MODES[dtype][-1])
    _same(convert(name, wide), codes)


@pytest.mark.parametrize(("dtype", "saturate", "mode"), NARROWING, ids=str)
def test_floats_are_rounded_as_onnx_does(
    dtype: DType, saturate: bool, mode: str, convert: Convert
) -> None:
    x = _floats(dtype)
    if dtype.bits < 8:
        x = x[~np.isnan(x)]
    with np.errstate(all="ignore"):
        want = cast_to(x, ONNX_CODES[dtype.name], saturate, mode)
        _same(to_mini(x, dtype.numpy, saturate, mode), want)
    _same(convert(_name(dtype, saturate, mode), x), want)


@pytest.mark.parametrize("name", ["e3m2", "e2m3", "e2m1"])
def test_nan_is_0_where_there_is_none(name: str, convert: Convert) -> None:
    dtype, x = DTYPES[name], np.float32([np.nan, -np.nan])
    made = convert(_name(dtype, True, "up"), x)
    np.testing.assert_array_equal(made.astype(np.float32), [0, 0])
    _same(made, to_mini(x, dtype.numpy, True, "up"))
