"""Mean of each window. x: [N, H, W, C]. Padding does not count, but for the attribute counted_pads (top, left,
bottom, right), when it is there: so much of it counts.

Integer, n being the pixels of a window that count:
y = clamp(zero_y + requantize_even(sum(x - zero_x) << pre_shift, multiplier[n - first_count])).
A mean of few integers is often exactly between two: ties go to the even one, as in ONNX, so that none lean up.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import F32
from ..numerics.fixedpoint import requantize_even
from . import runs
from .base import PLANAR, Arrays, Case, Kernel, Nest, Op, QuantizeRule, Site, clamped
from .channels import channelwise
from .contraction import finish, float_params, quantized_params
from .importing import TO_NCHW, OnnxNode
from .indexing import index_table, read, table_read
from .integer_end import accumulator_c, output_c, reach, shifted
from .intervals import rising
from .lowering import Lowering
from .pooling import (
    cases,
    emit_pool,
    global_cases,
    global_window,
    infer,
    onnx_pool_window,
    params,
    pool_nest,
    same_type,
    window_cycles,
    window_of,
)  # fmt: skip
from .rows import windowed
from .windows import Window, onnx_window, windows


def counts(shape: tuple[int, ...], attrs: Attrs) -> np.ndarray:
    """[1, OH, OW, 1]: how many pixels of each window count; `shape` is that of x."""
    ones = np.ones((1, *shape[1:3], 1), np.int64)
    window = window_of(attrs)
    if "counted_pads" in attrs:
        top, left, bottom, right = attrs["counted_pads"]
        ones = np.pad(ones, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=1)
        rest = (0, 0, window.pads[2] - bottom, window.pads[3] - right)
        window = replace(window, pads=rest)
    return windows(ones, window, 0).sum(axis=(3, 4))


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    total = windows(arrays[0], window_of(attrs), 0).sum(axis=(3, 4))
    mean = total / np.maximum(counts(arrays[0].shape, attrs), 1)
    return (clamped(mean.astype(np.float32), attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    """Where nothing counts the sum is 0, whatever it is multiplied by."""
    index = np.maximum(counts(arrays[0].shape, site.attrs) - site.attrs["first_count"], 0)
    x = arrays[0].astype(np.int64) - site.x.quant.zero  # type: ignore[union-attr]
    acc = windows(x, window_of(site.attrs), 0).sum(axis=(3, 4))
    return (finish(site, acc, arrays[1][index], requantize_even),)


def _area(attrs: Attrs) -> int:
    return int(np.prod(attrs["kernel"]))


def lower(low: Lowering) -> None:
    """One multiplier for each count of pixels, from the smallest that occurs (but 1) to the largest."""
    x = low.activation(0)
    seen = np.maximum(counts(x.shape, low.attrs), 1)
    divisor = np.arange(seen.min(), seen.max() + 1)
    scale = x.type.quant.scale0 / low.y_quant.scale0 / divisor  # type: ignore[union-attr]
    m = low.multiplier(scale, _area(low.attrs) * (2**x.type.dtype.bits - 1))
    kept = {k: v for k, v in low.attrs.items() if k not in ("min", "max")}
    attrs = {**kept, "first_count": int(seen.min()), "pre_shift": m.pre_shift, **low.limits()}
    low.emit("average_pool2d", [x.name, low.constant("multiplier", m.value)], attrs)


def _band(site: Site, window: Window) -> dict[str, tuple[int, ...]]:
    """The padding of a band of rows, of which no more counts than of the whole."""
    changed: dict[str, tuple[int, ...]] = {"pads": window.pads}
    if "counted_pads" in site.attrs:
        top, left, bottom, right = site.attrs["counted_pads"]
        changed["counted_pads"] = (
            min(top, window.pads[0]),
            left,
            min(bottom, window.pads[2]),
            right,
        )
    return changed


def accumulator(site: Site) -> np.ndarray:
    return shifted(np.asarray([_area(site.attrs) * reach(site, 0)], np.int64), site)


def _params(site: Site) -> dict[str, int | float]:
    bottom, right = site.attrs.get("counted_pads", site.attrs["pads"])[2:]
    counted = {
        "pad_bottom": bottom,
        "pad_right": right,
        "count_include_pad": int("counted_pads" in site.attrs),
    }
    image: dict[str, int | float] = {**params(site), **counted}
    if site.is_float:
        return {**image, **float_params(site)}
    integers = {"first_count": site.attrs["first_count"], "x_zero_point": site.x.quant.zero}  # type: ignore[union-attr]
    return {**image, **integers, **quantized_params(site)}


def _taps(site: Site) -> int:
    return site.y.size * _area(site.attrs)


def _cycles(site: Site) -> float:
    """Four channels at once, int8 by pairs of taps. Rows that follow each other are one, and the only window there
    is needs no search for its taps."""
    w = site.x.shape[2]
    rows, columns = site.attrs["kernel"]
    one = columns == w and site.attrs["dilations"] == (1, 1)
    if one:
        rows, columns = 1, rows * columns
    if site.is_float:
        return window_cycles(
            site, rows * (12.0 * columns + 12.0) + 60.0, rows * columns * 7.0 + 40.0
        )
    row = 12.0 * (columns // 2) + 7.0 * (columns % 2) + (0.0 if one else 15.0)
    searched = 0.0 if one else 200.0 * site.y.size / site.y.shape[3]
    return window_cycles(site, rows * row + 67.0, rows * columns * 7.0 + 40.0) + searched


def _planes_refusal(site: Site) -> str | None:
    refusal = same_type(site, "i8")
    if refusal:
        return refusal
    whole = tuple(site.attrs["kernel"]) == site.x.shape[1:3] and site.y.shape[1:3] == (1, 1)
    padded = any(site.attrs["pads"]) or any(site.attrs.get("counted_pads", ()))
    return "takes one window over the whole image" if padded or not whole else None


KERNELS = (
    Kernel(
        "tml_average_pool2d_i8", "average_pool2d",
        accepts=lambda site: same_type(site, "i8"),
        params=_params, arrays=lambda site: (("multiplier", site.const(1)),),
        cycles=_cycles,
    ),
    Kernel(
        "tml_average_pool2d_planes_i8", "average_pool2d", accepts=_planes_refusal,
        params=_params, arrays=lambda site: (("multiplier", site.const(1)),),
        cycles=lambda site: 1.43 * _taps(site) + 13.0 * site.y.size, x_format=PLANAR, small=True,
    ),
    Kernel(
        "tml_average_pool2d_f32", "average_pool2d",
        accepts=lambda site: same_type(site, "f32"),
        params=_params, cycles=_cycles,
    ),
)  # fmt: skip


def _nest(site: Site) -> Nest:
    """Of windows with padding, counts are found by their ends."""
    zero = site.x.quant.zero  # type: ignore[union-attr]
    bound = _area(site.attrs) * reach(site, 0)
    kind = accumulator_c(site, bound)
    value = f"(int32_t)x0[at]{f' - {zero}' if zero else ''}".replace("- -", "+ ")
    seen = np.maximum(counts(site.x.shape, site.attrs), 1)[0, :, :, 0] - site.attrs["first_count"]
    arrays: tuple[tuple[str, np.ndarray], ...] = ()
    index = "0"
    if seen.max() > seen.min() or seen.min() > 0:
        table = index_table(seen.ravel())
        arrays = (("count", table),)
        index = table_read("count", table, f"{site.y.shape[2]}U * y + x")
    m = read(site, 1, index)
    return pool_nest(
        site, f"{kind} acc = 0;", f"acc += {value};", output_c(site, "acc", m, even=True), arrays
    )


def from_average_pool(node: OnnxNode) -> None:
    _check(node)
    window = onnx_pool_window(node)
    declared = onnx_window(node, tuple(node.attr("kernel_shape")), node.type(0).shape[2:])
    if node.attr("count_include_pad", 0) and any(declared.pads):
        emit_pool(node, "average_pool2d", window, counted_pads=declared.pads)
    else:
        emit_pool(node, "average_pool2d", window)


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
    fixed = {
        "kernel_shape": [3, 3],
        "strides": [2, 2],
        "pads": [1, 1, 1, 1],
        "count_include_pad": 1,
    }
    return Case(name, "AveragePool", ((1, 2, 6, 7),), {**fixed, **attrs}, 19)


OP = Op(
    "average_pool2d",
    partial(infer, "average_pool2d"),
    reference,
    integer,
    accumulator=accumulator,
    interval=rising(integer),
    channels=channelwise(0),
    rows=windowed(lambda site: window_of(site.attrs), _band),
    runs=runs.of_first,
    quantize=QuantizeRule(lower),
    kernels=KERNELS,
    nest=_nest,
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
