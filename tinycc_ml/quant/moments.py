"""What is known of the inputs that meet a layer's weights: their moments, gathered sample by sample.

Two nets run side by side, the float net and the quantised one. A layer of the latter can make up for errors of
those before it, because its own inputs are looked at, and what it should make is what the float layer makes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Rows of a sample that are looked at: neighbouring windows say much the same
_MOST_ROWS = 1024


@dataclass(frozen=True)
class Moments:
    """Sums over rows of inputs, `real` of the float net and `made` of the quantised one, by group:
    [groups, columns], and their products [groups, columns, columns]."""

    rows: int
    real: np.ndarray
    made: np.ndarray
    made_made: np.ndarray
    real_made: np.ndarray

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.rows + other.rows,
            self.real + other.real,
            self.made + other.made,
            self.made_made + other.made_made,
            self.real_made + other.real_made,
        )

    def centred(self) -> Moments:
        """Products of what differs from the mean: the mean is the bias' business."""
        made_mean = self.made / self.rows
        return Moments(
            self.rows,
            self.real,
            self.made,
            self.made_made - self.made[:, :, None] * made_mean[:, None],
            self.real_made - self.real[:, :, None] * made_mean[:, None],
        )


def moments(real: np.ndarray, made: np.ndarray, sample: int = 0) -> Moments:
    """Of one sample's rows: [groups, rows, columns], float. `sample`: its number, so that not all samples skip
    the same rows."""
    step = -(-real.shape[1] // _MOST_ROWS)
    real, made = (a[:, sample % step :: step].astype(np.float32) for a in (real, made))
    return Moments(
        real.shape[1],
        real.sum(axis=1, dtype=np.float64),
        made.sum(axis=1, dtype=np.float64),
        (made.transpose(0, 2, 1) @ made).astype(np.float64),
        (real.transpose(0, 2, 1) @ made).astype(np.float64),
    )
