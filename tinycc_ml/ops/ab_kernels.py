"""Kernels on AB words (ab_words.py) that the contractions share: for cores with dual multiplies."""

from __future__ import annotations

import numpy as np

from . import ab_words
from .base import Kernel, Overlap, Site
from .contraction import accumulator_bound, needs, quantized_params
from .windows import Window, image_params

_DSP = frozenset({"dsp"})


def _window(site: Site) -> Window:
    return Window.of(site.attrs, site.inputs[1].shape[1:3])  # type: ignore[arg-type]


def _run(site: Site) -> tuple[int, int]:
    """Inputs that follow each other in x and in the window, and how many such runs a window has."""
    kh, kw, c = site.inputs[1].shape[1:]
    return (kw * c, kh) if _window(site).dilations[1] == 1 else (c, kh * kw)


def _refuses(site: Site) -> str | None:
    weights = site.const(1)
    rows = weights.reshape(len(weights), -1).astype(np.int64)
    return needs(site, "i8", "i8") or ab_words.refuses(site, rows, accumulator_bound(site, 0))


def _conv2d_accepts(site: Site) -> str | None:
    if site.attrs["groups"] != 1:
        return "takes 1 group"
    return _refuses(site)


def _stream(site: Site, run: int) -> tuple[tuple[str, np.ndarray], ...]:
    weights = site.const(1)
    rows = weights.reshape(len(weights), -1).astype(np.int64)
    return (("weights", ab_words.packed(rows, site.const(2), site.const(3), run)),)


def _conv2d_params(site: Site) -> dict[str, int | float]:
    image: dict[str, int | float] = {
        **image_params(site.x.shape, site.y.shape),
        **_window(site).params(),
    }
    zero = site.x.quant.zero  # type: ignore[union-attr]
    return {**image, "groups": 1, "x_zero_point": zero, **quantized_params(site)}


def _overlaps(site: Site) -> tuple[Overlap, ...]:
    """Pointwise, a pixel is read before its results are written, over its own or earlier bytes."""
    narrower = site.y.shape[3] <= site.x.shape[3]
    return (Overlap(),) if narrower and _window(site).is_pointwise else ()


def _scratch(run: int, runs: int, channels: int) -> int:
    return 8 * ab_words.steps_of(run, runs) + run * runs + channels


CONV2D = Kernel(
    "tml_conv2d_ab_i8",
    "conv2d",
    accepts=_conv2d_accepts,
    params=_conv2d_params,
    arrays=lambda site: _stream(site, _run(site)[0]),
    scratch_bytes=lambda site: _scratch(*_run(site), site.y.shape[3]),
    overlaps=_overlaps,
    cycles=lambda site: ab_words.cycles(
        site.y.size // site.y.shape[3], site.y.shape[3], *_run(site)
    ),
    features=_DSP,
)


def _dense_run(site: Site) -> tuple[int, int]:
    return site.x.shape[-1], 1


def _dense_params(site: Site) -> dict[str, int | float]:
    """The vectors are the pixels of one image row."""
    k, n = site.x.shape[-1], site.y.shape[-1]
    count = site.x.size // k
    image = image_params((1, 1, count, k), (1, 1, count, n))
    zero = site.x.quant.zero  # type: ignore[union-attr]
    return {
        **image,
        **Window((1, 1)).params(),
        "groups": 1,
        "x_zero_point": zero,
        **quantized_params(site),
    }


def _dense_accepts(site: Site) -> str | None:
    return "takes two vectors or more" if site.x.size == site.x.shape[-1] else _refuses(site)


DENSE = Kernel(
    "tml_conv2d_ab_i8",
    "conv2d",
    accepts=_dense_accepts,
    params=_dense_params,
    arrays=lambda site: _stream(site, site.x.shape[-1]),
    scratch_bytes=lambda site: _scratch(*_dense_run(site), site.y.shape[-1]),
    cycles=lambda site: ab_words.cycles(
        site.x.size // site.x.shape[-1], site.y.shape[-1], *_dense_run(site)
    ),
    per_image=False,
    features=_DSP,
)


def _vector_accepts(site: Site) -> str | None:
    return _refuses(site) if site.x.size == site.x.shape[-1] else "takes one vector"


def _vector_params(site: Site) -> dict[str, int | float]:
    return {"x_len": site.x.shape[-1], "y_len": site.y.shape[-1], **quantized_params(site)}


def _vector_stream(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
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
