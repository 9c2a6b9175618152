"""Mean of each window. x: [N, H, W, C]. Padding does not count, unless the attribute count_padding is set.

Integer, n being the pixels of the window inside the image:
y = clamp(zero_y + requantize((sum - n * zero_x) << pre_shift, multiplier[n - 1])), multiplier: i32[KH * KW].
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import F32
from .base import Arrays, Case, Kernel, Op, QuantizeRule, Site, clamped
from .contraction import finish, float_params, quantized_params
from .importing import TO_NCHW, OnnxNode
from .lowering import Lowering
from .pooling import (
    cases, emit_pool, global_cases, global_window, infer, onnx_pool_window, params, window_of,
)  # fmt: skip
from .windows import Window, onnx_window, windows


def counts(shape: tuple[int, ...], attrs: Attrs) -> np.ndarray:
    """[1, OH, OW, 1]: how many pixels of each window lie inside the image of [N, H, W, C] `shape`."""
    inside = windows(np.ones((1, *shape[1:3], 1), np.int64), window_of(attrs), 0)
    return inside.sum(axis=(3, 4))


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    total = windows(arrays[0], window_of(attrs), 0).sum(axis=(3, 4))
    divisor = _area(attrs) if attrs.get("count_padding") else counts(arrays[0].shape, attrs)
    return (clamped((total / divisor).astype(np.float32), attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    zero = site.x.quant.zero  # type: ignore[union-attr]
    x = arrays[0].astype(np.int64) - zero
    acc = windows(x, window_of(site.attrs), 0).sum(axis=(3, 4))
    return (finish(site, acc, arrays[1][counts(x.shape, site.attrs) - 1]),)


def _area(attrs: Attrs) -> int:
    return int(np.prod(attrs["kernel"]))


def lower(low: Lowering) -> None:
    """One multiplier for each count of pixels; counts that don't occur share the nearest one's."""
    x = low.activation(0)
    area, seen = _area(low.attrs), counts(x.shape, low.attrs)
    if seen.min() < 1:
        low.refuse("a window lies in the padding altogether")
    divisor = np.clip(np.arange(1, area + 1), seen.min(), seen.max())
    if low.attrs.get("count_padding"):
        divisor = np.full(area, area)
    m = low.multiplier(x.type.quant.scale0 / low.y_quant.scale0 / divisor)  # type: ignore[union-attr]
    kept = {k: v for k, v in low.attrs.items() if k not in ("min", "max", "count_padding")}
    attrs = {**kept, "pre_shift": m.pre_shift, **low.limits()}
    low.emit("average_pool2d", [x.name, low.constant("multiplier", m.value)], attrs)


def accumulator(site: Site) -> np.ndarray:
    zero = site.x.quant.zero  # type: ignore[union-attr]
    reach = max(127 - zero, zero + 128)
    return np.asarray([_area(site.attrs) * reach << site.attrs["pre_shift"]], np.int64)


def _i8_params(site: Site) -> dict[str, int | float]:
    return {**params(site), "x_zero_point": site.x.quant.zero, **quantized_params(site)}  # type: ignore


def _f32_params(site: Site) -> dict[str, int | float]:
    counted = {"count_padding": int(bool(site.attrs.get("count_padding")))}
    return {**params(site), **counted, **float_params(site)}


def _taps(site: Site) -> int:
    return site.y.size * _area(site.attrs)


KERNELS = (
    Kernel(
        "tml_average_pool2d_i8", "average_pool2d",
        accepts=lambda site: None if site.x.dtype.name == "i8" else f"takes i8, got {site.x.dtype}",
        params=_i8_params, arrays=lambda site: (("multiplier", site.const(1)),),
        cycles=lambda site: 5.0 * _taps(site) + 20.0 * site.y.size,
        params_type="tml_average_pool2d_i8_params",
    ),
    Kernel(
        "tml_average_pool2d_f32", "average_pool2d",
        accepts=lambda site: None if site.x.dtype.name == "f32" else f"takes f32, got {site.x.dtype}",
        params=_f32_params, cycles=lambda site: 6.0 * _taps(site) + 25.0 * site.y.size,
        params_type="tml_average_pool2d_f32_params",
    ),
)  # fmt: skip


def from_average_pool(node: OnnxNode) -> None:
    _check(node)
    window = onnx_pool_window(node)
    declared = onnx_window(node, tuple(node.attr("kernel_shape")), node.type(0).shape[2:])
    if not node.attr("count_include_pad", 0) or not any(declared.pads):
        emit_pool(node, "average_pool2d", window)
    elif window == declared:
        emit_pool(node, "average_pool2d", window, count_padding=True)
    else:
        _emit_padded(node, window, declared)


def _emit_padded(node: OnnxNode, window: Window, declared: Window) -> None:
    """Padding that counts and a last window that reaches beyond it: the padding becomes image."""
    top, left, bottom, right = declared.pads
    pads = (0, top, left, 0, 0, bottom, right, 0)
    image = node.emit("pad", [node.to_channels_last(0)], {"pads": pads, "mode": "constant", "value": 0.0})
    rest = (0, 0, window.pads[2] - bottom, window.pads[3] - right)
    emit_pool(node, "average_pool2d", replace(window, pads=rest), image)


def from_global(node: OnnxNode) -> None:
    _check(node)
    emit_pool(node, "average_pool2d", global_window(node))


def emit_spatial_mean(node: OnnxNode, axes: tuple[int, ...]) -> str:
    """The mean over the last two axes of [N, C, H, W], or the middle ones of [N, H, W, C]; axes stay."""
    x = node.to_channels_last(0) if axes == (2, 3) else node.inputs[0]
    window = Window(node.draft.tensors[x].shape[1:3])  # type: ignore[arg-type]
    y = node.emit("average_pool2d", [x], {"kernel": window.kernel, **window.attrs}, hint="mean")
    return node.emit("transpose", [y], {"perm": TO_NCHW}, hint="nchw") if axes == (2, 3) else y


def _check(node: OnnxNode) -> None:
    if node.type(0).dtype != F32:
        node.refuse(f"{node.op_type} takes f32, got {node.type(0)}")


def _padded_case(name: str, **attrs: object) -> Case:
    fixed = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}
    return Case(name, "AveragePool", ((1, 2, 6, 7),), {**fixed, **attrs}, 19)


OP = Op(
    "average_pool2d",
    partial(infer, "average_pool2d"),
    reference,
    integer,
    accumulator=accumulator,
    quantize=QuantizeRule(lower),
    kernels=KERNELS,
    clamps=True,
    onnx={"AveragePool": from_average_pool, "GlobalAveragePool": from_global},
    summary="AveragePool and GlobalAveragePool, 1-D and 2-D",
    cases=(
        *cases("AveragePool"),
        *global_cases("GlobalAveragePool"),
        _padded_case("count_include_pad"),
        _padded_case("count_include_pad_ceil", ceil_mode=1),
    ),
)
