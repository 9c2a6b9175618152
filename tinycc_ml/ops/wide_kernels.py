"""Kernels for contractions with int16 activations (runtime_c/wide/), with int8 or int16 weights; also for int8
activations whose weights need nine bits.

Sums with int8 weights are proven to fit int32; with int16 ones they have 64 bits. A node with shorter activations at one end takes the same kernels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..numerics.fixedpoint import INT32_MAX
from .base import Kernel, Site
from .contraction import sum_bound
from .windows import Window, image_params

Params = dict[str, int | float]
_BYTES = {"i8": 1, "i16": 2}
_LANES = 4  # channels of a depthwise convolution at once


def _accepts(site: Site, weights: str, channel_axis: int) -> str | None:
    x, w, y = site.x.dtype.name, site.inputs[1].type.dtype.name, site.y.dtype.name
    if w != weights or not {x, y} <= _BYTES.keys() or (x, w, y) == ("i8", "i8", "i8"):
        return f"takes i8 or i16, at one end at least i16, and weights of {weights}, got {x} and {w} for {y}"
    reach = int(sum_bound(site, channel_axis).max(initial=0))
    if weights == "i8" and reach > INT32_MAX:
        return f"needs sums below 2^31, they reach {reach}"
    if weights == "i16" and int(site.const(1).min(initial=0)) == -(1 << 15):
        return "needs weights above -2^15, so that two products fit 32 bits"
    return None


def _ends(site: Site) -> Params:
    return {
        "x_bytes": site.x.dtype.bytes,
        "y_bytes": site.y.dtype.bytes,
        "x_zero_point": site.x.quant.zero,  # type: ignore[union-attr]
        "y_zero_point": site.y.quant.zero,  # type: ignore[union-attr]
        "shift": 32 - site.attrs["pre_shift"],
        "y_min": site.attrs["q_min"],
        "y_max": site.attrs["q_max"],
    }


def _arrays(site: Site, packed: np.ndarray) -> tuple[tuple[str, np.ndarray], ...]:
    bias = np.int32 if packed.dtype == np.int8 else np.int64
    return (
        ("weights", packed),
        ("bias", site.const(2).astype(bias)),
        ("multiplier", site.const(3)),
    )


def packed_pairs(rows: np.ndarray) -> np.ndarray:
    """Weights [groups, channels of a group, K] in blocks of 2 channels and steps of 2 inputs, as
    runtime_c/wide/tml_wide_dot.h has them; what is none is 0."""
    groups, channels, k = rows.shape
    full = np.pad(rows, ((0, 0), (0, channels % 2), (0, k % 2)))
    steps = full.reshape(groups, -1, 2, full.shape[2] // 2, 2)  # group, block, channel, step, input
    order = (0, 1, 3, 4, 2) if rows.dtype == np.int8 else (0, 1, 3, 2, 4)
    return steps.transpose(order).ravel()


def _cycles(site: Site, k: int, wide: bool) -> float:
    """Modelled cycles on a Cortex-M4: windows gathered once, products, ends."""
    pixels, channels = site.y.size // site.y.shape[-1], site.y.shape[-1]
    products = k * (1.65 if wide else 1.4)
    return pixels * (channels * (products + 40.0) + 1.2 * k + 120.0)


def _contraction(
    weights: str, rows: Callable[[Site], np.ndarray], params: Callable[[Site], Params], images: bool
) -> Kernel:
    """rows: weights [groups, channels of a group, K]"""

    def inputs(site: Site) -> int:
        return int(np.prod(site.inputs[1].shape[1:]))

    return Kernel(
        f"tml_conv2d_i16x{8 * _BYTES[weights]}",
        "conv2d",
        accepts=lambda site: _accepts(site, weights, 0),
        params=params,
        arrays=lambda site: _arrays(site, packed_pairs(rows(site))),
        scratch_bytes=lambda site: 8 * -(-inputs(site) // 2),
        cycles=lambda site: _cycles(site, inputs(site), weights == "i16"),
        per_image=images,
        features=frozenset({"words"}),  # smaller parts have no memory for windows
    )


def conv2d_kernels() -> tuple[Kernel, ...]:
    return tuple(_contraction(w, _conv2d_rows, _conv2d_params, True) for w in _BYTES)


def _conv2d_rows(site: Site) -> np.ndarray:
    groups, weights = site.attrs["groups"], site.const(1)
    return weights.reshape(groups, len(weights) // groups, -1)


def _conv2d_params(site: Site) -> Params:
    window = Window.of(site.attrs, site.inputs[1].shape[1:3])  # type: ignore[arg-type]
    image = image_params(site.x.shape, site.y.shape)
    return {**image, **window.params(), "groups": site.attrs["groups"], **_ends(site)}


def dense_kernels() -> tuple[Kernel, ...]:
    """The vectors are the pixels of one image row."""
    return tuple(_contraction(w, lambda s: s.const(1)[None], _dense_params, False) for w in _BYTES)


def _dense_params(site: Site) -> Params:
    k, n = site.x.shape[-1], site.y.shape[-1]
    count = site.x.size // k
    image = image_params((1, 1, count, k), (1, 1, count, n))
    return {**image, **Window((1, 1)).params(), "groups": 1, **_ends(site)}


def depthwise_kernels() -> tuple[Kernel, ...]:
    return tuple(_depthwise(weights) for weights in _BYTES)


def _depthwise(weights: str) -> Kernel:
    return Kernel(
        f"tml_depthwise_conv2d_i16x{8 * _BYTES[weights]}",
        "depthwise_conv2d",
        accepts=lambda site: _depthwise_accepts(site, weights),
        params=_depthwise_params,
        arrays=lambda site: _arrays(site, site.const(1)),
        scratch_bytes=lambda site: 2 * site.inputs[1].type.size,
        cycles=_depthwise_cycles,
        features=frozenset({"dsp"}),  # elsewhere the loop nest is as fast
    )


def _depthwise_accepts(site: Site, weights: str) -> str | None:
    few = site.x.shape[3] < _LANES
    return _accepts(site, weights, 2) or (f"takes {_LANES} channels or more" if few else None)


def _depthwise_params(site: Site) -> Params:
    window = Window.of(site.attrs, site.inputs[1].shape[:2])  # type: ignore[arg-type]
    image = image_params(site.x.shape, site.y.shape)
    return {**image, **window.params(), "groups": 1, **_ends(site)}


def _depthwise_cycles(site: Site) -> float:
    taps = site.inputs[1].shape[0] * site.inputs[1].shape[1]
    return site.y.size * (45.0 + 4.5 * taps)
