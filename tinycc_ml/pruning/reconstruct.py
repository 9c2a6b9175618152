"""Second-order pruning: the weights whose loss moves a layer's results least, and the others made up for it.

Which ones go is found column by column as in Frantar, Alistarh, "SparseGPT" (2023), after "Optimal Brain Surgeon"
(Hassibi, Stork, 1993). Layers here are small enough that what stays is then solved for exactly: of all weights
with that mask, those whose sums come nearest to the float net's, given the inputs of the pruned net.
"""

from __future__ import annotations

import numpy as np

from ..numerics.least_squares import damped_hessian, grouped, inverse_factor
from ..quant.moments import Moments
from .patterns import Pattern

# Columns among which the lowest are chosen, and then made up for
_BLOCK = 128
# Columns that are solved for together at most
_MOST_COLUMNS = 2048


def reconstructed(rows: np.ndarray, met: Moments, pattern: Pattern, ratio: float) -> np.ndarray:
    """rows: real weights [channels, columns]. met: centred where there is a bias. Float64 [channels, columns]
    with zeros for what goes."""
    new = rows.astype(np.float64)
    for start in range(0, rows.shape[1], _MOST_COLUMNS):
        part = slice(start, start + _MOST_COLUMNS)
        hessian, wanted = _normal_equations(rows, new, met, part)
        whole = _solved(hessian, wanted, np.ones(wanted.shape, bool))
        mask = _mask(whole, hessian, pattern, ratio)
        new[:, part] = _solved(hessian, wanted, mask)
    return new


def refitted(rows: np.ndarray, met: Moments, kept: np.ndarray) -> np.ndarray:
    """The best weights where the mask `kept` [channels, columns] is given."""
    new = np.where(kept, rows, 0).astype(np.float64)
    for start in range(0, rows.shape[1], _MOST_COLUMNS):
        part = slice(start, start + _MOST_COLUMNS)
        hessian, wanted = _normal_equations(rows, new, met, part)
        new[:, part] = _solved(hessian, wanted, kept[:, part])
    return new


def _normal_equations(
    rows: np.ndarray, new: np.ndarray, met: Moments, part: slice
) -> tuple[np.ndarray, np.ndarray]:
    """H [groups, part, part] and b [channels, part] with v H = b the best weights v of a part, the other parts
    being `new`: |w x - v y|^2 + d |w - v|^2 is least, x the real and y the made inputs, d the damping."""
    assert met.cross is not None
    groups = len(met.products)
    hessian = damped_hessian(met.products[:, part, part])
    damping = hessian - met.products[:, part, part]
    others = new.copy()
    others[:, part] = 0
    wanted = grouped(rows.astype(np.float64), groups) @ met.cross[:, :, part]
    wanted += grouped(rows[:, part].astype(np.float64), groups) @ damping
    wanted -= grouped(others, groups) @ met.products[:, :, part]
    return hessian, wanted.reshape(len(rows), -1)


def _solved(hessian: np.ndarray, wanted: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """v with v H = b on the columns that are kept, row by row; rows of one mask together."""
    share = len(wanted) // len(hessian)
    v = np.zeros(wanted.shape)
    for g, h in enumerate(hessian):
        own = slice(g * share, (g + 1) * share)
        masks, which = np.unique(kept[own], axis=0, return_inverse=True)
        for k, mask in enumerate(masks):
            chosen = g * share + np.flatnonzero(which.ravel() == k)
            solution = np.linalg.solve(h[np.ix_(mask, mask)], wanted[np.ix_(chosen, mask)].T)
            v[np.ix_(chosen, mask)] = solution.T
    return v


def _mask(rows: np.ndarray, hessian: np.ndarray, pattern: Pattern, ratio: float) -> np.ndarray:
    """True for what stays; a block's loss is made up for by later blocks before those are looked at."""
    groups, columns = len(hessian), rows.shape[1]
    factor = inverse_factor(hessian)
    left, mask = rows.copy(), np.ones(rows.shape, bool)
    step = max(_BLOCK // pattern.run, 1) * pattern.run
    for start in range(0, columns, step):
        stop = min(start + step, columns)
        own = np.repeat(
            np.diagonal(factor, axis1=1, axis2=2)[:, start:stop], len(rows) // groups, axis=0
        )
        mask[:, start:stop] = pattern.mask((left[:, start:stop] / own) ** 2, ratio)
        for k in range(start, stop):
            error = np.where(mask[:, k], 0.0, left[:, k])
            scaled = grouped(error, groups) / factor[:, k, k, None]
            left[:, k:] -= (scaled[:, :, None] * factor[:, k, None, k:]).reshape(len(rows), -1)
    return mask
