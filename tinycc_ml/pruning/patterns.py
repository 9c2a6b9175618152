"""Which weights of a tensor go, when each has a score: the lowest ones, singly or in a pattern that storage can
make use of. Masks are bool [channels, columns], True for what stays; of equal scores the later one stays."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError


@dataclass(frozen=True)
class Pattern:
    """`kept` of each `run` neighbouring columns of a row stay (N:M), or whole runs go together (blocks), or
    single weights (run 1)."""

    name: str
    run: int = 1
    kept: int | None = None

    def ratio(self, asked: float) -> float:
        """The part that goes: N:M says it itself."""
        return asked if self.kept is None else 1 - self.kept / self.run

    def serves(self, columns: int) -> bool:
        """Rows shorter than a run are left as they are."""
        return self.run == 1 or columns >= self.run

    def mask(self, scores: np.ndarray, ratio: float) -> np.ndarray:
        """scores: [channels, columns], all of which are compared."""
        if self.kept is not None:
            return self._mask_of_runs(scores)
        summed = _runs(scores, self.run, 0.0).sum(axis=2)
        stays = largest(summed.ravel(), ratio).reshape(summed.shape)
        return np.repeat(stays, self.run, axis=1)[:, : scores.shape[1]]

    def _mask_of_runs(self, scores: np.ndarray) -> np.ndarray:
        """What is left over at the end of a row stays."""
        assert self.kept is not None
        runs = _runs(scores, self.run, np.inf)
        order = np.argsort(np.argsort(runs, axis=2, kind="stable"), axis=2)
        stays = order >= self.run - self.kept
        if scores.shape[1] % self.run:
            stays[:, -1] = True
        return stays.reshape(len(scores), -1)[:, : scores.shape[1]]


def pattern_of(name: str) -> Pattern:
    """ "single", "N:M" such as 2:4, or "1xN" such as 1x4. ModelError for another text."""
    if name == "single":
        return Pattern(name)
    found = re.fullmatch(r"(\d+)([:x])(\d+)", name)
    if found:
        first, kind, second = int(found[1]), found[2], int(found[3])
        if kind == ":" and 0 < first < second <= 64:
            return Pattern(name, second, first)
        if kind == "x" and first == 1 and 1 < second <= 64:
            return Pattern(name, second)
    raise ModelError(
        f"no pruning pattern {name!r}",
        hint="there are single, N:M such as 2:4, 1xN such as 1x4, channels",
    )


def _runs(scores: np.ndarray, run: int, fill: float) -> np.ndarray:
    """[channels, runs, run], the last run filled up."""
    missing = -scores.shape[1] % run
    padded = np.pad(scores.astype(np.float64), ((0, 0), (0, missing)), constant_values=fill)
    return padded.reshape(len(scores), -1, run)


def largest(values: np.ndarray, ratio: float) -> np.ndarray:
    """True for all but the smallest `ratio` of the values, rounded down."""
    mask = np.ones(values.size, bool)
    mask[np.argsort(values, kind="stable")[: int(ratio * values.size)]] = False
    return mask
