"""common/tml_half.h against NumPy: every value of 16 bits, and floats at random and where rounding decides."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from tinycc_ml.resources import runtime_dir
from tinycc_ml.toolchain import build_library

ALL = np.arange(65536, dtype=np.uint16)
TYPES = {"f16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}
C_TYPES = {"f16": "uint16_t", "bf16": "uint16_t", "f32": "float", "f64": "double"}
CONVERSIONS = [(h, "f32") for h in TYPES] + [(w, h) for w in ("f32", "f64") for h in TYPES]
Convert = Callable[[str, str, np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    folder: Path = tmp_path_factory.mktemp("half")
    loops = [
        f"void {a}_{b}(const {C_TYPES[a]} *x, {C_TYPES[b]} *y, long n);"
        f"void {a}_{b}(const {C_TYPES[a]} *x, {C_TYPES[b]} *y, long n)"
        f"{{ for (long i = 0; i < n; i++) {{ y[i] = tml_{a}_to_{b}(x[i]); }} }}"
        for a, b in CONVERSIONS
    ]
    source = folder / "half.c"
    source.write_text("\n".join(['#include "common/tml_half.h"', *loops, ""]))
    flags = ("-O2", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")
    library = ctypes.CDLL(
        str(build_library([source], include_dirs=[runtime_dir()], cflags=flags, workdir=folder))
    )

    def converted(a: str, b: str, x: np.ndarray) -> np.ndarray:
        y = np.zeros(x.shape, np.float32 if b == "f32" else np.uint16)
        pointers = [ctypes.c_void_p(v.ctypes.data) for v in (x, y)]
        getattr(library, f"{a}_{b}")(*pointers, ctypes.c_long(x.size))
        return y

    return converted


def _floats() -> np.ndarray:
    """Any bits, and all halves with what lies between them: ties, and one bit to either side."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 1 << 32, 500_000, np.uint32)
    exact = np.concatenate([ALL.view(np.float16).astype(np.float32).view(np.uint32), ALL.astype(np.uint32) << 16])  # fmt: skip
    ties = np.concatenate([exact + np.uint32(t) for t in (0x1000, 0x8000)])
    near = np.concatenate([ties + np.uint32(d) for d in (0, 1)] + [ties - np.uint32(1)])
    return np.concatenate([bits, exact, near]).view(np.float32)


def _same(got: np.ndarray, want: np.ndarray, kind: np.dtype) -> None:
    """Bit for bit; a NaN is any NaN."""
    nan = np.isnan(got.view(kind).astype(np.float32)) & np.isnan(want.astype(np.float32))
    np.testing.assert_array_equal(np.where(nan, 0, got), np.where(nan, 0, want.view(np.uint16)))


@pytest.mark.parametrize("half", TYPES)
def test_every_half_is_a_float_and_comes_back(half: str, convert: Convert) -> None:
    wide = convert(half, "f32", ALL)
    np.testing.assert_array_equal(wide, ALL.view(TYPES[half]).astype(np.float32))
    np.testing.assert_array_equal(np.signbit(wide), ALL >= 0x8000)
    _same(convert("f32", half, wide), ALL.view(TYPES[half]), TYPES[half])


@pytest.mark.parametrize("half", TYPES)
def test_floats_are_rounded_to_the_nearest_even(half: str, convert: Convert) -> None:
    x = _floats()
    with np.errstate(all="ignore"):
        _same(convert("f32", half, x), x.astype(TYPES[half]), TYPES[half])


def test_doubles_are_rounded_once_to_float16(convert: Convert) -> None:
    with np.errstate(all="ignore"):
        near = _floats().astype(np.float64)
        x = np.concatenate([near, near * (1 + 2.0**-40), near * (1 - 2.0**-40), np.float64([1e300, -1e-300])])  # fmt: skip
        _same(convert("f64", "f16", x), x.astype(np.float16), TYPES["f16"])


def test_doubles_become_bfloat16_by_way_of_float32(convert: Convert) -> None:
    x = np.random.default_rng(1).standard_normal(10_000)
    want = x.astype(np.float32).astype(ml_dtypes.bfloat16)
    _same(convert("f64", "bf16", x), want, TYPES["bf16"])
