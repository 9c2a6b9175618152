"""What does nothing at inference: Identity and Dropout. Removed by the first passes."""

from __future__ import annotations

import numpy as np

from . import runs
from .base import Case, Op, QuantizeRule
from .channels import channelwise
from .importing import OnnxNode
from .lowering import Lowering


def from_identity(node: OnnxNode) -> None:
    node.emit("identity", [node.inputs[0]], out=0)


def from_dropout(node: OnnxNode) -> None:
    """The mask, a second output, says that every value is kept."""
    trained = node.opset < 7 and not node.attr("is_test", 0)
    if trained or (node.has(2) and bool(node.const(2, "training_mode").ravel()[0])):
        node.refuse("Dropout in training mode is not supported")
    node.emit("identity", [node.inputs[0]], out=0)
    if len(node.outputs) > 1 and node.outputs[1]:
        node.give(1, np.ones(node.type(0).shape, bool))


def lower(low: Lowering) -> None:
    low.emit("identity", [low.activation(0).name], {})


OP = Op(
    "identity",
    lambda types, attrs: (types[0],),
    lambda arrays, attrs: (arrays[0],),
    lambda site, arrays: (arrays[0],),
    interval=lambda site, operands: (operands[0],),
    channels=channelwise(0),
    runs=runs.aligned,
    quantize=QuantizeRule(lower, "input"),
    alias=True,
    halves=True,
    transposed=lambda site, permutation: {},
    onnx={"Identity": from_identity, "Dropout": from_dropout},
    summary="Identity, Dropout",
    cases=(Case("identity", "Identity", ((2, 3),)), Case("dropout", "Dropout", ((4,),))),
)
