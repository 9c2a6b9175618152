"""Channels of an integer graph that are constant whatever the input, or that nothing reads, are taken out.

Ranges of values go forward through the graph, exactly as its integers round and clamp; what the outputs
depend on goes backward. Constants are folded into the bias of who reads them. The outputs stay the same, bit
for bit, for every input. What an operator allows stands in its own file: `Op.interval` and `Op.channels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Graph, Node, Origin, Tensor, constant
from ..ir.rewrite import Draft
from ..ops import op_of
from ..ops.base import Site
from ..ops.channels import Channels, Cut
from ..ops.intervals import Interval, all_values, channels_of, known_values

Masks = Mapping[str, np.ndarray]


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


def remove_dead_work(graph: Graph) -> Graph:
    ranges = value_ranges(graph)
    return _without(graph, ranges, _going(graph, ranges))


def removed_channels(graph: Graph) -> tuple[Removed, ...]:
    """The proof of every channel that `remove_dead_work` takes out of `graph`; an alias has no work of its own."""
    ranges = value_ranges(graph)
    going = _going(graph, ranges)
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


def _channels(site: Site) -> Channels | None:
    """None where all channels stay. Scales for each channel of an operand are left alone."""
    quants = [t.type.quant for t in (*site.inputs, *site.outputs)]
    if (
        any(q is None or q.is_per_tensor for q in quants)
        and len(site.outputs) == 1
        and site.y.quant
    ):
        return op_of(site.node).channels(site)
    return None


def _read(graph: Graph, ranges: Mapping[str, Interval]) -> Masks:
    """Channels that some output depends on, by tensor; constant channels are not read."""
    varies = {name: ~interval.is_constant for name, interval in ranges.items()}
    read = {name: varies[name] & (name in graph.outputs) for name in graph.tensors}
    for node in reversed(graph.nodes):
        if not any(read[name].any() for name in node.outputs):
            continue
        site = Site.of(graph, node)
        rule = _channels(site)
        for k, tensor in enumerate(site.inputs):
            mask = rule.reads(read[node.outputs[0]])[k] if rule else True
            read[tensor.name] = read[tensor.name] | (mask & varies[tensor.name])
    return read


def _going(graph: Graph, ranges: Mapping[str, Interval]) -> Masks:
    """Channels that can go, by tensor: the most that every node allows. One of each tensor stays."""
    read, public = _read(graph, ranges), {*graph.inputs, *graph.outputs}
    made = {name for node in graph.nodes for name in node.outputs} - public
    going = {name: ~mask if name in made else np.zeros_like(mask) for name, mask in read.items()}
    sites = [Site.of(graph, node) for node in graph.nodes]
    rules = [(site, _channels(site)) for site in sites]
    changed = True
    while changed:
        before = dict(going)
        for name in made:
            going[name] = going[name] & ~(going[name].all() & (np.arange(len(going[name])) == 0))
        for site, rule in rules:
            _allow(site, rule, ranges, going)
        changed = any(not np.array_equal(before[name], mask) for name, mask in going.items())
    return going


def _allow(
    site: Site, rule: Channels | None, ranges: Mapping[str, Interval], going: dict[str, np.ndarray]
) -> None:
    """Take back what a node does not allow."""
    if rule is None:
        for tensor in (*site.inputs, *site.outputs):
            going[tensor.name] = np.zeros_like(going[tensor.name])
        return
    cut = rule.possible(_cut(site, ranges, going))
    for tensor, mask in zip(
        (*site.inputs, *site.outputs), (*cut.operands, cut.result), strict=True
    ):
        if not tensor.is_constant:
            going[tensor.name] = going[tensor.name] & mask


def _cut(site: Site, ranges: Mapping[str, Interval], going: Masks) -> Cut:
    """All channels of a constant may go as far as it alone is concerned."""
    operands = tuple(
        np.ones_like(going[t.name]) if t.is_constant else going[t.name] for t in site.inputs
    )
    values = tuple(_stand_ins(t, ranges[t.name]) for t in site.inputs)
    return Cut(operands, values, going[site.outputs[0].name])


def _stand_ins(tensor: Tensor, values: Interval) -> np.ndarray:
    """The value of a constant channel; of others the one they can take that padding takes, or is next to it."""
    zero = tensor.type.quant.zero if tensor.type.quant else 0
    return np.clip(zero, values.low, values.high)


def _without(graph: Graph, ranges: Mapping[str, Interval], going: Masks) -> Graph:
    draft = Draft(graph)
    for node in graph.nodes:
        site = Site.of(graph, node)
        if any(going[t.name].any() for t in (*site.inputs, *site.outputs)):
            _narrow_node(draft, site, ranges, going)
    for name, mask in going.items():
        if mask.any():
            draft.set_tensor(_narrowed(graph.tensors[name], ~mask))
    return draft.graph()


def _narrow_node(draft: Draft, site: Site, ranges: Mapping[str, Interval], going: Masks) -> None:
    rule = _channels(site)
    assert rule is not None
    made = rule.without(rule.possible(_cut(site, ranges, going)))
    inputs = list(site.node.inputs)
    positions = [k for k, name in enumerate(inputs) if name]
    for k, data in made.constants.items():
        inputs[positions[k]] = _narrowed_constant(draft, site, site.inputs[k], data)
    draft.replace_node(draft.nodes[site.node.name], inputs=tuple(inputs), attrs=made.attrs)


def _narrowed_constant(draft: Draft, site: Site, tensor: Tensor, data: np.ndarray) -> str:
    """Under its own name where nothing else reads it."""
    shared = len(draft.readers(tensor.name)) > 1 or site.node.inputs.count(tensor.name) > 1
    if shared or tensor.name in draft.outputs:
        return draft.add_constant(tensor.name, data, tensor.type.quant, tensor.origin)
    made = constant(tensor.name, tensor.type.with_shape(data.shape), data)
    draft.set_tensor(replace(made, origin=tensor.origin))
    return tensor.name


def _narrowed(tensor: Tensor, kept: np.ndarray) -> Tensor:
    shape = (*tensor.shape[:-1], int(kept.sum()))
    former = tensor.origin or Origin(tensor.name)
    channels = _model_channels(tensor)[kept]
    return replace(
        tensor,
        type=tensor.type.with_shape(shape),
        origin=replace(former, channels=tuple(channels.tolist())),
    )


def _model_channels(tensor: Tensor) -> np.ndarray:
    """The channel of the model's tensor that each channel is."""
    known = tensor.origin.channels if tensor.origin else None
    return np.arange(channels_of(tensor.type)) if known is None else np.asarray(known)


def _proof(node: Node, tensor: Tensor, values: Interval, channel: int) -> Removed:
    own = int(_model_channels(tensor)[channel])
    if not values.is_constant[channel]:
        return Removed(node.name, tensor.source_name, own, "never read")
    proof = values.accumulator or values
    low, high = int(proof.low[channel]), int(proof.high[channel])
    return Removed(
        node.name, tensor.source_name, own, "constant", int(values.low[channel]), low, high
    )
