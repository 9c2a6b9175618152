"""x where it is positive, slope * x elsewhere; the slope is a constant that broadcasts to x.

Integer, a slope for each channel: y = clamp(zero_y + requantize((x - zero_x) << pre_shift, m)), m being
`multiplier` for positive values and the constant operand's entry for the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import F32, TensorType
from ..numerics.fixedpoint import requantize
from . import runs
from .base import Arrays, Case, Const, Element, Nest, Op, QuantizeRule, Site
from .binary_integer import full_rank
from .channels import channelwise
from .importing import OnnxNode
from .indexing import affine, broadcast_strides, elementwise_loops, nested, read, strides_of
from .integer_end import narrowed, output_c
from .lowering import Lowering
from .lut import emit_lut
from .rows import pixelwise


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, slope = types
    try:
        fits = np.broadcast_shapes(x.shape, slope.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise ModelError(f"prelu of {x}: slopes {slope} don't broadcast to it")
    return (TensorType(x.shape, x.dtype),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, slope = arrays
    return (np.where(x < 0, slope * x, x),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    v = arrays[0].astype(np.int64) - site.x.quant.zero  # type: ignore[union-attr]
    m = np.where(v < 0, arrays[1].astype(np.int64), site.attrs["multiplier"])
    y = requantize(v, m, site.attrs["pre_shift"]) + site.y.quant.zero  # type: ignore[union-attr]
    return (narrowed(site, y),)


def lower(low: Lowering) -> None:
    x, slope = low.activation(0), full_rank(low, low.real(1).astype(np.float64))
    if slope.size == 1 and not low.is_wide:
        emit_lut(
            low, x, lambda real: reference((real, np.asarray(slope.ravel()[0], np.float32)), {})[0]
        )
        return
    unit = x.type.quant.scale0 / low.y_quant.scale0  # type: ignore[union-attr]
    scales = unit * np.concatenate([[1.0], np.abs(slope).ravel()])
    m = low.multiplier(scales, 2**x.type.dtype.bits - 1)
    signed = (np.sign(slope) * m.value[1:].reshape(slope.shape)).astype(np.int32)
    attrs = {"multiplier": int(m.value[0]), "pre_shift": m.pre_shift}
    low.emit("prelu", [x.name, low.constant("multiplier", signed)], attrs)


def _nest(site: Site) -> Nest:
    shape = site.y.shape
    variables, dims, (out, at) = elementwise_loops(
        shape, (strides_of(shape), broadcast_strides(site.inputs[1].shape, shape))
    )
    index, slope = affine(variables, out), read(site, 1, affine(variables, at))
    if site.is_float:
        body: tuple[str, ...] = (
            f"const float v = x0[{index}];",
            f"y0[{index}] = v < 0.0F ? {slope} * v : v;",
        )
    else:
        body = _integer_lines(site, index, slope)
    return Nest(nested(variables, dims, body), in_place=(0,), cycles=14.0 * site.y.size)


def _integer_lines(site: Site, index: str, slope: str) -> tuple[str, ...]:
    """requantize takes no negative multiplier; -v * -m is the same number."""
    attrs, zero = site.attrs, site.x.quant.zero  # type: ignore[union-attr]
    minus = f" {'-' if zero > 0 else '+'} {abs(zero)}" if zero else ""
    lines = (
        f"const int32_t v = (int32_t)x0[{index}]{minus};",
        f"const int32_t m = v < 0 ? {slope} : {attrs['multiplier']};",
    )
    if site.const(1).min() < 0:
        return (*lines, f"y0[{index}] = {output_c(site, 'm < 0 ? -v : v', 'm < 0 ? -m : m')};")
    return (*lines, f"y0[{index}] = {output_c(site, 'v', 'm')};")


def transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any] | None:
    """The slope, a constant, is brought to full rank and untransposed by whoever moves the transpose."""
    return site.attrs if site.y.rank == len(permutation) else None


def from_onnx(node: OnnxNode) -> None:
    if node.type(0).dtype != F32:
        node.refuse(f"PRelu takes f32, got {node.type(0)}")
    if node.type(0).dtype != node.type(1).dtype or not node.type(0).dtype.is_float:
        node.refuse(f"PRelu takes f32, got {node.type(0)} and {node.type(1)}")
    node.const(1, "slope")
    node.emit("prelu", node.inputs[:2], out=0)


OP = Op(
    "prelu",
    infer,
    reference,
    integer,
    channels=channelwise(0, 1),
    quantize=QuantizeRule(lower),
    nest=_nest,
    element=lambda site: Element("v0 < 0.0F ? v1 * v0 : v0", 14.0),
    rows=pixelwise,
    runs=runs.aligned,
    transposed=transposed,
    onnx={"PRelu": from_onnx},
    summary="PRelu with constant slopes",
    cases=(
        Case("one_slope", "PRelu", ((2, 5), Const([0.25]))),
        Case("channels", "PRelu", ((1, 4, 3, 5), Const(shape=(4, 1, 1)))),
        Case("positive_slopes", "PRelu", ((2, 3), Const([0.1, 0.5, 3.0]))),
        Case("full", "PRelu", ((2, 3), Const(shape=(2, 3)))),
    ),
)
