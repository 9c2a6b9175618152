"""Depthwise windows of any size by lines: for cores with dual multiplies (runtime_c/depthwise_conv2d/tml_line_windows_i8.h)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .base import Kernel, Site
from .contraction import needs, quantized_params
from .strip_kernels import channels_of, refuses_results, window_of

_SCRATCH_BYTES = 1728
_PAIR_BYTES = 16
_GROUP = 6  # outputs that are summed at once


@dataclass(frozen=True)
class Tile:
    """How a node is cut: turned, where image rows are the columns of lines; rows, and groups of 6 columns."""

    turned: bool
    rows: int
    groups: int
    kernel: tuple[int, int]
    stride: int  # of rows
    padding: int  # columns
    y: tuple[int, int]

    @property
    def rounds(self) -> int:
        """Of a row of a window."""
        return -(-(self.kernel[1] + 1) // _GROUP)

    @property
    def line_pairs(self) -> int:
        return 3 * (self.groups + self.rounds) - 1

    @property
    def lines(self) -> int:
        return (self.rows - 1) * self.stride + self.kernel[0]

    @property
    def scratch_bytes(self) -> int:
        return _PAIR_BYTES * self.line_pairs * self.lines

    @property
    def cycles(self) -> float:
        """Modelled cycles of 4 channels on a Cortex-M4."""
        h, w = self.y
        across, down = -(-w // (_GROUP * self.groups)), -(-h // self.rows)
        pairs = -(-(w + across * (self.kernel[1] - 1)) // 2)
        again = (down - 1) * max(self.kernel[0] - self.stride, 0)
        lines = (h - 1) * self.stride + self.kernel[0] + again
        gathered = lines * (19.0 * pairs + 112 * across + 50 * self.padding)
        summed = 40.0 * self.rounds * self.kernel[0] + 29
        return gathered + 4 * h * (-(-w // _GROUP) * summed + 57 * across) + 12 * h * w + 130


def _tiles(site: Site) -> Iterator[Tile]:
    window, (_, h, w, _) = window_of(site), site.y.shape
    for turned in (False, True):
        kernel, strides, y = (
            (pair[::-1] if turned else pair) for pair in (window.kernel, window.strides, (h, w))
        )
        if strides[1] != 1:
            continue
        padding = sum(window.pads[0::2] if turned else window.pads[1::2])
        for rows in range(1, y[0] + 1):
            for groups in range(1, -(-y[1] // _GROUP) + 1):
                tile = Tile(turned, rows, groups, kernel, strides[0], padding, y)
                if tile.scratch_bytes > _SCRATCH_BYTES:
                    break
                yield tile


def _tile(site: Site) -> Tile | None:
    return min(_tiles(site), key=lambda tile: (tile.cycles, tile.scratch_bytes), default=None)


def _best(site: Site) -> Tile:
    tile = _tile(site)
    assert tile is not None
    return tile


def _accepts(site: Site) -> str | None:
    window = window_of(site)
    if window.dilations != (1, 1) or 1 not in window.strides:
        return "takes windows of stride 1 in a direction, undilated"
    if site.x.shape[3] < 4:
        return "takes 4 channels or more"
    reason = needs(site, "i8", "i8") or refuses_results(site)
    return reason or (None if _tile(site) else f"needs lines of at most {_SCRATCH_BYTES} bytes")


def _params(site: Site) -> dict[str, int | float]:
    tile, window, zero = _best(site), window_of(site), site.x.quant.zero  # type: ignore[union-attr]
    (_, xh, xw, c), (_, yh, yw, _) = site.x.shape, site.y.shape
    axes = [
        ("x_h", "x_w", (xh, xw)),
        ("x_row_pitch", "x_col_pitch", (xw * c, c)),
        ("y_h", "y_w", (yh, yw)),
        ("y_row_pitch", "y_col_pitch", (yw * c, c)),
        ("kernel_h", "kernel_w", window.kernel),
        ("pad_top", "pad_left", window.pads[:2]),
    ]
    image = {}
    for row, column, pair in axes:
        image[row], image[column] = pair[::-1] if tile.turned else pair
    ends = {k: v for k, v in quantized_params(site).items() if k != "pre_shift"}
    sizes = {"rounds": tile.rounds * tile.kernel[0], "line_pairs": tile.line_pairs}
    tiles = {"tile_rows": tile.rows, "tile_groups": tile.groups}
    return {
        **image,
        "x_c": c,
        "stride_h": tile.stride,
        "x_zero_point": zero,
        **ends,
        **sizes,
        **tiles,
    }


def packed(
    weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, line_pairs: int
) -> np.ndarray:
    """The stream of tml_line_windows_i8. weights: [KH, KW, C]."""
    kh, kw, c = weights.shape
    rounds = -(-(kw + 1) // _GROUP)
    channels = channels_of(c)
    taps = np.zeros(
        (len(channels), kh, 6 * rounds + 1), np.int64
    )  # a leading 0 for the shifted pairs
    taps[:, :, 1 : kw + 1] = weights.transpose(2, 0, 1)[channels]
    even, odd = _pairs(taps[:, :, 1:]), _pairs(taps[:, :, :-1])
    steps = np.stack([even, odd], -1).reshape(len(channels), kh, rounds, 6)
    ways = np.full((kh, rounds), 3 * _PAIR_BYTES)
    ways[:, -1] = _PAIR_BYTES * (line_pairs - 3 * (rounds - 1))
    ways = np.broadcast_to(ways[None, :, :, None], (len(channels), kh, rounds, 1))
    body = np.concatenate([steps, ways], -1).reshape(len(channels), -1)
    words = np.concatenate([bias[channels, None], body, multiplier[channels, None]], axis=1)
    return (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32).ravel()


def _pairs(taps: np.ndarray) -> np.ndarray:
    return (taps[..., 0::2] & 0xFFFF) | ((taps[..., 1::2] & 0xFFFF) << 16)


def _arrays(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    tile, weights = _best(site), site.const(1)
    turned = weights.transpose(1, 0, 2) if tile.turned else weights
    return (("weights", packed(turned, site.const(2), site.const(3), tile.line_pairs)),)


LINE = Kernel(
    "tml_depthwise_conv2d_line_i8",
    "depthwise_conv2d",
    accepts=_accepts,
    params=_params,
    arrays=_arrays,
    scratch_bytes=lambda site: _best(site).scratch_bytes,
    cycles=lambda site: -(-site.x.shape[3] // 4) * _best(site).cycles + 200,
    features=frozenset({"dsp"}),
)
