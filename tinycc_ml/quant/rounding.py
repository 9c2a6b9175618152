"""Second-order rounding: the integers of a layer that move its results least, not its weights.

With x the inputs that meet a row w of weights, the squared error of w q's sums is (w - q) H (w - q) with
H = sum x x^T. Columns are rounded one by one, and what is left of each is made up for by those that are still
free: Frantar, Ashkboos, Hoefler, Alistarh, "GPTQ" (2022), after "Optimal Brain Surgeon" (Hassibi, Stork 1993).
Then columns are rounded again given all others until that helps no more: cyclic coordinate descent, as in
Behdin et al., "QuantEase" (2023). Any grid takes part: only `Levels.nearest` knows which integers there are.
"""

from __future__ import annotations

import numpy as np

from .grids import Levels

# Added to the diagonal, as a part of its mean: what few samples say of many columns is believed no further
DAMPING = 0.01
# Columns whose errors are handed on at once
_BLOCK = 64
# Columns that are rounded together at most: H takes the square of it
_MOST_COLUMNS = 2048
_SWEEPS = 4


def second_order(rows: np.ndarray, levels: Levels, hessian: np.ndarray) -> np.ndarray:
    """rows: real weights [channels, columns]. hessian: [groups, columns, columns], each for an equal share
    of the channels. Integers int8 [channels, columns]."""
    parts = range(0, rows.shape[1], _MOST_COLUMNS)
    done = [_part(rows, levels, hessian, slice(k, k + _MOST_COLUMNS)) for k in parts]
    return np.concatenate(done, axis=1) if done else np.zeros(rows.shape, np.int8)


def _part(rows: np.ndarray, levels: Levels, hessian: np.ndarray, part: slice) -> np.ndarray:
    """The columns of one part, as if they were all there are."""
    damped = _damped(hessian[:, part, part])
    diagonal = np.diagonal(damped, axis1=1, axis2=2)
    weight = diagonal / diagonal.mean(axis=1, keepdims=True)
    order = np.argsort(-weight.sum(axis=0), kind="stable")
    damped = damped[:, order][:, :, order]
    columns = np.arange(rows.shape[1])[part][order]
    wanted = rows[:, columns].astype(np.float64)
    q = _fed_back(wanted, levels, _factor(damped), columns)
    q = _descended(wanted, levels, damped, columns, q)
    return q[:, np.argsort(order)]


def _damped(hessian: np.ndarray) -> np.ndarray:
    """Positive definite, also where an input was always zero."""
    columns = hessian.shape[-1]
    mean = np.trace(hessian, axis1=1, axis2=2) / max(columns, 1)
    added = np.where(mean > 0, DAMPING * mean, 1.0)
    return hessian + added[:, None, None] * np.eye(columns)


def _factor(damped: np.ndarray) -> np.ndarray:
    """Upper triangular U with U^T U the inverse of H: its row k says how the error of column k is made up for
    by the later ones."""
    inverse = np.linalg.inv(damped)
    symmetric = (inverse + inverse.transpose(0, 2, 1)) / 2
    return np.linalg.cholesky(symmetric).transpose(0, 2, 1)


def _grouped(values: np.ndarray, groups: int) -> np.ndarray:
    """[channels, ...] as [groups, channels of a group, ...]."""
    return values.reshape(groups, -1, *values.shape[1:])


def _fed_back(
    wanted: np.ndarray, levels: Levels, factor: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    groups, count = len(factor), len(columns)
    left = wanted.copy()
    q = np.zeros(wanted.shape, np.int8)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        errors = np.zeros((len(wanted), stop - start))
        for k in range(start, stop):
            q[:, k] = levels.nearest(left[:, k], int(columns[k]))
            error = _grouped(left[:, k] - levels.scale * q[:, k], groups) / factor[:, k, k, None]
            errors[:, k - start] = error.reshape(-1)
            spread = error[:, :, None] * factor[:, k, None, k:stop]
            left[:, k:stop] -= spread.reshape(len(wanted), -1)
        rest = _grouped(errors, groups) @ factor[:, start:stop, stop:]
        left[:, stop:] -= rest.reshape(len(wanted), -1)
    return q


def _descended(
    wanted: np.ndarray, levels: Levels, damped: np.ndarray, columns: np.ndarray, q: np.ndarray
) -> np.ndarray:
    """Each column in turn at the level nearest to where the error is least with all others as they are."""
    groups = len(damped)
    error = wanted - levels.scale[:, None] * q
    pull = (_grouped(error, groups) @ damped).reshape(wanted.shape)
    for _ in range(_SWEEPS):
        moved = False
        for k, column in enumerate(columns):
            own = np.repeat(damped[:, k, k], len(wanted) // groups)
            best = wanted[:, k] - error[:, k] + pull[:, k] / own
            new = levels.nearest(best, int(column))
            step = levels.scale * (new.astype(np.float64) - q[:, k])
            if not step.any():
                continue
            moved = True
            q[:, k] = new
            error[:, k] -= step
            pull -= (_grouped(step, groups)[:, :, None] * damped[:, k, None]).reshape(wanted.shape)
        if not moved:
            break
    return q
