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
    strides: tuple[int, int]
    edges: float  # cycles of a line for the columns beside the image
    y: tuple[int, int]

    @property
    def rounds(self) -> int:
        """Of a row of a window."""
        return rounds_of(self.kernel[1], self.strides[1])

    @property
    def group(self) -> int:
        """Columns of y that a group of sums covers; with stride 2 it covers two rows."""
        return _GROUP // self.strides[1]

    @property
    def line_pairs(self) -> int:
        return 3 * (self.groups + self.rounds) - 1

    @property
    def lines(self) -> int:
        rows = -(-self.rows // self.strides[1]) * self.strides[1]
        return (rows - 1) * self.strides[0] + self.kernel[0]

    @property
    def window_rounds(self) -> int:
        shared = self.strides[0] if self.strides[1] == 2 else 0
        return self.rounds * (self.kernel[0] + shared)

    @property
    def scratch_bytes(self) -> int:
        return _PAIR_BYTES * self.line_pairs * self.lines

    @property
    def cycles(self) -> float:
        """Modelled cycles of 4 channels on a Cortex-M4."""
        (h, w), (down_step, across_step) = self.y, self.strides
        across, down = -(-w // (self.group * self.groups)), -(-h // self.rows)
        pairs = -(-(w * across_step + across * (self.kernel[1] - 1)) // 2)
        again = (down - 1) * max(self.kernel[0] - down_step, 0)
        lines = (h - 1) * down_step + self.kernel[0] + again
        gathered = lines * (19.0 * pairs + 112 * across + self.edges)
        summed = -(-w // self.group) * (40.0 * self.window_rounds + 29) + 57 * across
        return gathered + 4 * -(-h // across_step) * summed + 12 * h * w + 130


def _edges(size: int, pads: tuple[int, ...]) -> float:
    """Columns outside are filled in; pairs that are half outside take longer."""
    ragged = pads[0] % 2 + (pads[1] > 0 and (size + pads[0]) % 2)
    return 45.0 * sum(pads) + 50 * ragged


def _tiles(site: Site) -> Iterator[Tile]:
    window, (_, h, w, _) = window_of(site), site.y.shape
    for turned in (False, True):
        kernel, strides, y = (
            (pair[::-1] if turned else pair) for pair in (window.kernel, window.strides, (h, w))
        )
        if strides[1] > 2:
            continue
        edges = _edges(
            site.x.shape[1 if turned else 2], window.pads[0::2] if turned else window.pads[1::2]
        )
        for rows in range(strides[1], y[0] + strides[1], strides[1]):
            for groups in range(1, -(-y[1] * strides[1] // _GROUP) + 1):
                tile = Tile(turned, rows, groups, kernel, strides, edges, y)
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
    if window.dilations != (1, 1) or min(window.strides) > 2:
        return "takes windows of stride 1 or 2 in a direction, undilated"
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
    sizes = {"rounds": tile.window_rounds, "line_pairs": tile.line_pairs}
    strides = {"stride_h": tile.strides[0], "stride_w": tile.strides[1]}
    tiles = {"tile_rows": tile.rows, "tile_groups": tile.groups}
    return {
        **image,
        "x_c": c,
        **strides,
        "x_zero_point": zero,
        **ends,
        **sizes,
        **tiles,
    }


def rounds_of(kernel_w: int, stride_w: int) -> int:
    """Rounds of a row of a window: three pairs each."""
    return -(-(kernel_w + 2 - stride_w) // 6)


def packed(
    weights: np.ndarray,
    bias: np.ndarray,
    multiplier: np.ndarray,
    line_pairs: int,
    strides: tuple[int, int],
) -> np.ndarray:
    """The stream of tml_line_windows_i8. weights: [KH, KW, C]."""
    rounds, channels = rounds_of(weights.shape[1], strides[1]), channels_of(weights.shape[2])
    even, odd = (_pairs(taps) for taps in _taps(weights.transpose(2, 0, 1)[channels], strides))
    steps = np.stack([even, odd], -1).reshape(len(channels), -1, rounds, 6)
    ways = np.full((*steps.shape[:3], 1), 3 * _PAIR_BYTES)
    ways[:, :, -1] = _PAIR_BYTES * (line_pairs - 3 * (rounds - 1))
    body = np.concatenate([steps, ways], -1).reshape(len(channels), -1)
    words = np.concatenate([bias[channels, None], body, multiplier[channels, None]], axis=1)
    return (words & 0xFFFFFFFF).astype(np.uint32).view(np.int32).ravel()


def _taps(weights: np.ndarray, strides: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Of the first and the second output of a word, over the same columns and lines: the second one is
    the next column's or, with stride 2, that of the next row. weights: [C, KH, KW]."""
    c, kh, kw = weights.shape
    lower = strides[0] if strides[1] == 2 else 0
    first = np.zeros((c, kh + lower, 6 * rounds_of(kw, strides[1])), np.int64)
    second = first.copy()
    first[:, :kh, :kw] = weights
    right = 2 - strides[1]
    second[:, lower:, right : kw + right] = weights
    return first, second


def _pairs(taps: np.ndarray) -> np.ndarray:
    return (taps[..., 0::2] & 0xFFFF) | ((taps[..., 1::2] & 0xFFFF) << 16)


def _arrays(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    tile, weights = _best(site), site.const(1)
    turned = weights.transpose(1, 0, 2) if tile.turned else weights
    return (
        ("weights", packed(turned, site.const(2), site.const(3), tile.line_pairs, tile.strides)),
    )


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
