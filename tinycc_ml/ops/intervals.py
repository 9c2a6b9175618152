"""Which values an integer tensor can take, whatever the input of the net: a range for each channel, that is
each index of the last axis. Rules for it that several ops share; they follow the integer references exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ..ir.graph import Tensor
from ..ir.types import TensorType
from .base import Arrays, Site
from .contraction import finish
from .integer_end import fits, shifted

Integer = Callable[[Site, Arrays], tuple[np.ndarray, ...]]
Rule = Callable[[Site, Sequence["Interval"]], tuple["Interval", ...]]


@dataclass(frozen=True, eq=False)
class Interval:
    """low <= value <= high, arrays [channels]. `accumulator`: the same for the sum it was requantised from."""

    low: np.ndarray
    high: np.ndarray
    accumulator: Interval | None = None

    @property
    def is_constant(self) -> np.ndarray:
        """Channels of one value."""
        return self.low == self.high


def channels_of(type_: TensorType) -> int:
    return type_.shape[-1] if type_.rank else 1


def all_values(type_: TensorType) -> Interval:
    """The whole range of a type; of floats, nothing is known."""
    low, high = type_.dtype.range if type_.dtype.is_integer else (-np.inf, np.inf)
    count = channels_of(type_)
    return Interval(np.full(count, low), np.full(count, high))


def known_values(tensor: Tensor) -> Interval:
    """Of a constant."""
    return hull((tensor.value,))


def hull(arrays: Iterable[np.ndarray]) -> Interval:
    """The smallest interval around all values of the arrays, channel by channel."""
    rows = np.concatenate(
        [np.atleast_1d(a).reshape(-1, a.shape[-1] if a.ndim else 1) for a in arrays]
    )
    wide = rows.astype(np.int64) if rows.dtype.kind in "iu" else rows
    return Interval(wide.min(axis=0), wide.max(axis=0))


def rising(integer: Integer) -> Rule:
    """For an op whose result never falls when an operand rises: its reference on both ends."""
    return lambda site, operands: _at(
        site, operands, integer, lambda count: ((0,) * count, (1,) * count)
    )


def at_corners(integer: Integer) -> Rule:
    """For an op whose result rises or falls with each operand, the others held: its reference on all ends."""
    return lambda site, operands: _at(
        site, operands, integer, lambda count: product((0, 1), repeat=count)
    )


def _at(
    site: Site,
    operands: Sequence[Interval],
    integer: Integer,
    corners: Callable[[int], Iterable[tuple[int, ...]]],
) -> tuple[Interval, ...]:
    run_time = [k for k, tensor in enumerate(site.inputs) if not tensor.is_constant]
    results = []
    for corner in corners(len(run_time)):
        chosen = dict(zip(run_time, corner, strict=True))
        arrays = [
            _end(t, i, chosen.get(k, 0))
            for k, (t, i) in enumerate(zip(site.inputs, operands, strict=True))
        ]
        results.append(integer(site, arrays)[0])
    return (hull(results),)


def _end(tensor: Tensor, interval: Interval, end: int) -> np.ndarray:
    """The tensor with every channel at the low (0) or high (1) end."""
    if tensor.data is not None:
        return tensor.data
    values = (interval.high if end else interval.low).astype(tensor.type.dtype.numpy)
    return np.broadcast_to(values, tensor.shape) if tensor.type.rank else values.reshape(())


def contraction_interval(
    site: Site, x: Interval, weights: np.ndarray, inside: np.ndarray
) -> tuple[Interval, ...]:
    """Of a sum of products with operands (x, weights, bias, multiplier).

    weights: [outputs, taps, channels / groups]; inside: bool [kinds, taps], for each kind of window position
    the taps that lie in the image; the others read the zero point.
    """
    w = weights.astype(np.int64)
    groups = len(x.low) // w.shape[2]
    low, high = (
        np.repeat(end.reshape(groups, 1, -1), len(w) // groups, axis=0) for end in (x.low, x.high)
    )
    border = site.x.quant.zero * w.sum(axis=2) @ ~inside.T  # type: ignore[union-attr]
    bias = site.const(2).astype(np.int64)
    least = bias + (np.minimum(w * low, w * high).sum(axis=2) @ inside.T + border).min(axis=1)
    most = bias + (np.maximum(w * low, w * high).sum(axis=2) @ inside.T + border).max(axis=1)
    accumulator = Interval(least, most)
    if not fits(site, shifted(np.maximum(-least, most), site)):
        return (all_values(site.y),)  # it will be refused: nothing is known of sums that wrap
    ends = finish(site, np.stack([least, most]), site.const(3))
    return (replace(hull((ends,)), accumulator=accumulator),)
