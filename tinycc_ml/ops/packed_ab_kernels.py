"""Kernels that unpack weights of less than a byte (packed_weights.py) to AB words, for cores with dual multiplies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from . import ab_columns, ab_words
from . import packed_weights as packing
from .ab_columns import Columns
from .ab_kernels import conv2d_accepts, params_of
from .base import PLANAR, Kernel, Site
from .contraction import settled
from .packed_kernels import NIBBLES, PALETTES, SPARSE, Form, flash_bytes, rows_of, too_long

_DSP = frozenset({"dsp"})
# Scratch for unpacked words, where speed counts and where memory is short
FAST_BYTES = 6144
SMALL_BYTES = 1536


@dataclass(frozen=True)
class AbForm:
    """A form as it is unpacked to AB words; weights are int8 [blocks, 4, 2 * steps]. `cycles`: to unpack a
    step of a block."""

    name: str
    has: Callable[[np.ndarray], bool]
    packed: Callable[[np.ndarray], np.ndarray]
    bytes: Callable[[np.ndarray], float]
    wanted: str
    cycles: float


NIBBLES_AB = AbForm(
    "nibbles",
    has=lambda steps: packing.nibble_groups(steps, 2) is not None,
    packed=packing.packed_nibbles_ab,
    bytes=lambda steps: packing.nibbles_bytes(steps, 2),
    wanted=NIBBLES.wanted,
    cycles=28.0,
)


def _palette(form: Form, size: int) -> AbForm:
    return AbForm(
        form.name,
        has=lambda steps: packing.palette_of(steps, size) is not None,
        packed=lambda steps: packing.packed_palette(packing.by_steps(steps), size),
        bytes=lambda steps: size + steps.size // (2 if size == 16 else 4),
        wanted=form.wanted,
        cycles=100.0,
    )


SPARSE_AB = AbForm(
    "sparse",
    has=lambda steps: True,
    packed=lambda steps: packing.packed_sparse(packing.by_steps(steps)),
    bytes=lambda steps: steps.size // 8 + int(np.count_nonzero(steps)),
    wanted=SPARSE.wanted,
    cycles=90.0,
)
FORMS = (NIBBLES_AB, *(_palette(f, s) for f, s in zip(PALETTES, (16, 4), strict=True)), SPARSE_AB)


@dataclass(frozen=True)
class Plan:
    """An image, and how many blocks of 4 channels are unpacked at a time."""

    columns: Columns
    blocks: int

    @property
    def words_bytes(self) -> int:
        return _block_bytes(self.columns) * self.blocks

    def parts(self) -> list[Columns]:
        """The image as it is computed, some channels at a time."""
        y_h, y_w, y_c = self.columns.y
        full, rest = divmod(y_c, 4)
        counts = [4 * min(self.blocks, full - b) for b in range(0, full, self.blocks)]
        counts += [min(y_c, 4)] if rest else []
        return [replace(self.columns, y=(y_h, y_w, count)) for count in counts]

    @property
    def scratch_bytes(self) -> int:
        return self.words_bytes + max(part.scratch_bytes for part in self.parts())


def _block_bytes(columns: Columns) -> int:
    return 4 * (2 * columns.steps + 8)


def plan_of(site: Site, words_bytes: int) -> Plan:
    columns = ab_columns.in_bands(ab_columns.of_conv2d(site), ab_columns.FAST_BYTES)
    blocks = -(-columns.y[2] // 4)
    return Plan(columns, min(max(words_bytes // _block_bytes(columns), 1), blocks))


def steps_of(site: Site, run: int) -> np.ndarray:
    """int8 [blocks, 4, 2 * steps]"""
    rows = rows_of(settled(site, 0))
    return _steps_of(rows.tobytes(), rows.shape, run)


@lru_cache(maxsize=32)
def _steps_of(data: bytes, shape: tuple[int, int], run: int) -> np.ndarray:
    rows = np.frombuffer(data, np.int8).reshape(shape)
    order = ab_words.runs_order(shape[1], run)
    return ab_words.in_steps(rows, ab_words.block_channels(shape[0]), order)


def _run(site: Site) -> int:
    return ab_columns.of_conv2d(site).run


def _accepts(site: Site, form: AbForm) -> str | None:
    if reason := conv2d_accepts(site):
        return reason
    steps = steps_of(site, _run(site))
    if not form.has(steps):
        return f"takes {form.wanted}"
    return too_long(form.bytes(steps), site.const(1).size, form.wanted)


def _arrays(site: Site, form: AbForm) -> tuple[tuple[str, np.ndarray], ...]:
    steps, made = steps_of(site, _run(site)), settled(site, 0)
    channels = ab_words.block_channels(len(made.const(1)))
    quant = ab_words.packed_quant(made.const(2), made.const(3), channels)
    return ("weights", form.packed(steps)), ("quant", quant)


def _params(site: Site, plan: Plan, planar: bool) -> dict[str, int | float]:
    image = params_of(site, plan.columns)
    image |= plan.columns.planar_pitches() if planar else {}
    return {**{f"image.{k}": v for k, v in image.items()}, "blocks": plan.blocks}


def _cycles(plan: Plan, form: AbForm, planar: bool) -> float:
    unpacked = -(-plan.columns.y[2] // 4) * (form.cycles * plan.columns.steps + 60)
    return unpacked + sum(1.03 * part.cycles(planar) + 80 for part in plan.parts())


def _kernel(form: AbForm, words_bytes: int, planar: bool) -> Kernel:
    def plan(site: Site) -> Plan:
        return plan_of(site, words_bytes)

    made = Kernel(
        f"tml_conv2d_ab_{form.name}_{'to_planar_' if planar else ''}i8",
        "conv2d",
        accepts=lambda site: _accepts(site, form),
        params=lambda site: _params(site, plan(site), planar),
        arrays=lambda site: _arrays(site, form),
        scratch_bytes=lambda site: plan(site).scratch_bytes,
        cycles=lambda site: _cycles(plan(site), form, planar),
        flash_bytes=lambda site: flash_bytes(site, form.bytes(steps_of(site, _run(site)))),
        features=_DSP,
    )
    return replace(made, y_format=PLANAR) if planar else made


CONV2D_KERNELS = tuple(
    _kernel(form, words_bytes, planar)
    for form in FORMS
    for planar in (False, True)
    for words_bytes in (FAST_BYTES, SMALL_BYTES)
)
