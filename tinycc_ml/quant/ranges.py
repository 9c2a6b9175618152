"""Ranges: how what was observed of a tensor becomes its scale. Data, not code: the quantiser is the same for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..ir.types import I8, DType, Quant
from ..numerics.quantization import affine
from .calibrate import Observed

# Parts of the observed range that the least-error method tries, for both ends together or each end
_PARTS = np.linspace(1.0, 0.3, 29)
_PARTS_EACH = np.linspace(1.0, 0.0, 17)
_JUDGED_VALUES = 1 << 15

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Ranges:
    """One affine scale for each activation.

    `method`: "min-max" keeps all observed values, "percentile" the central `percent` of them,
    "least error" the part of the range that rounds the observed values with the least squared error.
    """

    name: str
    method: str = "min-max"
    percent: float = 100.0

    def activation(
        self, observed: Observed, reader: Function | None = None, dtype: DType = I8
    ) -> Quant:
        """`reader`: what the one reader of the tensor makes of observed values; where it is given, the
        least error is that of its result: softmax, for one, does not mind if small logits are cut off."""
        if self.method == "percentile":
            return affine(*observed.percentile(self.percent), dtype)
        if self.method == "least error":
            return (
                _least_error(observed, dtype)
                if reader is None
                else _least_error_after(observed, reader, dtype)
            )
        return affine(observed.low, observed.high, dtype)


def _least_error(observed: Observed, dtype: DType) -> Quant:
    step = -(-observed.values.size // _JUDGED_VALUES)
    values = np.append(observed.values[::step], (observed.low, observed.high)).astype(np.float64)
    found = [affine(observed.low * part, observed.high * part, dtype) for part in _PARTS]
    return min(
        found, key=lambda quant: float(np.sum((_rounded(values, quant, dtype) - values) ** 2))
    )


def _least_error_after(observed: Observed, reader: Function, dtype: DType) -> Quant:
    exact = reader(observed.values)
    found = [
        affine(observed.low * low, observed.high * high, dtype)
        for low in _PARTS_EACH
        for high in _PARTS_EACH[:12]
    ]

    def error(quant: Quant) -> float:
        made = reader(_rounded(observed.values.astype(np.float64), quant, dtype).astype(np.float32))
        return float(np.sum((made - exact) ** 2))

    return min(found, key=error)


def _rounded(values: np.ndarray, quant: Quant, dtype: DType) -> np.ndarray:
    q = np.clip(np.rint(values / quant.scale0) + quant.zero, *dtype.range)
    return (q - quant.zero) * quant.scale0


# Tried in this order; the one with the smallest error at the outputs wins
RANGES = (
    Ranges("min-max"),
    Ranges("percentile 99.99", "percentile", 99.99),
    Ranges("percentile 99.9", "percentile", 99.9),
    Ranges("least error", "least error"),
)
