"""The table of element-wise functions of any plain type: a line each. elementwise.py makes loops of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir.types import F16, dtype_of, plain_values
from ..numerics.minifloats import to_mini
from . import unary


@dataclass(frozen=True)
class Function:
    """`numpy` of the operands v0, v1, ...; the same in C for floats and for integers ("" where there is none;
    {t}: C type, {u}: unsigned of at least 32 bits, {s}: i64 or u64, {w}: the type's bits). `result`: "bool",
    or the operand that has the result's type; `mixed`: operands of several types; `bools`: C for bool."""

    numpy: Callable[..., np.ndarray]
    floats: str = ""
    integers: str = ""
    bools: str = ""
    onnx: str = ""
    result: str | int = 0
    mixed: bool = False


def _wrapped(operator: str) -> str:
    return f"({{t}})(({{u}})v0 {operator} ({{u}})v1)"


def _compared(numpy: Any, operator: str, onnx: str) -> Function:
    c = f"v0 {operator} v1"
    return Function(numpy, c, c, c, onnx, "bool")


def _bitwise(numpy: Any, operator: str, onnx: str) -> Function:
    return Function(numpy, integers=f"({{t}})(v0 {operator} v1)", onnx=onnx)


def _div(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind == "f":
        return np.divide(a, b)
    q = np.floor_divide(a, b)
    return np.where(b == 0, 0, q + ((q * b != a) & ((a < 0) != (b < 0)))).astype(a.dtype)


def _pow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return converted(np.power(a.astype(np.float64), b.astype(np.float64)), a.dtype)
    inverse = np.where(np.abs(a) == 1, np.power(a, np.abs(b)), 0)
    return np.where(b < 0, inverse, np.power(a, np.maximum(b, 0).astype(np.uint64 if a.dtype.kind == "u" else np.int64))).astype(a.dtype)  # fmt: skip


def _shift(numpy: Any) -> Callable[..., np.ndarray]:
    """Beyond the type's width, or by less than 0, nothing is left but the sign (right) or 0 (left)."""
    rest = (
        (lambda a: np.where(a < 0, -1, 0).astype(a.dtype))
        if numpy is np.right_shift
        else np.zeros_like
    )

    def shifted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        bits = 8 * a.itemsize
        return np.where((b < 0) | (b >= bits), rest(a), numpy(a, np.clip(b, 0, bits - 1)))

    return shifted


def converted(
    a: np.ndarray, dtype: np.dtype, saturate: bool = True, round_mode: str = "up"
) -> np.ndarray:
    """As a C cast; floats beyond an integer type give its nearest value, integers of less than 8 bits are the
    low bits. `saturate` and `round_mode` are those of ONNX's Cast to floats of 8 bits or less."""
    a, to = plain_values(a), dtype_of(np.empty(0, dtype))
    if to.is_mini:
        return to_mini(a.astype(np.float32), dtype, saturate, round_mode)
    if to.is_half and a.dtype != np.float32:
        a = a.astype(np.float64 if to == F16 else np.float32)
    if a.dtype.kind == "f" and to.is_integer:
        a = _whole(a, np.dtype(np.int32) if to.is_small else dtype)
    return a.astype(dtype)


def _whole(a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    info, whole = np.iinfo(dtype), np.trunc(np.nan_to_num(a.astype(np.float64), nan=0.0))
    high, low = whole >= float(info.max), whole <= float(info.min)
    made = np.where(high | low, 0, whole).astype(dtype)
    return np.where(high, info.max, np.where(low, info.min, made)).astype(dtype)


def _isinf(v: np.ndarray, detect_positive: int, detect_negative: int) -> np.ndarray:
    return np.isinf(v) & np.where(v > 0, bool(detect_positive), bool(detect_negative))


_I64 = "({t})tml_{op}_{s}(v0, v1)"

FUNCTIONS: Mapping[str, Function] = {
    "add": Function(np.add, "v0 + v1", _wrapped("+"), onnx="Add"),
    "sub": Function(np.subtract, "v0 - v1", _wrapped("-"), onnx="Sub"),
    "mul": Function(np.multiply, "v0 * v1", _wrapped("*"), onnx="Mul"),
    "div": Function(_div, "v0 / v1", _I64.replace("{op}", "div"), onnx="Div"),
    "mod": Function(np.mod, "fmodf(v0, v1) + (fmodf(v0, v1) != 0.0F && (fmodf(v0, v1) < 0.0F) != (v1 < 0.0F) ? v1 : 0.0F)", _I64.replace("{op}", "mod"), onnx="Mod"),
    "fmod": Function(np.fmod, "fmodf(v0, v1)", _I64.replace("{op}", "rem")),
    "pow": Function(_pow, "({t})pow((double)v0, (double)v1)", "({t})tml_pow_{s}(({x})v0, ({x})v1)", onnx="Pow", mixed=True),
    "minimum": Function(np.minimum, "v0 < v1 || v0 != v0 ? v0 : v1", "v0 < v1 ? v0 : v1", onnx="Min"),
    "maximum": Function(np.maximum, "v0 > v1 || v0 != v0 ? v0 : v1", "v0 > v1 ? v0 : v1", onnx="Max"),
    "equal": _compared(np.equal, "==", "Equal"),
    "less": _compared(np.less, "<", "Less"),
    "less_or_equal": _compared(np.less_equal, "<=", "LessOrEqual"),
    "greater": _compared(np.greater, ">", "Greater"),
    "greater_or_equal": _compared(np.greater_equal, ">=", "GreaterOrEqual"),
    "and": Function(np.logical_and, bools="v0 && v1", onnx="And"),
    "or": Function(np.logical_or, bools="v0 || v1", onnx="Or"),
    "xor": Function(np.logical_xor, bools="v0 != v1", onnx="Xor"),
    "not": Function(np.logical_not, bools="!v0", onnx="Not"),
    "bitwise_and": _bitwise(np.bitwise_and, "&", "BitwiseAnd"),
    "bitwise_or": _bitwise(np.bitwise_or, "|", "BitwiseOr"),
    "bitwise_xor": _bitwise(np.bitwise_xor, "^", "BitwiseXor"),
    "bitwise_not": Function(np.bitwise_not, integers="({t})~v0", onnx="BitwiseNot"),
    "shift_left": Function(_shift(np.left_shift), integers="({t})(({u})v1 >= {w} ? 0 : ({u})v0 << v1)"),
    "shift_right": Function(_shift(np.right_shift), integers="({t})(({u})v1 >= {w} ? (v0 < 0 ? -1 : 0) : v0 >> v1)"),
    "where": Function(np.where, "v0 ? v1 : v2", "v0 ? v1 : v2", "v0 ? v1 : v2", "Where", 1, mixed=True),
    "sign": Function(np.sign, "v0 > 0.0F ? 1.0F : v0 < 0.0F ? -1.0F : v0", "({t})(v0 > 0 ? 1 : v0 < 0 ? -1 : 0)", onnx="Sign"),
    "abs": Function(np.abs, "fabsf(v0)", "({t})(v0 < 0 ? 0U - ({u})v0 : ({u})v0)", onnx="Abs"),
    "neg": Function(np.negative, "-v0", "({t})(0U - ({u})v0)", onnx="Neg"),
    "relu": Function(lambda v: np.maximum(v, 0), "v0 > 0.0F ? v0 : 0.0F", "({t})(v0 > 0 ? v0 : 0)", onnx="Relu"),
    "is_nan": Function(np.isnan, "v0 != v0", onnx="IsNaN", result="bool"),
    "is_inf": Function(_isinf, "({detect_positive} && v0 > {big}) || ({detect_negative} && v0 < -{big})", onnx="IsInf", result="bool"),
    "prelu": Function(lambda v, slope: np.where(v < 0, v * slope, v), "v0 < 0.0F ? v0 * v1 : v0", "v0 < 0 ? " + _wrapped("*") + " : v0", onnx="PRelu"),
    **{n: Function(f.numpy, re.sub(r"\bv\b", "v0", f.c), onnx=f.onnx or "") for n, f in unary.FUNCTIONS.items() if n not in ("abs", "neg", "sign")},
}  # fmt: skip
