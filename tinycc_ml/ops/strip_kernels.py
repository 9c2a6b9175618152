"""Depthwise convolution by strips: for cores with dual multiplies (runtime_c/depthwise_conv2d/tml_strip_slots_i8.h)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .base import Kernel, Overlap, Site
from .contraction import accumulator_bound, needs, quantized_params
from .windows import Window, channelwise_params

Tiling = Callable[[Site], tuple[int, int]]

_SCRATCH_BYTES = 900  # more scarcely saves time


def window_of(site: Site) -> Window:
    return Window.of(site.attrs, site.inputs[1].shape[:2])  # type: ignore[arg-type]


def _accepts(site: Site, stride: int) -> str | None:
    window = window_of(site)
    if (window.kernel, window.strides, window.dilations) != ((3, 3), (stride, stride), (1, 1)):
        return f"takes 3x3 windows, stride {stride}, undilated"
    if site.x.shape[3] < 4:
        return "takes 4 channels or more"
    return needs(site, "i8", "i8") or refuses_results(site)


def refuses_results(site: Site) -> str | None:
    """Why 16 bits may not hold a result before it is clamped, or why pre_shift is not 0."""
    if site.attrs["pre_shift"]:
        return "needs a scale below 1/2"
    bound = accumulator_bound(site, 2)
    if int(bound.max(initial=0)) >= 1 << 31:
        return "needs accumulators below 2^31"
    reach = int((bound * site.const(3).astype(np.int64)).max(initial=0)) >> 32
    return "needs results below 2^15 before they are clamped" if reach + 257 >= 1 << 15 else None


def _slots(rows: int, stride: int) -> int:
    """Rows of a strip that `rows` rows of results are made from."""
    return (rows - 1) * stride + 3


def _slot_bytes(stride: int) -> int:
    return 36 if stride == 2 else 32


def _tiling(site: Site) -> tuple[int, int]:
    """Rows and strips at a time: as many rows as fit, in bands of equal size, then strips."""
    _, h, w, _ = site.y.shape
    stride = site.attrs["strides"][0]
    slots = _SCRATCH_BYTES // _slot_bytes(stride)
    bands = -(-h // ((slots - 3) // stride + 1))
    band = max(2, -(-h // bands))
    return band, max(1, min((w + 1) // 2, slots // _slots(band, stride)))


def _whole(site: Site) -> tuple[int, int]:
    """All rows and strips at a time: four channels are read before any of their results is written."""
    return max(2, site.y.shape[1]), (site.y.shape[2] + 1) // 2


def _lead(site: Site, tiling: Tiling) -> int:
    """How far y must begin before x, that no band of rows writes over what it or a later one reads."""
    (_, h, w, c), (_, xh, xw, _) = site.y.shape, site.x.shape
    band, stride = tiling(site)[0], site.attrs["strides"][0]
    lead = 0
    for first in range(0, h, band):
        read = min(max(first * stride - site.attrs["pads"][0], 0), xh) * xw * c
        lead = max(lead, min(first + band, h) * w * c - read)
    return lead


def _behind(site: Site, tiling: Tiling) -> tuple[Overlap, ...]:
    lead = _lead(site, tiling)
    return (Overlap(lead=lead),) if lead < site.y.bytes else ()


def _overlaps(site: Site) -> tuple[Overlap, ...]:
    """Blocks of 4 channels must not overlap, as the last one does when there is a rest."""
    same = site.x.shape == site.y.shape and site.x.shape[3] % 4 == 0
    return (Overlap(exact=True),) if same else ()


def _pays(site: Site, tiling: Tiling) -> str | None:
    """Whole images are for writing in place: where the strips take less room than a result beside x."""
    if tiling is not _whole or (_overlaps(site) and _scratch(site, _whole) <= site.y.bytes):
        return None
    return "in place takes 4 channels at a time and strips smaller than the result"


def _scratch(site: Site, tiling: Tiling) -> int:
    (band, strips), stride = tiling(site), site.attrs["strides"][0]
    return _slot_bytes(stride) * _slots(band, stride) * strips


def _params(site: Site, tiling: Tiling) -> dict[str, int | float]:
    band, strips = tiling(site)
    params = {**channelwise_params(site.x.shape, site.y.shape), **window_of(site).params()}
    shape = {
        k: v for k, v in params.items() if not k.startswith(("kernel_", "stride_", "dilation_"))
    }
    ends = {k: v for k, v in quantized_params(site).items() if k != "pre_shift"}
    zero = site.x.quant.zero  # type: ignore[union-attr]
    return {**shape, "x_zero_point": zero, **ends, "band": band, "strips": strips}


def channels_of(c: int) -> list[int]:
    """The channels of all blocks of 4: the last ones are the last 4, some of them for a second time."""
    starts = (min(k, c - 4) for k in range(0, c, 4))
    return [start + i for start in starts for i in range(4)]


def packed(
    weights: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, stride: int
) -> np.ndarray:
    """The stream: for each channel its rows of weights as words, bias and multiplier. weights: [KH, 3, C]."""
    kh, _, c = weights.shape
    channels = channels_of(c)
    order = (0, 2, 1) if stride == 2 else (0, 1, 2)
    rows = np.full((len(channels), kh, 4), -1, np.int8)
    rows[:, :, :3] = weights[:, order].transpose(2, 0, 1)[channels]
    words = rows.view("<i4").reshape(len(channels), kh)
    return (
        np.concatenate([words, bias[channels, None], multiplier[channels, None]], axis=1)
        .astype(np.int32)
        .ravel()
    )


def _stream(site: Site, stride: int) -> np.ndarray:
    return packed(site.const(1), site.const(2), site.const(3), stride)


# Modelled cycles on a Cortex-M4 of a row, a strip, neighbouring strips at a time, a block of 4 channels
_COSTS = {1: (153.7, 258.0, 106.0, 124.0), 2: (210.3, 259.5, 182.6, 5.0)}


def _cycles(site: Site, stride: int, tiling: Tiling) -> float:
    (_, h, w, c), (band, strips) = site.y.shape, tiling(site)
    bands, columns = -(-h // band), -(-w // 2)
    counts = (h * columns, bands * columns, bands * -(-columns // strips), 1)
    return -(-c // 4) * float(np.dot(_COSTS[stride], counts)) + 350


def _kernel(name: str, stride: int, tiling: Tiling) -> Kernel:
    return Kernel(
        name,
        "depthwise_conv2d",
        accepts=lambda site: _accepts(site, stride) or _pays(site, tiling),
        params=lambda site: _params(site, tiling),
        arrays=lambda site: (("weights", _stream(site, stride)),),
        scratch_bytes=lambda site: _scratch(site, tiling),
        overlaps=_overlaps if tiling is _whole else lambda site: _behind(site, tiling),
        cycles=lambda site: _cycles(site, stride, tiling),
        features=frozenset({"dsp"}),
    )


KERNELS = (
    _kernel("tml_depthwise_conv2d_strip_i8", 1, _tiling),
    _kernel("tml_depthwise_conv2d_strip_i8", 1, _whole),
    _kernel("tml_depthwise_conv2d_strip_s2_i8", 2, _tiling),
)
