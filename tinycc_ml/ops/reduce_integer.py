"""Integer forms of reductions (numerics.md §6): a sum of v, |v| or v^2 of int8 or int16, then the sum itself, its root
or its logarithm, requantised; maxima and minima as they are; the logarithm of a sum of exponentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isqrt, log, prod

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import TensorType
from ..numerics.fixedpoint import (
    INT32_MAX,
    LOG2_BITS,
    log2_of,
    requantize,
    root_of,
    round_half_up,
)
from . import log_softmax, softmax
from .base import Arrays, Site
from .integer_end import accumulator_c, narrowed, output_c
from .lowering import Lowering

# Binary digits behind the point of a root
ROOT_BITS = 8
# In C: passes over the values {x}, each what comes before it and the lines for a value; then the result
Passes = tuple[Sequence[tuple[str, Sequence[str]]], str]


@dataclass(frozen=True)
class Sum:
    """`term` of each int32 v in C and in NumPy; `squared`: it is its square; `mean`: divided by the number of terms;
    `end`: what is made of the sum: "", root or log."""

    term: str
    numpy: Callable[[np.ndarray], np.ndarray]
    squared: bool = False
    mean: bool = False
    end: str = ""


SUMS: Mapping[str, Sum] = {
    "reduce_mean": Sum("v", np.positive, mean=True),
    "reduce_sum": Sum("v", np.positive),
    "reduce_l1": Sum("v < 0 ? -v : v", np.abs),
    "reduce_l2": Sum("v * v", np.square, squared=True, end="root"),
    "reduce_sum_square": Sum("v * v", np.square, squared=True),
    "reduce_log_sum": Sum("v", np.positive, end="log"),
}
EXTREMA: Mapping[str, str] = {"reduce_max": ">", "reduce_min": "<"}
EXPONENTIALS = "reduce_log_sum_exp"


def count(shape: tuple[int, ...], attrs: Attrs) -> int:
    return prod(shape[a] for a in attrs["axes"])


def has_form(name: str) -> bool:
    return name in SUMS or name in EXTREMA or name == EXPONENTIALS


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    name, axes, x = site.node.op, tuple(site.attrs["axes"]), arrays[0]
    if name in EXTREMA:
        return ((np.max if EXTREMA[name] == ">" else np.min)(x, axis=axes, keepdims=True),)
    if name == EXPONENTIALS:
        return (_log_sum_exp(site, x.astype(np.int64), axes),)
    v = x.astype(np.int64) - site.x.quant.zero  # type: ignore[union-attr]
    acc, lost = _ended(site, SUMS[name].numpy(v).sum(axis=axes, keepdims=True))
    y = requantize(acc, site.attrs["multiplier"], site.attrs["pre_shift"]) + site.y.quant.zero  # type: ignore[union-attr]
    return (narrowed(site, np.where(lost, site.y.dtype.range[0], y)),)


def _ended(site: Site, acc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is requantised, and where there is no logarithm."""
    end = SUMS[site.node.op].end
    if end == "root":
        return root_of(acc << 2 * ROOT_BITS), np.zeros(acc.shape, bool)
    if end == "log":
        return log2_of(np.maximum(acc, 1)) + site.attrs["log_of_scale"], acc <= 0
    return acc, np.zeros(acc.shape, bool)


