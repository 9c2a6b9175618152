"""Real numbers of 8 bits or less: float32 to them as ONNX's Cast defines it. runtime_c/common/tml_mini.h in NumPy.

Rounding goes to the nearest value, halves to the even one. What is too large becomes the largest value, or
without saturation infinity or NaN, as the format has them. NaN in a format that has none becomes 0.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np

from ..ir.types import DTYPES, DType

E8M0 = DTYPES["e8m0"].numpy
ROUND_MODES = ("up", "down", "nearest")  # of e8m0, which holds powers of two
_WITHOUT_NAN = tuple(DTYPES[name].numpy for name in ("e3m2", "e2m3", "e2m1"))


def to_mini(x: np.ndarray, kind: np.dtype, saturate: bool, round_mode: str) -> np.ndarray:
    """x: float32. `round_mode` is e8m0's alone."""
    if kind == E8M0:
        return _to_e8m0(x, saturate, round_mode)
    if kind in _WITHOUT_NAN:
        x = np.where(np.isnan(x), np.copysign(np.float32(0), x), x)
    if saturate:
        info = ml_dtypes.finfo(kind)
        x = np.clip(x, np.float32(info.min), np.float32(info.max))
    return x.astype(kind)


def _to_e8m0(x: np.ndarray, saturate: bool, round_mode: str) -> np.ndarray:
    """The exponent of float32; a sign is lost. As ONNX's reference: infinity is NaN, 0 is 2^-127, and what
    lies between powers of two goes up, down, or to the nearest, in the middle up."""
    size = np.ascontiguousarray(x).view(np.uint32).reshape(x.shape) & 0x7FFFFFFF
    exponent, fraction = size >> 23, size & 0x7FFFFF
    up = {
        "up": fraction > 0,
        "down": np.zeros(x.shape, bool),
        "nearest": fraction + (exponent > 0) > 0x400000,
    }[round_mode]
    up &= exponent < (254 if saturate else 255)
    return (exponent + up).astype(np.uint8).view(E8M0)


def c_format(dtype: DType) -> str:
    """The arguments that tell the C of a format."""
    return f"TML_{dtype.name.upper()}"
