"""What ranges that no data were seen for may cost: values cut off, as far as the propagated moments tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..ir.graph import Graph
from ..ir.types import TensorType
from .propagate import Propagated

# What real deviations may be in place of those propagated
_DOUBLE = 2.0


@dataclass(frozen=True)
class Risk:
    """Of a stored tensor, by its name in the model. low..high: its range; at_most: what values can be whatever the
    inputs, as far as that is known. cut_off: the part of values beyond the range if channels are normally distributed
    with the moments propagated; cut_off_double: with twice their standard deviations. trained: the moments are those of
    training, which batch norm has kept."""

    tensor: str
    low: float
    high: float
    at_most: tuple[float, float] | None
    cut_off: float
    cut_off_double: float
    trained: bool = False


def risks(graph: Graph, found: Propagated, types: Mapping[str, TensorType]) -> tuple[Risk, ...]:
    """Of every tensor with a spread, in execution order. types: of activations."""
    return tuple(
        _risk(graph, found, name, type_) for name, type_ in types.items() if name in found.spreads
    )


def _risk(graph: Graph, found: Propagated, name: str, type_: TensorType) -> Risk:
    assert type_.quant is not None
    low, high = ((end - type_.quant.zero) * type_.quant.scale0 for end in type_.dtype.range)
    least, most = found.limits[name].ends
    # nothing is cut off at an end that values can't pass by more than a step
    step = 1.01 * type_.quant.scale0
    ends = (-np.inf if least >= low - step else low, np.inf if most <= high + step else high)
    spread = found.spreads[name]
    known = isfinite(least) and isfinite(most)
    return Risk(
        graph.tensors[name].source_name, float(low), float(high), (least, most) if known else None,
        spread.beyond(*ends), spread.beyond(*ends, times=_DOUBLE), name in found.known,
    )  # fmt: skip