def _log_sum_exp(site: Site, x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    peak = x.max(axis=axes, keepdims=True)
    logs = log_softmax.log_of_terms(site, peak - x, axes)
    return log_softmax.finished(site, peak - site.x.quant.zero, logs)  # type: ignore[union-attr]


def _bound(name: str, x: TensorType, attrs: Attrs) -> int:
    """|sum| at most."""
    reached = 2**x.dtype.bits - 1
    return count(x.shape, attrs) * (reached**2 if SUMS[name].squared else reached)


def lower(low: Lowering) -> None:
    x, name = low.activation(0), low.node.op
    if name == EXPONENTIALS:
        log_softmax.emit_log_of_terms(low, x, count(x.shape, low.attrs))
    elif name in EXTREMA:
        low.emit(name, [x.name], low.attrs)
    else:
        _lower_sum(low, x.type)


def _lower_sum(low: Lowering, x: TensorType) -> None:
    kind, attrs, unit = SUMS[low.node.op], dict(low.attrs), x.quant.scale0  # type: ignore[union-attr]
    terms, reached = count(x.shape, attrs), _bound(low.node.op, x, attrs)
    bound, scale = reached, unit**2 if kind.squared else unit
    if kind.end == "root":
        bound, scale = isqrt(reached << 2 * ROOT_BITS), unit / (1 << ROOT_BITS)
    elif kind.end == "log":
        attrs["log_of_scale"] = int(round_half_up(np.log2(unit) * (1 << LOG2_BITS)))
        bound = (reached.bit_length() << LOG2_BITS) + abs(attrs["log_of_scale"])
        scale = log(2) / (1 << LOG2_BITS)
    scale /= low.y_quant.scale0 * (terms if kind.mean else 1)
    m = low.multiplier(np.asarray([scale]), bound)
    if not low.is_wide and max(reached, bound << m.pre_shift) > INT32_MAX:
        low.refuse(f"the sum of {terms} values may leave the range of int32")
    if bound > INT32_MAX and kind.end:
        low.refuse(f"the sum of {terms} values is too large to take its {kind.end}")
    quantised = {"multiplier": int(m.value[0]), "pre_shift": m.pre_shift}
    low.emit(low.node.op, [low.activation(0).name], {**attrs, **quantised})


def passes_c(site: Site) -> Passes:
    name, zero, kind = site.node.op, site.x.quant.zero, "const int32_t v"  # type: ignore[union-attr]
    lowest, highest = site.x.dtype.range
    if name in EXTREMA:
        start = f"int32_t acc = {lowest if EXTREMA[name] == '>' else highest};"
        step = (f"{kind} = {{x}};", f"acc = v {EXTREMA[name]} acc ? v : acc;")
        return ((start, step),), f"({site.y.dtype.c})acc"
    if name == EXPONENTIALS:
        peak = (f"{kind} = {{x}};", "peak = v > peak ? v : peak;")
        terms = ("const int32_t d = peak - {x};", f"sum += {softmax.term_c(site)};")
        rest = log_softmax.rest_c(site, "+", log_softmax.log_c("sum"))
        end = log_softmax.finished_c(site, f"peak - {zero}", rest)
        return ((f"int32_t peak = {lowest};", peak), ("uint32_t sum = 0U;", terms)), end
    minus = f" {'-' if zero > 0 else '+'} {abs(zero)}" if zero else ""
    total = accumulator_c(site, _bound(name, site.x, site.attrs))
    term = SUMS[name].term
    if SUMS[name].squared and total != "int32_t":
        term = term.replace("v", f"({total})v", 1)
    step = (f"{kind} = (int32_t){{x}}{minus};", f"acc += {term};")
    return ((f"{total} acc = 0;", step),), _end_c(site)


def _end_c(site: Site) -> str:
    end, multiplier = SUMS[site.node.op].end, str(site.attrs["multiplier"])
    if end == "root":
        root = f"(int32_t)tml_root_u64((uint64_t)acc << {2 * ROOT_BITS})"
        return output_c(site, root, multiplier)
    if end == "log":
        made = f"tml_log2_u64((uint64_t)acc) + {site.attrs['log_of_scale']}"
        return f"acc <= 0 ? {site.y.dtype.range[0]} : {output_c(site, made, multiplier)}"
    return output_c(site, "acc", multiplier)


def includes(name: str) -> tuple[str, ...]:
    """The headers that the C needs."""
    log_of = name == EXPONENTIALS or (name in SUMS and SUMS[name].end == "log")
    root_of = name in SUMS and SUMS[name].end == "root"
    return (
        *((log_softmax.LOG_HEADER,) if log_of else ()),
        *(("common/tml_normalize.h",) if root_of else ()),
    )
