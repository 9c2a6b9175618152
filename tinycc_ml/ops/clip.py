"""min <= y <= max: ONNX Relu and Clip. Fused into what makes its input wherever that op can clamp.

Float: attributes min, max, each absent when there is no bound. Integer: q_min, q_max, same scale in and out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import F32, TensorType
from . import runs
from .base import Arrays, Case, Const, Element, Nest, Op, QuantizeRule, Site, clamped
from .channels import channelwise
from .importing import OnnxNode
from .indexing import clamped_c, nested
from .integer_end import clamped_integer_c
from .intervals import rising
from .lowering import Lowering
from .lut import emit_lut
from .quantization import on_real_values
from .rows import pixelwise


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    return (TensorType(types[0].shape, types[0].dtype),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (clamped(arrays[0], attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return (np.clip(arrays[0], site.attrs["q_min"], site.attrs["q_max"]),)


def lower(low: Lowering) -> None:
    x = low.activation(0)
    if (x.type.dtype, x.type.quant) == (low.y.dtype, low.y_quant):
        low.emit("clip", [x.name], low.limits())
    else:
        emit_lut(low, x, lambda real: clamped(real, low.attrs))


def _nest(site: Site) -> Nest:
    size = site.y.size
    if site.is_float:
        value = clamped_c("v", site.attrs)
        body: tuple[str, ...] = ("const float v = x0[i];", f"y0[i] = {value};")
        return Nest(
            nested(("i",), (size,), body), includes=("math.h",), in_place=(0,), cycles=6.0 * size
        )
    body = (f"y0[i] = {clamped_integer_c(site, 'x0[i]')};",)
    return Nest(nested(("i",), (size,), body), in_place=(0,), cycles=6.0 * size)


def limits(low: float | None, high: float | None) -> dict[str, float]:
    """Bounds as node attributes: a bound that is no bound is left out."""
    found: Mapping[str, float | None] = {"min": low, "max": high}
    return {k: float(v) for k, v in found.items() if v is not None and np.isfinite(v)}


def from_relu(node: OnnxNode) -> None:
    if node.type(0).quant is not None or node.type(0).dtype != F32:
        node.refuse(f"Relu takes f32, got {node.type(0)}")
    node.emit("clip", [node.inputs[0]], {"min": 0.0}, out=0)


def from_clip(node: OnnxNode) -> None:
    """Bounds are attributes before opset 11 and (constant) inputs since."""
    if node.type(0).quant is not None:
        on_real_values(node, from_clip)
        return
    if node.type(0).dtype != F32:
        node.refuse(f"Clip takes f32, got {node.type(0)}")
    bounds: list[float | None] = [node.attr("min", None), node.attr("max", None)]
    for k in (0, 1):
        if node.has(k + 1):
            bounds[k] = float(node.const(k + 1, ("lower bound", "upper bound")[k]).ravel()[0])
    node.emit("clip", [node.inputs[0]], limits(*bounds), out=0)


OP = Op(
    "clip",
    infer,
    reference,
    integer,
    interval=rising(integer),
    channels=channelwise(0),
    quantize=QuantizeRule(lower),
    nest=_nest,
    element=lambda site: Element(clamped_c("v0", site.attrs), 6.0),
    rows=pixelwise,
    runs=runs.aligned,
    elementwise=True,
    clamps=True,
    transposed=lambda site, permutation: site.attrs,
    onnx={"Relu": from_relu, "Clip": from_clip},
    summary="Relu, Relu6, Clip",
    cases=(
        Case("relu", "Relu", ((1, 4, 5),)),
        Case("relu6", "Clip", ((2, 7), Const(0.0), Const(6.0))),
        Case("upper_only", "Clip", ((3,), None, Const(1.5))),
    ),
)
