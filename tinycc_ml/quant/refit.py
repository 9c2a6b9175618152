"""Weights of a layer refitted to the inputs that a changed net gives it.

With x the inputs of the float net that meet a row w of weights, and y those of the quantised or pruned one, the best row is
the v for which v y comes nearest to w x: least squares, damped towards w. How far few samples are believed is judged by
other samples: `damped_by_halves`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TypeVar

import numpy as np

from ..numerics.least_squares import grouped
from .moments import Moments, moments

Sample = TypeVar("Sample")

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


def met_by_halves(
    samples: Sequence[Sample],
    rows: Callable[[Sample], tuple[np.ndarray, np.ndarray]],
) -> Met:
    """rows: what a sample gives the layer in the float net and in the changed one, [groups, rows, columns]. Every
    other sample is of the first half."""
    halves = tuple(
        moments(map(rows, half), cross=True) for half in (samples[::2], samples[1::2]) if half
    )
    return Met(reduce(add, halves), halves)


def refitted(rows: np.ndarray, met: Met, kept: np.ndarray) -> np.ndarray:
    """The best weights where the mask `kept` [channels, columns] is given."""
    shares = len(rows) // len(met.whole.products)
    tried = _tried(grouped(kept, len(met.whole.products)), shares)
    damping = damped_by_halves(rows, met, lambda *_: tried)
    return _fitted(rows, met.whole, kept, damping)


def improved(rows: np.ndarray, met: Met) -> np.ndarray:
    """The best weights where those of half of the samples are nearer to the float net's results on the other half than
    `rows` themselves; else `rows`. What is zero stays zero."""
    if len(met.halves) < 2:
        return rows
    kept = rows != 0
    tried = _tried(grouped(kept, len(met.whole.products)), len(rows) // len(met.whole.products))
    errors = _errors(rows, met, lambda *_: tried, (*_DAMPINGS, np.inf))
    best = min(errors, key=lambda damping: errors[damping])
    return rows if best == np.inf else _fitted(rows, met.whole, kept, best)


def damped_by_halves(
    rows: np.ndarray, met: Met, mask_of: Callable[[np.ndarray, Moments], np.ndarray]
) -> float:
    """The damping with which weights fitted to one half of the samples give the nearest results on the other.
    mask_of: of some rows, given a half's moments."""
    if len(met.halves) < 2:
        return _DAMPING
    errors = _errors(rows, met, mask_of, _DAMPINGS)
    return min(errors, key=lambda damping: errors[damping])


def _errors(
    rows: np.ndarray,
    met: Met,
    mask_of: Callable[[np.ndarray, Moments], np.ndarray],
    dampings: Sequence[float],
) -> dict[float, float]:
    """By damping, of both halves, each with what the other gives; infinite damping leaves the weights as they are."""
    tried = _tried(grouped(rows, len(met.whole.products)), len(rows) // len(met.whole.products))
    folds = [(half, other, mask_of(tried, half)) for half, other in (met.halves, met.halves[::-1])]

    def new(half: Moments, mask: np.ndarray, damping: float) -> np.ndarray:
        return tried if damping == np.inf else _fitted(tried, half, mask, damping)

    return {
        damping: sum(_error(tried, new(half, mask, damping), other) for half, other, mask in folds)
        for damping in dampings
    }


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
    for part in parts(rows):
        hessian, wanted = normal_equations(rows, new, met, part, damping)
        new[:, part] = solved(hessian, wanted, new[:, part], kept[:, part])
    return new


def parts(rows: np.ndarray) -> list[slice]:
    return [slice(k, k + _MOST_COLUMNS) for k in range(0, rows.shape[1], _MOST_COLUMNS)]


def normal_equations(
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


def solved(
    hessian: np.ndarray, wanted: np.ndarray, near: np.ndarray, kept: np.ndarray | None = None
) -> np.ndarray:
    """v with v H = b on the columns that are kept, row by row. near: rows with their mask that are not far from v;
    only the difference is solved for, so that what is right already stays as it is."""
    groups = len(hessian)
    missing = wanted - (grouped(near, groups) @ hessian).reshape(wanted.shape)
    found = near.astype(np.float64)
    share = len(wanted) // groups
    if kept is None or kept.all():
        steps = np.linalg.solve(hessian, grouped(missing, groups).transpose(0, 2, 1))
        return found + steps.transpose(0, 2, 1).reshape(found.shape)
    for g, h in enumerate(hessian):
        own = slice(g * share, (g + 1) * share)
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
