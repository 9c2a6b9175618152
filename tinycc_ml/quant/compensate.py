"""Constants of all layers, one after the other, each knowing what the quantised layers before it give.

The float net and the quantised one run side by side on the samples, node by node; what later nodes don't read is
dropped. So a layer sees the inputs it will really have, errors included, and its bias can make up for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..ir.graph import Graph
from ..ir.types import TensorType
from .calibrate import Samples
from .layers import Integers, Layer, fitted, layer_of, nearest
from .moments import Moments, moments
from .rounding import second_order
from .scheme import Assignment
from .simulate import EXACT, Rounding, Values, drop, last_reads, start, step


def compensated(
    graph: Graph,
    samples: Samples,
    numbers: Sequence[int],
    types: Mapping[str, TensorType],
    schemes: Assignment,
    *,
    second: bool,
    bias: bool,
    progress: Callable[[int, int], None] | None = None,
) -> Rounding:
    """Constants of every layer, from the samples of these numbers. types: of activations. second: rounding
    is second-order; bias: the mean error of each channel goes into its bias."""
    picked = [{n: samples[n][k] for n in graph.inputs} for k in numbers]
    rounding = Rounding(types)
    real, made = ([start(graph, s, r) for s in picked] for r in (EXACT, rounding))
    last = last_reads(graph)
    for number, node in enumerate(graph.nodes):
        layer = layer_of(graph, node)
        if layer is not None:
            integers = _constants(layer, real, made, types, schemes, second, bias)
            rounding = Rounding(types, {**rounding.layers, node.name: integers})
        for live, how in ((real, EXACT), (made, rounding)):
            for values in live:
                values.update(step(graph, node, values, how))
                drop(values, node, last, number)
        if progress:
            progress(number + 1, len(graph.nodes))
    return rounding


def _constants(
    layer: Layer,
    real: Sequence[Values],
    made: Sequence[Values],
    types: Mapping[str, TensorType],
    schemes: Assignment,
    second: bool,
    bias: bool,
) -> Integers:
    found = nearest(layer, schemes, types)
    second, bias = second and not layer.shared, bias and layer.bias is not None
    if layer.rule.windows is None or not (second or bias):
        return found
    known = moments(_rows_met(layer, real, made))
    if second:
        # where the bias takes the mean error, only what differs from the mean counts
        levels = fitted(layer, schemes, types)
        rows = second_order(layer.rows, levels, (known.centred() if bias else known).products)
        found = Integers(rows, levels.scale)
    return replace(found, bias=_corrected(layer, found, known)) if bias else found


def _rows_met(
    layer: Layer, real: Sequence[Values], made: Sequence[Values]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    windows, name = layer.rule.windows, layer.node.inputs[0]
    assert windows is not None
    for exact, rough in zip(real, made, strict=True):
        yield windows(layer.site, exact[name]), windows(layer.site, rough[name])


def _corrected(layer: Layer, found: Integers, known: Moments) -> np.ndarray:
    """The bias with which each channel's mean is that of the float net."""
    assert layer.bias is not None

    def mean(rows: np.ndarray, sums: np.ndarray) -> np.ndarray:
        by_group = rows.astype(np.float64).reshape(*sums.shape[:1], -1, sums.shape[1])
        return (by_group @ (sums / known.rows)[:, :, None]).reshape(-1)

    return layer.bias + mean(layer.rows, known.real) - mean(found.real, known.made)
