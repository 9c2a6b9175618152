"""Kernels that read weights in less than a byte (packed_weights.py), for the ops that sum products over all inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from . import packed_weights as packing
from .base import Kernel, Site
from .contraction import needs, portable_cycles, quantized_params

# A form serves when it takes at most this part of the bytes of int8
_WORTH = 0.9


@dataclass(frozen=True)
class Form:
    """A way to store weights. `has`: whether rows [channels, K] have its structure; `packed`: its stream, and
    how long that is. `slower`: cycles over those of portable int8."""

    name: str
    has: Callable[[np.ndarray], bool]
    packed: Callable[[np.ndarray], np.ndarray]
    bytes: Callable[[np.ndarray], float]
    wanted: str
    slower: Callable[[np.ndarray], float]


NIBBLES = Form(
    "nibbles",
    has=lambda rows: True,
    packed=packing.packed_nibbles,
    bytes=lambda rows: packing.nibbles_bytes(packing.in_blocks(rows)),
    wanted="groups of weights that are a multiple of -8..7",
    slower=lambda rows: 1.4,
)


def _palette(size: int) -> Form:
    """Tensors of at most `size` values."""
    return Form(
        f"palette_{size}",
        has=lambda rows: packing.palette_of(rows, size) is not None,
        packed=lambda rows: packing.packed_palette(packing.by_inputs(rows, "edge"), size),
        bytes=lambda rows: size + packing.in_blocks(rows).size // (2 if size == 16 else 4),
        wanted=f"at most {size} different weights",
        slower=lambda rows: 1.8,
    )


SPARSE = Form(
    "sparse",
    has=lambda rows: True,
    packed=lambda rows: packing.packed_sparse(packing.by_two_inputs(rows)),
    bytes=lambda rows: packing.by_two_inputs(rows).size // 8 + int(np.count_nonzero(rows)),
    wanted="weights many of which are 0",
    slower=lambda rows: 0.5 + 2.6 * float(np.mean(rows != 0)),
)
PALETTES = (_palette(16), _palette(4))
FORMS = (NIBBLES, *PALETTES, SPARSE)


def rows_of(site: Site) -> np.ndarray:
    """int8 [channels, K]"""
    weights = site.const(1)
    return weights.reshape(len(weights), -1)


def _accepts(site: Site, form: Form) -> str | None:
    if reason := needs(site, "i8", "i8"):
        return reason
    rows = rows_of(site)
    if not rows.size or not form.has(rows):
        return f"takes {form.wanted}"
    return too_long(form.bytes(rows), rows.size, form.wanted)


def too_long(packed: float, plain: int, wanted: str) -> str | None:
    return None if packed <= _WORTH * plain else f"takes {wanted}, of less bytes than int8"


def _arrays(site: Site, form: Form) -> tuple[tuple[str, np.ndarray], ...]:
    packed = form.packed(rows_of(site))
    return ("weights", packed), ("bias", site.const(2)), ("multiplier", site.const(3))


def flash_bytes(site: Site, packed: float) -> int:
    """Of the stream, biases and multipliers."""
    return int(packed) + 8 * site.inputs[1].shape[0]


def _cycles(site: Site, form: Form, vectors: int) -> float:
    rows = rows_of(site)
    return form.slower(rows) * portable_cycles(vectors, -(-len(rows) // 4) * 4, rows.shape[1])


def _dense_accepts(site: Site, form: Form) -> str | None:
    one = site.x.size == site.x.shape[-1]
    return _accepts(site, form) if one else "takes one vector"


def _dense_params(site: Site) -> dict[str, int | float]:
    return {"x_len": site.x.shape[-1], "y_len": site.y.shape[-1], **quantized_params(site)}


def _dense(form: Form) -> Kernel:
    return Kernel(
        f"tml_dense_{form.name}_i8",
        "dense",
        accepts=lambda site: _dense_accepts(site, form),
        params=_dense_params,
        arrays=lambda site: _arrays(site, form),
        cycles=lambda site: _cycles(site, form, 1),
        per_image=False,
        flash_bytes=lambda site: flash_bytes(site, form.bytes(rows_of(site))),
    )


def _conv2d_accepts(site: Site, form: Form) -> str | None:
    return "takes 1 group" if site.attrs["groups"] != 1 else _accepts(site, form)


def _conv2d_cycles(site: Site, form: Form) -> float:
    pixels, taps = site.y.size // site.y.shape[3], rows_of(site).shape[1]
    gathered = 105.0 * site.inputs[1].shape[1] + 2.6 * taps
    return _cycles(site, form, pixels) + pixels * gathered


def _conv2d(form: Form, params: Callable[[Site], Mapping[str, int | float]]) -> Kernel:
    return Kernel(
        f"tml_conv2d_{form.name}_i8",
        "conv2d",
        accepts=lambda site: _conv2d_accepts(site, form),
        params=params,
        arrays=lambda site: _arrays(site, form),
        scratch_bytes=lambda site: 2 * rows_of(site).shape[1],
        cycles=lambda site: _conv2d_cycles(site, form),
        flash_bytes=lambda site: flash_bytes(site, form.bytes(rows_of(site))),
    )


def _dense_dsp_accepts(site: Site) -> str | None:
    if site.x.size != site.x.shape[-1]:
        return "takes one vector"
    if reason := needs(site, "i8", "i8"):
        return reason
    rows = rows_of(site)
    if not rows.size:
        return f"takes {NIBBLES.wanted}"
    return too_long(packing.nibbles_dsp_bytes(rows), rows.size, NIBBLES.wanted)


def _dense_dsp_cycles(site: Site) -> float:
    rows = rows_of(site)
    blocks, eights = -(-len(rows) // 4), -(-rows.shape[1] // 8)
    groups = packing.groups_of_eights(rows)
    count = groups.count if groups else 0
    return blocks * (51.0 * eights + 150) + 85.0 * count + 40.0 * eights + 60


DENSE_DSP = Kernel(
    "tml_dense_nibbles_dsp_i8",
    "dense",
    accepts=_dense_dsp_accepts,
    params=_dense_params,
    arrays=lambda site: (
        ("weights", packing.packed_nibbles_dsp(rows_of(site))),
        ("bias", site.const(2)),
        ("multiplier", site.const(3)),
    ),
    scratch_bytes=lambda site: -(-site.x.shape[-1] // 8) * 16,
    cycles=_dense_dsp_cycles,
    per_image=False,
    features=frozenset({"dsp"}),
    flash_bytes=lambda site: flash_bytes(site, packing.nibbles_dsp_bytes(rows_of(site))),
)
DENSE_KERNELS = (*(_dense(form) for form in FORMS), DENSE_DSP)


def conv2d_kernels(params: Callable[[Site], Mapping[str, int | float]]) -> tuple[Kernel, ...]:
    """`params`: of struct tml_conv2d_params."""
    return tuple(_conv2d(form, params) for form in FORMS)
