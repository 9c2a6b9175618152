"""Weights with the structures that packed kernels read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Weights = Callable[[np.random.Generator, int, int], np.ndarray]


def multiples(rng: np.random.Generator, channels: int, k: int) -> np.ndarray:
    """m * q with groups of some length, a multiple of 4, both ends of q among them."""
    q, size = rng.integers(-8, 8, (channels, k)), 4 * int(rng.integers(1, 20))
    m = np.repeat(rng.integers(1, 16, (channels, k))[:, ::size], size, axis=1)
    return (m[:, :k] * q).astype(np.int8)


def multiples_by_channel(rng: np.random.Generator, channels: int, k: int) -> np.ndarray:
    """m * q, an m for each channel, some of them 0."""
    return (rng.integers(0, 16, (channels, 1)) * rng.integers(-8, 8, (channels, k))).astype(np.int8)


def mostly_small(rng: np.random.Generator, channels: int, k: int) -> np.ndarray:
    """-8..7, channels of zeros, and now and then 127 and -128."""
    q = rng.integers(-8, 8, (channels, k)) * rng.integers(0, 2, (channels, 1))
    return np.where(rng.random(q.shape) < 0.01, rng.choice([-128, 127], q.shape), q).astype(np.int8)


# By form: weights that have its structure
KINDS: Mapping[str, Mapping[str, Weights]] = {
    "nibbles": {"multiples": multiples, "by_channel": multiples_by_channel, "small": mostly_small},
}
