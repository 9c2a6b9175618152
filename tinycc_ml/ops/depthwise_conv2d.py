"""Convolution of each channel by itself. x: [N, H, W, C], weights: [KH, KW, C], bias: [C]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from . import line_kernels, planar_kernels, runs, strip_kernels, wide_kernels
from .base import Arrays, Case, Const, Kernel, Op, QuantizeRule, Site, clamped
from .channels import channelwise
from .contraction import (
    accumulator_bound,
    contraction_arrays,
    emit_contraction,
    finish,
    float_params,
    needs,
    quantized_params,
)  # fmt: skip
from .contraction_nests import depthwise_nest
from .importing import OnnxNode
from .intervals import Interval, contraction_interval
from .lowering import Lowering
from .rows import windowed
from .windows import Window, channelwise_params, taps_inside, windows


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, w = types[0], types[1]
    if x.rank != 4 or w.rank != 3 or w.shape[2] != x.shape[3]:
        raise ModelError(
            f"depthwise_conv2d takes an image [N, H, W, C] and weights [KH, KW, C], got {x} and {w}"
        )
    if len(types) > 2 and types[2].shape != (w.shape[2],):
        raise ModelError(f"depthwise_conv2d: a bias of {types[2]} for {w.shape[2]} channels")
    oh, ow = Window.of(attrs, w.shape[:2]).output(x.shape[1], x.shape[2])  # type: ignore[arg-type]
    return (TensorType((x.shape[0], oh, ow, x.shape[3]), x.dtype),)


def _products(x: np.ndarray, w: np.ndarray, attrs: Attrs, fill: int, dtype: type) -> np.ndarray:
    """Sums of products [N, OH, OW, C] without bias, tap by tap; padding counts as `fill`."""
    view = windows(x, Window.of(attrs, w.shape[:2]), fill)  # type: ignore[arg-type]
    acc = np.zeros((*view.shape[:3], x.shape[3]), dtype)
    for row, column in np.ndindex(w.shape[:2]):
        tap: np.ndarray = view[:, :, :, row, column].astype(dtype, copy=False)
        acc += tap * w[row, column].astype(dtype, copy=False)
    return acc


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    y = _products(arrays[0], arrays[1], attrs, 0, np.float32)
    return (clamped(y + arrays[2] if len(arrays) > 2 else y, attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    x, w, bias, multiplier = arrays
    acc = _products(x, w, site.attrs, site.x.quant.zero, np.int64)  # type: ignore[union-attr]
    return (finish(site, acc + bias, multiplier),)


def lower(low: Lowering) -> None:
    x, weights = low.activation(0), low.quantized(1)
    if weights is None:
        low.refuse("its weights are no quantised constant")
    emit_contraction(low, x, low.contraction(x, weights, 2, 2, wide=True), low.attrs)


def _rows_met(site: Site, x: np.ndarray) -> np.ndarray:
    """[C, pixels, KH * KW]"""
    window = Window.of(site.attrs, site.inputs[1].shape[:2])  # type: ignore[arg-type]
    taps = window.kernel[0] * window.kernel[1]
    return windows(x, window, 0).reshape(-1, taps, x.shape[3]).transpose(2, 0, 1)


def macs(site: Site) -> int:
    kernel_h, kernel_w, _ = site.inputs[1].shape
    return site.y.size * kernel_h * kernel_w


def _window(site: Site) -> Window:
    return Window.of(site.attrs, site.inputs[1].shape[:2])  # type: ignore[arg-type]


def _interval(site: Site, operands: Sequence[Interval]) -> tuple[Interval, ...]:
    window = _window(site)
    taps = site.const(1).reshape(-1, site.x.shape[3], 1).transpose(1, 0, 2)
    return contraction_interval(site, operands[0], taps, taps_inside(window, *site.x.shape[1:3]))


def _params(site: Site) -> dict[str, int | float]:
    window = _window(site)
    image: dict[str, int | float] = {
        **channelwise_params(site.x.shape, site.y.shape),
        **window.params(),
    }
    if site.is_float:
        return {**image, **float_params(site)}
    return {**image, "x_zero_point": site.x.quant.zero, **quantized_params(site)}  # type: ignore[union-attr]


def _kernel(kind: str) -> Kernel:
    return Kernel(
        f"tml_depthwise_conv2d_{kind}", "depthwise_conv2d",
        accepts=lambda site: needs(site, kind, kind), params=_params,
        arrays=lambda site: contraction_arrays(site, site.const(1), site.y.shape[3]),
        cycles=_portable_cycles, slow_cycles=_looped_cycles, shifts=True,
    )  # fmt: skip


def _portable_cycles(site: Site) -> float:
    """Modelled cycles on a Cortex-M4: windows that lie within x, and slower ones at its edges."""
    window = _window(site)
    taps, within = window.kernel[0] * window.kernel[1], 1
    for axis in (0, 1):
        within *= window.positions_within(axis, site.x.shape[1 + axis], site.y.shape[1 + axis])
    pixels = site.y.size // site.y.shape[3]
    edge = 69.0 if window.kernel == (3, 3) else 130.0 + 5.4 * taps
    edges = (pixels - within) * edge
    return site.y.shape[3] * (pixels * (25.0 + 5.3 * taps) + edges)


def _looped_cycles(site: Site) -> float:
    """3x3 windows are written out, and those of one row or column are unrolled for literal shapes: what they take is
    for the C compiler to say. Others are a loop in any case."""
    rows, columns = _window(site).kernel
    written_out = (rows, columns) == (3, 3) or 1 in (rows, columns)
    return 0.0 if written_out else _portable_cycles(site)


def is_depthwise(in_channels: int, out_channels: int, groups: int) -> bool:
    """True when an ONNX Conv has one filter for each channel (one channel alone is left to conv2d)."""
    return 1 < groups == in_channels == out_channels


def emit_depthwise(node: OnnxNode, window: Window) -> None:
    """Import an ONNX Conv with weights [C, 1, (KH,) KW] for which `is_depthwise` holds."""
    rank, channels = node.type(0).rank, node.type(1).shape[0]
    weights = node.rearranged(
        1, lambda a: a.reshape(channels, *window.kernel).transpose(1, 2, 0), 2
    )
    bias = [node.fixed(2, "bias")] if node.has(2) else []
    operands = [node.to_channels_last(0), weights, *bias]
    y = node.emit(
        "depthwise_conv2d",
        operands,
        window.attrs,
        hint="nhwc",
        origin=node.image_origin(),
    )
    node.from_channels_last(y, rank)


def _case(
    name: str, x: tuple[int, ...], kernel: tuple[int, ...], bias: bool = True, **attrs: object
) -> Case:
    channels = x[1]
    inputs = (x, Const(shape=(channels, 1, *kernel))) + (
        (Const(shape=(channels,)),) if bias else ()
    )
    return Case(name, "Conv", inputs, {"group": channels, **attrs})


OP = Op(
    "depthwise_conv2d",
    infer,
    reference,
    integer,
    accumulator=lambda site: accumulator_bound(site, 2),
    interval=_interval,
    channels=channelwise(0, 1, 2, 3),
    rows=windowed(_window),
    runs=runs.of_first,
    quantize=QuantizeRule(lower, weights={1: 2}, bias=2, windows=_rows_met),
    kernels=(
        *planar_kernels.KERNELS,
        *strip_kernels.KERNELS,
        line_kernels.LINE,
        _kernel("i8"),
        *wide_kernels.depthwise_kernels(),
        _kernel("f32"),
    ),
    nest=depthwise_nest,
    macs=macs,
    clamps=True,
    summary="Convolution with one filter a channel, 1-D and 2-D",
    cases=(
        _case("one_pixel", (1, 2, 1, 1), (1, 1)),
        _case("same_3x3", (1, 5, 8, 7), (3, 3), pads=[1, 1, 1, 1]),
        _case("stride_2_same_upper", (1, 8, 9, 6), (3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
        _case("asymmetric", (1, 3, 7, 9), (4, 2), strides=[1, 3], pads=[2, 0, 1, 1]),
        _case("same_5x5", (1, 3, 6, 9), (5, 5), pads=[2, 2, 2, 2]),
        _case("same_5x5_stride_2", (1, 3, 7, 9), (5, 5), strides=[2, 2], pads=[2, 2, 2, 2]),
        _case("pad_beyond_kernel", (1, 4, 2, 3), (2, 2), pads=[3, 2, 2, 3]),
        _case("dilated", (1, 4, 9, 9), (3, 3), dilations=[2, 3], pads=[2, 3, 2, 3]),
        _case("no_bias", (1, 6, 5, 5), (3, 3), bias=False),
        _case("one_dimension", (1, 9, 21), (5,), strides=[2], pads=[2, 2]),
        _case("batch", (2, 3, 5, 4), (3, 3)),
    ),
)
