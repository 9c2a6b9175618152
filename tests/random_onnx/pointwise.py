"""Element-wise operators: of one value, of two, comparisons, logic, bits, casts."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from onnx import helper

from .entry import Entry
from .writer import Value, Writer

PLAIN = (np.float32, np.int32, np.int64, np.uint8, np.int8, np.bool_)


def unary(
    op: str, low: float = -inf, high: float = inf, away: float = 0.0, *, exact: bool = False,
    keeps: bool = False, since: int = 11, **attrs: tuple[float, ...],
) -> Entry:  # fmt: skip
    """On floats in low..high; `exact`: it has jumps; `keeps`: it rounds nothing. attrs: choices."""

    def draw(w: Writer) -> None:
        x = w.real(low=low, high=high, away=away, exact=exact)
        chosen = {k: w.one_of(*v) for k, v in attrs.items() if w.chance(0.7)}
        w.node(op, [x], exact=exact or keeps, **chosen)

    return Entry(op, draw, since)


def _whole_unary(op: str, *kinds: Any) -> Entry:
    return Entry(op, lambda w: w.node(op, [w.integer(*kinds)], exact=True))


def binary(
    op: str, low: float = -inf, high: float = inf, away: float = 0.0, *, exact: bool = False,
    keeps: bool = False, since: int = 11, **attrs: Any,
) -> Entry:  # fmt: skip
    """On two floats with broadcasting, the second in low..high."""

    def draw(w: Writer) -> None:
        x = w.real(exact=exact)
        pair = [x, w.like(x, low=low, high=high, away=away)]
        if exact and not pair[1].exact:
            pair[1] = w.constant(w.floats(w.broadcast(x.shape), grid=True))
        if not (away or low > -inf) and w.chance(0.3):
            pair.reverse()
        w.node(op, pair, exact=exact or keeps, **attrs)

    return Entry(op, draw, since)


def whole(op: str, *kinds: Any, away: float = 0.0, **attrs: Any) -> Entry:
    """On two integers with broadcasting."""

    def draw(w: Writer) -> None:
        x = w.integer(*kinds)
        w.node(op, [x, w.like(x, away=away)], exact=True, **attrs)

    return Entry(op, draw)


def _variadic(op: str, keeps: bool) -> Entry:
    def draw(w: Writer) -> None:
        x = w.real()
        w.node(op, [x, *(w.like(x) for _ in range(w.whole(0, 2)))], exact=keeps)

    return Entry(op, draw)


def _compare(op: str) -> Entry:
    def draw(w: Writer) -> None:
        x = w.real(exact=True) if w.chance(0.5) else w.integer(np.int32, np.int64)
        other = w.like(x)
        if not other.exact:
            other = w.constant(w.floats(w.broadcast(x.shape), grid=True))
        w.node(op, [x, other], exact=True)

    return Entry(op, draw)


def _logic(op: str) -> Entry:
    def draw(w: Writer) -> None:
        x = w.integer(np.bool_, high=1)
        w.node(op, [x, w.like(x)], exact=True)

    return Entry(op, draw)


def _where(w: Writer) -> None:
    x = w.any()
    condition = w.integer(np.bool_, high=1, fits=lambda v: v.shape == x.shape)
    if condition.shape != x.shape:
        condition = w.constant(w.integers(np.bool_, w.broadcast(x.shape), high=1))
    w.node("Where", [condition, *w.rng.sample([x, w.like(x)], 2)], exact=True)


def _clip(w: Writer) -> None:
    x = w.real() if w.chance(0.8) or w.opset < 12 else w.integer(np.int32, np.int64)
    low, high = sorted((w.whole(-4, 6) / 2, w.whole(-4, 6) / 2))
    ends: list[Value | None] = [
        w.constant(np.asarray(v, x.kind)) if w.chance(0.7) else None for v in (low, high)
    ]
    w.node("Clip", [x, *ends], exact=True)


def _prelu(w: Writer) -> None:
    x = w.real(1)
    channels = (x.shape[1], *(1,) * (x.rank - 2)) if x.rank > 1 else (1,)
    shape = channels if w.chance(0.6) else w.broadcast(x.shape)
    w.node("PRelu", [x, w.constant(w.floats(shape, -1, 1))])


def _mod(w: Writer) -> None:
    if w.chance(0.3):
        x = w.real(exact=True)
        w.node("Mod", [x, w.constant(np.asarray(w.one_of(0.5, 1.5, -2.0), np.float32))], fmod=1)
        return
    x = w.integer(np.int32, np.int64)
    w.node("Mod", [x, w.like(x, away=1.0)], fmod=w.flag(), exact=True)


def _shift(w: Writer) -> None:
    x = w.integer(np.uint8)
    by = w.constant(w.integers(np.uint8, w.broadcast(x.shape), high=4))
    w.node("BitShift", [x, by], direction=w.one_of("LEFT", "RIGHT"))


def _cast(w: Writer) -> None:
    x = w.any()
    if x.kind == np.float32 and not x.exact:
        to: Any = w.one_of(np.float32, np.float64)
    else:
        to = w.one_of(*PLAIN)
    low = 0 if np.dtype(to).kind == "u" else -128
    if np.dtype(to).kind in "iu" and not x.within(low, 127):  # beyond, runtimes differ
        to = np.float32
    made = w.node("Cast", [x], exact=True, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))
    if to is np.float64:
        w.node("Cast", [made], to=1)


def _cast_like(w: Writer) -> None:
    x = w.integer(np.int32, np.int64, np.bool_, high=1)
    w.node("CastLike", [x, w.any()], exact=True)


def _dropout(w: Writer) -> None:
    # what the mask holds is said from opset 12 on
    w.node("Dropout", [w.real()], outputs=w.whole(1, 2) if w.opset >= 12 else 1, exact=True)


POINTWISE = (
    unary("Abs", keeps=True),
    unary("Neg", keeps=True),
    unary("Relu", keeps=True),
    unary("Identity", keeps=True),
    unary("Exp", high=4),
    unary("Log", low=0.25),
    unary("Sqrt", low=0.1),
    unary("Reciprocal", away=0.4),
    unary("Sin", low=-20, high=20),
    unary("Cos", low=-20, high=20),
    unary("Tan", low=-1.2, high=1.2),
    unary("Asin", low=-0.9, high=0.9),
    unary("Acos", low=-0.9, high=0.9),
    unary("Atan"),
    unary("Sinh", low=-4, high=4),
    unary("Cosh", low=-4, high=4),
    unary("Asinh"),
    unary("Acosh", low=1.2),
    unary("Atanh", low=-0.9, high=0.9),
    unary("Sigmoid"),
    unary("Tanh"),
    unary("Erf"),
    unary("Softplus", high=20),
    unary("Softsign"),
    unary("LeakyRelu", alpha=(0.1, 0.25, 1.5)),
    unary("Elu", alpha=(0.5, 2.0)),
    unary("Selu", alpha=(1.5,), gamma=(1.25,)),
    unary("Celu", since=12, alpha=(0.5, 2.0)),
    unary("HardSigmoid", alpha=(0.25, 0.5), beta=(0.25,)),
    unary("HardSwish", since=14),
    unary("Mish", since=18),
    unary("Gelu", since=20, approximate=("none", "tanh")),
    unary("Swish", since=24, alpha=(0.5, 1.5)),
    unary("ThresholdedRelu", exact=True, alpha=(0.5, 1.25)),
    unary("Shrink", exact=True, lambd=(0.5, 1.0), bias=(0.25,)),
    unary("Floor", exact=True),
    unary("Ceil", exact=True),
    unary("Round", exact=True),
    unary("Sign", exact=True),
    unary("IsNaN", exact=True),
    unary("IsInf", exact=True, detect_negative=(0, 1)),
    Entry("Not", lambda w: w.node("Not", [w.integer(np.bool_, high=1)])),
    _whole_unary("Abs", np.int32, np.int64, np.int8),
    _whole_unary("Neg", np.int32, np.int64, np.int8),
    _whole_unary("Sign", np.int32, np.int64),
    Entry("BitwiseNot", lambda w: w.node("BitwiseNot", [w.integer(np.int32, np.uint8)]), 18),
    binary("Add", keeps=True),
    binary("Sub", keeps=True),
    binary("Mul", keeps=True),
    binary("Div", away=0.5),
    whole("Add", np.int32, np.int64),
    whole("Sub", np.int32, np.int64),
    whole("Mul", np.int32, np.int64),
    whole("Div", np.int32, np.int64, away=1.0),
    Entry("Pow", lambda w: w.node("Pow", [x := w.real(low=0.25, high=3), w.like(x, low=-2, high=3)])),
    Entry("Pow", lambda w: w.node("Pow", [w.real(low=-12, high=12, away=0.3), w.constant(np.float32(w.one_of(2, 3)))])),
    _variadic("Sum", True),
    _variadic("Mean", False),
    _variadic("Min", True),
    _variadic("Max", True),
    whole("Min", np.int32, np.int64),
    whole("Max", np.int32, np.int64),
    *(_compare(op) for op in ("Equal", "Less", "Greater")),
    *(Entry(op, _compare(op).draw, 12) for op in ("LessOrEqual", "GreaterOrEqual")),
    *(_logic(op) for op in ("And", "Or", "Xor")),
    *(Entry(op, whole(op, np.int32, np.uint8).draw, 18) for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")),
    Entry("Where", _where),
    Entry("Clip", _clip),
    Entry("PRelu", _prelu),
    Entry("Mod", _mod),
    Entry("BitShift", _shift),
    Entry("Cast", _cast),
    Entry("CastLike", _cast_like, 15),
    Entry("Dropout", _dropout),
)  # fmt: skip
