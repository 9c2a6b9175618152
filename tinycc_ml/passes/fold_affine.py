"""Multiplication and addition by constants per channel go into the weights and the bias before them.

This folds batch norm, which the front end writes as a multiplication and an addition, and it gives
MatMul + Add its bias. Any op with weights and channels on its last axis takes part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, Node, Tensor
from ..ir.rewrite import Draft
from ..ops import op_of
from ..ops.base import QuantizeRule, no_limits
from .affine import scaled, shifted, takes_bias


def fold_affine(graph: Graph) -> Graph:
    draft = Draft(graph)
    for former in graph.nodes:
        node = draft.nodes.get(former.name)
        if node is not None and node.op in ("add", "sub", "mul") and no_limits(node.attrs):
            _fold(draft, node)
    return draft.graph()


def _fold(draft: Draft, node: Node) -> None:
    for k in (0, 1):
        maker = draft.producer(node.inputs[k])
        if maker is None or (node.op == "sub" and k == 1):
            continue
        rule = op_of(maker).quantize
        if rule is None or not rule.weights or rule.bias is None or not no_limits(maker.attrs):
            continue
        if draft.sole_reader(maker.outputs[0]) is node and _fold_into(
            draft, maker, rule, node, node.inputs[1 - k]
        ):
            return


def _fold_into(draft: Draft, maker: Node, rule: QuantizeRule, node: Node, operand: str) -> bool:
    """True when `node` has become part of `maker`."""
    y = draft.tensors[maker.outputs[0]]
    if draft.tensors[node.outputs[0]].shape != y.shape:
        return False
    values = _per_channel(draft, operand, y.shape[-1])
    if node.op == "add" and takes_bias(maker, rule) and _is_bias(draft, operand, y.shape[-1]):
        inputs: tuple[str, ...] | None = (*maker.inputs, operand)
    elif values is None:
        return False
    elif node.op == "mul":
        inputs = scaled(draft, maker, rule, values)
    else:
        inputs = shifted(draft, maker, rule, -values if node.op == "sub" else values, operand)
    if inputs is None:
        return False
    if values is not None:
        _hand_on_statistics(draft, y, node, values)
    draft.remove_node(node)
    draft.replace_node(maker, inputs=inputs, outputs=node.outputs)
    return True


def _hand_on_statistics(draft: Draft, y: Tensor, node: Node, values: np.ndarray) -> None:
    """What is known of `y` says as much of the result of `node`, where that knows nothing itself."""
    result, known = draft.tensors[node.outputs[0]], y.statistics
    if result.statistics or known is None or known.axis != y.type.rank - 1:
        return
    offset = -values if node.op == "sub" else values
    moved = known.scaled(values) if node.op == "mul" else known.shifted(offset)
    draft.set_tensor(replace(result, statistics=moved))


def _per_channel(draft: Draft, name: str, channels: int) -> np.ndarray | None:
    """A float constant as one value per channel, or None when it is something else."""
    tensor = draft.tensors[name]
    if tensor.data is None or not tensor.type.dtype.is_float:
        return None
    if tensor.type.size == 1:
        return np.full(channels, tensor.data.ravel()[0], np.float32)
    if tensor.shape[-1] == channels == tensor.type.size:
        return tensor.data.ravel()
    return None


def _is_bias(draft: Draft, name: str, channels: int) -> bool:
    """A constant of one value per channel, float or dequantised: it can be the bias as it is."""
    tensor = draft.tensors[name]
    if tensor.shape != (channels,):
        return False
    maker = draft.producer(name)
    return tensor.is_constant or (
        maker is not None
        and maker.op == "dequantize"
        and draft.tensors[maker.inputs[0]].is_constant
    )
