"""Depthwise convolution on planar storage: for cores with dual multiplies
(runtime_c/depthwise_conv2d/tml_planar_blocks_i8.h, tml_planar_border_i8.h)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .base import PLANAR, Kernel, Overlap, Site
from .contraction import needs, quantized_params
from .planes import PIECE, Plane, blocks_bytes, line_bytes, plane_bytes, summed_bytes
from .strip_kernels import refuses_results, window_of

# Of a copied plane with what is summed up beside it; larger ones would have to be cut
_SCRATCH_BYTES = 6144


def _overlaps(site: Site) -> tuple[Overlap, ...]:
    """A plane is copied before its results are written, and these end where it ended or before."""
    x, y = Plane.of(site).x, Plane.of(site).y
    return (Overlap(),) if y[0] * y[1] <= x[0] * x[1] else ()


def _params(site: Site) -> dict[str, int | float]:
    ends = {k: v for k, v in quantized_params(site).items() if k != "pre_shift"}
    zero = site.x.quant.zero  # type: ignore[union-attr]
    return {**Plane.of(site).params(), "x_c": site.x.shape[3], "x_zero_point": zero, **ends}


def _others(site: Site) -> dict[str, int | float]:
    """What is not geometry."""
    of_planes = Plane.of(site).params().keys()
    return {k: v for k, v in _params(site).items() if k not in of_planes}


def _block_params(site: Site) -> dict[str, int | float]:
    return {**Plane.of(site).block_params(), **_others(site)}


def _line_params(site: Site) -> dict[str, int | float]:
    return {**Plane.of(site).line_params(), **_others(site)}


def _refuses(site: Site, scratch: int) -> str | None:
    """What all of them ask."""
    reason = needs(site, "i8", "i8") or refuses_results(site)
    too_large = scratch > _SCRATCH_BYTES
    return reason or (f"takes planes of at most {_SCRATCH_BYTES} bytes" if too_large else None)


def _refuses_3x3(site: Site, stride: int) -> str | None:
    window, (_, h, w, _) = window_of(site), site.y.shape
    if (window.kernel, window.strides, window.dilations) != ((3, 3), (stride, stride), (1, 1)):
        return f"takes 3x3 windows, stride {stride}, undilated"
    if h < 2 or w < stride:
        return f"takes 2 rows and {stride} columns of results or more"
    return None


def _accepts_s1(site: Site) -> str | None:
    """What is padding behind must not be a result's place."""
    plane = Plane.of(site)
    before = max(plane.pads) <= 1
    behind = all(y <= x + pad for x, y, pad in zip(plane.x, plane.y, plane.pads, strict=True))
    if reason := _refuses_3x3(site, 1):
        return reason
    if not (before and behind):
        return "takes padding of 1 on each side, or 2 behind"
    if plane.x[1] < 2 or plane.y[1] < 2 or plane.y[1] % plane.block_w == 1:
        return "takes 2 columns or more in each block"
    return _refuses(site, blocks_bytes(plane))


def _accepts_s2(site: Site) -> str | None:
    return _refuses_3x3(site, 2) or _refuses(site, plane_bytes(Plane.of(site)))


def _accepts_5x5(stride: int, site: Site) -> str | None:
    window, plane = window_of(site), Plane.of(site)
    if (window.kernel, window.strides, window.dilations) != ((5, 5), (stride, stride), (1, 1)):
        return f"takes 5x5 windows, stride {stride}, undilated"
    if plane.y[1] < 4:
        return "takes rows of 4 results or more"
    return _refuses(site, plane_bytes(plane))


def _accepts_rows(site: Site) -> str | None:
    plane = Plane.of(site)
    if window_of(site).dilations != (1, 1) or plane.strides[1] != 1:
        return "takes windows of horizontal stride 1, undilated"
    if plane.y[1] < 4:
        return "takes rows of 4 results or more"
    return _refuses(site, summed_bytes(plane))


def _accepts_line(site: Site) -> str | None:
    plane = Plane.of(site)
    if plane.x[0] != 1 or plane.y[0] != 1 or plane.kernel[0] != 1:
        return "takes images of one row or one column"
    if window_of(site).dilations != (1, 1) or plane.strides[1] != 1 or plane.kernel[1] > 16:
        return "takes windows of up to 16 taps, stride 1, undilated"
    if plane.y[1] < 4:
        return "takes rows of 4 results or more"
    return _refuses(site, line_bytes(plane))


