"""Which of several ways to quantise is best: by the error at the outputs, in simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Graph
from ..ir.types import Quant
from ..ops import op_of
from ..reference.compare import sqnr_db
from .calibrate import Samples
from .simulate import Rounding, simulated

Outputs = Sequence[Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Judge:
    """real: the float outputs of `samples`, one by one."""

    graph: Graph
    samples: Samples
    real: Outputs

    def score(self, *folds: tuple[Sequence[int], Rounding]) -> float:
        """SQNR in dB of the worst output, over the samples of all folds, each rounded its own way."""
        real = [self.real[k] for numbers, _ in folds for k in numbers]
        made = [
            values
            for numbers, rounding in folds
            for values in simulated(self.graph, self.samples, numbers, self._judged(rounding))
        ]
        return worst_sqnr(real, made)

    def _judged(self, rounding: Rounding) -> Rounding:
        """An output whose scale is known beforehand is judged before it is rounded: that is the same for all
        ways, and would hide what differs."""
        settled = {n for n in self.graph.outputs if _has_known_scale(self.graph, n)}
        types = {n: t for n, t in rounding.types.items() if n not in settled}
        return replace(rounding, types=types)


def _has_known_scale(graph: Graph, name: str) -> bool:
    maker = graph.producers.get(name)
    rule = op_of(maker).quantize if maker else None
    return rule is not None and isinstance(rule.output, Quant)


def worst_sqnr(real: Outputs, made: Outputs) -> float:
    return min(output_sqnr(real, made, name) for name in made[0])


def output_sqnr(real: Outputs, made: Outputs, name: str) -> float:
    wanted = np.stack([values[name] for values in real])
    return sqnr_db(wanted, np.stack([values[name] for values in made]).reshape(wanted.shape))
