"""What is known of the inputs that meet a layer's weights: their moments, gathered sample by sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np

# Rows of a sample that are looked at: neighbouring windows say much the same
_MOST_ROWS = 1024
# Rows of how many samples are multiplied at once
_ROWS_AT_ONCE = 2048


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
    return reduce(add, (_of_rows(*batch, cross) for batch in _batches(pairs)))


def _batches(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of as many samples together as pay: a product of few rows is mostly the adding of it to others."""
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    for number, (real, made) in enumerate(pairs):
        # Not all samples skip the same rows
        step = -(-real.shape[1] // _MOST_ROWS)
        waiting.append((real[:, number % step :: step], made[:, number % step :: step]))
        if sum(first.shape[1] for first, _ in waiting) >= _ROWS_AT_ONCE:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    real, made = (np.concatenate(rows, axis=1) for rows in zip(*pairs, strict=True))
    return real.astype(np.float32), made.astype(np.float32)


def _of_rows(real: np.ndarray, made: np.ndarray, cross: bool) -> Moments:
    products = (made.transpose(0, 2, 1) @ made).astype(np.float64)
    return Moments(
        real.shape[1],
        real.sum(axis=1, dtype=np.float64),
        made.sum(axis=1, dtype=np.float64),
        products,
        _cross(real, made, products) if cross else None,
    )


def _cross(real: np.ndarray, made: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Where nothing has changed yet the products themselves, to the last bit."""
    if np.array_equal(real, made):
        return products
    return (real.transpose(0, 2, 1) @ made).astype(np.float64)
