"""Channels (indices of the last axis) are taken out of the tensors of a graph, through all that reads and
makes them. Which ones shall go, others say: remove_dead_work, pruning. What an operator allows stands in its
own file: `Op.channels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, Origin, Tensor, constant
from ..ir.rewrite import Draft
from ..ops import op_of
from ..ops.base import Site
from ..ops.channels import Channels, Cut
from ..ops.intervals import channels_of

# By tensor: True for each channel that goes; and what each channel holds, or may be taken to hold
Masks = Mapping[str, np.ndarray]
Values = Mapping[str, np.ndarray]


def channels_at(site: Site) -> Channels | None:
    """None where all channels stay. Scales for each channel of an operand are left alone."""
    quants = [t.type.quant for t in (*site.inputs, *site.outputs)]
    one_scale = any(q is None or q.is_per_tensor for q in quants)
    if one_scale and len(site.outputs) == 1 and (site.y.quant or site.is_float):
        return op_of(site.node).channels(site)
    return None


def possible(graph: Graph, wanted: Masks, values: Values) -> Masks:
    """Of the channels that are wanted to go, the most that every node allows. One of each tensor stays."""
    public = {*graph.inputs, *graph.outputs}
    made = {name for node in graph.nodes for name in node.outputs} - public
    going = {name: mask if name in made else np.zeros_like(mask) for name, mask in wanted.items()}
    sites = [Site.of(graph, node) for node in graph.nodes]
    rules = [(site, channels_at(site)) for site in sites]
    changed = True
    while changed:
        before = dict(going)
        for name in made:
            going[name] = going[name] & ~(going[name].all() & (np.arange(len(going[name])) == 0))
        for site, rule in rules:
            _allow(site, rule, values, going)
        changed = any(not np.array_equal(before[name], mask) for name, mask in going.items())
    return going


def narrowed(graph: Graph, going: Masks, values: Values) -> Graph:
    """`graph` without the channels `going`, which all nodes allow."""
    draft = Draft(graph)
    for node in graph.nodes:
        site = Site.of(graph, node)
        if any(going[t.name].any() for t in (*site.inputs, *site.outputs)):
            _narrow_node(draft, site, values, going)
    for name, mask in going.items():
        if mask.any():
            draft.set_tensor(_narrowed(graph.tensors[name], ~mask))
    return draft.graph()


def model_channels(tensor: Tensor) -> np.ndarray:
    """The channel of the model's tensor that each channel is."""
    known = tensor.origin.channels if tensor.origin else None
    return np.arange(channels_of(tensor.type)) if known is None else np.asarray(known)


def _allow(site: Site, rule: Channels | None, values: Values, going: dict[str, np.ndarray]) -> None:
    """Take back what a node does not allow."""
    if rule is None:
        for tensor in (*site.inputs, *site.outputs):
            going[tensor.name] = np.zeros_like(going[tensor.name])
        return
    cut = rule.possible(_cut(site, values, going))
    for tensor, mask in zip(
        (*site.inputs, *site.outputs), (*cut.operands, cut.result), strict=True
    ):
        if not tensor.is_constant:
            going[tensor.name] = going[tensor.name] & mask


def _cut(site: Site, values: Values, going: Masks) -> Cut:
    """All channels of a constant may go as far as it alone is concerned."""
    operands = tuple(
        np.ones_like(going[t.name]) if t.is_constant else going[t.name] for t in site.inputs
    )
    held = tuple(values[t.name] for t in site.inputs)
    return Cut(operands, held, going[site.outputs[0].name])


def _narrow_node(draft: Draft, site: Site, values: Values, going: Masks) -> None:
    rule = channels_at(site)
    assert rule is not None
    made = rule.without(rule.possible(_cut(site, values, going)))
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
    channels = model_channels(tensor)[kept]
    known = tensor.statistics
    is_cut = known is not None and known.axis == tensor.type.rank - 1
    return replace(
        tensor,
        type=tensor.type.with_shape(shape),
        statistics=known.kept(kept) if known and is_cut else known,
        origin=replace(former, channels=tuple(channels.tolist())),
    )
