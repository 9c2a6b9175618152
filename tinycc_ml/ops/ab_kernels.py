"""Kernels on AB words (ab_words.py) that the contractions share: for cores with dual multiplies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import ab_columns, ab_planes, ab_rgb, ab_words
from .ab_columns import Columns
from .base import PLAIN, PLANAR, Kernel, Site
from .contraction import accumulator_bound, needs, quantized_params, settled

_DSP = frozenset({"dsp"})


def _rows(site: Site) -> np.ndarray:
    """Weights [channels, K]."""
    weights = site.const(1)
    return weights.reshape(len(weights), -1).astype(np.int64)


def _refuses(site: Site, channels: np.ndarray) -> str | None:
    if reason := needs(site, "i8", "i8"):
        return reason
    site = settled(site, 0)
    return ab_words.refuses(site, _rows(site), accumulator_bound(site, 0), channels)


def _accepts_blocks(site: Site) -> str | None:
    return _refuses(site, ab_words.block_channels(len(site.const(1))))


def conv2d_accepts(site: Site) -> str | None:
    return "takes 1 group" if site.attrs["groups"] != 1 else _accepts_blocks(site)


def params_of(site: Site, columns: Columns) -> dict[str, int | float]:
    ends = {k: v for k, v in quantized_params(site).items() if k != "pre_shift"}
    zero = site.x.quant.zero  # type: ignore[union-attr]
    return {**columns.params(), "x_zero_point": zero, **ends}


def _stream(site: Site, columns: Columns) -> tuple[tuple[str, np.ndarray], ...]:
    site = settled(site, 0)
    packed = ab_words.packed_runs(_rows(site), site.const(2), site.const(3), columns.run)
    return (("weights", packed),)


def _columns_kernel(accepts: Callable[[Site], str | None], of: Callable[[Site], Columns]) -> Kernel:
    return Kernel(
        "tml_conv2d_ab_i8",
        "conv2d",
        accepts=accepts,
        params=lambda site: params_of(site, of(site)),
        arrays=lambda site: _stream(site, of(site)),
        scratch_bytes=lambda site: of(site).scratch_bytes,
        overlaps=lambda site: of(site).overlaps(),
        cycles=lambda site: of(site).cycles(),
        features=_DSP,
    )


def _fast(site: Site) -> Columns:
    return ab_columns.in_bands(ab_columns.of_conv2d(site), ab_columns.FAST_BYTES)


def _small(site: Site) -> Columns:
    """Few rows of y at a time, two where they share rows of x: little scratch, and the most of x that y may
    lie over."""
    columns = ab_columns.of_conv2d(site)
    return ab_columns.in_bands(columns, 0 if columns.kernel[0] > 1 else ab_columns.SMALL_BYTES)


def _small_accepts(site: Site) -> str | None:
    reason = conv2d_accepts(site)
    return reason or (None if _small(site) != _fast(site) else "needs more rows than it takes")


def _to_planar(accepts: Callable[[Site], str | None], of: Callable[[Site], Columns]) -> Kernel:
    return replace(
        _columns_kernel(accepts, of),
        name="tml_conv2d_ab_to_planar_i8",
        params=lambda site: {**params_of(site, of(site)), **of(site).planar_pitches()},
        overlaps=lambda site: of(site).overlaps(planar=True),
        cycles=lambda site: of(site).cycles(planar=True),
        y_format=PLANAR,
    )


def _from_planes(tile_bytes: int) -> tuple[Kernel, Kernel]:
    make, accepts = ab_planes.kernel, conv2d_accepts
    return (
        make("tml_conv2d_1x1_ab_planar_i8", PLANAR, accepts, tile_bytes),
        make("tml_conv2d_1x1_ab_from_planar_i8", PLAIN, accepts, tile_bytes),
    )


def _steady(tile_bytes: int) -> tuple[Kernel, ...]:
    """Those of more steps have loops of more than 1 KB."""
    few, more = frozenset({"speed", "balanced"}), frozenset({"speed"})
    return tuple(
        ab_planes.steady(channels, goals, conv2d_accepts, tile_bytes)
        for channels, goals in ((8, few), (16, few), (32, more))
    )


CONV2D_KERNELS = (
    _columns_kernel(conv2d_accepts, _fast),
    _columns_kernel(_small_accepts, _small),
)
PLANAR_CONV2D_KERNELS = (
    ab_rgb.kernel(conv2d_accepts, ab_columns.FAST_BYTES),
    ab_rgb.kernel(conv2d_accepts, ab_columns.SMALL_BYTES),
    _to_planar(conv2d_accepts, _fast),
    _to_planar(_small_accepts, _small),
    *_steady(ab_columns.FAST_BYTES),
    *_from_planes(ab_columns.FAST_BYTES),
    *_steady(ab_columns.SMALL_BYTES),
    *_from_planes(ab_columns.SMALL_BYTES),
)


def _vectors(site: Site) -> Columns:
    """The vectors are pixels."""
    k, n = site.x.shape[-1], site.y.shape[-1]
    return ab_columns.in_bands(ab_columns.of_pixels(site.x.size // k, k, n), ab_columns.FAST_BYTES)


def _dense_accepts(site: Site) -> str | None:
    return "takes two vectors or more" if site.x.size == site.x.shape[-1] else _accepts_blocks(site)


DENSE = replace(_columns_kernel(_dense_accepts, _vectors), per_image=False)


def _vector_accepts(site: Site) -> str | None:
    channels = ab_words.vector_channels(len(site.const(1)))
    return _refuses(site, channels) if site.x.size == site.x.shape[-1] else "takes one vector"


def _vector_params(site: Site) -> dict[str, int | float]:
    return {"x_len": site.x.shape[-1], "y_len": site.y.shape[-1], **quantized_params(site)}


def _vector_stream(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    site = settled(site, 0)
    rows = site.const(1).astype(np.int64)
    return (("weights", ab_words.packed_vector(rows, site.const(2), site.const(3))),)


DENSE_VECTOR = Kernel(
    "tml_dense_ab_i8",
    "dense",
    accepts=_vector_accepts,
    params=_vector_params,
    arrays=_vector_stream,
    scratch_bytes=lambda site: -(-site.x.shape[-1] // 4) * 8,
    cycles=lambda site: ab_words.vector_cycles(site.y.shape[-1], site.x.shape[-1]),
    per_image=False,
    features=_DSP,
)
