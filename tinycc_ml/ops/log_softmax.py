"""log(exp(x) / sum(exp(x))) along the last axis, and the integer logarithm of a sum of exponentials.

Integer (numerics.md §7): t as in softmax; log = log2(sum(t)) - 15 in 2^-20;
y = clamp((x_factor * (x - max) - log_factor * log + zero_y * 2^n) / 2^n rounded).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np

from ..ir.graph import Attrs, Tensor
from ..numerics.fixedpoint import LOG2_BITS, WIDE_MAX, log2_of, rounding_shift, shared_multipliers
from . import runs, softmax
from .base import Arrays, Loop, Nest, Op, QuantizeRule, Site
from .indexing import nested
from .integer_end import narrowed
from .lowering import Lowering

LOG_HEADER = "common/tml_log.h"
# log2 of the terms' unit, and what |x - max| and |log| in 2^-20 stay below
_UNIT = softmax.TERM_BITS << LOG2_BITS
_REACH = 1 << 25
# Steps of the result for one of x or of log: with as many or more it saturates at once
_MOST = 65536.0


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    shifted = arrays[0] - arrays[0].max(axis=-1, keepdims=True)
    return (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)),)


def emit_log_of_terms(low: Lowering, x: Tensor, count: int) -> None:
    """The integer node of a result of the form +-x +- log(sum of `count` exponentials of x): x, the exponentials'
    table; attributes x_factor, log_factor, shift."""
    table = softmax.terms_table(low, x, count)
    units = (x.type.quant.scale0, log(2) / (1 << LOG2_BITS), low.y_quant.scale0)  # type: ignore[union-attr]
    m = shared_multipliers(tuple(min(u / units[2], _MOST) for u in units), _REACH, WIDE_MAX)
    factors = {"x_factor": m.value[0], "log_factor": m.value[1], "shift": m.shift}
    low.emit(low.node.op, [x.name, table], {**low.attrs, **factors})


def log_of_terms(site: Site, d: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """log2 of the sum of the exponentials of -d steps of x along the axes, in 2^-20. d: 0 or more, somewhere 0."""
    terms = softmax.terms(site.const(1).astype(np.int64), d)
    return log2_of(terms.sum(axis=axes, keepdims=True)) - _UNIT


def log_c(total: str) -> str:
    """The same in C, of a uint32 sum of terms."""
    return f"(tml_log2_u64({total}) - {_UNIT})"


def finished(site: Site, steps: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """The result of steps of x and logarithms, each with its sign."""
    attrs, zero = site.attrs, site.y.quant.zero  # type: ignore[union-attr]
    acc = steps * attrs["x_factor"] + logs * attrs["log_factor"]
    return narrowed(site, rounding_shift(acc + (zero << attrs["shift"]), attrs["shift"]))


def finished_c(site: Site, steps: str, rest: str) -> str:
    """The same in C; `rest`: as `rest_c` makes it."""
    low, high = site.y.dtype.range
    acc = f"(int64_t)({steps}) * {site.attrs['x_factor']} + {rest}"
    return f"({site.y.dtype.c})tml_wide_sum({acc}, {site.attrs['shift']}, {low}, {high})"


def rest_c(site: Site, sign: str, logs: str) -> str:
    zero = site.y.quant.zero << site.attrs["shift"]  # type: ignore[union-attr]
    return f"{zero}LL {sign} (int64_t){logs} * {site.attrs['log_factor']}"


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    x = arrays[0].astype(np.int64)
    steps = x - x.max(axis=-1, keepdims=True)
    return (finished(site, steps, -log_of_terms(site, -steps, (-1,))),)


def _lower(low: Lowering) -> None:
    x = low.activation(0)
    emit_log_of_terms(low, x, x.shape[-1])


def _nest(site: Site) -> Nest:
    n = site.x.shape[-1]
    rows, at = site.x.size // n, f"{n}U * r + i"
    lines = _float_lines if site.is_float else _integer_lines
    in_place = (0,) if site.x.dtype == site.y.dtype else ()
    include = "math.h" if site.is_float else LOG_HEADER
    nest = nested(("r",), (rows,), lines(site, n, at))
    return Nest(nest, includes=(include,), in_place=in_place, cycles=90.0 * site.x.size)


def _float_lines(site: Site, n: int, at: str) -> Sequence[Loop | str]:
    return (
        f"float peak = x0[{n}U * r];",
        "float sum = 0.0F;",
        Loop("i", n, (f"peak = fmaxf(peak, x0[{at}]);",)),
        Loop("i", n, (f"sum += expf(x0[{at}] - peak);",)),
        "const float shift = peak + logf(sum);",
        Loop("i", n, (f"y0[{at}] = x0[{at}] - shift;",)),
    )


def _integer_lines(site: Site, n: int, at: str) -> Sequence[Loop | str]:
    place = f"const int32_t d = peak - x0[{at}];"
    return (
        f"int32_t peak = x0[{n}U * r];",
        "uint32_t sum = 0U;",
        Loop("i", n, (f"peak = x0[{at}] > peak ? x0[{at}] : peak;",)),
        Loop("i", n, (place, f"sum += {softmax.term_c(site)};")),
        f"const int64_t rest = {rest_c(site, '-', log_c('sum'))};",
        Loop("i", n, (f"y0[{at}] = {finished_c(site, f'x0[{at}] - peak', 'rest')};",)),
    )


OP = Op(
    "log_softmax",
    softmax.infer,
    reference,
    integer,
    runs=runs.along_last,
    quantize=QuantizeRule(_lower, judges_input=True),
    nest=_nest,
    transposed=softmax.transposed,
    onnx={"LogSoftmax": softmax.importer("log_softmax")},
    cases=softmax.cases("LogSoftmax"),
    summary="LogSoftmax",
)