def packed(weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of 3x3 windows: for each channel its rows of weights as words, bias and multiplier.
    weights: [3, 3, C]."""
    rows = np.full((weights.shape[2], 3, 4), -1, np.int8)
    rows[:, :, :3] = weights.transpose(2, 0, 1)
    words = rows.view("<i4").reshape(-1, 3)
    ends = np.stack([bias, multiplier], 1).astype(np.int32)
    return np.concatenate([words, ends], axis=1).ravel()


def packed_5x5(weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of 5x5 windows: for each channel bias, multiplier, four weights of each row in a word, and
    the fifth ones, four in a word and the last one. weights: [5, 5, C]."""
    taps = np.ascontiguousarray(weights.transpose(2, 0, 1))
    fours = np.ascontiguousarray(taps[:, :, :4]).view("<i4").reshape(-1, 5)
    fifths = np.ascontiguousarray(taps[:, :4, 4]).view("<i4")
    ends = np.stack([bias, multiplier], 1).astype(np.int32)
    return np.concatenate([ends, fours, fifths, taps[:, 4:, 4].astype(np.int32)], axis=1).ravel()


def packed_rows(weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of windows of any size: for each channel bias, multiplier, and the pieces of its rows:
    four weights in a word and the fifth. weights: [KH, KW, C]."""
    kh, kw, c = weights.shape
    pieces = -(-kw // PIECE)
    taps = np.zeros((c, kh, pieces * PIECE), np.int8)
    taps[:, :, :kw] = weights.transpose(2, 0, 1)
    taps = taps.reshape(c, kh * pieces, PIECE)
    fours = np.ascontiguousarray(taps[:, :, :4]).view("<i4")
    body = np.concatenate([fours, taps[:, :, 4:].astype(np.int32)], axis=2).reshape(c, -1)
    ends = np.stack([bias, multiplier], 1).astype(np.int32)
    return np.concatenate([ends, body], axis=1).ravel()


def packed_line(weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """The stream of windows of one row: 5 taps as in `packed_rows`, or for each channel bias, multiplier
    and taps as bytes. weights: [1, KW, C]."""
    _, kw, c = weights.shape
    if kw <= PIECE:
        return packed_rows(weights, bias, multiplier)
    taps = np.zeros((c, -(-kw // 4) * 4), np.int8)
    taps[:, :kw] = weights[0].T
    ends = np.stack([bias, multiplier], 1).astype(np.int32)
    return np.concatenate([ends, taps.view("<i4")], axis=1).ravel()


def _turned(site: Site) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    weights = site.const(1)
    turned = Plane.of(site).kernel != weights.shape[:2]
    return weights.transpose(1, 0, 2) if turned else weights, site.const(2), site.const(3)


def _around(site: Site, plane: Plane) -> float:
    """Modelled cycles on a Cortex-M4 of a plane for its copy, in stripes of up to 4 words, and its limits."""
    (rows, columns), (h, w) = plane.x, plane.y
    words, limited = -(-columns // 4), (site.attrs["q_min"], site.attrs["q_max"]) != (-128, 127)
    stripes = -(-words // 4)
    copied = rows * (2.0 * words + 5 * stripes) + 30 * stripes if columns >= 4 else 0.0
    copied = copied or rows * (16.0 * columns + 16)
    return copied + (9.0 * h * w if limited else 0.0)


def _moved(columns: int) -> int:
    """Words of a row, the last one partly over the one before, or bytes."""
    return max(2, -(-columns // 4)) if columns >= 4 else 3


# Modelled cycles on a Cortex-M4: a row of two outputs, of one; a strip, a block, a column by itself
_S1 = (22.75, 13.75, 24.0, 205.0, 40.0)


def _s1_cycles(site: Site) -> float:
    plane, (pair, one, strip, block, alone) = Plane.of(site), _S1
    h, w = plane.y
    slid = w // 2 * pair * h + w % 2 * (one * h + alone) + strip * -(-w // 2)
    limited = (site.attrs["q_min"], site.attrs["q_max"]) != (-128, 127)
    copied = 9.0 * h * w if limited else 0.0
    for i in range(0, w, plane.block_w):
        out = min(plane.block_w, w - i)
        copied += plane.x[0] * (2 * _moved(min(out + 2, plane.x[1])) + 4.75) + block
        copied += h * (2 * _moved(out) + 3.75)
    return site.x.shape[3] * (copied + slid) + 200 + 0.35 * blocks_bytes(plane)


# A row of two outputs, a strip, a plane; for an odd number of columns
_S2 = (38.5, 40.0, 115.0, 60.0)


def _s2_cycles(site: Site) -> float:
    plane, (pair, strip, fixed, odd) = Plane.of(site), _S2
    h, w = plane.y
    slid = -(-w // 2) * (pair * h + strip) + odd * (w % 2)
    return site.x.shape[3] * (_around(site, plane) + slid + fixed) + 100


# Of stride 1 and 2: a quad of outputs, a strip, a plane; for columns beside whole quads
_5X5 = ((149.0, 18.0, 238.0, 128.0), (181.6, 41.0, 115.0, 178.0))


def _5x5_cycles(site: Site) -> float:
    plane = Plane.of(site)
    quad, strip, fixed, beside = _5X5[plane.strides[1] - 1]
    slid = plane.begun * (quad * plane.y[0] + strip) + beside * (plane.y[1] % 4 > 0)
    return site.x.shape[3] * (_around(site, plane) + slid + fixed) + 100


def _rows_cycles(site: Site) -> float:
    plane = Plane.of(site)
    (h, w), pieces = plane.y, plane.kernel[0] * plane.pieces
    ends, rest = w // 4 + (w % 4 > 0), 107.0 * (w % 4 > 0)
    if pieces == 1:
        row = 37.0 * ends + 60
    else:
        row = 26.0 * plane.begun + 30 * (pieces - 2) * plane.begun + 41 * ends
        row += (76 if plane.pieces == 1 else 86) * pieces
    return site.x.shape[3] * (_around(site, plane) + h * (row + rest) + 90) + 100


def _line_cycles(site: Site) -> float:
    plane = Plane.of(site)
    quad = 37.0 if plane.kernel[1] <= PIECE else 40.0 + 17 * plane.chunks
    moved = 75.0 + plane.begun
    limited = (site.attrs["q_min"], site.attrs["q_max"]) != (-128, 127)
    copied = moved * (plane.padded * (1 + (plane.y[1] % 4 > 0)))
    fixed = 114.0 + copied + (9.0 * plane.y[1] if limited else 0.0)
    return site.x.shape[3] * (quad * plane.begun + fixed) + 350


def _kernel(
    kind: str,
    accepts: Callable[[Site], str | None],
    stream: Callable[[Site], np.ndarray],
    scratch: Callable[[Plane], int],
    cycles: Callable[[Site], float],
    params: Callable[[Site], dict[str, int | float]] = _params,
) -> Kernel:
    return Kernel(
        f"tml_depthwise_conv2d_{kind}",
        "depthwise_conv2d",
        accepts=accepts,
        params=params,
        arrays=lambda site: (("weights", stream(site)),),
        scratch_bytes=lambda site: scratch(Plane.of(site)),
        overlaps=_overlaps,
        cycles=cycles,
        x_format=PLANAR,
        y_format=PLANAR,
        features=frozenset({"dsp"}),
    )


def _stream(site: Site) -> np.ndarray:
    return packed(site.const(1), site.const(2), site.const(3))


def _5x5_stream(site: Site) -> np.ndarray:
    return packed_5x5(site.const(1), site.const(2), site.const(3))


def _rows_stream(site: Site) -> np.ndarray:
    return packed_rows(*_turned(site))


def _line_stream(site: Site) -> np.ndarray:
    return packed_line(*_turned(site))


KERNELS = (
    _kernel("planar_i8", _accepts_s1, _stream, blocks_bytes, _s1_cycles, _block_params),
    _kernel("planar_s2_i8", _accepts_s2, _stream, plane_bytes, _s2_cycles),
    _kernel("planar_5x5_i8", partial(_accepts_5x5, 1), _5x5_stream, plane_bytes, _5x5_cycles),
    _kernel("planar_5x5_s2_i8", partial(_accepts_5x5, 2), _5x5_stream, plane_bytes, _5x5_cycles),
    _kernel("planar_rows_i8", _accepts_rows, _rows_stream, summed_bytes, _rows_cycles),
    _kernel("planar_line_i8", _accepts_line, _line_stream, line_bytes, _line_cycles, _line_params),
)
