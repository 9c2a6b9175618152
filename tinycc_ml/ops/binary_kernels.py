"""The kernel of integer add and sub: two run-time operands of the result's shape."""

from __future__ import annotations

from dataclasses import replace

from ..numerics.fixedpoint import INT32_MAX
from .base import PLANAR, Kernel, Overlap, Site


def _refusal(site: Site) -> str | None:
    x0, x1 = site.inputs[:2]
    kinds = {t.type.dtype.name for t in (x0, x1)} | {site.y.dtype.name}
    if x0.is_constant or x1.is_constant or kinds != {"i8"}:
        return "takes two run-time operands of i8, and gives i8"
    if x0.shape != site.y.shape or x1.shape != site.y.shape:
        return f"takes operands of the result's shape, got {x0.type} and {x1.type}"
    return _number_refusal(site)


def _number_refusal(site: Site) -> str | None:
    attrs = site.attrs
    multipliers, shift = (attrs["multiplier0"], attrs["multiplier1"]), attrs["shift"]
    if shift < 1 or max(map(abs, multipliers)) >= 1 << 23:
        return (
            f"takes a shift of 1 or more and multipliers below 2^23, got {shift} and {multipliers}"
        )
    fits = _largest(site) + (1 << shift - 1) <= INT32_MAX
    return None if fits else "takes sums within int32"


def _largest(site: Site) -> int:
    """The sum furthest from 0, which is that of a corner."""
    attrs = site.attrs
    return max(
        abs(a * attrs["multiplier0"] + b * attrs["multiplier1"] + attrs["offset"])
        for a in (-128, 127)
        for b in (-128, 127)
    )


def _params(site: Site) -> dict[str, int | float]:
    names = ("multiplier0", "multiplier1", "offset", "shift")
    numbers = {name: site.attrs[name] for name in names}
    return {"n": site.y.size, **numbers, "y_min": site.attrs["q_min"], "y_max": site.attrs["q_max"]}


def _cycles(site: Site) -> float:
    limits = (site.attrs["q_min"] > -128) + (site.attrs["q_max"] < 127)
    return 40.0 + (6.2 + 0.75 * limits) * site.y.size


_PLAIN = Kernel(
    "tml_add_i8",
    "add",
    accepts=_refusal,
    params=_params,
    cycles=_cycles,
    activations=(0, 1),
    overlaps=lambda site: (Overlap(0), Overlap(1)),
    per_image=False,
)


def _planar_refusal(site: Site) -> str | None:
    return _refusal(site) or (None if site.y.rank == 4 else f"takes images, got {site.y}")


KERNELS = (
    _PLAIN,
    replace(_PLAIN, accepts=_planar_refusal, x_format=PLANAR, y_format=PLANAR),
)
