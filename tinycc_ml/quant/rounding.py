"""Second-order rounding: the integers of a layer that move its results least, not its weights.

With x the inputs that meet a row w of weights, the squared error of w q's sums is (w - q) H (w - q) with
H = sum x x^T. Columns are rounded one by one, and what is left of each is made up for by those that are still
free: Frantar, Ashkboos, Hoefler, Alistarh, "GPTQ" (2022), after "Optimal Brain Surgeon" (Hassibi, Stork 1993).
Then columns are rounded again given all others until that helps no more: cyclic coordinate descent, as in
Behdin et al., "QuantEase" (2023). Any grid takes part: only `Levels.nearest` knows which integers there are.
"""

from __future__ import annotations

import numpy as np

from ..numerics.least_squares import damped_hessian, grouped, inverse_factor
from .grids import Levels

# Columns whose errors are handed on at once
_BLOCK = 64
# Columns that are rounded together at most: H takes the square of it
_MOST_COLUMNS = 2048
_SWEEPS = 4


def second_order(rows: np.ndarray, levels: Levels, hessian: np.ndarray) -> np.ndarray:
    """rows: real weights [channels, columns]. hessian: [groups, columns, columns], each for an equal share
    of the channels. Integers int8 or int16 [channels, columns], as `levels` has them."""
    parts = range(0, rows.shape[1], _MOST_COLUMNS)
    done = [_part(rows, levels, hessian, slice(k, k + _MOST_COLUMNS)) for k in parts]
    return np.concatenate(done, axis=1) if done else np.zeros(rows.shape, np.int8)


def _part(rows: np.ndarray, levels: Levels, hessian: np.ndarray, part: slice) -> np.ndarray:
    """The columns of one part, as if they were all there are."""
    damped = damped_hessian(hessian[:, part, part])
    diagonal = np.diagonal(damped, axis1=1, axis2=2)
    weight = diagonal / diagonal.mean(axis=1, keepdims=True)
    order = np.argsort(-weight.sum(axis=0), kind="stable")
    damped = damped[:, order][:, :, order]
    columns = np.arange(rows.shape[1])[part][order]
    wanted = rows[:, columns].astype(np.float64)
    q = _fed_back(wanted, levels, inverse_factor(damped), columns)
    q = _descended(wanted, levels, damped, columns, q)
    return q[:, np.argsort(order)]


def _nearest(levels: Levels, weights: np.ndarray, values: np.ndarray, column: int) -> np.ndarray:
    """Of `values`; a weight that is zero, because it was pruned for one, stays zero."""
    return np.where(weights == 0, 0, levels.nearest(values, column))


def _fed_back(
    wanted: np.ndarray, levels: Levels, factor: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    groups, count = len(factor), len(columns)
    left = wanted.copy()
    q = np.zeros(wanted.shape, levels.nearest(wanted[:, :1].T[0], 0).dtype)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        errors = np.zeros((len(wanted), stop - start))
        for k in range(start, stop):
            q[:, k] = _nearest(levels, wanted[:, k], left[:, k], int(columns[k]))
            error = grouped(left[:, k] - levels.scale * q[:, k], groups) / factor[:, k, k, None]
            errors[:, k - start] = error.reshape(-1)
            spread = error[:, :, None] * factor[:, k, None, k:stop]
            left[:, k:stop] -= spread.reshape(len(wanted), -1)
        rest = grouped(errors, groups) @ factor[:, start:stop, stop:]
        left[:, stop:] -= rest.reshape(len(wanted), -1)
    return q


def _descended(
    wanted: np.ndarray, levels: Levels, damped: np.ndarray, columns: np.ndarray, q: np.ndarray
) -> np.ndarray:
    """Each column in turn at the level nearest to where the error is least with all others as they are."""
    groups = len(damped)
    error = wanted - levels.scale[:, None] * q
    pull = (grouped(error, groups) @ damped).reshape(wanted.shape)
    for _ in range(_SWEEPS):
        moved = False
        for k, column in enumerate(columns):
            own = np.repeat(damped[:, k, k], len(wanted) // groups)
            best = wanted[:, k] - error[:, k] + pull[:, k] / own
            new = _nearest(levels, wanted[:, k], best, int(column))
            step = levels.scale * (new.astype(np.float64) - q[:, k])
            if not step.any():
                continue
            moved = True
            q[:, k] = new
            error[:, k] -= step
            pull -= (grouped(step, groups)[:, :, None] * damped[:, k, None]).reshape(wanted.shape)
        if not moved:
            break
    return q
