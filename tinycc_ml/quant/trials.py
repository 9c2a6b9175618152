"""Trials: ranges first, with weights as they are; then the constants of layers, with those ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np

from ..ir.graph import Graph
from ..ir.types import I16, Quant, TensorType
from ..ops import op_of
from ..ops.base import Site
from ..reference.at_once import largest_bytes
from .budget import Allotted
from .calibrate import Observed, Samples, calibrate, merged, sample_count
from .compensate import compensated
from .equalize import equalized, pairs
from .judge import Judge, Score
from .layers import layers, nearest
from .methods import AUTO, Constants, Methods, Trial, constants_to_try
from .quantize import with_inside_ranges
from .ranges import RANGES, ROOMY, Ranges, by_tensor
from .scales import activation_types
from .scheme import Assignment
from .simulate import Rounding

Progress = Callable[[int, int], None]
Way = TypeVar("Way")
# Ways are compared on as many samples as this many multiply-accumulates pay for, but at least on some; constants
# are made from as many as the other number pays for, and as the memory holds
_JUDGED_MACS = 1_000_000_000
_JUDGED_LEAST = 24
_FITTED_MACS = 3_000_000_000
_FITTED_BYTES = 1 << 28
_EXPLAINED = 8
# A way is taken for another one only if it is better by more than chance, in dB
_CLEARLY = 0.1


@dataclass(frozen=True)
class Best:
    """What won, made from all samples. judge: of the graph that won."""

    judge: Judge
    rounding: Rounding
    ranges: str
    equalized: bool
    settled: Settled

    @property
    def judged(self) -> list[int]:
        """Numbers of samples to measure the result on."""
        return judged_on(self.judge.graph, range(len(self.judge.real)))

    @property
    def few(self) -> list[int]:
        """Numbers of samples to look at closely."""
        return spread(self.judged, _EXPLAINED)


@dataclass(frozen=True)
class Net:
    """A float graph, what was observed of it on two halves of the samples, and its judge."""

    graph: Graph
    schemes: Assignment
    fixed: Mapping[str, Quant]
    halves: tuple[Sequence[int], Sequence[int]]
    observed: tuple[Mapping[str, Observed], Mapping[str, Observed]]
    judge: Judge

    @property
    def inside(self) -> Graph:
        """The graph with the ranges of values within nodes."""
        return with_inside_ranges(self.graph, merged(*self.observed))

    def types(
        self, observed: Mapping[str, Observed], ranges: Ranges, own: Mapping[str, Ranges]
    ) -> dict[str, TensorType]:
        return activation_types(self.graph, observed, ranges, self.schemes, self.fixed, own)


@dataclass(frozen=True)
class Settled:
    """Constants of layers, made from all samples. net: with the schemes they have; allotted: what a budget came to."""

    net: Net
    constants: Constants
    rounding: Rounding
    trials: tuple[Trial, ...]
    allotted: Allotted | None = None


Allot = Callable[[Net, Mapping[str, TensorType], Methods, "Parts"], Settled]


def best(
    graph: Graph,
    samples: Samples,
    schemes: Assignment,
    fixed: Mapping[str, Quant],
    methods: Methods,
    progress: Progress | None = None,
    allot: Allot | None = None,
) -> Best:
    """The way to quantise with the least error, of those that `methods` leaves open. allot: settles schemes
    of layers, too."""
    wanted = constants_to_try(methods)
    again = methods.equalize is not False and any(pairs(graph))
    parts = Parts(progress, 2 + 2 * again + (4 if allot else len(wanted) + (len(wanted) > 1)))
    net = _observe(graph, samples, schemes, fixed, parts)
    ranges, types, trials = _best_ranges(net, methods)
    balanced = _balanced(net, parts) if again else None
    if balanced is not None:
        name, other, _ = _best_ranges(balanced, methods)
        taken, more = _best_of(methods, (net, types), (balanced, other))
        if taken:
            net, ranges, types = balanced, name, other
        trials += more
    equal = net is balanced
    settled = (allot or _settled)(net, types, methods, parts)
    judge = replace(net.judge, graph=net.inside)
    found = replace(settled, trials=trials + settled.trials)
    return Best(judge, settled.rounding, ranges, equal, found)


def _balanced(net: Net, parts: Parts) -> Net:
    """The net with channels of neighbouring layers scaled to like ranges."""
    samples = net.judge.samples
    graph = equalized(net.graph, samples, judged_on(net.graph, range(sample_count(samples))))
    return _observe(graph, samples, net.schemes, net.fixed, parts)


def _best_of(
    methods: Methods, *nets: tuple[Net, Mapping[str, TensorType]]
) -> tuple[bool, tuple[Trial, ...]]:
    """Whether the second, the equalised one, is better, with weights rounded to nearest."""
    if methods.equalize:
        return True, ()
    ways = [("as it is", *nets[0]), ("equalised", *nets[1])]

    def score(way: tuple[str, Net, Mapping[str, TensorType]]) -> Score:
        _, net, types = way
        plain = {layer.key: nearest(layer, net.schemes, types) for layer in layers(net.graph)}
        return net.judge.scores((judged_on(net.graph, net.halves[1]), Rounding(types, plain)))

    (_, net, _), trials = _winner("equalisation", ways, score, lambda w: w[0])
    return net is nets[1][0], trials


class Parts:
    """Progress of several parts of equal length as one; what comes after the last of them is not told."""

    def __init__(self, progress: Progress | None, count: int):
        self.progress, self.count, self.done = progress, count, 0

    def next(self) -> Progress | None:
        told, before = self.progress, self.done
        self.done += 1
        if told is None or self.done > self.count:
            return None
        return lambda done, all_: told(before * 1000 + done * 1000 // all_, self.count * 1000)


def _observe(
    graph: Graph, samples: Samples, schemes: Assignment, fixed: Mapping[str, Quant], parts: Parts
) -> Net:
    count = sample_count(samples)
    first = range(0, count, 2)
    second = range(1, count, 2) if count > 1 else first
    one, real_one = calibrate(graph, samples, parts.next(), first)
    other, real_other = calibrate(graph, samples, parts.next(), second)
    by_number = dict(zip((*first, *second), (*real_one, *real_other), strict=True))
    real = [by_number[k] for k in range(count)]
    return Net(graph, schemes, fixed, (first, second), (one, other), Judge(graph, samples, real))


def _best_ranges(
    net: Net, methods: Methods
) -> tuple[str, dict[str, TensorType], tuple[Trial, ...]]:
    """The name of the method, types of activations, and what was tried: each half's ranges on the other half."""
    ways: list[tuple[str, Ranges, Mapping[str, Ranges]]] = [
        (r.name, r, {})
        for r in (*RANGES, *(ROOMY if net.schemes.default.activation == I16 else ()))
        if methods.ranges in (AUTO, r.method)
    ]
    if methods.ranges == AUTO:
        ways.append(("by tensor", RANGES[0], by_tensor(*net.observed)))

    def score(way: tuple[str, Ranges, Mapping[str, Ranges]]) -> Score:
        folds = zip(net.observed, reversed(net.halves), strict=True)
        return net.judge.scores(
            *((judged_on(net.graph, n), Rounding(net.types(o, *way[1:]))) for o, n in folds)
        )

    (name, ranges, own), trials = _winner("ranges", ways, score, lambda w: w[0])
    return name, net.types(merged(*net.observed), ranges, own), trials


