"""What is known of the inputs that meet a layer's weights: their moments, gathered sample by sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np

# Rows of a sample that are looked at: neighbouring windows say much the same
_MOST_ROWS = 1024


@dataclass(frozen=True)
class Moments:
    """Sums over `rows` rows of inputs, by group: `real` of the float net and `made` of the quantised one
    [groups, columns]; `products` [groups, columns, columns] of the latter, `cross` those of the former with the
    latter, where they were asked for."""

    rows: int
    real: np.ndarray
    made: np.ndarray
    products: np.ndarray
    cross: np.ndarray | None = None

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.rows + other.rows,
            self.real + other.real,
            self.made + other.made,
            self.products + other.products,
            None if self.cross is None or other.cross is None else self.cross + other.cross,
        )

    def centred(self) -> Moments:
        """With the products of the differences from the mean."""
        mean = (self.made / self.rows)[:, None]
        products = self.products - self.made[:, :, None] * mean
        cross = None if self.cross is None else self.cross - self.real[:, :, None] * mean
        return replace(self, products=products, cross=cross)


def moments(pairs: Iterable[tuple[np.ndarray, np.ndarray]], *, cross: bool = False) -> Moments:
    """pairs: of each sample the rows of the float net and of the quantised one, [groups, rows, columns]."""
    return reduce(add, (_of_sample(*pair, k, cross) for k, pair in enumerate(pairs)))


def _of_sample(real: np.ndarray, made: np.ndarray, number: int, cross: bool) -> Moments:
    """Not all samples skip the same rows."""
    step = -(-real.shape[1] // _MOST_ROWS)
    real, made = (a[:, number % step :: step].astype(np.float32) for a in (real, made))
    return Moments(
        real.shape[1],
        real.sum(axis=1, dtype=np.float64),
        made.sum(axis=1, dtype=np.float64),
        (made.transpose(0, 2, 1) @ made).astype(np.float64),
        (real.transpose(0, 2, 1) @ made).astype(np.float64) if cross else None,
    )
