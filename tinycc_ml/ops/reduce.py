"""Axes folded into one value, a line each: reduce_mean, reduce_sum, reduce_max, ... The axes stay, with size 1.

Attribute: axes, ascending. Integer forms: reduce_integer.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import F32, TensorType
from . import reduce_integer, runs
from .average_pool2d import emit_spatial_mean
from .base import Arrays, Case, Const, Loop, Nest, Op, QuantizeRule, Site
from .channels import channelwise
from .importing import OnnxNode
from .indexing import affine, names, nested, strides_of
from .intervals import rising
from .reduce_integer import Passes, count
from .slice import normal_axis


@dataclass(frozen=True)
class Reduction:
    """`numpy(x, axis, keepdims)`. In C: `start`, then `step` for each float `v`, then `end`; `n` terms."""

    numpy: Callable[..., np.ndarray]
    onnx: str
    start: str
    step: str
    end: str = "acc"
    low: float = -3.0


def _log_sum_exp(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    peak = x.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - peak).sum(axis=axis, keepdims=keepdims)) + peak


def _l1(x: np.ndarray, **kw: Any) -> np.ndarray:
    return np.abs(x).sum(**kw)


def _l2(x: np.ndarray, **kw: Any) -> np.ndarray:
    return np.sqrt(np.square(x).sum(**kw))


REDUCTIONS: Mapping[str, Reduction] = {
    "reduce_mean": Reduction(np.mean, "ReduceMean", "0.0F", "acc += v;", "acc / {n}.0F"),
    "reduce_sum": Reduction(np.sum, "ReduceSum", "0.0F", "acc += v;"),
    "reduce_max": Reduction(np.max, "ReduceMax", "-INFINITY", "acc = fmaxf(acc, v);"),
    "reduce_min": Reduction(np.min, "ReduceMin", "INFINITY", "acc = fminf(acc, v);"),
    "reduce_prod": Reduction(np.prod, "ReduceProd", "1.0F", "acc *= v;"),
    "reduce_l1": Reduction(_l1, "ReduceL1", "0.0F", "acc += fabsf(v);"),
    "reduce_l2": Reduction(_l2, "ReduceL2", "0.0F", "acc += v * v;", "sqrtf(acc)"),
    "reduce_sum_square": Reduction(lambda x, **kw: np.square(x).sum(**kw), "ReduceSumSquare", "0.0F", "acc += v * v;"),
    "reduce_log_sum": Reduction(lambda x, **kw: np.log(x.sum(**kw)), "ReduceLogSum", "0.0F", "acc += v;", "logf(acc)", low=0.5),
    "reduce_log_sum_exp": Reduction(_log_sum_exp, "ReduceLogSumExp", "-INFINITY", "acc = fmaxf(acc, v) + log1pf(expf(-fabsf(acc - v)));"),
}  # fmt: skip


# Their integer forms never fall when a value rises
_RISING = ("reduce_mean", "reduce_sum", "reduce_max", "reduce_min", "reduce_log_sum")


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, axes = types[0], attrs["axes"]
    if any(not 0 <= a < x.rank for a in axes) or list(axes) != sorted(set(axes)):
        raise ModelError(f"reduction of {x} over axes {list(axes)}")
    return (TensorType(tuple(1 if a in axes else d for a, d in enumerate(x.shape)), x.dtype),)


def _reference(r: Reduction, arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    with np.errstate(all="ignore"):
        return (
            np.asarray(r.numpy(arrays[0], axis=tuple(attrs["axes"]), keepdims=True), np.float32),
        )


def _nest(r: Reduction, site: Site) -> Nest:
    axes = site.attrs["axes"]
    variables, source, target = (
        names(site.x.rank),
        strides_of(site.x.shape),
        strides_of(site.y.shape),
    )
    kept = [a for a in range(site.x.rank) if a not in axes and site.x.shape[a] > 1]
    gone = [a for a in axes if site.x.shape[a] > 1]

    def part(order: Sequence[int], strides: Sequence[int]) -> str:
        return affine([variables[a] for a in order], [strides[a] for a in order])

    def loops(order: Sequence[int], body: Sequence[Loop | str]) -> tuple[Loop | str, ...]:
        return nested([variables[a] for a in order], [site.x.shape[a] for a in order], body)

    passes, end = _float_passes(r, site) if site.is_float else reduce_integer.passes_c(site)
    value = f"x0[{part([*kept, *gone], source)}]"
    walked = [
        line
        for start, lines in passes
        for line in (start, *loops(gone, [each.replace("{x}", value) for each in lines]))
    ]
    body = (*walked, f"y0[{part(kept, target)}] = {end};")
    includes = ("math.h",) if site.is_float else reduce_integer.includes(site.node.op)
    return Nest(loops(kept, body), includes=includes, cycles=8.0 * site.x.size + 20.0 * site.y.size)


def _float_passes(r: Reduction, site: Site) -> Passes:
    end = r.end.format(n=count(site.x.shape, site.attrs))
    return ((f"float acc = {r.start};", ("const float v = {x};", r.step)),), end


def _transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any]:
    return {**site.attrs, "axes": tuple(sorted(permutation[a] for a in site.attrs["axes"]))}


def axes_of(node: OnnxNode, rank: int) -> tuple[int, ...] | None:
    """The axes, an attribute or (since 13 or 18) an input; all when not given; None: nothing to do."""
    given = node.attr("axes", None)
    if node.has(1):
        given = node.const(1, "axes").ravel().tolist()
    if not given:
        return None if node.attr("noop_with_empty_axes", 0) else tuple(range(rank))
    return tuple(sorted({normal_axis(node, int(a), rank) for a in given}))


def _from_onnx(name: str, node: OnnxNode) -> None:
    x = node.type(0)
    if x.dtype != F32 or x.rank == 0 or x.size == 0:
        node.refuse(f"{node.op_type} takes f32 of one axis or more, got {x}")
    axes = axes_of(node, x.rank)
    if axes is None:
        if name in ("reduce_l1", "reduce_l2", "reduce_sum_square", "reduce_log_sum"):
            node.refuse(f"{node.op_type} with noop_with_empty_axes and no axes")
        node.rename(0, node.inputs[0])
        return
    y = _emit(node, name, axes)
    gone = axes if not node.attr("keepdims", 1) else ()
    shape = tuple(1 if a in axes else d for a, d in enumerate(x.shape) if a not in gone)
    node.emit("reshape", [y], {"shape": shape}, out=0)


def _emit(node: OnnxNode, name: str, axes: tuple[int, ...]) -> str:
    """A mean over the two axes of an image is an average pool, which has a kernel."""
    if name == "reduce_mean" and node.type(0).rank == 4 and axes in ((1, 2), (2, 3)):
        return emit_spatial_mean(node, axes)
    return node.emit(name, [node.inputs[0]], {"axes": axes})


def _cases(name: str, r: Reduction) -> tuple[Case, ...]:
    integer = reduce_integer.has_form(name)

    def case(kind: str, x: tuple[int, ...], opset: int = 11, **attrs: Any) -> Case:
        return Case(
            f"{name}_{kind}", r.onnx, (x,), attrs, opset, low=r.low, high=2.0, integer=integer
        )

    cases: tuple[Case, ...] = (
        case("one", (1,), axes=[0]),
        case("all", (2, 3, 4)),
        case("last", (3, 5), axes=[-1]),
        case("dropped", (2, 3, 4), axes=[0, 2], keepdims=0),
    )
    if name in ("reduce_mean", "reduce_max"):
        axes = Const([2, 3], dtype="int64")
        cases += (
            case("image", (1, 3, 4, 5), axes=[2, 3], keepdims=0),
            case("image_channels_last", (1, 4, 5, 3), axes=[1, 2]),
            Case(
                f"{name}_axes_input",
                r.onnx,
                ((1, 3, 4, 5), axes),
                {"keepdims": 0},
                18,
                integer=integer,
            ),
            Case(
                f"{name}_noop", r.onnx, ((2, 3),), {"noop_with_empty_axes": 1}, 18, integer=integer
            ),
        )
    return cases


def _op(name: str, r: Reduction) -> Op:
    served, extremum = reduce_integer.has_form(name), name in reduce_integer.EXTREMA
    output = "input" if extremum else "calibrated"
    return Op(
        name,
        infer,
        partial(_reference, r),
        reduce_integer.integer if served else None,
        interval=rising(reduce_integer.integer) if name in _RISING else None,
        channels=channelwise(0, where=lambda site: site.x.rank - 1 not in site.attrs["axes"]),
        runs=runs.beside("axes"),
        quantize=QuantizeRule(reduce_integer.lower, output) if served else None,
        nest=partial(_nest, r),
        transposed=_transposed,
        onnx={r.onnx: partial(_from_onnx, name)},
        cases=_cases(name, r),
        summary=f"{r.onnx}: axes folded into one value",
    )


OPS = tuple(_op(name, r) for name, r in REDUCTIONS.items())
