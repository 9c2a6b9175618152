"""The integer forms of the functions of two values. Each writes its arithmetic twice: in NumPy and in C.

linear   y = clamp(rounding_shift(x0 * multiplier0 + x1 * multiplier1 + offset, shift)); a constant operand
         is an int32 array (int64 in wide nodes) at the accumulator's scale that holds the offset too
product  y = clamp(zero + requantize((x0 - z0) * (x1 - z1) << pre_shift, multiplier)); a constant operand is
         an int32 array of signed multipliers
quotient y = clamp(zero + requantize((x0 - z0) << pre_shift, table[x1 + 128])), table: the reciprocals
extremum the smaller or larger of two values of one quantisation

With one value on one side, any of them is a table (the op lut) on int8. Sums are bounded by construction: linear
below 2^30, product and quotient below 2^31 (255 * 255 << 15); linear in wide nodes (integer_end.py) below 2^62.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Tensor
from ..ir.types import Quant
from ..numerics.fixedpoint import (
    INT32_MAX,
    WIDE_MAX,
    requantize,
    round_half_up,
    rounding_shift,
    shared_multipliers,
)
from .base import Arrays, Site
from .indexing import read
from .integer_end import accumulator_c, clamped_integer_c, is_wide, narrowed, output_c, reach
from .lowering import Lowering
from .lut import emit_lut, rescaled

Function = Callable[[np.ndarray, np.ndarray], np.ndarray]
# |x - zero point| at most, of a run-time operand
REACH = {8: 255, 16: 65535}
# A quotient of that many steps of the result saturates, whatever the dividend
SATURATING = 512.0


@dataclass(frozen=True)
class Form:
    """`lower` emits the integer nodes, `integer` is what they compute, `statements` the same in C. `monotone`: it
    rises or falls with one operand, the other held."""

    lower: Callable[[Lowering], None]
    integer: Callable[[Site, Arrays], np.ndarray]
    statements: Callable[[Site, str, str, str], tuple[str, ...]]
    monotone: bool = True


def lower(low: Lowering, form: Form, function: Function) -> None:
    """A table where one operand is a single constant or both are one tensor, else the op's own form."""
    names = low.node.inputs
    if low.is_wide and (form.monotone or (form is DIV and low.is_constant(1))):
        form.lower(low)  # more exact than a table of int16
    elif names[0] == names[1]:
        _emit_table(low, low.activation(0), lambda real: function(real, real))
    elif low.is_constant(1) and low.real(1).size == 1:
        value = low.real(1).reshape(())
        _emit_table(low, low.activation(0), lambda real: function(real, value))
    elif low.is_constant(0) and low.real(0).size == 1:
        value = low.real(0).reshape(())
        _emit_table(low, low.activation(1), lambda real: function(value, real))
    else:
        form.lower(low)


