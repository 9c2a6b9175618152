"""Axes in another order: y = x.transpose(perm). Moved and cancelled by the pass channels_last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Case, Nest, Op, QuantizeRule, Site
from .channels import channelwise
from .importing import OnnxNode
from .indexing import strides_of
from .intervals import rising
from .lowering import Lowering
from .moving import moved


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    perm = attrs["perm"]
    if sorted(perm) != list(range(types[0].rank)):
        raise ModelError(f"transpose of {types[0]} by {list(perm)}")
    return (types[0].with_shape(tuple(types[0].shape[p] for p in perm)),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (np.ascontiguousarray(arrays[0].transpose(attrs["perm"])),)


def _integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return reference(arrays, site.attrs)


def lower(low: Lowering) -> None:
    low.emit("transpose", [low.activation(0).name], low.attrs)


def _nest(site: Site) -> Nest:
    source = strides_of(site.x.shape)
    read = tuple(source[p] for p in site.attrs["perm"])
    return moved(site.y.shape, strides_of(site.y.shape), read, site.y.dtype)


def from_onnx(node: OnnxNode) -> None:
    rank = node.type(0).rank
    perm = tuple(node.attr("perm", tuple(reversed(range(rank)))))
    node.emit("transpose", [node.inputs[0]], {"perm": perm}, out=0)


OP = Op(
    "transpose",
    infer,
    reference,
    _integer,
    interval=rising(_integer),
    channels=channelwise(0, where=lambda site: site.attrs["perm"][-1:] == (site.y.rank - 1,)),
    runs=lambda site, runs: site.attrs if site.attrs["perm"][0] == 0 else None,
    quantize=QuantizeRule(lower, "input"),
    nest=_nest,
    halves=True,
    onnx={"Transpose": from_onnx},
    summary="Transpose",
    cases=(
        Case("matrix", "Transpose", ((3, 5),)),
        Case("nchw_to_nhwc", "Transpose", ((2, 3, 4, 5),), {"perm": [0, 2, 3, 1]}),
    ),
)
