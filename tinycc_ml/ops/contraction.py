"""What sums of products share: exact integer matmul, requantised results, packing of weights, bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..ir.graph import Tensor
from ..numerics.fixedpoint import requantize
from .base import Site, float_limits
from .lowering import Contraction, Lowering

Requantize = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Output channels that a portable kernel works on at once (runtime_c/dense/tml_dot_i8.h)
BLOCK = 4


def exact_matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b for integers of at most 9 bits, as int64, through floating point where that is exact."""
    terms = a.shape[-1]
    kind = np.float32 if terms * 256 * 128 < 2**24 else np.float64
    return (a.astype(kind) @ b.astype(kind)).astype(np.int64)


def finish(
    site: Site, acc: np.ndarray, multiplier: np.ndarray, rounded: Requantize = requantize
) -> np.ndarray:
    """The end of every integer contraction: requantise, add the zero point, clamp, narrow."""
    attrs = site.attrs
    scaled = rounded(acc << attrs["pre_shift"], multiplier) + site.y.quant.zero  # type: ignore[union-attr]
    return np.clip(scaled, attrs["q_min"], attrs["q_max"]).astype(site.y.dtype.numpy)


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
    """|accumulator| at most, per channel: |bias| + 128 * sum|w| before the pre-shift, times 2^pre_shift."""
    weights, bias = site.const(1).astype(np.int64), site.const(2).astype(np.int64)
    other = tuple(i for i in range(weights.ndim) if i != channel_axis)
    low, high = np.minimum(weights, 0).sum(axis=other), np.maximum(weights, 0).sum(axis=other)
    most, least = bias + 127 * high - 128 * low, bias + 127 * low - 128 * high
    return np.maximum(np.abs(most), np.abs(least)) << site.attrs["pre_shift"]


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
    got = site.x.dtype.name, site.inputs[1].type.dtype.name
    return None if got == (x, weights) else f"takes {x} and {weights}, got {got[0]} and {got[1]}"


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


def portable_cycles(vectors: int, channels: int, inputs: int) -> float:
    """Modelled cycles on a Cortex-M4 of the portable 4x2 blocks, fitted to 1x1 nodes of 8 to 256 inputs."""
    blocks = -(-channels // BLOCK) * -(-vectors // 2)
    return blocks * (292 + 21.9 * inputs)
