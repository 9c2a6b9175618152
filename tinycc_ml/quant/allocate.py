"""One scheme for each layer: all best trades of bytes against noise, exactly.

Noise of layers adds up, bytes do, too. Layers are taken in one by one, and of the sums so far those stay that no
other one beats in both: what is beaten now stays beaten, whatever follows. There are never more of them than there
are different numbers of bytes, so a net of some hundred kilobytes takes seconds and no solver is needed; and
what comes out is not one answer but all of them, the whole trade-off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Option:
    """A layer under a scheme: bytes of its weights, and the noise it adds, as a part of the output's power."""

    scheme: str
    bytes: int
    noise: float


@dataclass(frozen=True)
class Front:
    """The best trades, ascending in `bytes`, descending in `noise`. traces: for each layer and each
    trade up to it, the trade before and the option, as before * options + option."""

    layers: Sequence[Sequence[Option]]
    bytes: np.ndarray
    noise: np.ndarray
    traces: Sequence[np.ndarray]

    def options(self, trade: int) -> list[Option]:
        """The option of each layer in this trade."""
        found = []
        for options, trace in zip(reversed(self.layers), reversed(self.traces), strict=True):
            trade, option = divmod(int(trace[trade]), len(options))
            found.append(options[option])
        return found[::-1]

    def least_noise(self, most_bytes: float) -> int | None:
        """The trade with the least noise within so many bytes; None when there is none."""
        count = int(np.searchsorted(self.bytes, most_bytes, side="right"))
        return count - 1 if count else None

    def least_bytes(self, most_noise: float) -> int | None:
        """The trade with the fewest bytes that is no noisier than that; None when there is none."""
        quiet = np.flatnonzero(self.noise <= most_noise)
        return int(quiet[0]) if len(quiet) else None

    def spread(self, count: int) -> list[int]:
        """At most so many trades from the smallest to the least noisy one, at even distances of bytes."""
        wanted = np.linspace(self.bytes[0], self.bytes[-1], count)
        return sorted({self.least_noise(most) or 0 for most in np.floor(wanted)})


def front(layers: Sequence[Sequence[Option]]) -> Front:
    """layers: of each its options, at least one."""
    size, noise = np.zeros(1, np.int64), np.zeros(1)
    traces = []
    for options in layers:
        sizes = (size[:, None] + np.array([o.bytes for o in options])).ravel()
        noises = (noise[:, None] + np.array([o.noise for o in options])).ravel()
        order = np.lexsort((noises, sizes))
        best_before = np.minimum.accumulate(noises[order])
        kept = order[np.r_[True, noises[order][1:] < best_before[:-1]]]
        size, noise = sizes[kept], noises[kept]
        traces.append(kept)
    return Front(layers, size, noise, traces)
