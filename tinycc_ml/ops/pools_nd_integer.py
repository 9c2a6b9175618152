"""Integer forms of pools over any number of axes (numerics.md §6): averages, and p-norms with p 1 or 2. Operands: x, and of
an average the multipliers by the number of values that count, from 0 on; of a norm the attribute multiplier."""

from __future__ import annotations

from math import isqrt, prod

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import TensorType
from ..numerics.fixedpoint import INT32_MAX, requantize, requantize_even, root_of
from .base import Arrays, Site
from .indexing import read
from .integer_end import accumulator_c, is_wide, narrowed, output_c
from .lowering import Lowering
from .reduce_integer import ROOT_BITS
from .windows_nd import windows


def counts(shape: tuple[int, ...], attrs: Attrs) -> np.ndarray:
    """How many values of each window of an average count, [1, 1, ...]. shape: of x."""
    rank = len(attrs["size"])
    begins, ends = attrs["pads"][:rank], attrs["pads"][rank:]
    if attrs["padded"]:
        sizes = (d + b + e for d, b, e in zip(shape[2:], begins, ends, strict=True))
        ones, attrs = np.ones((1, 1, *sizes)), {**attrs, "pads": (0,) * 2 * rank}
    else:
        ones = np.ones((1, 1, *shape[2:]))
    return windows(ones, attrs, 0).sum(axis=tuple(range(-rank, 0)))


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    attrs, zero = site.attrs, site.x.quant.zero  # type: ignore[union-attr]
    v = windows(arrays[0].astype(np.int64) - zero, attrs, 0)
    axes, shift = tuple(range(-len(attrs["size"]), 0)), attrs["pre_shift"]
    if attrs["kind"] == "average":
        multiplier = arrays[1][counts(site.x.shape, attrs).astype(np.int64)]
        y = requantize_even(v.sum(axis=axes), multiplier, shift)
    elif attrs["p"] == 1:
        y = requantize(np.abs(v).sum(axis=axes), attrs["multiplier"], shift)
    else:
        root = root_of(np.square(v).sum(axis=axes) << 2 * ROOT_BITS)
        y = requantize(root, attrs["multiplier"], shift)
    return (narrowed(site, y + site.y.quant.zero),)  # type: ignore[union-attr]


def _bound(x: TensorType, attrs: Attrs) -> int:
    """|sum| at most."""
    squared = attrs["kind"] == "lp" and attrs["p"] == 2
    return prod(attrs["kernel"]) * (2**x.dtype.bits - 1) ** (1 + squared)


def lower(low: Lowering) -> None:
    x, attrs = low.activation(0), low.attrs
    if attrs["kind"] == "lp" and attrs["p"] not in (1, 2):
        low.refuse(f"it is a norm with p {attrs['p']}, wanted 1 or 2")
    scale = x.type.quant.scale0 / low.y_quant.scale0  # type: ignore[union-attr]
    reached = bound = _bound(x.type, attrs)
    if attrs["kind"] == "average":
        scales = scale / np.arange(1, prod(attrs["kernel"]) + 1)
    elif attrs["p"] == 1:
        scales = np.asarray([scale])
    else:
        bound, scales = isqrt(bound << 2 * ROOT_BITS), np.asarray([scale / (1 << ROOT_BITS)])
    m = low.multiplier(scales, bound)
    too_large = not low.is_wide and max(reached, bound << m.pre_shift) > INT32_MAX
    if too_large or bound > INT32_MAX:
        low.refuse(f"the sum of {prod(attrs['kernel'])} values may leave the range of int32")
    if attrs["kind"] == "average":
        by_count = low.constant("multiplier", np.append(np.int32(0), m.value).astype(np.int32))
        low.emit("pool_nd", [x.name, by_count], {**attrs, "pre_shift": m.pre_shift})
    else:
        more = {"multiplier": int(m.value[0]), "pre_shift": m.pre_shift}
        low.emit("pool_nd", [x.name], {**attrs, **more})


def lines(site: Site, value: str) -> tuple[list[str], str, str]:
    """In C: what comes first, what is done with a value in the image, the result."""
    attrs, zero = site.attrs, site.x.quant.zero  # type: ignore[union-attr]
    kind = accumulator_c(site, _bound(site.x, attrs))
    minus = f" {'-' if zero > 0 else '+'} {abs(zero)}" if zero else ""
    start, real = [f"{kind} acc = 0;"], f"(int32_t){value}{minus}"
    if attrs["kind"] == "average":
        return start, f"acc += {real};", _mean_c(site)
    end = output_c(site, "acc", str(attrs["multiplier"]))
    if attrs["p"] == 1:
        return start, f"const int32_t v = {real}; acc += v < 0 ? -v : v;", end
    root = f"(int32_t)tml_root_u64((uint64_t)acc << {2 * ROOT_BITS})"
    end = output_c(site, root, str(attrs["multiplier"]))
    return start, f"const {kind} v = {real}; acc += v * v;", end


def _mean_c(site: Site) -> str:
    multiplier, shift = read(site, 1, "count"), site.attrs["pre_shift"]
    if is_wide(site):
        return output_c(site, "acc", multiplier, even=True)
    mean = f"tml_requantize_even(tml_shift_left(acc, {shift}), {multiplier})"
    return f"tml_saturate_i8({site.y.quant.zero} + {mean})"  # type: ignore[union-attr]
