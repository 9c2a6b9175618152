"""The functions of the language: on numbers, lists and shapes, and `param`, by which a block has weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...ir.types import DTYPES
from . import syntax as s
from .arithmetic import checked
from .binding import Parameter
from .params import param
from .problems import Fail
from .scope import Frame
from .values import Random, Tensor, Value, describe, is_number, shown, whole

if TYPE_CHECKING:
    from .evaluate import Evaluator

Values = Mapping[str, Value]
Function = Callable[["Evaluator", Frame, Values, s.Call], Value]
_AUTO_PADS = {"same": "SAME_UPPER", "same_lower": "SAME_LOWER"}


def _plain(function: Callable[..., Value]) -> Function:
    """A function of its arguments only."""
    return lambda evaluator, frame, values, call: checked(function(*values.values()))


def _range(evaluator: Evaluator, frame: Frame, values: Values, call: s.Call) -> Value:
    start, end, step = values["start"], values["end"], values["step"]
    if end is None:
        start, end = 0, start
    if step == 0:
        raise ValueError("a step of 0 never ends")
    count = len(range(start, end, step))
    if count > evaluator.limits.items:
        raise ValueError(f"a range of {count:,} is longer than {evaluator.limits.items:,}")
    return tuple(range(start, end, step))


def _dim(x: Tensor, axis: int) -> int:
    if not -len(x.shape) <= axis < len(x.shape):
        raise ValueError(f"{describe(x)} has no axis {axis}")
    return x.shape[axis]


def _each(value: Value, count: int) -> Value:
    if not isinstance(value, tuple):
        return _list_of(value, count)
    if len(value) != count:
        raise ValueError(
            f"the image has {count} {'axis' if count == 1 else 'axes'}, {shown(value)} has {len(value)} entries"
        )
    return value


def _list_of(value: Value, count: int) -> Value:
    if not 0 <= count <= 1000:
        raise ValueError(
            f"the operator works on images [N, C, H, W] or [N, C, W]: there are {count} axes"
            if count < 0
            else f"a list of {count}"
        )
    return (value,) * count


def _pads(pad: Value, axes: int) -> Value:
    if isinstance(pad, str):
        return None
    if not isinstance(pad, tuple):
        return (pad,) * (2 * max(axes, 0))
    if len(pad) == axes:
        return pad + pad
    if len(pad) != 2 * axes:
        raise ValueError(
            f"pad is a number, {axes} numbers, or {2 * axes}: before and after; got {shown(pad)}"
        )
    return pad


def _zip(a: tuple, b: tuple) -> Value:
    if len(a) != len(b):
        raise ValueError(f"lists of {len(a)} and {len(b)}")
    return tuple(zip(a, b, strict=True))


def _int(value: Value) -> int:
    if isinstance(value, bool):
        return int(value)
    if not is_number(value):
        raise ValueError(f"a number or a truth value, got {describe(value)}")
    return int(whole(value))


def _compare(choose: Callable[..., Any]) -> Function:
    return _plain(lambda a, b: choose(a, b))


def _fail(evaluator: Evaluator, frame: Frame, values: Values, call: s.Call) -> Value:
    raise Fail(values["message"], frame.source, call.callee.span, values["argument"])


def _array(evaluator: Evaluator, frame: Frame, values: Values, call: s.Call) -> Value:
    """Numbers as a constant of an element type."""
    dtype = DTYPES.get(values["type"])
    if dtype is None:
        raise ValueError(f"no element type {values['type']!r}; there are {', '.join(DTYPES)}")
    try:
        array = np.array(values["value"])
        made = array.astype(dtype.numpy)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"no numbers: {shown(values['value'])}") from None
    if array.dtype.kind not in "biuf" or (dtype.is_integer and not np.array_equal(array, made)):
        raise ValueError(f"{shown(values['value'])} does not fit {dtype}")
    return evaluator.constant(f"{frame.path}array", made, frame, call.callee.span)


def _f(function: Function, *parameters: Parameter) -> tuple[tuple[Parameter, ...], Function]:
    return parameters, function


_X = Parameter("x", "tensor")
_A, _B = Parameter("a", "number"), Parameter("b", "number")
_V = Parameter("value")

FUNCTIONS: Mapping[str, tuple[tuple[Parameter, ...], Function]] = {
    "range": _f(_range, Parameter("start", "int"), Parameter("end", "int", None), Parameter("step", "int", 1)),
    "len": _f(_plain(len), Parameter("list", "list")),
    "zip": _f(_plain(_zip), Parameter("a", "list"), Parameter("b", "list")),
    "shape": _f(_plain(lambda x: x.shape), _X),
    "dim": _f(_plain(_dim), _X, Parameter("axis", "int")),
    "rank": _f(_plain(lambda x: len(x.shape)), _X),
    "kind": _f(_plain(describe), _V),
    "each": _f(_plain(_each), _V, Parameter("count", "int")),
    "list_of": _f(_plain(_list_of), _V, Parameter("count", "int")),
    "is_list": _f(_plain(lambda v: isinstance(v, tuple)), _V),
    "min": _f(_compare(min), _A, _B),
    "max": _f(_compare(max), _A, _B),
    "abs": _f(_plain(abs), _A),
    "int": _f(_plain(_int), _V),
    "round": _f(_plain(round), _A),
    "floor": _f(_plain(math.floor), _A),
    "ceil": _f(_plain(math.ceil), _A),
    "auto_pad": _f(_plain(lambda pad: _AUTO_PADS.get(pad) if isinstance(pad, str) else None), Parameter("padding", "padding")),
    "pads": _f(_plain(_pads), Parameter("padding", "padding"), Parameter("axes", "int")),
    "param": _f(
        param, Parameter("name", "text"), Parameter("shape", "list", None), Parameter("given", "weight", None),
        Parameter("init", "text", "normal"),
    ),
    "array": _f(_array, _V, Parameter("type", "text", "f32")),
    "random": _f(_plain(Random), Parameter("seed", "int", 0)),
    "fail": _f(_fail, Parameter("message", "text"), Parameter("argument", "text", "")),
}  # fmt: skip
