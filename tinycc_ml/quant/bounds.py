"""What the tensors of a float net can be at most, whatever the inputs within their ranges: interval arithmetic.

R. Moore, "Interval Analysis" (1966). A sum of products is bounded by its centre and its radius, which the op's own
reference computes: the radius from the absolute weights. Of what no rule holds nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product

import numpy as np

from ..ir.graph import Graph, Node, Tensor
from ..ir.types import I8, Quant, TensorType
from ..ops import op_of
from ..ops.base import Arrays, QuantizeRule, Reference, Site

# Values of a function of one value that its bounds are taken of: as many as this many elements allow
_FEWEST_POINTS, _MOST_POINTS = 33, 1025
_ELEMENTS = 1 << 22
_FLOAT_MAX = float(np.finfo(np.float32).max)


class Bounds:
    """low <= value <= high, element by element; infinite where nothing is known."""

    def __init__(self, low: np.ndarray, high: np.ndarray):
        unknown = ~(low <= high)
        self.low = np.where(unknown | (low < -_FLOAT_MAX), -np.inf, low)
        self.high = np.where(unknown | (high > _FLOAT_MAX), np.inf, high)

    @property
    def ends(self) -> tuple[float, float]:
        """Of the whole tensor."""
        return float(self.low.min(initial=np.inf)), float(self.high.max(initial=-np.inf))


def bounds(graph: Graph, inputs: Mapping[str, tuple[float, float]]) -> dict[str, Bounds]:
    """Bounds of every run-time float tensor. inputs: lowest and highest value by name."""
    found = {name: _filled(graph.type(name), *inputs[name]) for name in graph.inputs}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            made = _of_node(graph, node, found)
            for name in node.outputs:
                type_ = graph.type(name)
                shaped = made is not None and made.low.shape == type_.shape
                found[name] = made if made is not None and shaped else _unknown(type_)
    return {name: b for name, b in found.items() if graph.type(name).dtype.is_float}


def _filled(type_: TensorType, low: float, high: float) -> Bounds:
    return Bounds(np.full(type_.shape, low), np.full(type_.shape, high))


def _unknown(type_: TensorType) -> Bounds:
    return _filled(type_, -np.inf, np.inf)


def _of_node(graph: Graph, node: Node, found: Mapping[str, Bounds]) -> Bounds | None:
    """Of its only result; None: nothing is known."""
    op, site = op_of(node), Site.of(graph, node)
    reference, rule = op.reference, op.quantize
    if reference is None or rule is None or len(node.outputs) != 1:
        return None
    if isinstance(rule.output, Quant):
        return _filled(site.y, *_reach(rule.output))
    operands = [_operand(t, found) for t in site.inputs]
    run_time = [k for k, t in enumerate(site.inputs) if not t.is_constant]
    if rule.weights:
        linear = rule.windows is not None and run_time == [0]
        return _of_sums(site, rule, reference, operands) if linear else None
    if op.interval is not None:
        chosen = [dict(zip(run_time, c, strict=True)) for c in _corners(op.elementwise, run_time)]
        return _hull([_value(site, reference, operands, ends) for ends in chosen])
    if op.elementwise and len(run_time) == 1:
        return _of_function(site, reference, operands, run_time[0])
    return None


def _corners(elementwise: bool, run_time: Sequence[int]) -> Iterable[tuple[int, ...]]:
    """Where results have their ends: what is not element by element rises with all operands."""
    count = len(run_time)
    return product((0, 1), repeat=count) if elementwise else ((0,) * count, (1,) * count)


def _of_function(
    site: Site, reference: Reference, operands: list[Bounds], index: int
) -> Bounds | None:
    """At points between the ends, and as far beyond as the function changes from one point to the next."""
    count = int(np.clip(_ELEMENTS // max(site.y.size, 1), _FEWEST_POINTS, _MOST_POINTS))
    points = np.linspace(0.0, 1.0, count)
    values = [_value(site, reference, operands, {index: part}) for part in points]
    if not all(np.isfinite(v).all() for v in values):
        return None
    step = np.max([np.abs(b - a) for a, b in pairwise(values)], axis=0)
    hull = _hull(values)
    return Bounds(hull.low - step, hull.high + step)


def _reach(quant: Quant) -> tuple[float, float]:
    """What the integers of a result stand for at most, in float32 like the scale."""
    first, last = I8.range
    low, high = ((end - quant.zero) * quant.scale0 for end in (first, last))
    return float(np.float32(low)), float(np.float32(high))


def _operand(tensor: Tensor, found: Mapping[str, Bounds]) -> Bounds:
    return found[tensor.name] if tensor.data is None else Bounds(tensor.data, tensor.data)


def _of_sums(site: Site, rule: QuantizeRule, reference: Reference, operands: list[Bounds]) -> Bounds | None:  # fmt: skip
    """Centre and radius of sums of products with constants."""
    x, (index,) = operands[0], rule.weights
    if not (np.isfinite(x.low).all() and np.isfinite(x.high).all()):
        return None
    free = {k: v for k, v in site.attrs.items() if k not in ("min", "max")}
    constants = [np.asarray(t.value, np.float64) for t in site.inputs[1:]]
    radii = [np.abs(c) if k == index else np.zeros_like(c) for k, c in enumerate(constants, 1)]
    centre = reference([(x.low + x.high) / 2, *constants], free)[0]
    radius = reference([(x.high - x.low) / 2, *radii], free)[0]
    low, high = site.attrs.get("min", -np.inf), site.attrs.get("max", np.inf)
    return Bounds(np.clip(centre - radius, low, high), np.clip(centre + radius, low, high))


def _value(
    site: Site, reference: Reference, operands: list[Bounds], parts: Mapping[int, float]
) -> np.ndarray:
    """The result with the run-time operands so far between their lowest and highest values."""
    arrays: Arrays = [
        t.value if t.data is not None else _between(b, parts[k]).astype(np.float32)
        for k, (t, b) in enumerate(zip(site.inputs, operands, strict=True))
    ]
    return np.asarray(reference(arrays, site.attrs)[0], np.float64)


def _between(bounds: Bounds, part: float) -> np.ndarray:
    if part in (0, 1):
        return bounds.high if part else bounds.low
    return bounds.low * (1 - part) + bounds.high * part


def _hull(values: list[np.ndarray]) -> Bounds:
    return Bounds(np.min(values, axis=0), np.max(values, axis=0))
