"""The pointwise convolution with AB words that reads planes (runtime_c/conv2d/tml_conv2d_1x1_ab_planes_i8.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import ab_words
from .base import PLANAR, Kernel, Overlap, Site
from .contraction import quantized_params, settled
from .windows import Window


def _sizes(site: Site) -> tuple[int, int, int]:
    """Pixels of an image, input and output channels."""
    _, h, w, c = site.x.shape
    return h * w, c, site.y.shape[3]


def _steps(site: Site) -> int:
    return (site.x.shape[3] + 1) // 2


def _tile(site: Site, tile_bytes: int) -> int:
    """Pixels at a time, a multiple of 4, whose pairs take at most `tile_bytes` of scratch."""
    whole = -(-_sizes(site)[0] // 4) * 4
    return min(max(tile_bytes // (4 * _steps(site)) // 4 * 4, 4), whole)


def _params(site: Site, y_format: str, tile: int) -> dict[str, int | float]:
    pixels, x_c, y_c = _sizes(site)
    ends = {k: v for k, v in quantized_params(site).items() if k != "pre_shift"}
    pixel, channel = (1, pixels) if y_format == PLANAR else (y_c, 1)
    pitches = {"y_pixel_pitch": pixel, "y_channel_pitch": channel}
    return {"pixels": pixels, "x_c": x_c, "y_c": y_c, **pitches, "tile": tile, **ends}


def _stream(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    site = settled(site, 0)
    rows = site.const(1).reshape(len(site.const(1)), -1).astype(np.int64)
    channels, order = ab_words.block_channels(len(rows)), ab_words.planar_order_of(rows.shape[1])
    return (("weights", ab_words.packed(rows, site.const(2), site.const(3), channels, order)),)


def _scratch(site: Site, tile: int) -> int:
    four = 4 * tile if site.y.shape[3] < ab_words.CHANNELS else 0
    return 4 * _steps(site) * tile + four


def _expansion(site: Site, tile: int) -> float:
    pixels, x_c, _ = _sizes(site)
    tiles, steps = -(-pixels // tile), _steps(site)
    whole, fours = x_c // 4, pixels // 4
    rest = steps - 2 * whole
    expansion = fours * (30 * whole + 12 + 24 * rest) + 35 * tiles * rest
    return expansion + (45 * steps if pixels % 4 else 0)


def _cycles(site: Site, y_format: str, tile: int) -> float:
    pixels, _, y_c = _sizes(site)
    blocks = ab_words.cycles((pixels + 1) // 2, y_c, _steps(site), y_format == PLANAR)
    return blocks + _expansion(site, tile) + 200 * -(-pixels // tile)


def _pointwise(site: Site, accepts: Callable[[Site], str | None]) -> str | None:
    window = Window.of(site.attrs, site.inputs[1].shape[1:3])  # type: ignore[arg-type]
    reason = None if window.is_pointwise else "takes a 1x1 window, stride 1, no padding"
    return reason or accepts(site)


def _refuses_steady(site: Site, channels: int) -> str | None:
    pixels, x_c, y_c = _sizes(site)
    if _steps(site) != channels // 2:
        return f"takes {channels - 1} or {channels} input channels, got {x_c}"
    if pixels % 4 or y_c % ab_words.CHANNELS:
        return "takes pixels and output channels by fours"
    return None


def steady(
    channels: int, goals: frozenset[str], accepts: Callable[[Site], str | None], tile_bytes: int
) -> Kernel:
    """From planes to planes with the number of input channels written into its code
    (runtime_c/ab/tml_ab_steady_i8.h); accepts: as in `kernel`."""

    def cycles(site: Site) -> float:
        pixels, _, y_c = _sizes(site)
        tile = _tile(site, tile_bytes)
        blocks = pixels / 2 * (y_c / ab_words.CHANNELS) * (50.5 + 15 * _steps(site))
        return blocks + _expansion(site, tile) + 200 * -(-pixels // tile)

    name = f"tml_conv2d_1x1_ab_planar_k{channels}_i8"
    made = kernel(name, PLANAR, accepts, tile_bytes)
    return replace(
        made,
        accepts=lambda site: _refuses_steady(site, channels) or made.accepts(site),
        cycles=cycles,
        goals=goals,
    )


def kernel(
    name: str, y_format: str, accepts: Callable[[Site], str | None], tile_bytes: int
) -> Kernel:
    """accepts: what any convolution with AB words asks for."""

    # A tile of pixels is read from all planes before it is written to all planes
    overlaps = (Overlap(exact=True),) if y_format == PLANAR else ()
    return Kernel(
        name,
        "conv2d",
        accepts=lambda site: _pointwise(site, accepts),
        params=lambda site: _params(site, y_format, _tile(site, tile_bytes)),
        arrays=_stream,
        scratch_bytes=lambda site: _scratch(site, _tile(site, tile_bytes)),
        overlaps=lambda site: overlaps,
        cycles=lambda site: _cycles(site, y_format, _tile(site, tile_bytes)),
        x_format=PLANAR,
        y_format=y_format,
        features=frozenset({"dsp"}),
    )
