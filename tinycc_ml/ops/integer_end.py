"""How integer nodes end, in C, by the types of their activations: requantised, clamped, narrowed.

Nodes with int8 activations only requantise an int32 by the rule of numerics.md §2; those with int16 anywhere are
wide: the product with the multiplier is an int64, and so is the accumulator where its bound says so.
"""

from __future__ import annotations

import numpy as np

from ..ir.types import I16
from ..numerics.fixedpoint import INT32_MAX, WIDE_MAX
from .base import Site


def is_wide(site: Site) -> bool:
    """Whether the result or a run-time operand is a quantised int16."""
    types = [site.y, *(t.type for t in site.inputs if not t.is_constant)]
    return any(t.dtype == I16 and t.quant is not None for t in types)


def accumulator_c(site: Site, bound: np.ndarray | int) -> str:
    """The C type of an accumulator up to `bound` in size."""
    return "int64_t" if is_wide(site) and int(np.max(bound)) > INT32_MAX else "int32_t"


def fits(site: Site, bound: np.ndarray) -> bool:
    """Whether sums up to `bound` (as Op.accumulator gives it) are requantised without overflow."""
    if not is_wide(site):
        return int(bound.max(initial=0)) <= INT32_MAX
    multipliers = _multipliers(site)
    if multipliers.size != bound.size:
        multipliers = multipliers.max(initial=1)
    return bool(np.all(bound.ravel().astype(object) * multipliers <= WIDE_MAX))


def _multipliers(site: Site) -> np.ndarray:
    """Of each channel, or the one of the node: an attribute or the last operand."""
    if "multiplier" in site.attrs:
        return np.asarray([site.attrs["multiplier"]], np.int64)
    return np.abs(site.inputs[-1].value.astype(np.int64)).ravel()


def shifted(bound: np.ndarray, site: Site) -> np.ndarray:
    """A bound of the sum as one of what is multiplied."""
    return bound if is_wide(site) else bound << site.attrs["pre_shift"]


def output_c(site: Site, acc: str, multiplier: str, *, even: bool = False) -> str:
    """The C expression of the result: zero point + requantised `acc`, clamped to q_min..q_max, if it has those."""
    attrs, (low, high) = site.attrs, site.y.dtype.range
    limits = f"{site.y.quant.zero}, {attrs.get('q_min', low)}, {attrs.get('q_max', high)}"  # type: ignore[union-attr]
    if not is_wide(site):
        return f"tml_output_i8({acc}, {multiplier}, {attrs['pre_shift']}, {limits})"
    name = f"tml_output_wide{'_even' if even else ''}"
    return f"({site.y.dtype.c}){name}({acc}, {multiplier}, {32 - attrs['pre_shift']}, {limits})"


def clamped_integer_c(site: Site, value: str) -> str:
    """An int32 C expression, clamped to q_min..q_max and narrowed."""
    return f"({site.y.dtype.c})tml_clamp_i32({value}, {site.attrs['q_min']}, {site.attrs['q_max']})"


def narrowed(site: Site, value: np.ndarray) -> np.ndarray:
    """Integers clamped to q_min..q_max, or to what the type holds."""
    low, high = site.y.dtype.range
    limits = site.attrs.get("q_min", low), site.attrs.get("q_max", high)
    return np.clip(value, *limits).astype(site.y.dtype.numpy)


def reach(site: Site, k: int) -> int:
    """|x - zero point| of operand k at most."""
    type_ = site.inputs[k].type
    low, high = type_.dtype.range
    zero = type_.quant.zero  # type: ignore[union-attr]
    return max(high - zero, zero - low)
