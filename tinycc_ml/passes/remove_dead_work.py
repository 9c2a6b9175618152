"""Channels of an integer graph that are constant whatever the input, or that nothing reads, are taken out.

Ranges of values go forward through the graph, exactly as its integers round and clamp; what the outputs
depend on goes backward. Constants are folded into the bias of who reads them. The outputs stay the same, bit
for bit, for every input. What an operator allows stands in its own file: `Op.interval` and `Op.channels`.

Kernels that work on several channels at a time may not serve the number that is left, so that a net with fewer channels can
need more of everything: `multiple` leaves as many dead ones as fill up the last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..ir.graph import Graph, Node, Tensor
from ..ops import op_of
from ..ops.base import Site
from ..ops.intervals import Interval, all_values, known_values
from .narrow import Masks, Values, channels_at, model_channels, narrowed, possible


@dataclass(frozen=True)
class Removed:
    """A channel that was taken out of the result of a node, and why no output can tell.

    `channel` counts the last axis of the model's own `tensor`. A constant has its `value`; `low` and `high` are
    the proof: the least and largest sum that it is requantised from.
    """

    node: str
    tensor: str
    channel: int
    reason: str  # "constant" or "never read"
    value: int | None = None
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Work:
    """Multiply-accumulates and weights of a graph."""

    macs: int
    weights: int


@dataclass(frozen=True)
class DeadWork:
    """What was taken out of a graph, and its work before and after."""

    removed: tuple[Removed, ...]
    before: Work
    after: Work


def remove_dead_work(graph: Graph, multiple: int = 1) -> Graph:
    """multiple: what is left of a tensor that loses channels is a multiple of it, or all there was."""
    return narrowed(graph, _going(graph, multiple), _dead(graph)[1])


def removed_channels(graph: Graph, multiple: int = 1) -> tuple[Removed, ...]:
    """The proof of every channel that `remove_dead_work` takes out of `graph`; an alias has no work of its own."""
    ranges, going = _dead(graph)[0], _going(graph, multiple)
    return tuple(
        _proof(node, graph.tensors[name], ranges[name], channel)
        for node in graph.nodes
        if not op_of(node).alias
        for name in node.outputs
        for channel in np.flatnonzero(going[name]).tolist()
    )


def work_of(graph: Graph) -> Work:
    macs = weights = 0
    for node in graph.nodes:
        op, site = op_of(node), Site.of(graph, node)
        macs += op.macs(site)
        if op.quantize is not None:
            weights += sum(
                site.inputs[k].type.size for k in op.quantize.weights if site.inputs[k].is_constant
            )
    return Work(macs, weights)


def value_ranges(graph: Graph) -> dict[str, Interval]:
    """The values that every tensor can take, over all inputs of the net."""
    ranges = {
        t.name: known_values(t) if t.is_constant else all_values(t.type)
        for t in graph.tensors.values()
    }
    for node in graph.nodes:
        rule, site = op_of(node).interval, Site.of(graph, node)
        if rule is not None and site.y.quant is not None and site.y.dtype.is_integer:
            made = rule(site, [ranges[t.name] for t in site.inputs])
            ranges.update(zip(node.outputs, made, strict=True))
    return ranges


def _read(graph: Graph, ranges: Mapping[str, Interval]) -> Masks:
    """Channels that some output depends on, by tensor; constant channels are not read."""
    varies = {name: ~interval.is_constant for name, interval in ranges.items()}
    read = {name: varies[name] & (name in graph.outputs) for name in graph.tensors}
    for node in reversed(graph.nodes):
        if not any(read[name].any() for name in node.outputs):
            continue
        site = Site.of(graph, node)
        rule = channels_at(site)
        for k, tensor in enumerate(site.inputs):
            mask = rule.reads(read[node.outputs[0]])[k] if rule else True
            read[tensor.name] = read[tensor.name] | (mask & varies[tensor.name])
    return read


@lru_cache(maxsize=2)
def _dead(graph: Graph) -> tuple[Mapping[str, Interval], Values, Masks]:
    """The values of tensors, those of constant channels, and the channels that can go: asked for by the pass, for
    whatever multiple, and for its proof."""
    ranges = value_ranges(graph)
    values, read = _values(graph, ranges), _read(graph, ranges)
    return ranges, values, possible(graph, {name: ~mask for name, mask in read.items()}, values)


def _going(graph: Graph, multiple: int) -> Masks:
    """Those of the channels that can go that leave a multiple."""
    _, values, going = _dead(graph)
    while any(_too_many(mask, multiple) for mask in going.values()):
        fewer = {name: _without_first(m, _too_many(m, multiple)) for name, m in going.items()}
        going = possible(graph, fewer, values)
    return going


def _too_many(going: np.ndarray, multiple: int) -> int:
    """So many of them have to stay for a multiple of channels to be left, or all."""
    return min(-int((~going).sum()) % multiple, int(going.sum()))


def _without_first(going: np.ndarray, count: int) -> np.ndarray:
    return going & (np.cumsum(going) > count)


def _values(graph: Graph, ranges: Mapping[str, Interval]) -> Values:
    """The value of a constant channel; of others the one they can take that padding takes, or is next to it."""
    found = {}
    for name, values in ranges.items():
        quant = graph.type(name).quant
        found[name] = np.clip(quant.zero if quant else 0, values.low, values.high)
    return found


def _proof(node: Node, tensor: Tensor, values: Interval, channel: int) -> Removed:
    own = int(model_channels(tensor)[channel])
    if not values.is_constant[channel]:
        return Removed(node.name, tensor.source_name, own, "never read")
    proof = values.accumulator or values
    low, high = int(proof.low[channel]), int(proof.high[channel])
    return Removed(
        node.name, tensor.source_name, own, "constant", int(values.low[channel]), low, high
    )
