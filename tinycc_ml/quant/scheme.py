"""Schemes: how ranges become scales. Data, not code: the quantiser is the same for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..ir.types import I8, Quant
from ..numerics.quantization import affine
from .calibrate import Observed

# Parts of the observed range that the least-error method tries
_PARTS = np.linspace(1.0, 0.3, 29)
_JUDGED_VALUES = 1 << 15


@dataclass(frozen=True)
class Scheme:
    """int8 activations with one affine scale, int8 weights symmetric per channel.

    `method`: "min-max" keeps all observed values, "percentile" the central `percent` of them,
    "least error" the part of the range that rounds the observed values with the least squared error.
    """

    name: str
    method: str = "min-max"
    percent: float = 100.0

    def activation(self, observed: Observed) -> Quant:
        if self.method == "percentile":
            return affine(*observed.percentile(self.percent), I8)
        if self.method == "least error":
            return _least_error(observed)
        return affine(observed.low, observed.high, I8)


def _least_error(observed: Observed) -> Quant:
    step = -(-observed.values.size // _JUDGED_VALUES)
    values = np.append(observed.values[::step], (observed.low, observed.high)).astype(np.float64)
    found = [affine(observed.low * part, observed.high * part, I8) for part in _PARTS]
    return min(found, key=lambda quant: _squared_error(values, quant))


def _squared_error(values: np.ndarray, quant: Quant) -> float:
    q = np.clip(np.rint(values / quant.scale0) + quant.zero, -128, 127)
    return float(np.sum(((q - quant.zero) * quant.scale0 - values) ** 2))


# Tried in this order; the one with the smallest error at the outputs wins
INT8 = (
    Scheme("min-max"),
    Scheme("percentile 99.99", "percentile", 99.99),
    Scheme("percentile 99.9", "percentile", 99.9),
    Scheme("least error", "least error"),
)
