"""Results times a factor and plus an offset for each channel, by other constants in the nodes that make them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Node, Origin
from ..ir.rewrite import Draft
from ..ops import op_of
from ..ops.base import QuantizeRule, no_limits


def scaled(
    draft: Draft, maker: Node, rule: QuantizeRule, factor: np.ndarray
) -> tuple[str, ...] | None:
    """The operands with which `maker` gives its result times float32 [channels]; None: its constants are made at
    run time."""
    ((index, axis),) = rule.weights.items()
    weights = draft.tensors[maker.inputs[index]]
    if weights.data is None:
        return None
    shape = [1] * weights.type.rank
    shape[axis] = -1
    inputs = list(maker.inputs)
    products = weights.data.astype(np.float64) * factor.reshape(shape)
    inputs[index] = draft.add_constant(
        weights.name, products.astype(np.float32), origin=weights.origin
    )
    if rule.bias is not None and rule.bias < len(inputs):
        bias = draft.tensors[inputs[rule.bias]]
        if bias.data is None:
            return None
        inputs[rule.bias] = draft.add_constant(bias.name, bias.data * factor, origin=bias.origin)
    return tuple(inputs)


def shifted(
    draft: Draft, maker: Node, rule: QuantizeRule, offset: np.ndarray, name: str
) -> tuple[str, ...] | None:
    """The operands with which `maker` gives its result plus float32 [channels], its bias called like `name`; None: its
    bias is made at run time."""
    assert rule.bias is not None
    total = offset
    if not takes_bias(maker, rule):
        bias = draft.tensors[maker.inputs[rule.bias]].data
        if bias is None:
            return None
        total = bias + offset
    made = draft.add_constant(name, np.asarray(total, np.float32), origin=Origin(name))
    return (*maker.inputs[: rule.bias], made)


def takes_bias(maker: Node, rule: QuantizeRule) -> bool:
    """It could have a bias, and has none."""
    return rule.bias is not None and rule.bias >= len(maker.inputs)


def rescaled(
    draft: Draft, node: Node, factor: np.ndarray, offset: np.ndarray | None, axis: int
) -> bool:
    """True when the constants of `node`, and of one that only it reads, are such that its result before a clamp is
    times `factor` plus `offset` [channels along axis]; where they can't be, nothing is done."""
    rule = op_of(node).quantize
    if rule is not None and len(rule.weights) == 1 and rule.bias is not None:
        return _rescaled_weights(draft, node, rule, factor, offset, axis)
    if node.op not in ("add", "mul"):
        return False
    constants = [k for k, name in enumerate(node.inputs) if draft.tensors[name].is_constant]
    if len(constants) != 1:
        return False
    return _rescaled_constant(draft, node, constants[0], factor, offset, axis)


def _rescaled_weights(
    draft: Draft, node: Node, rule: QuantizeRule, factor: np.ndarray, offset: np.ndarray | None, axis: int,
) -> bool:  # fmt: skip
    if axis != draft.tensors[node.outputs[0]].type.rank - 1:
        return False
    inputs = scaled(draft, node, rule, factor)
    if inputs is not None and offset is not None:
        inputs = shifted(draft, replace(node, inputs=inputs), rule, offset, f"{node.name}.bias")
    if inputs is None:
        return False
    draft.replace_node(node, inputs=inputs)
    return True


def _rescaled_constant(
    draft: Draft, node: Node, index: int, factor: np.ndarray, offset: np.ndarray | None, axis: int
) -> bool:
    """Of x * c and of x + c, with operand `index` as c."""
    c, x, y = (draft.tensors[name] for name in (node.inputs[index], node.inputs[1 - index], node.outputs[0]))  # fmt: skip
    shape = along(axis, y.type.rank)
    products = c.value * factor.reshape(shape)
    if node.op == "add":
        maker = draft.producer(x.name)
        if maker is None or draft.sole_reader(x.name) is None or x.shape != y.shape:
            return False
        if not no_limits(maker.attrs) or not rescaled(draft, maker, factor, None, axis):
            return False
        products = products if offset is None else products + offset.reshape(shape)
    elif offset is not None:
        return False
    made = draft.add_constant(c.name, products)
    draft.replace_node(node, inputs=tuple(made if n == c.name else n for n in node.inputs))
    return True


def along(axis: int, rank: int) -> tuple[int, ...]:
    """The shape of one value for each channel, among `rank` axes."""
    return tuple(-1 if k == axis else 1 for k in range(rank))
