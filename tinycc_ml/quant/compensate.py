"""Constants of all layers, one after the other, each knowing what the quantised layers before it give.

The float net and the quantised one run side by side on the samples, node by node; what later nodes don't read is
dropped. So a layer sees the inputs it will really have, errors included, and its bias can make up for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..ir.graph import Graph
from ..ir.types import TensorType
from .calibrate import Samples
from .layers import Integers, Layer, fitted, layers_of, nearest
from .moments import Moments, moments
from .refit import Met, improved, met_by_halves
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
        few_levels = schemes.of(layer.node).has_few_levels
        known = _met(layer, real, made, second, bias, few_levels)
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
        name = layer.node.name
        given = (schemes.of(layer.node), *tried.get(layer.key, ()))
        few_levels = any(scheme.has_few_levels for scheme in given)
        known = _met(layer, real, made, second, bias, few_levels)
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


def _met(
    layer: Layer,
    real: Sequence[Values],
    made: Sequence[Values],
    second: bool,
    bias: bool,
    few_levels: bool,
) -> Met | None:
    """None where nothing needs it. few_levels: of a scheme that the layer may have."""
    second, bias = _wanted(layer, second, bias)
    if not (second or bias):
        return None
    windows, site, name = layer.rule.windows, layer.site, layer.node.inputs[0]
    assert windows is not None

    def rows(sample: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        exact, rough = sample
        return windows(site, exact), windows(site, rough)

    parts = zip(real, made, strict=True)
    pairs = [pair for exact, rough in parts for pair in zip(exact[name], rough[name], strict=True)]
    if second and few_levels:
        return met_by_halves(pairs, rows)
    return Met(moments(map(rows, pairs)))


def _wanted(layer: Layer, second: bool, bias: bool) -> tuple[bool, bool]:
    """Of second-order rounding and bias correction, what the layer allows."""
    can = layer.rule.windows is not None
    return can and second and not layer.shared, can and bias and layer.bias is not None


def _constants(
    layer: Layer,
    known: Met | None,
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
        met = known.centred() if bias else known
        rows = layer.rows
        if schemes.of(layer.node).has_few_levels:
            # such roundings change what follows so much that other weights than the model's come nearer
            rows = improved(rows, met)
        levels = fitted(layer, schemes, types, rows)
        found = Integers(second_order(rows, levels, met.whole.products), levels.scale)
    if known is None or not bias:
        return found
    return replace(found, bias=_corrected(layer, found, known.whole))


def _corrected(layer: Layer, found: Integers, known: Moments) -> np.ndarray:
    """The bias with which each channel's mean is that of the float net."""
    assert layer.bias is not None

    def mean(rows: np.ndarray, sums: np.ndarray) -> np.ndarray:
        by_group = rows.astype(np.float64).reshape(*sums.shape[:1], -1, sums.shape[1])
        return (by_group @ (sums / known.rows)[:, :, None]).reshape(-1)

    return layer.bias + mean(layer.rows, known.real) - mean(found.real, known.made)
