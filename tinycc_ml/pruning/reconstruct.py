"""Second-order pruning: the weights whose loss moves a layer's results least, and the others made up for it.

Which ones go is found column by column as in Frantar, Alistarh, "SparseGPT" (2023), after "Optimal Brain Surgeon"
(Hassibi, Stork, 1993). Layers here are small enough that what stays is then solved for exactly: of all weights
with that mask, those whose sums come nearest to the float net's, given the inputs of the pruned net. How far few
samples are believed is judged by other samples: `damped_by_halves`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..numerics.least_squares import grouped, inverse_factor
from ..quant.moments import Moments
from .patterns import Pattern
from .scores import wanda

# Columns among which the lowest are chosen, and then made up for
_BLOCK = 128
# Columns that are solved for together at most
_MOST_COLUMNS = 2048
# Rows of at most so many columns are solved for together
_FEW_COLUMNS = 64
# Parts of each input's own energy that are tried as damping, and the one without other samples to judge by
_DAMPINGS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_DAMPING = 0.03
# Rows of a group that dampings are tried on
_TRIED_ROWS = 16
# Of the mean energy, so that inputs that were always zero have some, too
_LEAST_ENERGY = 1e-4


@dataclass(frozen=True)
class Met:
    """What a layer meets: moments of all samples, and of each of two halves of them, if there are two."""

    whole: Moments
    halves: tuple[Moments, ...] = ()

    def centred(self) -> Met:
        return Met(self.whole.centred(), tuple(half.centred() for half in self.halves))


def reconstructed(rows: np.ndarray, met: Met, pattern: Pattern, ratio: float) -> np.ndarray:
    """rows: real weights [channels, columns]. met: centred where there is a bias. Float64 [channels, columns]
    with zeros for what goes."""

    def by_wanda(tried: np.ndarray, half: Moments) -> np.ndarray:
        return np.concatenate([pattern.mask(row[None], ratio) for row in wanda(tried, half)])

    damping = damped_by_halves(rows, met, by_wanda)
    new = rows.astype(np.float64)
    for part in _parts(rows):
        hessian, wanted = _normal_equations(rows, new, met.whole, part, damping)
        whole = _solved(hessian, wanted, new[:, part])
        mask = _mask(whole, hessian, pattern, ratio)
        new[:, part] = _solved(hessian, wanted, np.where(mask, rows[:, part], 0), mask)
    return new


def refitted(rows: np.ndarray, met: Met, kept: np.ndarray) -> np.ndarray:
    """The best weights where the mask `kept` [channels, columns] is given."""
    shares = len(rows) // len(met.whole.products)
    tried = _tried(grouped(kept, len(met.whole.products)), shares)
    damping = damped_by_halves(rows, met, lambda *_: tried)
    return _fitted(rows, met.whole, kept, damping)


def damped_by_halves(
    rows: np.ndarray, met: Met, mask_of: Callable[[np.ndarray, Moments], np.ndarray]
) -> float:
    """The damping with which weights fitted to one half of the samples give the nearest results on the other.
    mask_of: of some rows, given a half's moments."""
    if len(met.halves) < 2:
        return _DAMPING
    tried = _tried(grouped(rows, len(met.whole.products)), len(rows) // len(met.whole.products))
    errors = []
    folds = [(half, other, mask_of(tried, half)) for half, other in (met.halves, met.halves[::-1])]
    for damping in _DAMPINGS:
        errors.append(
            sum(
                _error(tried, _fitted(tried, half, mask, damping), other)
                for half, other, mask in folds
            )
        )
    return _DAMPINGS[int(np.argmin(errors))]


def _tried(by_group: np.ndarray, share: int) -> np.ndarray:
    """Some rows, evenly spread: [groups, channels of a group, columns] to [rows, columns]."""
    some = np.linspace(0, share - 1, min(share, _TRIED_ROWS)).astype(int)
    return by_group[:, some].reshape(-1, by_group.shape[2])


def _error(rows: np.ndarray, new: np.ndarray, met: Moments) -> float:
    """Squared error of the results, less what doesn't depend on `new`."""
    assert met.cross is not None
    w, v = (grouped(a.astype(np.float64), len(met.products)) for a in (rows, new))
    return float(np.sum((v @ met.products - 2 * (w @ met.cross)) * v))


def _fitted(rows: np.ndarray, met: Moments, kept: np.ndarray, damping: float) -> np.ndarray:
    new = np.where(kept, rows, 0).astype(np.float64)
    for part in _parts(rows):
        hessian, wanted = _normal_equations(rows, new, met, part, damping)
        new[:, part] = _solved(hessian, wanted, new[:, part], kept[:, part])
    return new


def _parts(rows: np.ndarray) -> list[slice]:
    return [slice(k, k + _MOST_COLUMNS) for k in range(0, rows.shape[1], _MOST_COLUMNS)]


def _normal_equations(
    rows: np.ndarray, new: np.ndarray, met: Moments, part: slice, damping: float
) -> tuple[np.ndarray, np.ndarray]:
    """H [groups, part, part] and b [channels, part] with v H = b the best weights v of a part, the other parts
    being `new`: |w x - v y|^2 + |(w - v) D|^2 is least, x the real and y the made inputs. D^2 is `damping` of each
    input's energy: the less a weight counts, the freer it is, and much damping leaves what Wanda would."""
    assert met.cross is not None
    groups = len(met.products)
    added = _added(met.products[:, part, part], damping)
    others = new.copy()
    others[:, part] = 0
    wanted = grouped(rows.astype(np.float64), groups) @ met.cross[:, :, part]
    wanted += grouped(rows[:, part].astype(np.float64), groups) * added[:, None]
    if others.any():
        wanted -= grouped(others, groups) @ met.products[:, :, part]
    hessian = met.products[:, part, part] + added[:, None] * np.eye(added.shape[1])
    return hessian, wanted.reshape(len(rows), -1)


def _added(products: np.ndarray, damping: float) -> np.ndarray:
    """To the diagonal: [groups, columns], all above 0."""
    energy = np.maximum(np.diagonal(products, axis1=1, axis2=2), 0)
    mean = energy.mean(axis=1, keepdims=True)
    return np.where(mean > 0, damping * energy + _LEAST_ENERGY * mean, 1.0)


def _solved(
    hessian: np.ndarray, wanted: np.ndarray, near: np.ndarray, kept: np.ndarray | None = None
) -> np.ndarray:
    """v with v H = b on the columns that are kept, row by row. near: rows with their mask that are not far from v;
    only the difference is solved for, so that what is right already stays as it is."""
    groups = len(hessian)
    missing = wanted - (grouped(near, groups) @ hessian).reshape(wanted.shape)
    found = near.astype(np.float64)
    share = len(wanted) // groups
    for g, h in enumerate(hessian):
        own = slice(g * share, (g + 1) * share)
        if kept is None:
            found[own] += np.linalg.solve(h, missing[own].T).T
        else:
            found[own] += _solved_where(h, missing[own], kept[own])
    return found


def _solved_where(h: np.ndarray, wanted: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Rows of one mask together; short rows with the columns that go cut loose from the others, all at once."""
    v = np.zeros(wanted.shape)
    masks, which = np.unique(kept, axis=0, return_inverse=True)
    if len(masks) > 1 and len(h) <= _FEW_COLUMNS:
        loose = kept[:, :, None] & kept[:, None]
        alone = np.where(loose, h, np.eye(len(h)))
        return np.linalg.solve(alone, np.where(kept, wanted, 0)[..., None])[..., 0]
    for k, mask in enumerate(masks):
        chosen = np.flatnonzero(which.ravel() == k)
        solution = np.linalg.solve(h[np.ix_(mask, mask)], wanted[np.ix_(chosen, mask)].T)
        v[np.ix_(chosen, mask)] = solution.T
    return v


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
