"""What sums of products share: exact integer matmul, requantised results, packing of weights, bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..ir.graph import Tensor
from ..ir.types import DType
from ..numerics.fixedpoint import requantize
from .base import Site, float_limits
from .integer_end import is_wide, narrowed, shifted
from .lowering import Contraction, Lowering

Requantize = Callable[[np.ndarray, np.ndarray, int], np.ndarray]

# Output channels that a portable kernel works on at once (runtime_c/dense/tml_dot_i8.h)
BLOCK = 4


def exact_matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b for integers of at most 16 bits, as int64, through floating point where that is exact."""
    reach = 2 ** (8 * a.dtype.itemsize - 1) * (int(np.abs(b.astype(np.int64)).max(initial=0)) + 1)
    kind = np.float32 if a.shape[-1] * reach < 2**24 else np.float64
    return (a.astype(kind) @ b.astype(kind)).astype(np.int64)


def finish(
    site: Site, acc: np.ndarray, multiplier: np.ndarray, rounded: Requantize = requantize
) -> np.ndarray:
    """The end of every integer contraction: requantise, add the zero point, clamp, narrow."""
    scaled = rounded(acc, multiplier, site.attrs["pre_shift"]) + site.y.quant.zero  # type: ignore[union-attr]
    return narrowed(site, scaled)


def emit_contraction(low: Lowering, x: Tensor, parts: Contraction, attrs: Mapping) -> None:
    """The integer node of an op with operands (x, weights, bias, multiplier)."""
    constants = [
        low.constant("weights", parts.weights),
        low.constant("bias", parts.bias),
        low.constant("multiplier", parts.multiplier.value),
    ]
    extra = {"pre_shift": parts.multiplier.pre_shift, **low.limits()}
    kept = {k: v for k, v in attrs.items() if k not in ("min", "max")}
    low.emit(low.node.op, [x.name, *constants], {**kept, **extra})


def accumulator_bound(site: Site, channel_axis: int) -> np.ndarray:
    """|accumulator| at most, per channel, of what is multiplied: shifted, unless the node is wide."""
    return shifted(sum_bound(site, channel_axis), site)


def sum_bound(site: Site, channel_axis: int) -> np.ndarray:
    """|sum| at most, per channel, before any shift."""
    weights, bias = site.const(1).astype(np.int64), site.const(2).astype(np.int64)
    least, most = sums(weights, bias, channel_axis, site.x.dtype)
    return np.maximum(np.abs(most), np.abs(least))


def settled(site: Site, channel_axis: int) -> Site:
    """The same integer contraction, where channels that give one value whatever x holds are sums that say
    so plainly: no weights, a small bias. Kernels with narrow accumulators can then take nets that are
    left with dead channels. The site itself when there is none."""
    if site.attrs["pre_shift"] or is_wide(site):
        return site
    weights, bias, multiplier = (site.const(k).astype(np.int64) for k in (1, 2, 3))
    value, constant = _only_values(
        site, *sums(weights, bias, channel_axis, site.x.dtype), multiplier
    )
    if not constant.any():
        return site
    lanes = np.expand_dims(constant, [i for i in range(weights.ndim) if i != channel_axis])
    # floor(4 v * 2^30 / 2^32 + 1/2) is v
    change = {
        1: np.where(lanes, 0, weights),
        2: np.where(constant, 4 * (value - site.y.quant.zero), bias),  # type: ignore[union-attr]
        3: np.where(constant, 1 << 30, multiplier),
    }
    inputs = [
        replace(t, data=change[k].astype(t.type.dtype.numpy)) if k in change else t
        for k, t in enumerate(site.inputs)
    ]
    return replace(site, inputs=tuple(inputs))


def sums(
    weights: np.ndarray, bias: np.ndarray, channel_axis: int, x: DType
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the most that a channel's sum can be for any inputs of the type x."""
    (least, most), other = x.range, _other_axes(weights, channel_axis)
    negative, positive = (rule(weights, 0).sum(axis=other) for rule in (np.minimum, np.maximum))
    return bias + most * negative + least * positive, bias + most * positive + least * negative


def _other_axes(weights: np.ndarray, channel_axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(weights.ndim) if i != channel_axis)


def _only_values(
    site: Site, least: np.ndarray, most: np.ndarray, multiplier: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each channel the result of its least sum, and whether its most gives the same."""
    low, high = (finish(site, acc, multiplier).astype(np.int64) for acc in (least, most))
    return low, low == high


def packed_blocks(weights: np.ndarray) -> np.ndarray:
    """[channels, K] to blocks of 4 channels, each [K][4]; the last, partial block is [K][rest]."""
    full = len(weights) // BLOCK * BLOCK
    blocks = weights[:full].reshape(-1, BLOCK, weights.shape[1]).transpose(0, 2, 1)
    return np.concatenate([blocks.ravel(), weights[full:].T.ravel()])


def quantized_params(site: Site) -> dict[str, int]:
    """The params fields that every int8 kernel with a requantised result has."""
    return {
        "y_zero_point": site.y.quant.zero,  # type: ignore[union-attr]
        "pre_shift": site.attrs["pre_shift"],
        "y_min": site.attrs["q_min"],
        "y_max": site.attrs["q_max"],
    }


def float_params(site: Site) -> dict[str, float]:
    low, high = float_limits(site.attrs)
    return {"y_min": low, "y_max": high}


def needs(site: Site, x: str, weights: str) -> str | None:
    """None when activations and weights have these element types, else what they have."""
    got = site.x.dtype.name, site.inputs[1].type.dtype.name, site.y.dtype.name
    if got == (x, weights, x):
        return None
    return f"takes {x} and {weights} and gives {x}, got {got[0]} and {got[1]} for {got[2]}"


def bias_or_zeros(site: Site, channels: int) -> np.ndarray:
    """The float bias of a node, zeros where it has none."""
    return site.const(2) if len(site.inputs) > 2 else np.zeros(channels, np.float32)


def contraction_arrays(
    site: Site, packed: np.ndarray, channels: int
) -> tuple[tuple[str, np.ndarray], ...]:
    """Weights, bias and, for integers, multipliers, in the kernels' argument order."""
    if site.is_float:
        return ("weights", packed), ("bias", bias_or_zeros(site, channels))
    return ("weights", packed), ("bias", site.const(2)), ("multiplier", site.const(3))


def widening(weights: str) -> float:
    """How much longer portable blocks take with weights of this type than with those of their activations'."""
    return 1.12 if weights == "f16" else 1.0


def portable_cycles(vectors: int, channels: int, inputs: int) -> float:
    """Modelled cycles on a Cortex-M4 of the portable blocks: 4 channels, then single ones, of two vectors or of
    a last one."""
    blocks, rest = divmod(channels, BLOCK)
    pair = blocks * (370.0 + 21.9 * inputs) + rest * (257.0 + 12.5 * inputs)
    single = blocks * (260.0 + 13.25 * inputs) + rest * (180.0 + 7.0 * inputs)
    return vectors // 2 * pair + vectors % 2 * single
