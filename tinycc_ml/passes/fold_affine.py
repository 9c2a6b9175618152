"""Multiplication and addition by constants per channel go into the weights and the bias before them.

This folds batch norm, which the front end writes as a multiplication and an addition, and it gives
MatMul + Add its bias. Any op with weights and channels on its last axis takes part.
"""

from __future__ import annotations

import numpy as np

from ..ir.graph import Graph, Node, Origin
from ..ir.rewrite import Draft
from ..ops import op_of
from ..ops.base import QuantizeRule, no_limits


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
    if node.op == "mul":
        inputs = _scaled(draft, maker, rule, operand, y.shape[-1])
    else:
        inputs = _shifted(
            draft, maker, rule, operand, y.shape[-1], -1.0 if node.op == "sub" else 1.0
        )
    if inputs is None:
        return False
    draft.remove_node(node)
    draft.replace_node(maker, inputs=inputs, outputs=node.outputs)
    return True


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


def _scaled(
    draft: Draft, maker: Node, rule: QuantizeRule, operand: str, channels: int
) -> tuple[str, ...] | None:
    factor = _per_channel(draft, operand, channels)
    ((index, axis),) = rule.weights.items()
    weights = draft.tensors[maker.inputs[index]]
    if factor is None or weights.data is None:
        return None
    shape = [1] * weights.type.rank
    shape[axis] = -1
    inputs = list(maker.inputs)
    scaled = weights.data.astype(np.float64) * factor.reshape(shape)
    inputs[index] = draft.add_constant(
        weights.name, scaled.astype(np.float32), origin=weights.origin
    )
    if rule.bias is not None and rule.bias < len(inputs):
        bias = draft.tensors[inputs[rule.bias]]
        if bias.data is None:
            return None
        inputs[rule.bias] = draft.add_constant(bias.name, bias.data * factor, origin=bias.origin)
    return tuple(inputs)


def _shifted(
    draft: Draft, maker: Node, rule: QuantizeRule, operand: str, channels: int, sign: float
) -> tuple[str, ...] | None:
    assert rule.bias is not None
    if rule.bias >= len(maker.inputs):
        if sign == 1.0 and _is_bias(draft, operand, channels):
            return (*maker.inputs, operand)
        bias = None
    else:
        bias = draft.tensors[maker.inputs[rule.bias]].data
        if bias is None:
            return None
    shift = _per_channel(draft, operand, channels)
    if shift is None:
        return None
    total = sign * shift if bias is None else bias + sign * shift
    name = draft.add_constant(operand, np.asarray(total, np.float32), origin=Origin(operand))
    return (*maker.inputs[: rule.bias], name)


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
