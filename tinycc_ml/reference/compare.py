"""Is it the same? The first tensor that differs, with index, expected and got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph
from ..ir.types import plain_values


@dataclass(frozen=True)
class Difference:
    """The first value of the first tensor, in order of execution, that is not what it must be."""

    tensor: str
    index: tuple[int, ...]
    expected: float
    got: float
    wrong: int
    size: int

    def __str__(self) -> str:
        return (
            f"tensor {self.tensor!r} differs at {list(self.index)}: expected {self.expected}, got {self.got} "
            f"({self.wrong} of {self.size} values)"
        )


def first_difference(
    graph: Graph, expected: Mapping[str, np.ndarray], got: Mapping[str, np.ndarray], relative: float
) -> Difference | None:
    """None when all tensors of `got` agree: integers exactly, floats within `relative` of the range."""
    for node in graph.nodes:
        for name in node.outputs:
            if name in got:
                found = difference(
                    graph.tensors[name].source_name, expected[name], got[name], relative
                )
                if found is not None:
                    return found
    return None


def difference(
    name: str, expected: np.ndarray, got: np.ndarray, relative: float
) -> Difference | None:
    expected, got = plain_values(expected), plain_values(got)
    if np.issubdtype(expected.dtype, np.floating):
        with np.errstate(invalid="ignore"):
            near = np.abs(expected - got) <= relative * max(spread(expected), 1e-30)
        wrong = ~(near | (expected == got) | (np.isnan(expected) & np.isnan(got)))
    else:
        wrong = expected != got
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return Difference(
        name, index, expected[index].item(), got[index].item(), int(wrong.sum()), wrong.size
    )


def spread(values: np.ndarray) -> float:
    """The range of the finite values, 0 included in size."""
    finite = values[np.isfinite(values)]
    return max(float(np.ptp(finite)), float(np.max(np.abs(finite)))) if finite.size else 0.0


def sqnr_db(real: np.ndarray, quantised: np.ndarray) -> float:
    """10 log10(sum y^2 / sum (y - y')^2), pooled over all values; infinite when they are equal."""
    noise = float(np.sum((real.astype(np.float64) - quantised) ** 2))
    signal = float(np.sum(real.astype(np.float64) ** 2))
    return float("inf") if noise == 0 else 10 * float(np.log10(max(signal, 1e-300) / noise))
