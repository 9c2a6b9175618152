"""Numbers, units, texts and lists: what operators do with them. Every failure is a ValueError with the words."""

from __future__ import annotations

import math
import re
from typing import Any

from .limits import LIMITS
from .values import Tensor, Value, describe, is_int, is_number, shown

UNITS = {
    "": 1, "k": 1000, "K": 1024, "KB": 1024, "KiB": 1024, "M": 1024**2, "MB": 1024**2, "MiB": 1024**2,
    "Hz": 1, "kHz": 1000, "MHz": 10**6, "s": 1, "ms": 1e-3, "us": 1e-6, "dB": 1, "B": 1,
}  # fmt: skip
_PARTS = re.compile(r"(\d+)(\.\d+)?([eE][-+]?\d+)?(\w*)")
_LARGEST = 2**63


def number(text: str) -> int | float:
    """64K, 16kHz, 20ms, 1e-5. ValueError for an unknown unit, or when it is too large."""
    match = _PARTS.fullmatch(text)
    if match is None or len(text) > 40:
        raise ValueError(f"{text[:40]!r} is no number")
    unit = match[4]
    if unit not in UNITS:
        raise ValueError(f"{unit!r} is no unit; there are {', '.join(filter(None, UNITS))}")
    if match[2] or match[3]:
        value: int | float = float(text[: len(text) - len(unit)] if unit else text)
    else:
        value = int(match[1])
    return checked(value * UNITS[unit])


def checked(value: Any) -> Any:
    """A number that can be computed on with. ValueError otherwise."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("the result is no finite number")
    elif is_int(value) and abs(value) >= _LARGEST:
        raise ValueError("the result does not fit 64 bits")
    elif isinstance(value, (str, tuple)) and len(value) > LIMITS.items:
        raise ValueError(f"the result is longer than {LIMITS.items:,}")
    return value


def unquoted(raw: str) -> str:
    """The text of a string as written."""
    marks = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda m: marks.get(m[1], m[1]), raw[1:-1])


def negated(value: Value) -> Value:
    if not is_number(value):
        raise ValueError(f"'-' stands before a number, got {describe(value)}")
    return -value


def binary(op: str, a: Value, b: Value) -> Value:
    """a op b. ValueError when the operands don't fit the operator."""
    if op in ("==", "!="):
        return _same(a, b) == (op == "==")
    if op == "+" and type(a) is type(b) and isinstance(a, (str, tuple)):
        return checked(a + b)
    if not (is_number(a) and is_number(b)):
        raise ValueError(f"{op!r} does not work on {describe(a)} and {describe(b)}")
    if op in ("<", "<=", ">", ">="):
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
    try:
        return checked(_computed(op, a, b))
    except ZeroDivisionError:
        raise ValueError(f"{shown(a)} {op} 0 has no value") from None
    except OverflowError:
        raise ValueError("the result is too large") from None


def _computed(op: str, a: Any, b: Any) -> Any:
    if op == "**":
        if is_int(a) and is_int(b) and abs(a).bit_length() * max(b, 0) > 128:
            raise OverflowError
        result = a**b
        if isinstance(result, complex):
            raise ValueError(f"{shown(a)} ** {shown(b)} is no real number")
        return result
    if op == "/":
        return a // b if is_int(a) and is_int(b) and a % b == 0 else a / b
    return {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "//": lambda: a // b,
        "%": lambda: a % b,
    }[op]()


def _same(a: Value, b: Value) -> bool:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return a is b
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    return bool(a == b)
