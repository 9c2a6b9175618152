"""Reductions, softmax, sorting, and sums of products."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from .entry import Entry
from .moving import axes_of
from .writer import Value, Writer


def _reduce(op: str, *kinds: Any, low: float = -inf, high: float = inf) -> Entry:
    """Over any axes, all of them, or none at all."""

    def draw(w: Writer) -> None:
        x = w.integer(*kinds) if kinds and w.chance(0.3) else w.real(low=low, high=high)
        axes = w.axes(x.rank) if x.rank and w.chance(0.8) else None
        since = 13 if op == "ReduceSum" else 18
        attrs = {"keepdims": w.flag()} if w.chance(0.7) else {}
        if axes is None and w.opset >= since and w.chance(0.3):
            attrs["noop_with_empty_axes"] = 1
        axes_of(w, op, x, axes, since, **attrs)

    return Entry(op, draw)


def _arg(op: str) -> Entry:
    def draw(w: Writer) -> None:
        x = w.real(1, exact=True) if w.chance(0.7) else w.integer(np.int32, np.int8, least=1)
        last = w.flag() if w.opset >= 12 else None
        w.node(op, [x], axis=w.axis(x.rank), keepdims=w.flag(), select_last_index=last)

    return Entry(op, draw)


def _along(op: str, exact: bool = False, least: int = 1) -> Entry:
    """Along an axis, whose default is the operator's."""

    def draw(w: Writer) -> None:
        x = w.real(least, exact=exact, low=-60, high=60)
        w.node(op, [x], axis=w.axis(x.rank) if w.chance(0.8) else None)

    return Entry(op, draw)


def _lp_normalization(w: Writer) -> None:
    x = w.real(1, low=0.3)
    w.node("LpNormalization", [x], axis=w.axis(x.rank), p=w.one_of(1, 2))


def _cum_sum(w: Writer) -> None:
    x = w.real(1) if w.chance(0.7) else w.integer(np.int32, np.int64, least=1)
    axis = w.constant(np.asarray(w.axis(x.rank), w.one_of(np.int32, np.int64)))
    w.node("CumSum", [x, axis], exact=True, exclusive=w.flag(), reverse=w.flag())


def _top_k(w: Writer) -> None:
    x = w.real(1, exact=True)
    axis = w.axis(x.rank)
    k = w.constant(np.asarray([w.whole(1, x.shape[axis])], np.int64))
    w.node("TopK", [x, k], 2, exact=True, axis=axis, largest=w.flag())


def _matmul(w: Writer) -> None:
    x = w.real(1, 4, low=-60, high=60)
    inner = x.shape[-1]

    def fits(v: Value) -> bool:
        return v.kind == np.float32 and v.rank >= 2 and v.shape[-2] == inner and v.within(-60, 60)

    y = w.pick(fits) if w.chance(0.5) else None
    if y is None:
        batch = w.broadcast(x.shape[:-2]) if w.chance(0.3) else ()
        made = w.floats((*batch, inner, w.whole(1, 6)) if w.chance(0.9) else (inner,))
        y = w.constant(made) if w.chance(0.6) else w.input(made)
    w.node("MatMul", [x, y])


def _matmul_left(w: Writer) -> None:
    x = w.real(2, 3, low=-60, high=60)
    w.node("MatMul", [w.constant(w.floats((w.whole(1, 5), x.shape[-2]))), x])


def _gemm(w: Writer) -> None:
    x = w.real(2, 2, low=-60, high=60)
    turned = [w.flag(), w.flag()]
    rows, inner = x.shape[:: -1 if turned[0] else 1]
    columns = w.whole(1, 6)
    b = w.floats((columns, inner) if turned[1] else (inner, columns))
    c = w.rng.choice([None, (columns,), (rows, columns), (1,), (rows, 1), ()])
    operands = [x, w.constant(b) if w.chance(0.7) else w.input(b)]
    if c is not None:
        made = w.floats(c)
        operands.append(w.constant(made) if w.chance(0.7) else w.input(made))
    factors = {k: w.one_of(0.5, 1.0, 1.5) for k in ("alpha", "beta") if w.chance(0.4)}
    w.node("Gemm", operands, transA=turned[0], transB=turned[1], **factors)


_EQUATIONS = (
    ("ij,jk->ik", 2, "jk"), ("bij,bjk->bik", 3, "bjk"), ("bij,kj->bki", 3, "kj"), ("ij->ji", 2, ""),
    ("ij->i", 2, ""), ("ii->i", 2, ""), ("bhd,bhd->bh", 3, "bhd"), ("i,j->ij", 1, "j"), ("...ij,jk->...ik", 3, "jk"),
    ("abc->ac", 3, ""), ("ij,ij->", 2, "ij"),
)  # fmt: skip


def _einsum(w: Writer) -> None:
    equation, rank, second = w.rng.choice(_EQUATIONS)
    left = equation.split("->")[0].split(",")[0].replace("...", "b")
    square = len(set(left)) < len(left)
    x = w.real(rank, rank, low=-60, high=60, fits=lambda v: not square or len(set(v.shape)) == 1)
    if square and len(set(x.shape)) > 1:
        x = w.input(w.floats((4, 4)))
    sizes = dict(zip(left, x.shape, strict=True))
    operands = [x]
    if second:
        made = w.floats([sizes.setdefault(c, w.whole(1, 5)) for c in second])
        operands.append(w.constant(made) if w.chance(0.5) else w.input(made))
    w.node("Einsum", operands, equation=equation)


def _matmul_integer(w: Writer) -> None:
    x = w.integer(np.uint8, np.int8, least=2, most=3)
    kind = np.uint8 if w.chance(0.5) else np.int8
    b = w.constant(w.integers(kind, (x.shape[-1], w.whole(1, 5))))
    zeros = [w.constant(np.asarray(v, k)) for v, k in ((2, x.kind), (1, kind))]
    w.node("MatMulInteger", [x, b, *zeros[: w.whole(0, 2)]])


SUMS = (
    _reduce("ReduceSum", np.int32, np.int64),
    _reduce("ReduceMean", np.int32),
    _reduce("ReduceMax", np.int32, np.int64, np.int8, np.uint8),
    _reduce("ReduceMin", np.int32, np.int64, np.int8, np.uint8),
    _reduce("ReduceProd", low=-1.5, high=1.5),
    _reduce("ReduceL1", np.int32),
    _reduce("ReduceL2"),
    _reduce("ReduceSumSquare", np.int32, low=-30, high=30),
    _reduce("ReduceLogSum", low=0.25),
    _reduce("ReduceLogSumExp", low=-60, high=60),
    _arg("ArgMax"),
    _arg("ArgMin"),
    _along("Softmax"),
    _along("LogSoftmax"),
    _along("Hardmax", exact=True),
    Entry("LpNormalization", _lp_normalization),
    Entry("CumSum", _cum_sum),
    Entry("TopK", _top_k),
    Entry("MatMul", _matmul),
    Entry("MatMul", _matmul_left),
    Entry("Gemm", _gemm),
    Entry("Einsum", _einsum, 12),
    Entry("MatMulInteger", _matmul_integer),
)
