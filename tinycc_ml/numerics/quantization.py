"""Scales and zero points for real ranges, and real numbers to integers and back."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..ir.types import I8, DType, Quant, TensorType

# A range narrower than this, relative to nothing at all, is a constant: any scale serves.
_SMALLEST_SCALE = 2.0**-60


def affine(low: float, high: float, dtype: DType = I8) -> Quant:
    """Scale and zero point so that [low, high], widened to hold 0, fills the integers of `dtype` (numerics.md
    §12)."""
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    first, last = dtype.range
    scale = max((high - low) / (last - first), _SMALLEST_SCALE)
    scale = float(np.float32(scale))
    zero_point = math.floor(min(max(first - low / scale + 0.5, first), last))
    return Quant.per_tensor(scale, zero_point)


# Of int8 results in 0..1 and in -1..1. The ends are integers: what saturates is there most of the time
UNIT = affine(0.0, 1.0)
SIGNED_UNIT = Quant.per_tensor(float(np.float32(1 / 127)))


def _along(values: np.ndarray, axis: int, rank: int) -> np.ndarray:
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


def quant_arrays(quant: Quant, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale (float64) and zero point (int64), shaped to broadcast against a tensor of `rank`."""
    scale, zero = np.asarray(quant.scale, np.float64), np.asarray(quant.zero_point, np.int64)
    if quant.axis is None:
        return scale[0], zero[0]
    return _along(scale, quant.axis, rank), _along(zero, quant.axis, rank)


def quantize(real: np.ndarray, type_: TensorType) -> np.ndarray:
    """Real values to the integers of `type_`: round half to even (as ONNX's QuantizeLinear), saturate."""
    scale, zero = quant_arrays(_quant_of(type_), real.ndim)
    low, high = type_.dtype.range
    # float32 division, as ONNX defines it: the quotient decides ties; beyond float32 it saturates anyway
    with np.errstate(over="ignore"):
        quotient = np.asarray(real, np.float32) / scale.astype(np.float32)
    return np.clip(np.rint(quotient.astype(np.float64)) + zero, low, high).astype(type_.dtype.numpy)


def dequantize(q: np.ndarray, type_: TensorType) -> np.ndarray:
    """scale * (q - zero_point) as float32."""
    scale, zero = quant_arrays(_quant_of(type_), np.ndim(q))
    return ((np.asarray(q, np.int64) - zero) * scale).astype(np.float32)


def rounder(type_: TensorType) -> Callable[[np.ndarray], np.ndarray]:
    """What gives dequantize(quantize(x)), to the bit, for many arrays x of a type of 16 bits or less, whose integers
    float32 holds; what is no number stays none."""
    quant = _quant_of(type_)
    rank = len(type_.shape)
    scale, zero = quant_arrays(quant, rank)
    divisor = scale.astype(np.float32)
    low, high = (np.asarray(bound - zero, np.float32) for bound in type_.dtype.range)

    def rounded(real: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            q = np.asarray(np.asarray(real, np.float32) / divisor)
        np.rint(q, out=q)
        np.maximum(q, low, out=q)
        np.minimum(q, high, out=q)
        # integers have no -0
        q += np.float32(0)
        return (q * scale).astype(np.float32)

    return rounded


def _quant_of(type_: TensorType) -> Quant:
    if type_.quant is None:
        raise ValueError(f"{type_} is not quantised")
    return type_.quant


def integer_bound(real: float, quant: Quant, dtype: DType = I8) -> int:
    """The integer that a real bound (of a clamp; may be infinite) becomes, saturated to `dtype`."""
    low, high = dtype.range
    if np.isinf(real):
        return low if real < 0 else high
    return int(
        np.clip(np.rint(np.float32(real) / np.float32(quant.scale0)) + quant.zero, low, high)
    )
