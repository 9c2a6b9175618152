"""Taking channels (indices of the last axis) out of an operator's operands and result: what the pass
remove_dead_work asks an operator, and the two answers most of them give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..ir.graph import Attrs
from .base import Site
from .contraction import accumulator_bound
from .integer_end import fits
from .intervals import channels_of


@dataclass(frozen=True, eq=False)
class Cut:
    """Channels that shall go, True for each, of every operand and of the result. `values`: what the channels
    of an operand hold, where they are constant, or may be taken to hold, where nothing reads them."""

    operands: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    result: np.ndarray


@dataclass(frozen=True)
class Narrowed:
    """What a node becomes: new constants by operand, and its attributes."""

    constants: Mapping[int, np.ndarray]
    attrs: Attrs


@dataclass(frozen=True)
class Channels:
    """How channels hang together at one site.

    `reads`: the channels of each operand that these channels of the result are made of. `possible`: as much
    of a cut as leaves all other values of the result as they are. `without`: the node after such a cut.
    `links`: by operand, which channels go only together; none at all where the node mixes channels.
    """

    reads: Callable[[np.ndarray], tuple[np.ndarray, ...]]
    possible: Callable[[Cut], Cut]
    without: Callable[[Cut], Narrowed]
    links: Sequence[Links | None] = ()


@dataclass(frozen=True, eq=False)
class Links:
    """Channel operand[i] goes into channel result[i], for all i; neither can go without the other."""

    operand: np.ndarray
    result: np.ndarray


Maker = Callable[[Site], Channels | None]


def channelwise(
    *operands: int,
    where: Callable[[Site], bool] = lambda site: True,
    attrs: Callable[[Site, Cut], Mapping[str, Any]] = lambda site, cut: site.attrs,
) -> Maker:
    """Each channel of the result is made of the same channel of `operands` (but of those with one for all).
    `where`: at which sites that is so."""

    def made(site: Site) -> Channels | None:
        if not where(site):
            return None
        every = np.arange(channels_of(site.y))
        same = [
            k in operands and channels_of(t.type) == len(every) for k, t in enumerate(site.inputs)
        ]
        return linked(
            site, [Links(every, every) if s else None for s in same], lambda cut: attrs(site, cut)
        )

    return made


def linked(
    site: Site, links: Sequence[Links | None], attrs: Callable[[Cut], Mapping[str, Any]]
) -> Channels:
    """Channels that only move or are worked on one by one. Constant operands are cut like all others."""

    def reads(live: np.ndarray) -> tuple[np.ndarray, ...]:
        found = []
        for tensor, link in zip(site.inputs, links, strict=True):
            mask = np.full(channels_of(tensor.type), link is None and live.any())
            if link is not None:
                mask[link.operand[live[link.result]]] = True
            found.append(mask)
        return tuple(found)

    def possible(cut: Cut) -> Cut:
        operands, result = [], cut.result.copy()
        for tensor, link, mask in zip(site.inputs, links, cut.operands, strict=True):
            kept = ~mask if link is not None else np.ones_like(mask)
            if link is not None:
                kept[link.operand[~result[link.result]]] = True
                if tensor.is_constant:
                    kept[0] |= not kept.any()
                result[link.result[kept[link.operand]]] = False
            operands.append(~kept)
        return replace(cut, operands=tuple(operands), result=result)

    def without(cut: Cut) -> Narrowed:
        constants = {
            k: tensor.value[..., ~mask]
            for k, (tensor, mask) in enumerate(zip(site.inputs, cut.operands, strict=True))
            if tensor.is_constant and mask.any()
        }
        return Narrowed(constants, attrs(cut))

    return Channels(reads, possible, without, links)


def contracted(site: Site, inside: np.ndarray) -> Channels:
    """A sum of products of operands (x, weights [outputs, ..., channels], bias, multiplier), integer or float
    (then without multipliers, and perhaps without bias). What goes of x is added to the bias. inside: as in
    `intervals.contraction_interval`."""
    weights = site.const(1)
    taps = weights.reshape(len(weights), -1, weights.shape[-1])
    on_border = ~inside.all(axis=0)
    beyond = site.x.quant.zero if site.x.quant else 0
    wide = np.float64 if site.is_float else np.int64

    def reads(live: np.ndarray) -> tuple[np.ndarray, ...]:
        rest = (np.full(channels_of(t.type), True) for t in site.inputs[1:])
        return (taps[live] != 0).any(axis=(0, 1)), *rest

    def possible(cut: Cut) -> Cut:
        """Beyond the border a channel is the zero point: it stays when it is something else and that matters."""
        differs = cut.values[0] != beyond
        matters = (taps[~cut.result][:, on_border] != 0).any(axis=(0, 1))
        x = cut.operands[0] & ~(differs & matters)
        if len(site.inputs) < 3:
            x = x & ~differs  # there is no bias to add it to
        if not site.is_float and not fits(site, accumulator_bound(site, 0)):
            x = np.zeros_like(x)  # it will be refused; its bias must not wrap before that
        return replace(cut, operands=(x, *cut.operands[1:]))

    def without(cut: Cut) -> Narrowed:
        gone, kept = cut.operands[0], ~cut.result
        folded = taps[kept][..., gone].astype(wide).sum(axis=1) @ cut.values[0][gone].astype(wide)
        constants = {1: weights[kept][..., ~gone]}
        if len(site.inputs) > 2:
            constants[2] = (site.const(2)[kept] + folded).astype(site.const(2).dtype)
        if len(site.inputs) > 3:
            constants[3] = site.const(3)[kept]
        return Narrowed(constants, site.attrs)

    return Channels(reads, possible, without)


def ranks(mask: np.ndarray) -> np.ndarray:
    """The new index of each channel that is not cut."""
    return np.cumsum(~mask) - 1
