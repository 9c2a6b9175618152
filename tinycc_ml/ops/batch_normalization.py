"""(x - mean) * scale / sqrt(variance + epsilon) + bias for each channel, with constants.

Written as a multiplication and an addition, which the pass fold_affine folds into weights: there is no such
node in a graph. Its result keeps what training saw: mean and variance are those of x, so the channels of the result
have `bias` as their mean and |scale| as their deviation, but for epsilon (S. Ioffe, C. Szegedy, "Batch Normalization",
2015, section 3).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..ir.statistics import Statistics
from .base import Case, Const, Op
from .importing import OnnxNode, never_emitted


def is_trained(node: OnnxNode) -> bool:
    """At opset 6 and before, training is what happens unless the node says it is a test."""
    default = int(node.opset < 7 and not node.attr("is_test", 0))
    return bool(node.attr("training_mode", default))


def from_onnx(node: OnnxNode) -> None:
    x = node.type(0)
    if is_trained(node) or len([n for n in node.outputs if n]) > 1:
        node.refuse("BatchNormalization in training mode is not supported")
    if not node.attr("spatial", 1):
        node.refuse("BatchNormalization with spatial 0 is not supported")
    names = ("scale", "bias", "mean", "variance")
    scale, bias, mean, variance = (
        node.const(k, n).astype(np.float64) for k, n in enumerate(names, start=1)
    )
    if x.rank < 2 or any(a.shape != (x.shape[1],) for a in (scale, bias, mean, variance)):
        node.refuse(
            f"BatchNormalization of {x} by {node.type(1)}, wanted [N, C, ...] and one value for each C"
        )
    factor = scale / np.sqrt(variance + node.attr("epsilon", 1e-5))
    if not np.all(np.isfinite(factor)):
        node.refuse("BatchNormalization: a variance is negative or no number")
    shape = (x.shape[1], *(1,) * (x.rank - 2))
    product = node.emit("mul", [node.inputs[0], _constant(node, "factor", factor, shape)])
    made = node.emit(
        "add", [product, _constant(node, "offset", bias - mean * factor, shape)], out=0
    )
    node.draft.set_tensor(
        replace(
            node.draft.tensors[made],
            statistics=Statistics(bias, np.abs(factor) * np.sqrt(variance), axis=1),
        )
    )


def _constant(node: OnnxNode, hint: str, values: np.ndarray, shape: tuple[int, ...]) -> str:
    return node.constant(f"{node.outputs[0]}.{hint}", values.astype(np.float32).reshape(shape))


def _case(name: str, x: tuple[int, ...], **attrs: Any) -> Case:
    channels = np.arange(x[1], dtype=np.float32)
    constants = (
        Const(0.5 + channels),
        Const(shape=(x[1],)),
        Const(channels / 4),
        Const(1 / (1 + channels)),
    )
    return Case(name, "BatchNormalization", (x, *constants), attrs)


OP = Op(
    "batch_normalization",
    never_emitted,
    onnx={"BatchNormalization": from_onnx},
    summary="BatchNormalization at inference (as mul and add)",
    cases=(
        _case("one_value", (1, 1)),
        _case("image", (1, 4, 3, 5)),
        _case("vector", (2, 6), epsilon=0.1),
        _case("row", (1, 3, 7)),
    ),
)
