"""What a weight is worth: the scores that patterns compare."""

from __future__ import annotations

import numpy as np

from ..quant.moments import Moments


def magnitude(rows: np.ndarray) -> np.ndarray:
    """|w|: rows [channels, columns]."""
    return np.abs(rows)


def wanda(rows: np.ndarray, met: Moments) -> np.ndarray:
    """|w| times the norm of the input that it meets: Sun, Liu, Bair, Kolter, "A simple and effective pruning
    approach for large language models" (2023)."""
    # centred sums of what is always the same may round to below zero
    norms = np.sqrt(np.maximum(np.diagonal(met.products, axis1=1, axis2=2), 0))
    return np.abs(rows) * np.repeat(norms, len(rows) // len(norms), axis=0)