def _emit_table(low: Lowering, x: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> None:
    if x.shape == low.y.shape:
        emit_lut(low, x, function)
        return
    y = emit_lut(low, x, function, replace(low.y, shape=x.shape))
    low.emit("reshape", [y], {"shape": low.y.shape})


def integer(form: Form, site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return (form.integer(site, arrays),)


def statements(form: Form, site: Site, left: str, right: str, out: str) -> tuple[str, ...]:
    return form.statements(site, left, right, out)


def _quant(tensor: Tensor) -> Quant:
    quant = tensor.type.quant
    assert quant is not None
    return quant


def _activation_side(low: Lowering) -> int | None:
    """Which operand is the activation when the other is a constant; None when both are activations."""
    if low.is_constant(0):
        return 1
    return 0 if low.is_constant(1) else None


def full_rank(low: Lowering, constant: np.ndarray) -> np.ndarray:
    """A constant operand with all the axes of the result: so that it can follow a transpose."""
    return constant.reshape((1,) * (low.y.rank - constant.ndim) + constant.shape)


def _less(value: str, zero: int) -> str:
    """value - zero as an int32 C expression."""
    if zero == 0:
        return f"(int32_t){value}"
    return f"((int32_t){value} {'-' if zero > 0 else '+'} {abs(zero)})"


def _linear(low: Lowering, signs: tuple[int, int]) -> None:
    k, y = _activation_side(low), low.y_quant
    if k is not None:
        _linear_constant(low, k, signs)
        return
    x0, x1 = low.activation(0), low.activation(1)
    q0, q1 = _quant(x0), _quant(x1)
    m0, m1, one, shift = _shared(
        low, (signs[0] * q0.scale0 / y.scale0, signs[1] * q1.scale0 / y.scale0)
    )
    attrs = {"multiplier0": m0, "multiplier1": m1, "shift": shift}
    attrs["offset"] = one * y.zero - m0 * q0.zero - m1 * q1.zero
    low.emit(low.node.op, [x0.name, x1.name], {**attrs, **low.limits()})


def _linear_constant(low: Lowering, k: int, signs: tuple[int, int]) -> None:
    """The constant's peak counts as a second term, so that it fits the accumulator."""
    x, y = low.activation(k), low.y_quant
    reached = REACH[16 if low.is_wide else 8]
    steps = signs[1 - k] * low.real(1 - k).astype(np.float64) / y.scale0
    quant = _quant(x)
    m, _, one, shift = _shared(
        low, (signs[k] * quant.scale0 / y.scale0, np.abs(steps).max() / reached)
    )
    offset = round_half_up(steps * 2.0**shift) + one * y.zero - m * quant.zero
    constant = low.constant("offset", low.stored(full_rank(low, offset), "its constant"))
    low.emit(low.node.op, [x.name, constant], {"multiplier0": m, "shift": shift, **low.limits()})


def _shared(low: Lowering, scales: tuple[float, float]) -> tuple[int, int, int, int]:
    """Two factors, the 1 of the result's zero point, and the shift."""
    most, bits = (WIDE_MAX, 16) if low.is_wide else (INT32_MAX, 8)
    try:
        factors = shared_multipliers((*scales, 1.0), REACH[bits], most)
    except ValueError as error:
        low.refuse(str(error))
    return (*factors.value, factors.shift)  # type: ignore[return-value]


def _linear_integer(site: Site, arrays: Arrays) -> np.ndarray:
    attrs = site.attrs
    acc = arrays[0].astype(np.int64) * attrs["multiplier0"]
    if "multiplier1" in attrs:
        acc = acc + arrays[1].astype(np.int64) * attrs["multiplier1"] + attrs["offset"]
    else:
        acc = acc + arrays[1]
    return narrowed(site, rounding_shift(acc, attrs["shift"]))


def _linear_c(site: Site, left: str, right: str, out: str) -> tuple[str, ...]:
    attrs = site.attrs
    kind = "int64_t" if is_wide(site) else "int32_t"
    acc = f"({kind}){read(site, 0, left)} * {attrs['multiplier0']} + "
    if "multiplier1" in attrs:
        offset = attrs["offset"]
        acc += f"({kind}){read(site, 1, right)} * {attrs['multiplier1']}"
        literal = f"{abs(offset)}{'LL' if abs(offset) > INT32_MAX else ''}"
        acc += f" {'-' if offset < 0 else '+'} {literal}" if offset else ""
    else:
        acc += read(site, 1, right)
    if is_wide(site):
        result = f"tml_wide_sum(acc, {attrs['shift']}, {attrs['q_min']}, {attrs['q_max']})"
        return (f"const int64_t acc = {acc};", f"{out} = ({site.y.dtype.c}){result};")
    value = clamped_integer_c(site, f"tml_rounding_shift(acc, {attrs['shift']})")
    return (f"const int32_t acc = {acc};", f"{out} = {value};")


def _product(low: Lowering) -> None:
    k, y = _activation_side(low), low.y_quant
    if k is not None:
        emit_scaling(low, k, low.real(1 - k).astype(np.float64))
        return
    x0, x1 = low.activation(0), low.activation(1)
    scale = _quant(x0).scale0 * _quant(x1).scale0 / y.scale0
    m = low.multiplier(np.asarray([scale]), REACH[x0.type.dtype.bits] * REACH[x1.type.dtype.bits])
    attrs = {"multiplier": int(m.value[0]), "pre_shift": m.pre_shift, **low.limits()}
    low.emit("mul", [x0.name, x1.name], attrs)


def emit_scaling(low: Lowering, k: int, factor: np.ndarray) -> None:
    """Operand k times a real constant, as the integer op mul."""
    if not np.all(np.isfinite(factor)):
        low.refuse("a constant factor is infinite or no number")
    x = low.activation(k)
    scale = factor * _quant(x).scale0 / low.y_quant.scale0
    m = low.multiplier(np.abs(scale), REACH[x.type.dtype.bits])
    values = np.sign(scale) * m.value.reshape(scale.shape)
    signed = low.constant("multiplier", full_rank(low, values).astype(np.int32))
    low.emit("mul", [x.name, signed], {"pre_shift": m.pre_shift, **low.limits()})


def _product_integer(site: Site, arrays: Arrays) -> np.ndarray:
    attrs, y = site.attrs, _quant(site.outputs[0])
    acc = arrays[0].astype(np.int64) - _quant(site.inputs[0]).zero
    if "multiplier" in attrs:
        acc = acc * (arrays[1].astype(np.int64) - _quant(site.inputs[1]).zero)
        m: np.ndarray | int = attrs["multiplier"]
    else:
        m = arrays[1]
    return narrowed(site, requantize(acc, m, attrs["pre_shift"]) + y.zero)


def _product_c(site: Site, left: str, right: str, out: str) -> tuple[str, ...]:
    x0 = _less(read(site, 0, left), _quant(site.inputs[0]).zero)
    if "multiplier" in site.attrs:
        x1 = _less(read(site, 1, right), _quant(site.inputs[1]).zero)
        kind = accumulator_c(site, reach(site, 0) * reach(site, 1))
        cast = f"({kind})" if kind != "int32_t" else ""
        return (
            f"const {kind} acc = {cast}{x0} * {x1};",
            f"{out} = {output_c(site, 'acc', str(site.attrs['multiplier']))};",
        )
    return _scaled_c(site, x0, read(site, 1, right), site.const(1), out)


def _scaled_c(site: Site, v: str, m: str, multipliers: np.ndarray, out: str) -> tuple[str, ...]:
    """requantize takes no negative multiplier; -v * -m is the same number."""
    lines = (f"const int32_t v = {v};", f"const int32_t m = {m};")
    if multipliers.min() < 0:
        return (*lines, f"{out} = {output_c(site, 'm < 0 ? -v : v', 'm < 0 ? -m : m')};")
    return (*lines, f"{out} = {output_c(site, 'v', 'm')};")


def _quotient(low: Lowering) -> None:
    """By a constant: times its reciprocal. By an activation: a table of its reciprocals."""
    if low.is_constant(0):
        low.refuse("it divides a constant of several values by an activation")
    if low.is_constant(1):
        divisor = low.real(1).astype(np.float64)
        if np.any(divisor == 0):
            low.refuse("its constant divisor holds a zero")
        emit_scaling(low, 0, 1.0 / divisor)
        return
    if low.is_wide:
        low.refuse("it divides by an activation, which int16 has no table for", "use int8 here")
    x0, x1 = low.activation(0), low.activation(1)
    q0, q1 = _quant(x0), _quant(x1)
    divisors = np.arange(-128, 128, dtype=np.float64) - q1.zero
    unit = q0.scale0 / (q1.scale0 * low.y_quant.scale0)
    scale = np.divide(unit, divisors, out=np.full(256, SATURATING), where=divisors != 0)
    m = low.multiplier(np.minimum(np.abs(scale), SATURATING))
    table = low.constant("reciprocals", (np.sign(scale) * m.value).astype(np.int32))
    low.emit("div", [x0.name, x1.name, table], {"pre_shift": m.pre_shift, **low.limits()})


def _quotient_integer(site: Site, arrays: Arrays) -> np.ndarray:
    x0, x1, table = arrays
    acc = x0.astype(np.int64) - _quant(site.inputs[0]).zero
    m = table[x1.astype(np.int64) + 128]
    return narrowed(
        site, requantize(acc, m, site.attrs["pre_shift"]) + _quant(site.outputs[0]).zero
    )


def _quotient_c(site: Site, left: str, right: str, out: str) -> tuple[str, ...]:
    x0 = _less(read(site, 0, left), _quant(site.inputs[0]).zero)
    m = read(site, 2, f"{read(site, 1, right)} + 128")
    return _scaled_c(site, x0, m, site.const(2), out)


def _power(low: Lowering) -> None:
    low.refuse("it takes an exponent or a base that is one constant value")


def _extremum(low: Lowering) -> None:
    """Both operands at the result's quantisation first; the order of values survives the rounding."""
    low.emit(low.node.op, [rescaled(low, 0), rescaled(low, 1)], {})


def _extremum_form(function: Function, relation: str) -> Form:
    def in_c(site: Site, left: str, right: str, out: str) -> tuple[str, ...]:
        a, b = read(site, 0, left), read(site, 1, right)
        return (
            f"const {site.y.dtype.c} v0 = {a};",
            f"const {site.y.dtype.c} v1 = {b};",
            f"{out} = v0 {relation} v1 ? v0 : v1;",
        )

    return Form(_extremum, lambda site, arrays: function(arrays[0], arrays[1]), in_c)


ADD = Form(lambda low: _linear(low, (1, 1)), _linear_integer, _linear_c)
SUB = Form(lambda low: _linear(low, (1, -1)), _linear_integer, _linear_c)
MUL = Form(_product, _product_integer, _product_c)
DIV = Form(_quotient, _quotient_integer, _quotient_c, monotone=False)
POW = Form(_power, _quotient_integer, _quotient_c, monotone=False)
MINIMUM = _extremum_form(np.minimum, "<")
MAXIMUM = _extremum_form(np.maximum, ">")
