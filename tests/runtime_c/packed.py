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


def of_values(count: int, zero: bool) -> Weights:
    """Of a few values, the least int8 that AB words can hold among them; with 0, or all channels full."""

    def weights(rng: np.random.Generator, channels: int, k: int) -> np.ndarray:
        values = rng.choice(np.arange(-120, 128), count, replace=False)
        values[0] = 0 if zero else values[0]
        return rng.choice(values, (channels, k)).astype(np.int8)

    return weights


def with_zeros(part: float) -> Weights:
    """Any int8, a part of them 0."""

    def weights(rng: np.random.Generator, channels: int, k: int) -> np.ndarray:
        values = rng.integers(-120, 128, (channels, k))
        return np.where(rng.random((channels, k)) < part, 0, values).astype(np.int8)

    return weights


# By form: weights that have its structure
KINDS: Mapping[str, Mapping[str, Weights]] = {
    "nibbles": {"multiples": multiples, "by_channel": multiples_by_channel, "small": mostly_small},
    "palette_16": {
        "all": of_values(16, zero=False),
        "few": of_values(5, zero=False),
        "zero": of_values(16, zero=True),
    },
    "palette_4": {
        "all": of_values(4, zero=False),
        "two": of_values(2, zero=False),
        "zero": of_values(4, zero=True),
    },
    "sparse": {"half": with_zeros(0.5), "nearly_all": with_zeros(0.97), "none": with_zeros(0.0)},
}
