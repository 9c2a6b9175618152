"""The kernel of resize_linear: images whose weights are multiples of 1/16, as those of factors 2, 4 and 8 are."""

from __future__ import annotations

import numpy as np

from .base import Kernel, Site

# Weights of the integer graph are in 1 / 2^11
_UNIT = 2**11 // 16
_MOST = 1 << 16


def _refusal(site: Site) -> str | None:
    x, first = site.x, site.attrs["first"]
    if {x.dtype.name, site.y.dtype.name} != {"i8"} or x.rank != 4 or first[0] or first[3]:
        return f"takes i8 images whose height and width change, got {x}"
    if any(w % _UNIT for table in site.attrs["weight"] for w in table):
        return "takes weights that are multiples of 1/16"
    return None if max(x.shape) < _MOST else f"takes sizes below {_MOST}, got {x}"


def _params(site: Site) -> dict[str, int | float]:
    _, h, w, c = site.y.shape
    pitch, first = site.x.shape[2] * c, site.attrs["first"]
    return {
        "y_h": h,
        "y_w": w,
        "x_c": c,
        "x_row_pitch": pitch,
        "next_row": pitch if first[1] else 0,
        "next_col": c if first[2] else 0,
    }


def _arrays(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    return (*_tables(site, 1, "row"), *_tables(site, 2, "col"))


def _tables(site: Site, axis: int, name: str) -> tuple[tuple[str, np.ndarray], ...]:
    """Of an axis that stays as it is, every index with nothing of its neighbour."""
    size = site.y.shape[axis]
    first = site.attrs["first"][axis] or range(size)
    weight = site.attrs["weight"][axis] or (0,) * size
    parts = np.asarray(weight, np.int64) // _UNIT
    return (name, np.asarray(first, np.uint16)), (f"{name}_weight", parts.astype(np.uint8))


def _cycles(site: Site) -> float:
    c = site.y.shape[3]
    return site.y.size // c * (45.0 + 36.0 * (c // 4) + 25.0 * (c % 4))


KERNELS = (
    Kernel(
        "tml_resize_linear_sixteenths_i8",
        "resize_linear",
        accepts=_refusal,
        params=_params,
        arrays=_arrays,
        cycles=_cycles,
    ),
)
