"""Least squares over groups of channels: what second-order rounding and pruning have in common."""

from __future__ import annotations

import numpy as np

# Added to the diagonal, as a part of its mean: what few samples say of many columns is believed no further
DAMPING = 0.01


def damped_hessian(hessian: np.ndarray) -> np.ndarray:
    """[groups, columns, columns] made positive definite, also where an input was always zero."""
    columns = hessian.shape[-1]
    mean = np.trace(hessian, axis1=1, axis2=2) / max(columns, 1)
    added = np.where(mean > 0, DAMPING * mean, 1.0)
    return hessian + added[:, None, None] * np.eye(columns)


def inverse_factor(damped: np.ndarray) -> np.ndarray:
    """Upper triangular U with U^T U the inverse of H: its row k says how the error of column k is made up for
    by the later ones."""
    inverse = np.linalg.inv(damped)
    symmetric = (inverse + inverse.transpose(0, 2, 1)) / 2
    return np.linalg.cholesky(symmetric).transpose(0, 2, 1)


def grouped(values: np.ndarray, groups: int) -> np.ndarray:
    """[channels, ...] as [groups, channels of a group, ...]."""
    return values.reshape(groups, -1, *values.shape[1:])
