"""Magnitude pruning: the smallest weights become zero. No kernel skips single zeros, so the report claims nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ModelError
from ..ir.graph import Graph, Node, constant
from ..ir.rewrite import Draft
from ..ops import op_of

SCOPES = ("tensor", "global")


@dataclass(frozen=True)
class Pruned:
    """What became of one tensor of weights. `channels_gone`: output channels whose weights have all become
    zero. `saved_bytes`, `saved_macs`: what the C is spared for these zeros by this step alone."""

    node: str
    tensor: str
    size: int
    zeros_before: int
    zeros_after: int
    channels_gone: int
    saved_bytes: int = 0
    saved_macs: int = 0


def prune(graph: Graph, ratio: float, scope: str = "tensor") -> tuple[Graph, tuple[Pruned, ...]]:
    """`graph` without the smallest `ratio` (0..1) of its float weights, and what became of each tensor.

    scope: "tensor" takes that part of every tensor, "global" that part of all weights together. ModelError
    for another ratio or scope, and for a model that comes quantised.
    """
    if not 0 <= ratio <= 1:
        raise ModelError(f"pruning takes a part of the weights from 0 to 1, got {ratio}")
    if scope not in SCOPES:
        raise ModelError(f"pruning goes by {' or '.join(SCOPES)}, got {scope!r}")
    if any(tensor.type.quant for tensor in graph.tensors.values()):
        raise ModelError(
            "the model comes quantised; only float weights are pruned",
            hint="prune before quantising",
        )
    weights = _weights(graph)
    kept = _kept(graph, weights, ratio, scope)
    draft = Draft(graph)
    for name, mask in kept.items():
        tensor = graph.tensors[name]
        made = constant(name, tensor.type, np.where(mask, tensor.value, 0))
        draft.set_tensor(replace(made, origin=tensor.origin))
    after = draft.graph()
    return after, tuple(_pruned(graph, after, name, *weights[name]) for name in weights)


def _weights(graph: Graph) -> dict[str, tuple[Node, int]]:
    """Float constants that ops call weights: the first node that reads each, and its channel axis."""
    found: dict[str, tuple[Node, int]] = {}
    for node in graph.nodes:
        rule = op_of(node).quantize
        for index, axis in (rule.weights if rule else {}).items():
            tensor = graph.tensors[node.inputs[index]]
            if tensor.is_constant and tensor.type.dtype.is_float:
                found.setdefault(tensor.name, (node, axis))
    return found


def _kept(
    graph: Graph, weights: Mapping[str, object], ratio: float, scope: str
) -> dict[str, np.ndarray]:
    """Which values of each tensor stay; of equal ones the later."""
    sizes = {name: np.abs(graph.tensors[name].value).ravel() for name in weights}
    if scope == "tensor":
        masks = {name: _largest(values, ratio) for name, values in sizes.items()}
    else:
        ends = np.cumsum([values.size for values in sizes.values()])[:-1]
        together = _largest(np.concatenate([*sizes.values(), np.zeros(0)]), ratio)
        masks = dict(zip(sizes, np.split(together, ends), strict=True)) if sizes else {}
    return {name: mask.reshape(graph.type(name).shape) for name, mask in masks.items()}


def _largest(values: np.ndarray, ratio: float) -> np.ndarray:
    """True for all but the smallest `ratio` of the values, rounded down."""
    mask = np.ones(values.size, bool)
    mask[np.argsort(values, kind="stable")[: int(ratio * values.size)]] = False
    return mask


def _pruned(before: Graph, after: Graph, name: str, node: Node, axis: int) -> Pruned:
    tensor, old, new = before.tensors[name], before.tensors[name].value, after.tensors[name].value
    gone = _empty_channels(new, axis) - _empty_channels(old, axis)
    return Pruned(node.name, tensor.source_name, old.size, _zeros(old), _zeros(new), gone)


def _zeros(values: np.ndarray) -> int:
    return int(values.size - np.count_nonzero(values))


def _empty_channels(values: np.ndarray, axis: int) -> int:
    other = tuple(i for i in range(values.ndim) if i != axis)
    return int(np.sum(~np.any(values, axis=other)))
