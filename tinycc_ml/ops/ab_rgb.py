"""The first layer on colours: 3x3 windows of 3 channels, stride 2, into planes
(runtime_c/conv2d/tml_conv2d_ab_rgb_s2_to_planar_i8.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import ab_columns, ab_words
from .base import PLANAR, Kernel, Overlap, Site
from .contraction import quantized_params, settled
from .windows import Window

_UNIT_BYTES = 72  # of two rows under two windows, as pairs
_GATHERED_BYTES = 32  # of two rows that don't lie in x
_STEPS = 14


def order() -> list[tuple[int, int]]:
    """The inputs of each pair of a window, -1 for none: the first two rows and their ninth inputs, then
    the third row."""
    first, second, third = (
        [(9 * row + a, 9 * row + b) for a, b in ab_words.order_of(8)] for row in range(3)
    )
    return [*first, (8, 17), *second, *third, (26, -1)]


def packed(rows: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of weights [channels, 27]."""
    return ab_words.packed(rows, bias, multiplier, ab_words.block_channels(len(rows)), order())


def scratch_bytes(band: int) -> int:
    return _UNIT_BYTES * (band + 1) + _GATHERED_BYTES


def _band(site: Site, most_bytes: int) -> int:
    """Rows of y at a time, whose bands are of about one height."""
    height = site.y.shape[1]
    bands = -(-height // max(most_bytes // _UNIT_BYTES - 1, 1))
    return -(-height // bands)


def _refuses(site: Site) -> str | None:
    window = Window.of(site.attrs, site.inputs[1].shape[1:3])  # type: ignore[arg-type]
    shape = (window.kernel, window.strides, window.dilations, site.x.shape[3])
    if shape != ((3, 3), (2, 2), (1, 1), 3):
        return "takes 3x3 windows of 3 channels, stride 2, undilated"
    if window.pads[0] < 0 or window.pads[1] < 0:
        return "takes no negative padding"
    if site.y.shape[2] % 2 or site.y.shape[3] % ab_words.CHANNELS:
        return "takes an even number of columns and output channels by fours"
    return None


def _params(site: Site, band: int) -> dict[str, int | float]:
    (_, xh, xw, _), (_, yh, yw, yc) = site.x.shape, site.y.shape
    window = Window.of(site.attrs, site.inputs[1].shape[1:3])  # type: ignore[arg-type]
    top, left = window.pads[:2]
    ends = {k: v for k, v in quantized_params(site).items() if k != "pre_shift"}
    zero = site.x.quant.zero  # type: ignore[union-attr]
    image = {"x_h": xh, "x_w": xw, "y_h": yh, "y_w": yw, "y_c": yc, "pad_top": top}
    return {**image, "pad_left": left, "band": band, "x_zero_point": zero, **ends}


def _overlaps(site: Site, band: int) -> tuple[Overlap, ...]:
    """Strips follow each other as those of any convolution."""
    return replace(ab_columns.of_conv2d(site), band=band).overlaps(planar=True)


def _stream(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    site = settled(site, 0)
    rows = site.const(1).reshape(len(site.const(1)), -1).astype(np.int64)
    return (("weights", packed(rows, site.const(2), site.const(3))),)


def _cycles(site: Site, band: int) -> float:
    """Modelled cycles on a Cortex-M4."""
    _, yh, yw, yc = site.y.shape
    bands = -(-yh // band)
    blocks = yh * yw / 2 * (yc / ab_words.CHANNELS) * (56 + 15 * _STEPS)
    units = yw // 2 * (yh + bands) * 57.0
    return blocks + units + yw // 2 * bands * 320 + (yh + bands) * 250


def kernel(accepts: Callable[[Site], str | None], most_bytes: int) -> Kernel:
    """accepts: what any convolution with AB words asks for; most_bytes: of scratch for pairs."""
    return Kernel(
        "tml_conv2d_ab_rgb_s2_to_planar_i8",
        "conv2d",
        accepts=lambda site: _refuses(site) or accepts(site),
        params=lambda site: _params(site, _band(site, most_bytes)),
        arrays=_stream,
        scratch_bytes=lambda site: scratch_bytes(_band(site, most_bytes)),
        overlaps=lambda site: _overlaps(site, _band(site, most_bytes)),
        cycles=lambda site: _cycles(site, _band(site, most_bytes)),
        y_format=PLANAR,
        features=frozenset({"dsp"}),
    )
