"""Geometry of the convolution with AB words as sliding columns (runtime_c/conv2d/tml_conv2d_ab_columns_i8.h): how
an image is turned so that its columns are long, how many rows go into scratch, what order bytes are read and
written in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from . import ab_words
from .base import Overlap, Site
from .windows import Window

# Scratch for the pairs of a strip, where speed counts
FAST_BYTES = 2048
# The same where memory is short, for pixels that share nothing
SMALL_BYTES = 512


@dataclass(frozen=True)
class Columns:
    """One image as the kernel sees it: sizes (h, w) or (h, w, c); pads: top, left; band: rows of y at a time."""

    x: tuple[int, int, int]
    y: tuple[int, int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int] = (0, 0)
    band: int = 1

    @property
    def run(self) -> int:
        """Inputs that follow each other in x and in the window."""
        return self.x[2] * (self.kernel[1] if self.dilations[1] == 1 else 1)

    @property
    def row_steps(self) -> int:
        """Pairs of inputs of a row of the window."""
        return self.kernel[1] * self.x[2] // self.run * ((self.run + 1) // 2)

    @property
    def steps(self) -> int:
        return self.kernel[0] * self.row_steps

    def rows_of(self, pairs: int, slide: int) -> int:
        """Rows in scratch of a strip whose windows are `slide` rows apart."""
        if self.kernel[0] == 1:
            return pairs
        if self.dilations[0] == 1 and slide < self.kernel[0]:
            return (pairs - 1) * slide + self.kernel[0]
        return pairs * self.kernel[0]

    @property
    def pairs_bytes(self) -> int:
        """Scratch for the pairs of the longest strip."""
        return 8 * self.row_steps * max(self.rows_of(s.pairs, s.slide) for s in self.band_strips(0))

    @property
    def scratch_bytes(self) -> int:
        four = 8 * max(s.pairs for s in self.band_strips(0)) if self.y[2] < ab_words.CHANNELS else 0
        behind = max(four, ab_words.beyond(self.run))
        return self.pairs_bytes + 2 * self.kernel[1] * self.x[2] + behind

    def band_strips(self, first: int) -> Iterator[Strip]:
        """Strips of the band from row `first` of y, as tml_conv2d_ab_strips_i8 goes through them."""
        end, stride = min(first + self.band, self.y[0]), self.strides[0]
        for col in range(0, self.y[1], 2):
            if self.y[1] - col >= 2:
                yield Strip(first, col, end - first, 2, end - first, stride)
                continue
            if end - first >= 2:
                rows = (end - first) // 2 * 2
                yield Strip(first, col, rows, 1, rows // 2, 2 * stride)
            if (end - first) % 2:
                yield Strip(end - 1, col, 1, 1, 1, stride)

    def strips(self) -> Iterator[Strip]:
        for first in range(0, self.y[0], self.band):
            yield from self.band_strips(first)

    def overlaps(self, planar: bool = False) -> tuple[Overlap, ...]:
        """The result before x, where that is less than both beside each other."""
        lead = self.lead(planar)
        return (Overlap(lead=lead),) if lead < prod(self.y) else ()

    def lead(self, planar: bool = False) -> int:
        """How far the result must begin before x, that no strip writes over what a later one reads. planar: of
        planes the last one is what matters, and how far it is written."""
        written, lead = 0, 0
        for strip in self.strips():
            lead = max(lead, written - self._first_read(strip))
            written = max(written, self._written(strip, planar))
        return lead

    def _first_read(self, strip: Strip) -> int:
        """The first byte of x that is read, at the least."""
        row = max(strip.row * self.strides[0] - self.pads[0], 0)
        col = max(strip.col * self.strides[1] - self.pads[1], 0)
        return (row * self.x[1] + min(col, self.x[1])) * self.x[2]

    def _written(self, strip: Strip, planar: bool) -> int:
        """The end of the bytes of y that are written."""
        h, w, c = self.y
        pixels = (strip.row + strip.rows - 1) * w + strip.col + strip.cols
        return (c - 1) * h * w + pixels if planar else pixels * c

    def cycles(self, planar: bool = False) -> float:
        """Modelled cycles on a Cortex-M4."""
        strips = list(self.strips())
        blocks = ab_words.cycles(sum(s.pairs for s in strips), self.y[2], self.steps, planar)
        calls = 2 if self.y[2] > ab_words.CHANNELS and self.y[2] % ab_words.CHANNELS else 1
        strip = (230 if self.kernel[0] > 1 else 140) + 90 * calls
        gathered = 600 if ab_words.beyond(self.run) else 0  # the end of x, not read as it lies
        return blocks + gathered + sum(strip + self._expansion(s) for s in strips)

    def _expansion(self, strip: Strip) -> float:
        """Cycles for the rows of a strip: as they lie, above and below x, and with taps beside it."""
        rows, (kh, kw) = self.rows_of(strip.pairs, strip.slide), self.kernel
        first = strip.row * self.strides[0] - self.pads[0]
        last = (strip.row + strip.rows - 1) * self.strides[0] - self.pads[0]
        last += (kh - 1) * self.dilations[0]
        outside = max(-first, 0) + max(last + 1 - self.x[0], 0)
        left = [(strip.col + k) * self.strides[1] - self.pads[1] for k in range(strip.cols)]
        beside = sum(max(-c, 0) + max(c + kw - self.x[1], 0) for c in left)
        row = 34.0 if self.run == 9 else 16 + 3.5 * self.run + (10 if self.run % 8 else 0)
        whole = (kw * self.x[2] // self.run - 1) * row if self.dilations[1] > 1 else 0.0
        return rows * (row + whole + 9 * beside * self.x[2]) + 200 * outside

    def params(self) -> dict[str, int | float]:
        """As fields of struct tml_conv2d_ab_params, for a plain result."""
        (xh, xw, xc), (yh, yw, yc) = self.x, self.y
        return {
            "x_h": xh, "x_w": xw, "x_c": xc, "x_row_pitch": xw * xc,
            "y_h": yh, "y_w": yw, "y_c": yc,
            "y_row_pitch": yw * yc, "y_col_pitch": yc, "y_channel_pitch": 1,
            "kernel_h": self.kernel[0], "kernel_w": self.kernel[1],
            "stride_h": self.strides[0], "stride_w": self.strides[1],
            "dilation_h": self.dilations[0], "dilation_w": self.dilations[1],
            "pad_top": self.pads[0], "pad_left": self.pads[1],
            "band": self.band, "pairs_bytes": self.pairs_bytes,
        }  # fmt: skip

    def planar_pitches(self) -> dict[str, int | float]:
        """The params fields that differ when the result is stored as planes."""
        h, w, _ = self.y
        return {"y_row_pitch": w, "y_col_pitch": 1, "y_channel_pitch": h * w}


@dataclass(frozen=True)
class Strip:
    """Its first row and column of y, how many of them, pairs of pixels, and rows of x from pair to pair."""

    row: int
    col: int
    rows: int
    cols: int
    pairs: int
    slide: int


def of_conv2d(site: Site) -> Columns:
    """The image of a convolution. Pointwise, all pixels are one column; an image of height 1 stands on end."""
    (_, xh, xw, xc), (_, yh, yw, yc) = site.x.shape, site.y.shape
    kernel = site.inputs[1].shape[1:3]
    window = Window.of(site.attrs, kernel)  # type: ignore[arg-type]
    if window.is_pointwise:
        return of_pixels(yh * yw, xc, yc)
    top, left = window.pads[:2]
    whole = Columns(
        (xh, xw, xc), (yh, yw, yc), window.kernel, window.strides, window.dilations, (top, left)
    )
    if xh == kernel[0] == yh == 1 and top == 0 and xc % 2 == 0:
        turned = {f: getattr(whole, f)[::-1] for f in ("kernel", "strides", "dilations", "pads")}
        return replace(whole, x=(xw, 1, xc), y=(yw, 1, yc), **turned)
    return whole


def of_pixels(count: int, x_c: int, y_c: int) -> Columns:
    return Columns((count, 1, x_c), (count, 1, y_c), (1, 1))


def in_bands(columns: Columns, scratch_bytes: int) -> Columns:
    """As many rows of y at a time as scratch for the pairs allows, an even number, at least 2."""
    height = columns.y[0]
    bands = [height, *range((height - 1) // 2 * 2, 2, -2)]

    def fits(band: int) -> bool:
        return replace(columns, band=band).pairs_bytes <= scratch_bytes

    # lower bands take no more
    first = bisect_left(bands, True, key=fits)
    return replace(columns, band=bands[first] if first < len(bands) else min(2, height))
