"""Which of several ways to quantise is best: by the error at the outputs, in simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Graph
from ..ir.types import I8, Quant
from ..ops import op_of
from ..reference.compare import sqnr_db
from .calibrate import Samples
from .simulate import Rounding, simulated

# Part of the rounding of an output below which errors are all the same
_OF_ROUNDING = 0.1

Outputs = Sequence[Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Score:
    """SQNR of the worst output. samples_db: of the worst int8 output whose scale is known beforehand, the dB of each
    sample; None: there is no such output."""

    sqnr_db: float
    samples_db: np.ndarray | None = None

    def is_behind(self, best: Score) -> bool:
        """Whether samples are worse on average, by more than the standard error of that average."""
        if self.samples_db is None or best.samples_db is None:
            return False
        worse = best.samples_db - self.samples_db
        return bool(np.mean(worse) > np.std(worse) / np.sqrt(len(worse)))

    @property
    def mean_db(self) -> float:
        return 0.0 if self.samples_db is None else float(np.mean(self.samples_db))


@dataclass(frozen=True)
class Judge:
    """real: the float outputs of `samples`, one by one."""

    graph: Graph
    samples: Samples
    real: Outputs

    def score(self, *folds: tuple[Sequence[int], Rounding]) -> float:
        """SQNR in dB of the worst output, over the samples of all folds, each rounded its own way."""
        return self.scores(*folds).sqnr_db

    def scores(self, *folds: tuple[Sequence[int], Rounding]) -> Score:
        """`score`, and what the samples by themselves say."""
        real = [self.real[k] for numbers, _ in folds for k in numbers]
        made = [
            values
            for numbers, rounding in folds
            for values in simulated(self.graph, self.samples, numbers, self._judged(rounding))
        ]
        steps = {name: _known_scale(self.graph, name) for name in self.graph.outputs}
        # of int16 it is what lies beyond a range that does harm, on few samples, and all others are good enough
        coarse = [n for n in steps if all(_is_int8(rounding, n) for _, rounding in folds)]
        each = [sample_db(real, made, n, step) for n in coarse if (step := steps[n]) is not None]
        return Score(worst_sqnr(real, made), min(each, key=np.mean, default=None))

    def _judged(self, rounding: Rounding) -> Rounding:
        """An output whose scale is known beforehand is judged before it is rounded: that is the same for all
        ways, and would hide what differs."""
        settled = {n for n in self.graph.outputs if _known_scale(self.graph, n) is not None}
        types = {n: t for n, t in rounding.types.items() if n not in settled}
        return replace(rounding, types=types)


def _known_scale(graph: Graph, name: str) -> float | None:
    """Of int8, which the operator itself settles."""
    maker = graph.producers.get(name)
    rule = op_of(maker).quantize if maker else None
    return rule.output.scale0 if rule is not None and isinstance(rule.output, Quant) else None


def _is_int8(rounding: Rounding, name: str) -> bool:
    type_ = rounding.types.get(name)
    return type_ is not None and type_.dtype == I8


def worst_sqnr(real: Outputs, made: Outputs) -> float:
    return min(output_sqnr(real, made, name) for name in made[0])


def sample_db(real: Outputs, made: Outputs, name: str, step: float) -> np.ndarray:
    """The dB of each sample's error [samples]. step: of the integers that the output will have; errors below
    a part of their rounding are all the same."""
    wanted, found = (
        np.stack([values[name] for values in outputs]).astype(np.float64).reshape(len(real), -1)
        for outputs in (real, made)
    )
    errors = np.square(wanted - found).sum(axis=1) + (_OF_ROUNDING * step) ** 2 / 12
    return -10 * np.log10(errors)


def output_sqnr(real: Outputs, made: Outputs, name: str) -> float:
    wanted = np.stack([values[name] for values in real])
    return sqnr_db(wanted, np.stack([values[name] for values in made]).reshape(wanted.shape))
