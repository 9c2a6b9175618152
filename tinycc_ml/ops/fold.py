"""Many values into one, of any plain type: reductions that reduce.py has no float32 form for, ArgMax and ArgMin."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import F32, I64, DType, TensorType
from . import reduce, runs
from .base import Arrays, Case, Loop, Nest, Op, QuantizeRule, Site
from .importing import OnnxNode
from .indexing import affine, c_value, names, nested, read, strides_of, typed_c
from .lowering import Lowering
from .slice import normal_axis


@dataclass(frozen=True)
class Fold:
    """On integers: `start`, `step` for each v into the 64-bit acc, `end`; {n} terms, {x}: int64_t or uint64_t.
    Floats are as in reduce.py. Of a maximum or minimum, `extreme` is what wins."""

    start: str = "0"
    step: str = "acc += (uint64_t)v;"
    end: str = "({t})acc"
    extreme: str = ""


FOLDS: Mapping[str, Fold] = {
    "reduce_sum": Fold(),
    "reduce_prod": Fold("1", "acc *= (uint64_t)v;"),
    "reduce_mean": Fold(end="({t})(({x})acc / {n})"),
    "reduce_l1": Fold(step="acc += v < 0 ? 0U - (uint64_t)v : (uint64_t)v;"),
    "reduce_sum_square": Fold(step="acc += (uint64_t)v * (uint64_t)v;"),
    "reduce_l2": Fold("", end=""),
    "reduce_log_sum": Fold("", end=""),
    "reduce_log_sum_exp": Fold("", end=""),
    "reduce_max": Fold(extreme=">"),
    "reduce_min": Fold(extreme="<"),
}


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: function, axes; the axes stay with size 1."""
    x, fold = types[0], FOLDS[attrs["function"]]
    if not x.dtype.is_float and not fold.extreme and (not fold.end or x.dtype.kind == "bool"):
        raise ModelError(f"{attrs['function']} of {x} is not supported")
    return (x.with_shape(tuple(1 if a in attrs["axes"] else d for a, d in enumerate(x.shape))),)