def _settled(net: Net, types: Mapping[str, TensorType], methods: Methods, parts: Parts) -> Settled:
    """With the schemes that the net has."""
    constants, trials = _best_constants(net, types, constants_to_try(methods), parts)
    rounding = made_of(net, range(len(net.judge.real)), types, constants, parts)
    return Settled(net, constants, rounding, trials)


def _best_constants(
    net: Net, types: Mapping[str, TensorType], ways: Sequence[Constants], parts: Parts
) -> tuple[Constants, tuple[Trial, ...]]:
    """Made from one half, judged on the other."""
    judged = judged_on(net.graph, net.halves[1])

    def score(way: Constants) -> Score:
        return net.judge.scores((judged, made_of(net, net.halves[0], types, way, parts)))

    return _winner("constants", ways, score, str)


def made_of(
    net: Net,
    numbers: Sequence[int],
    types: Mapping[str, TensorType],
    way: Constants,
    parts: Parts,
) -> Rounding:
    return compensated(
        net.graph, net.judge.samples, fitted_on(net.graph, numbers), types, net.schemes,
        second=way.second, bias=way.bias, progress=parts.next(),
    )  # fmt: skip


def _winner(
    step: str, ways: Sequence[Way], score: Callable[[Way], Score], name: Callable[[Way], str]
) -> tuple[Way, tuple[Trial, ...]]:
    """The earliest of the clearly best; nothing is tried when there is no choice.

    A softmax is sure of most samples: nearly all of the error belongs to the two or three between classes, and others would
    choose otherwise. So what is behind sample by sample is out, whatever the sum says.
    """
    if len(ways) == 1:
        return ways[0], ()
    scores = [score(way) for way in ways]
    steady = max(scores, key=lambda s: np.nan_to_num(s.mean_db, nan=-np.inf))
    # a net that gives no number at all is judged the worst there is
    sums = [float(np.nan_to_num(s.sqnr_db, nan=-np.inf, posinf=np.inf)) for s in scores]
    behind = [s.is_behind(steady) for s in scores]
    top = max(s for s, out in zip(sums, behind, strict=True) if not out)
    chosen = next(k for k, s in enumerate(sums) if not behind[k] and s >= top - _CLEARLY)
    trials = [
        Trial(step, name(w), s, k == chosen, out)
        for k, (w, s, out) in enumerate(zip(ways, sums, behind, strict=True))
    ]
    return ways[chosen], tuple(trials)


@lru_cache(maxsize=4)
def _macs(graph: Graph) -> int:
    return max(sum(op_of(node).macs(Site.of(graph, node)) for node in graph.nodes), 1)


def judged_on(graph: Graph, numbers: Sequence[int], macs: int = _JUDGED_MACS) -> list[int]:
    """Of these samples as many as so many multiply-accumulates pay for."""
    return spread(numbers, max(macs // _macs(graph), _JUDGED_LEAST))


def fitted_on(graph: Graph, numbers: Sequence[int]) -> list[int]:
    """Two nets hold what is live of each sample, which is about what the largest node reads and writes."""
    live = max(largest_bytes(graph), 1)
    most = min(_FITTED_MACS // _macs(graph), _FITTED_BYTES // (2 * live))
    return spread(numbers, max(most, _JUDGED_LEAST))


def spread(numbers: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly."""
    picked = np.linspace(0, len(numbers) - 1, min(most, len(numbers)))
    return sorted({numbers[int(k)] for k in picked})
