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
from .layers import Integers, Layer, fitted, layers_of, nearest
from .moments import Moments, moments
from .rounding import second_order
from .scheme import Assignment, Scheme
from .simulate import EXACT, Rounding, Values, drop, last_reads, starts, step


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

    def constants(layer: Layer, real: Sequence[Values], made: Sequence[Values]) -> Integers:
        known = _moments(layer, real, made, second, bias)
        return _constants(layer, known, types, schemes, second, bias)

    return _side_by_side(graph, samples, numbers, types, constants, progress)


def variants(
    graph: Graph,
    samples: Samples,
    numbers: Sequence[int],
    types: Mapping[str, TensorType],
    schemes: Assignment,
    tried: Mapping[str, Sequence[Scheme]],
    *,
    second: bool,
    bias: bool,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, Integers]]:
    """For each layer, by its node, constants under each of the schemes that are `tried` for it. What a layer sees
    is the net in `schemes`; the rest is as for `compensated`."""
    found: dict[str, dict[str, Integers]] = {}

    def constants(layer: Layer, real: Sequence[Values], made: Sequence[Values]) -> Integers:
        known, name = _moments(layer, real, made, second, bias), layer.node.name
        if layer.key not in tried:
            return _constants(layer, known, types, schemes, second, bias)
        found[name] = {
            scheme.name: _constants(
                layer, known, types, Assignment(schemes.default, {name: scheme}), second, bias
            )
            for scheme in tried[name]
        }
        return _constants(layer, known, types, schemes, second, bias)

    _side_by_side(graph, samples, numbers, types, constants, progress)
    return found


def _side_by_side(
    graph: Graph,
    samples: Samples,
    numbers: Sequence[int],
    types: Mapping[str, TensorType],
    constants: Callable[[Layer, Sequence[Values], Sequence[Values]], Integers],
    progress: Callable[[int, int], None] | None,
) -> Rounding:
    """constants: of a layer, from what the float net and the quantised one give it, [runs, *shape] in parts."""
    rounding = Rounding(types)
    real, made = (starts(graph, samples, numbers, r) for r in (EXACT, rounding))
    last = last_reads(graph)
    for number, node in enumerate(graph.nodes):
        for layer in layers_of(graph, node):
            integers = constants(layer, real, made)
            rounding = Rounding(types, {**rounding.layers, layer.key: integers})
        for live, how in ((real, EXACT), (made, rounding)):
            taken = step(graph, node, how)
            for values in live:
                values.update(taken(values))
                drop(values, node, last, number)
        if progress:
            progress(number + 1, len(graph.nodes))
    return rounding


def _moments(
    layer: Layer, real: Sequence[Values], made: Sequence[Values], second: bool, bias: bool
) -> Moments | None:
    """None where nothing needs them."""
    second, bias = _wanted(layer, second, bias)
    return moments(_rows_met(layer, real, made)) if second or bias else None


def _wanted(layer: Layer, second: bool, bias: bool) -> tuple[bool, bool]:
    """Of second-order rounding and bias correction, what the layer allows."""
    can = layer.rule.windows is not None
    return can and second and not layer.shared, can and bias and layer.bias is not None


def _constants(
    layer: Layer,
    known: Moments | None,
    types: Mapping[str, TensorType],
    schemes: Assignment,
    second: bool,
    bias: bool,
) -> Integers:
    second, bias = _wanted(layer, second, bias)
    if known is None or not second:
        found = nearest(layer, schemes, types)
    else:
        # where the bias takes the mean error, only what differs from the mean counts
        levels = fitted(layer, schemes, types)
        rows = second_order(layer.rows, levels, (known.centred() if bias else known).products)
        found = Integers(rows, levels.scale)
    return (
        found if known is None or not bias else replace(found, bias=_corrected(layer, found, known))
    )


def _rows_met(
    layer: Layer, real: Sequence[Values], made: Sequence[Values]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    windows, name = layer.rule.windows, layer.node.inputs[0]
    assert windows is not None
    for parts in zip(real, made, strict=True):
        for exact, rough in zip(*(values[name] for values in parts), strict=True):
            yield windows(layer.site, exact), windows(layer.site, rough)


def _corrected(layer: Layer, found: Integers, known: Moments) -> np.ndarray:
    """The bias with which each channel's mean is that of the float net."""
    assert layer.bias is not None

    def mean(rows: np.ndarray, sums: np.ndarray) -> np.ndarray:
        by_group = rows.astype(np.float64).reshape(*sums.shape[:1], -1, sums.shape[1])
        return (by_group @ (sums / known.rows)[:, :, None]).reshape(-1)

    return layer.bias + mean(layer.rows, known.real) - mean(found.real, known.made)
