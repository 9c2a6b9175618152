"""Convolution on channels-last images. x: [N, H, W, C], weights: [O, KH, KW, C / groups], bias: [O]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from . import ab_kernels, packed_ab_kernels, packed_kernels, runs, wide_kernels, winograd
from .base import Arrays, Case, Const, Kernel, Op, QuantizeRule, Site, clamped
from .channels import Channels, contracted
from .contraction import (
    accumulator_bound,
    contraction_arrays,
    emit_contraction,
    exact_matmul,
    finish,
    float_params,
    needs,
    packed_blocks,
    portable_cycles,
    quantized_params,
    widening,
)  # fmt: skip
from .contraction_nests import conv2d_nest
from .importing import OnnxNode
from .intervals import Interval, contraction_interval
from .lowering import Lowering
from .rows import windowed
from .windows import Window, image_params, onnx_window, taps_inside, windows


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, w = types[0], types[1]
    if x.rank != 4 or w.rank != 4:
        raise ModelError(
            f"conv2d takes an image [N, H, W, C] and weights [O, KH, KW, C], got {x} and {w}"
        )
    groups = attrs["groups"]
    if w.shape[3] * groups != x.shape[3] or w.shape[0] % groups:
        raise ModelError(
            f"conv2d: weights {w} in {groups} groups don't fit {x.shape[3]} channels of the input {x}"
        )
    if len(types) > 2 and types[2].shape != (w.shape[0],):
        raise ModelError(f"conv2d: a bias of {types[2]} for {w.shape[0]} output channels")
    oh, ow = Window.of(attrs, w.shape[1:3]).output(x.shape[1], x.shape[2])  # type: ignore[arg-type]
    return (TensorType((x.shape[0], oh, ow, w.shape[0]), x.dtype),)


def _windows_by_group(
    x: np.ndarray, window: Window, groups: int, fill: float
) -> Iterator[np.ndarray]:
    """[N, OH, OW, KH * KW * C / groups] of each group."""
    view, channels = windows(x, window, fill), x.shape[3] // groups
    for g in range(groups):
        yield view[..., g * channels : (g + 1) * channels].reshape(*view.shape[:3], -1)


def _products(x: np.ndarray, w: np.ndarray, attrs: Attrs, fill: int, integer: bool) -> np.ndarray:
    """Sums of products [N, OH, OW, O] without bias; padding counts as `fill`."""
    groups = attrs["groups"]
    per_group = w.reshape(groups, w.shape[0] // groups, -1).transpose(0, 2, 1)
    rows = _windows_by_group(x, Window.of(attrs, w.shape[1:3]), groups, fill)  # type: ignore[arg-type]
    product = exact_matmul if integer else np.matmul
    parts = [product(met, weights) for met, weights in zip(rows, per_group, strict=True)]
    return np.concatenate(parts, axis=-1) if groups > 1 else parts[0]


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    y = _products(arrays[0], arrays[1], attrs, 0, integer=False)
    return (clamped(y + arrays[2] if len(arrays) > 2 else y, attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    x, w, bias, multiplier = arrays
    acc = _products(x, w, site.attrs, site.x.quant.zero, integer=True)  # type: ignore[union-attr]
    return (finish(site, acc + bias, multiplier),)


def lower(low: Lowering) -> None:
    x, weights = low.activation(0), low.quantized(1)
    if weights is None:
        low.refuse("its weights are no quantised constant")
    emit_contraction(low, x, low.contraction(x, weights, 0, 2, wide=True), low.attrs)


def _rows_met(site: Site, x: np.ndarray) -> np.ndarray:
    """[groups, pixels, KH * KW * C / groups]"""
    rows = _windows_by_group(x, _window(site), site.attrs["groups"], 0)
    return np.stack([met.reshape(-1, met.shape[-1]) for met in rows])


def macs(site: Site) -> int:
    return site.y.size * int(np.prod(site.inputs[1].shape[1:]))


def _window(site: Site) -> Window:
    return Window.of(site.attrs, site.inputs[1].shape[1:3])  # type: ignore[arg-type]


def _inside(site: Site) -> np.ndarray:
    return taps_inside(_window(site), *site.x.shape[1:3])


def _interval(site: Site, operands: Sequence[Interval]) -> tuple[Interval, ...]:
    weights = site.const(1)
    taps = weights.reshape(len(weights), -1, weights.shape[3])
    return contraction_interval(site, operands[0], taps, _inside(site))


def _channels(site: Site) -> Channels | None:
    return contracted(site, _inside(site)) if site.attrs["groups"] == 1 else None


def _is_pointwise(site: Site) -> str | None:
    return (
        None
        if _window(site).is_pointwise and site.attrs["groups"] == 1
        else "takes a 1x1 window, stride 1, no padding, 1 group"
    )


def _pack(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    weights, groups = site.const(1), site.attrs["groups"]
    rows = weights.reshape(groups, weights.shape[0] // groups, -1)
    packed = np.concatenate([packed_blocks(group) for group in rows])
    return contraction_arrays(site, packed, weights.shape[0])


def _general_params(site: Site) -> dict[str, int | float]:
    image: dict[str, int | float] = {
        **image_params(site.x.shape, site.y.shape),
        **_window(site).params(),
    }
    image["groups"] = site.attrs["groups"]
    if site.is_float:
        return {**image, **float_params(site)}
    return {**image, "x_zero_point": site.x.quant.zero, **quantized_params(site)}  # type: ignore[union-attr]


def _pointwise_params(site: Site) -> dict[str, int | float]:
    image = image_params(site.x.shape, site.y.shape)
    return {**{k: v for k, v in image.items() if k not in ("x_h", "x_w")}, **quantized_params(site)}


def _window_bytes(site: Site) -> int:
    """Two gathered windows."""
    return 2 * int(np.prod(site.inputs[1].shape[1:])) * site.x.dtype.bytes


def _pixels(site: Site) -> int:
    return site.y.size // site.y.shape[3]


def _gather_cycles(site: Site) -> float:
    """Of one window, row by row; a single tap is one copy, whose call the compiler may spare where it makes the kernel
    for one node: between the two."""
    rows, taps = site.inputs[1].shape[1], _window_bytes(site) / 2
    single = site.inputs[1].shape[1:3] == (1, 1)
    return 110.0 + 1.5 * taps if single else 105.0 * rows + 2.6 * taps


def _portable_cycles(site: Site) -> float:
    return portable_cycles(_pixels(site), site.y.shape[3], macs(site) // max(site.y.size, 1))


def _general(kind: str, x: str | None = None) -> Kernel:
    """x: the type of activations where it is not that of weights."""
    return Kernel(
        f"tml_conv2d_{kind}",
        "conv2d",
        accepts=lambda site: needs(site, x or kind, kind),
        params=_general_params,
        arrays=_pack,
        shifts=True,
        scratch_bytes=_window_bytes,
        cycles=lambda site: (
            widening(kind) * _portable_cycles(site) + _pixels(site) * _gather_cycles(site)
        ),
    )


POINTWISE = Kernel(
    "tml_conv2d_1x1_i8",
    "conv2d",
    accepts=lambda site: needs(site, "i8", "i8") or _is_pointwise(site),
    params=_pointwise_params,
    arrays=_pack,
    shifts=True,
    cycles=lambda site: _portable_cycles(site),
)


def from_onnx(node: OnnxNode) -> None:
    from .depthwise_conv2d import emit_depthwise, is_depthwise

    x, w = node.type(0), node.type(1)
    if x.rank not in (3, 4) or w.rank != x.rank:
        node.refuse(
            f"Conv takes a 1-D or 2-D image [N, C, (H,) W] and weights to match, got {x} and {w}"
        )
    kernel = tuple(node.attr("kernel_shape", w.shape[2:]))
    if kernel != w.shape[2:]:
        node.refuse(f"Conv: kernel_shape {list(kernel)}, but the weights are {w}")
    window, groups = onnx_window(node, kernel, x.shape[2:]), node.attr("group", 1)
    if is_depthwise(x.shape[1], w.shape[0], groups):
        emit_depthwise(node, window)
        return
    o, i = w.shape[:2]
    weights = node.rearranged(1, lambda a: a.reshape(o, i, *window.kernel).transpose(0, 2, 3, 1), 0)
    bias = [node.fixed(2, "bias")] if node.has(2) else []
    operands = [node.to_channels_last(0), weights, *bias]
    y = node.emit(
        "conv2d", operands, {**window.attrs, "groups": groups},
        hint="nhwc", origin=node.image_origin(),
    )  # fmt: skip
    node.from_channels_last(y, x.rank)


def _case(
    name: str, x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **attrs: object
) -> Case:
    inputs = (x, Const(shape=w)) + ((Const(shape=w[:1]),) if bias else ())
    return Case(name, "Conv", inputs, attrs)


OP = Op(
    "conv2d",
    infer,
    reference,
    integer,
    accumulator=lambda site: accumulator_bound(site, 0),
    interval=_interval,
    channels=_channels,
    rows=windowed(_window),
    runs=runs.of_first,
    quantize=QuantizeRule(lower, weights={1: 0}, bias=2, windows=_rows_met),
    kernels=(
        *ab_kernels.CONV2D_KERNELS,
        *ab_kernels.PLANAR_CONV2D_KERNELS,
        winograd.KERNEL,
        POINTWISE,
        _general("i8"),
        *packed_kernels.conv2d_kernels(_general_params),
        *packed_ab_kernels.CONV2D_KERNELS,
        *wide_kernels.conv2d_kernels(),
        _general("f32"),
        _general("f16", "f32"),
    ),
    nest=conv2d_nest,
    macs=macs,
    clamps=True,
    onnx={"Conv": from_onnx},
    summary="Convolution, 1-D and 2-D, groups, dilation, any padding",
    cases=(
        _case("one_pixel", (1, 1, 1, 1), (1, 1, 1, 1)),
        _case("pointwise", (1, 5, 7, 3), (6, 5, 1, 1)),
        _case("same_3x3", (1, 3, 8, 9), (5, 3, 3, 3), pads=[1, 1, 1, 1]),
        _case(
            "stride_2_same_upper", (1, 4, 9, 6), (8, 4, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"
        ),
        _case(
            "colours_stride_2", (1, 3, 8, 12), (8, 3, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"
        ),
        _case("same_lower_even", (1, 2, 6, 7), (3, 2, 2, 4), strides=[2, 3], auto_pad="SAME_LOWER"),
        _case("asymmetric_pads", (1, 1, 11, 10), (7, 1, 10, 4), pads=[4, 1, 5, 1], strides=[2, 2]),
        _case("pad_beyond_kernel", (1, 2, 3, 3), (4, 2, 2, 2), pads=[3, 2, 2, 3]),
        _case("dilated", (1, 3, 10, 12), (4, 3, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3]),
        _case("groups", (1, 6, 5, 5), (9, 2, 3, 3), group=3, pads=[1, 1, 1, 1]),
        _case("depth_multiplier", (1, 3, 6, 6), (6, 1, 3, 3), group=3),
        _case("no_bias", (1, 4, 4, 4), (4, 4, 3, 3), bias=False),
        _case("one_dimension", (1, 4, 20), (6, 4, 5), strides=[2], pads=[2, 2]),
        _case("batch", (3, 2, 5, 5), (4, 2, 3, 3)),
    ),
)
