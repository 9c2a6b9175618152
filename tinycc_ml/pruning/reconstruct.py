"""Second-order pruning: the weights whose loss moves a layer's results least, and the others made up for it.

Which ones go is found column by column as in Frantar, Alistarh, "SparseGPT" (2023), after "Optimal Brain Surgeon"
(Hassibi, Stork, 1993). Layers here are small enough that what stays is then solved for exactly: of all weights
with that mask, those whose sums come nearest to the float net's, given the inputs of the pruned net. How far few
samples are believed is judged by other samples: `damped_by_halves`.
"""

from __future__ import annotations

import numpy as np

from ..numerics.least_squares import grouped, inverse_factor
from ..quant.moments import Moments
from ..quant.refit import Met, damped_by_halves, normal_equations, parts, solved
from .patterns import Pattern
from .scores import wanda

# Columns among which the lowest are chosen, and then made up for
_BLOCK = 128


def reconstructed(rows: np.ndarray, met: Met, pattern: Pattern, ratio: float) -> np.ndarray:
    """rows: real weights [channels, columns]. met: centred where there is a bias. Float64 [channels, columns]
    with zeros for what goes."""

    def by_wanda(tried: np.ndarray, half: Moments) -> np.ndarray:
        return np.concatenate([pattern.mask(row[None], ratio) for row in wanda(tried, half)])

    damping = damped_by_halves(rows, met, by_wanda)
    new = rows.astype(np.float64)
    for part in parts(rows):
        hessian, wanted = normal_equations(rows, new, met.whole, part, damping)
        whole = solved(hessian, wanted, new[:, part])
        mask = _mask(whole, hessian, pattern, ratio)
        new[:, part] = solved(hessian, wanted, np.where(mask, rows[:, part], 0), mask)
    return new


def _mask(rows: np.ndarray, hessian: np.ndarray, pattern: Pattern, ratio: float) -> np.ndarray:
    """True for what stays; a block's loss is made up for by later blocks before those are looked at. What is left
    of a block is as much as would be left of it if all blocks were looked at together."""
    groups, columns = len(hessian), rows.shape[1]
    factor = inverse_factor(hessian)
    own = np.repeat(np.diagonal(factor, axis1=1, axis2=2), len(rows) // groups, axis=0)
    together = pattern.mask((rows / own) ** 2, ratio)
    left, mask = rows.copy(), np.ones(rows.shape, bool)
    step = max(_BLOCK // pattern.run, 1) * pattern.run
    for start in range(0, columns, step):
        block = slice(start, min(start + step, columns))
        part = 1 - float(together[:, block].mean())
        mask[:, block] = pattern.mask((left[:, block] / own[:, block]) ** 2, part)
        _make_up(left, mask, factor, block)
    return mask


def _make_up(left: np.ndarray, mask: np.ndarray, factor: np.ndarray, block: slice) -> None:
    """In place, the columns from `block` on when what is masked in it goes: first the block's own, then the others."""
    by_group = grouped(left, len(factor))
    goes = ~grouped(mask, len(factor))
    errors = np.zeros_like(by_group[:, :, block])
    for k in range(block.start, block.stop):
        error = np.where(goes[:, :, k], by_group[:, :, k], 0.0) / factor[:, k, k, None]
        rest = slice(k, block.stop)
        by_group[:, :, rest] -= error[:, :, None] * factor[:, k, None, rest]
        errors[:, :, k - block.start] = error
    by_group[:, :, block.stop :] -= errors @ factor[:, block, block.stop :]
