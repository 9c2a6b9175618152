"""Winograd F(4x4, 3x3) on int8, exact, for cores with dual multiplies: packing, proof and kernel.

runtime_c/winograd/tml_winograd_input_i8.h explains the technique: a quarter of the products, eight times the
weights' flash.
"""

from __future__ import annotations

import numpy as np

from .base import SPEED, Kernel, Site
from .contraction import accumulator_bound, needs, quantized_params
from .windows import Window, image_params

TILE = 4  # rows and columns of outputs
BLOCK = 4  # output channels at once
V_BYTES = 9216  # transformed tiles of a chunk, if two tiles don't take more
_G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 6]], np.int64)


def transformed(weights: np.ndarray) -> np.ndarray:
    """U = G g G^T: weights [O, 3, 3, C] to [O, 36, C]. At most 144 * 128 in size: fits int16."""
    u = np.einsum("ia,oabc,jb->oijc", _G, weights.astype(np.int64), _G)
    return u.reshape(len(weights), 36, -1)


def channels_of(x_c: int) -> np.ndarray:
    """int [steps, 2]: the input channels of each step, -1 where a channel was taken before."""
    starts = [min(k, x_c - 4) for k in range(0, x_c, 4)]
    order = np.array([[(s, s + 2), (s + 1, s + 3)] for s in starts]).reshape(-1, 2)
    order[-2:][order[-2:] < 4 * (len(starts) - 1)] = -1
    return order


def packed(weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of tml_conv2d_winograd_i8. weights: [O, 3, 3, C]. int32 words."""
    count, blocks = len(weights), -(-len(weights) // BLOCK)
    order = np.roll(channels_of(weights.shape[3]), 1, axis=0)  # the last step comes first
    u = np.zeros((blocks * BLOCK, 36, weights.shape[3] + 1), np.int64)  # the last is for channel -1
    u[:count, :, :-1] = transformed(weights)
    low, high = u[:, :, order[:, 0]], u[:, :, order[:, 1]]
    words = (low & 0xFFFF) | (high & 0xFFFF) << 16
    words = words.reshape(blocks, BLOCK, 36, len(order)).transpose(0, 2, 3, 1)
    quant = np.zeros((blocks * BLOCK, 2), np.int64)
    quant[:count, 0] = 576 * (bias - 128 * weights.astype(np.int64).sum(axis=(1, 2, 3)))
    quant[:count, 1] = multiplier
    stream = np.concatenate([words.reshape(blocks, -1), quant.reshape(blocks, -1)], axis=1)
    return (stream & 0xFFFFFFFF).astype(np.uint32).view(np.int32).ravel()


def steps_of(x_c: int) -> int:
    return -(-x_c // 4) * 2


def chunk_of(y_h: int, y_w: int, x_c: int) -> int:
    """Tiles of a chunk: even, whole rows of tiles where they fit."""
    tiles_h, tiles_w = -(-y_h // TILE), -(-y_w // TILE)
    most = min(V_BYTES // (144 * steps_of(x_c)), tiles_h * tiles_w + 1)
    whole_rows = most - most % tiles_w if tiles_w % 2 == 0 else 0
    return max(whole_rows or most - most % 2, 2)


def scratch_bytes(chunk: int, y_w: int, x_w: int, x_c: int) -> int:
    """As tml_conv2d_winograd_i8.h lists it."""
    widest = TILE * min(chunk, -(-y_w // TILE)) + 2
    return 144 * steps_of(x_c) * chunk + max(1152, 48 * widest) + 64 + min(widest, x_w) * x_c


def _is_3x3(site: Site) -> str | None:
    window = Window.of(site.attrs, site.inputs[1].shape[1:3])  # type: ignore[arg-type]
    plain = window.kernel == (3, 3) and window.strides == (1, 1) == window.dilations
    if not plain or site.attrs["groups"] != 1:
        return "takes a 3x3 window, stride 1, dilation 1, 1 group"
    return None if site.x.shape[3] >= 4 else "takes 4 input channels or more"


def _accepts(site: Site) -> str | None:
    reason = needs(site, "i8", "i8") or _is_3x3(site)
    if reason:
        return reason
    if site.attrs["pre_shift"]:
        return "needs a scale below 1/2"
    reach = int(accumulator_bound(site, 0).max(initial=0))
    return f"needs accumulators below 2^25, they reach {reach}" if reach >= 1 << 25 else None


def _chunk(site: Site) -> int:
    _, y_h, y_w, _ = site.y.shape
    return chunk_of(y_h, y_w, site.x.shape[3])


def _params(site: Site) -> dict[str, int | float]:
    top, left = site.attrs["pads"][:2]
    quantized = {k: v for k, v in quantized_params(site).items() if k != "pre_shift"}
    zero = site.x.quant.zero  # type: ignore[union-attr]
    return {
        **image_params(site.x.shape, site.y.shape), "pad_top": top, "pad_left": left,
        "chunk": _chunk(site), "x_zero_point": zero, **quantized,
    }  # fmt: skip


def flash_bytes(x_c: int, y_c: int) -> int:
    """Of `packed`."""
    return -(-y_c // BLOCK) * (576 * steps_of(x_c) + 32)


def cycles(y_h: int, y_w: int, x_c: int, y_c: int) -> float:
    """Modelled cycles on a Cortex-M4: products, outputs, and inputs by column and by tile."""
    tiles_h, tiles_w = -(-y_h // TILE), -(-y_w // TILE)
    tiles, steps, blocks = tiles_h * tiles_w, steps_of(x_c), -(-y_c // BLOCK)
    inside = (y_h // TILE) * (y_w // TILE)
    rounds = -(-(steps - 1) // 16)
    products = 36 * (16 * steps + 15 + 11 * rounds) + 110
    neighbours = min(tiles_w, chunk_of(y_h, y_w, x_c))
    segments = tiles / neighbours
    columns = 70 * (TILE * neighbours + 2) + 160
    outputs = tiles * (300 * y_c + 80 * blocks) + (tiles - inside) * 110 * blocks
    inputs = steps / 2 * (segments * columns + tiles * 500)
    return -(-tiles // 2) * blocks * products + outputs + inputs


def _cycles(site: Site) -> float:
    images, y_h, y_w, y_c = site.y.shape
    return images * cycles(y_h, y_w, site.x.shape[3], y_c)


KERNEL = Kernel(
    "tml_conv2d_winograd_i8",
    "conv2d",
    accepts=_accepts,
    params=_params,
    arrays=lambda site: (("weights", packed(site.const(1), site.const(2), site.const(3))),),
    scratch_bytes=lambda site: scratch_bytes(
        _chunk(site), site.y.shape[2], site.x.shape[2], site.x.shape[3]
    ),
    cycles=_cycles,
    flash_bytes=lambda site: flash_bytes(site.x.shape[3], site.y.shape[3]),
    features=frozenset({"dsp"}),
    goals=SPEED,
)