def _lowest(dtype: DType, extreme: str) -> float:
    """What every value wins against."""
    if dtype.is_float:
        return -np.inf if extreme == ">" else np.inf
    low, high = dtype.range if dtype.is_integer else (0, 1)
    return low if extreme == ">" else high


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, name, axes = arrays[0], attrs["function"], tuple(attrs["axes"])
    fold, kind = FOLDS[name], x.dtype
    with np.errstate(all="ignore"):
        if fold.extreme:
            rule = np.maximum if fold.extreme == ">" else np.minimum
            worst = _lowest(reduce_type(kind), fold.extreme)
            return (
                rule.reduce(x, axis=axes, keepdims=True, initial=np.asarray(worst).astype(kind)),
            )
        if name == "reduce_mean" and kind.kind in "iu":
            total, n = (
                x.sum(axis=axes, keepdims=True, dtype=kind.kind + "8"),
                prod(x.shape[a] for a in axes),
            )
            return ((np.sign(total) * (np.abs(total) // max(n, 1))).astype(kind),)
        if name == "reduce_log_sum_exp" and x.size == 0:
            return (np.log(np.exp(x).sum(axis=axes, keepdims=True)),)
        return (
            np.asarray(reduce.REDUCTIONS[name].numpy(x, axis=axes, keepdims=True)).astype(kind),
        )


def reduce_type(numpy: np.dtype) -> DType:
    from ..ir.types import dtype_of

    return dtype_of(np.zeros(0, numpy))


def _lines(site: Site) -> tuple[str, str, str]:
    """C that starts, takes v in, and ends."""
    name, dtype = site.attrs["function"], site.x.dtype
    fold, n = FOLDS[name], prod(site.x.shape[a] for a in site.attrs["axes"])
    if fold.extreme:
        better = f"v {fold.extreme} acc" + (" || v != v" if dtype.is_float else "")
        start = c_value(_lowest(dtype, fold.extreme), dtype)
        return f"{dtype.c} acc = {start};", f"acc = {better} ? v : acc;", "acc"
    if dtype.is_float:
        rule = reduce.REDUCTIONS[name]
        step = rule.step if n else ""
        if name == "reduce_log_sum_exp" and n:  # infinities have no difference
            step = "acc = v == acc ? acc + logf(2.0F) : " + step.removeprefix("acc = ")
        text = (f"float acc = {rule.start};", step, rule.end.replace("{n}", str(n)))
        start, step, end = (typed_c(t.replace("INFINITY", "TML_INFINITY_F32"), dtype) for t in text)
        return start, step, end
    wide = "uint64_t" if dtype.kind == "uint" else "int64_t"
    end = typed_c(fold.end, dtype).replace("{n}", str(max(n, 1))).replace("{x}", wide)
    step = re.sub(r"v < 0 \? .*? : ", "", fold.step) if dtype.kind == "uint" else fold.step
    return f"uint64_t acc = {fold.start}U;", step, end


def _nest(site: Site) -> Nest:
    shape, axes = site.x.shape, site.attrs["axes"]
    variables, source, target = names(len(shape)), strides_of(shape), strides_of(site.y.shape)
    kept = [a for a in range(len(shape)) if a not in axes]
    start, step, end = _lines(site)

    def loops(order: Sequence[int], body: Sequence[Loop | str]) -> tuple[Loop | str, ...]:
        return nested([variables[a] for a in order], [shape[a] for a in order], body)

    value = f"const {site.x.dtype.c} v = {read(site, 0, affine(variables, source))};"
    out = affine([variables[a] for a in kept], [target[a] for a in kept])
    body = (start, *loops(axes, (value, step)), f"y0[{out}] = {end};")
    return Nest(loops(kept, body), includes=("math.h",), cycles=10.0 * site.x.size)


def emit(node: OnnxNode, name: str, x: str, axes: Sequence[int], keep: bool = True, out: int | None = None) -> str:  # fmt: skip
    """A reduction, by the op for float32, which has an int8 form, where it serves; without `keep` the axes go."""
    type_, attrs = node.draft.tensors[x].type, {"axes": tuple(sorted(axes))}
    if type_.dtype == F32 and type_.rank and type_.size:
        y = node.emit(f"reduce_{name}", [x], attrs, hint=name)
    else:
        y = node.emit("reduce", [x], {"function": f"reduce_{name}", **attrs}, hint=name)
    shape = type_.shape
    left = tuple(1 if a in axes else d for a, d in enumerate(shape) if keep or a not in axes)
    return node.emit("reshape", [y], {"shape": left}, out=out, hint=name)


def _from_reduce(name: str, node: OnnxNode) -> None:
    x = node.type(0)
    axes = reduce.axes_of(node, x.rank)
    emit(
        node,
        name.removeprefix("reduce_"),
        node.inputs[0],
        axes or (),
        bool(node.attr("keepdims", 1)),
        0,
    )


def _arg_infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: axis, extreme (> or <), last (of equals)."""
    x, axis = types[0], attrs["axis"]
    if not 0 <= axis < x.rank or not x.shape[axis]:
        raise ModelError(f"the place of an extreme of {x} along axis {axis}")
    return (TensorType((*x.shape[:axis], 1, *x.shape[axis + 1 :]), I64),)


def _arg_reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, axis = arrays[0], attrs["axis"]
    find = np.argmax if attrs["extreme"] == ">" else np.argmin
    if not attrs["last"]:
        return (find(x, axis=axis, keepdims=True),)
    return (x.shape[axis] - 1 - find(np.flip(x, axis), axis=axis, keepdims=True),)


def _arg_nest(site: Site) -> Nest:
    axis, shape = site.attrs["axis"], site.x.shape
    outer, n, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    at = affine(("r", "i"), (n * inner, 1))
    better = site.attrs["extreme"] + ("=" if site.attrs["last"] else "")
    step = (
        f"const {site.x.dtype.c} v = {read(site, 0, affine(('r', 'k', 'i'), (n * inner, inner, 1)))};",
        f"if (v {better} best) {{ best = v; place = (int64_t)k; }}",
    )
    body = (f"{site.x.dtype.c} best = {read(site, 0, at)};", "int64_t place = 0;")
    end = f"y0[{affine(('r', 'i'), (inner, 1))}] = place;"
    return Nest(nested(("r", "i"), (outer, inner), (*body, Loop("k", n, step), end)), cycles=8.0 * site.x.size)  # fmt: skip


def _arg_lower(low: Lowering) -> None:
    """The order of quantised values is that of the real ones."""
    low.emit("arg_extreme", [low.activation(0).name], low.attrs)


def emit_arg(node: OnnxNode, x: str, axis: int, extreme: str, last: bool) -> str:
    return node.emit("arg_extreme", [x], {"axis": axis, "extreme": extreme, "last": bool(last)})


def _from_arg(extreme: str, node: OnnxNode) -> None:
    x = node.type(0)
    axis = normal_axis(node, node.attr("axis", 0), x.rank)
    y = emit_arg(node, node.inputs[0], axis, extreme, node.attr("select_last_index", 0))
    gone = not node.attr("keepdims", 1)
    shape = tuple(1 if a == axis else d for a, d in enumerate(x.shape) if not (gone and a == axis))
    node.emit("reshape", [y], {"shape": shape}, out=0)


def _from_hardmax(node: OnnxNode) -> None:
    from .elementwise import emit as elementwise

    x = node.type(0)
    axis = normal_axis(node, node.attr("axis", -1 if node.opset >= 13 else 1), x.rank)
    rows, shape = node.inputs[0], x.shape
    if node.opset < 13:  # all axes from this one on are one
        shape, axis = (prod(x.shape[:axis]), prod(x.shape[axis:])), 1
        rows = node.emit("reshape", [rows], {"shape": shape})
    best = emit_arg(node, rows, axis, ">", False)
    steps = np.arange(shape[axis], dtype=np.int64).reshape(-1, *(1,) * (len(shape) - 1 - axis))
    hit = elementwise(node, "equal", best, node.constant("steps", steps))
    y = node.emit("cast", [hit], {"dtype": x.dtype.name})
    node.emit("reshape", [y], {"shape": x.shape}, out=0)


def _generic() -> dict[str, Callable[[OnnxNode], None]]:
    return {reduce.REDUCTIONS[name].onnx: partial(_from_reduce, name) for name in FOLDS}


OPS = (
    Op("reduce", infer, reference, runs=runs.beside("axes"), nest=_nest, generic=_generic(), summary="Reductions of any plain type"),
    Op(
        "arg_extreme", _arg_infer, _arg_reference, quantize=QuantizeRule(_arg_lower, "input"), nest=_arg_nest,
        onnx={"ArgMax": partial(_from_arg, ">"), "ArgMin": partial(_from_arg, "<"), "Hardmax": _from_hardmax},
        summary="ArgMax, ArgMin, Hardmax",
        cases=(
            Case("argmax", "ArgMax", ((2, 7),), {"axis": 1}),
            Case("hardmax", "Hardmax", ((2, 3, 5),), {"axis": 1}),
            Case("hardmax_opset_11", "Hardmax", ((2, 3, 4),), {"axis": 1}, opset=11),
            Case("argmin_channels", "ArgMin", ((1, 3, 4, 5),), {"axis": 1, "keepdims": 0, "select_last_index": 1}),
        ),
    ),
)  # fmt: skip
