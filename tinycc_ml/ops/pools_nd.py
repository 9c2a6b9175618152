"""Pools over any number of axes [N, C, ...] of any plain type, where the two-dimensional kernels do not
serve; with the places of maxima, and of p-norms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import I64, TensorType
from .base import Arrays, Case, Nest, Op, QuantizeRule, Site
from .composed import arithmetic
from .fold import emit as fold
from .importing import OnnxNode
from .indexing import affine, c_value, nested, read, strides_of, typed_c
from .lowering import Lowering
from .pools_nd_integer import counts, integer, lines, lower
from .windows_nd import inside, window_attrs, windows


def _pool_infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: those of a window, kind (max, average, lp), padded (an average counts the padding), p,
    and, of a maximum, places: the strides by which a second result counts where it is, or ()."""
    x = types[0]
    whole = attrs["kind"] == "max" or "pre_shift" in attrs
    if x.dtype.kind == "bool" or not (whole or x.dtype.is_float):
        raise ModelError(f"{attrs['kind']} pool of {x}")
    y = TensorType((*x.shape[:2], *attrs["size"]), x.dtype)
    return (y, TensorType(y.shape, I64)) if attrs["places"] else (y,)


def _pool_reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, rank = arrays[0], len(attrs["size"])
    axes = tuple(range(-rank, 0))
    if attrs["kind"] == "max":
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        v = windows(x, attrs, lowest)
        y = v.max(axis=axes)
        if not attrs["places"]:
            return (y,)
        walk = np.tensordot(np.asarray(attrs["places"]), np.indices(x.shape[2:]), 1)
        walk = walk + (np.arange(prod(x.shape[:2])) * prod(x.shape[2:])).reshape(
            *x.shape[:2], *(1,) * rank
        )
        places = windows(walk, attrs, 0).reshape(*y.shape, -1)
        best = v.reshape(*y.shape, -1).argmax(axis=-1)
        return y, np.take_along_axis(places, best[..., None], -1)[..., 0]
    v = windows(x, attrs, 0)
    if attrs["kind"] == "lp":
        p = attrs["p"]
        return ((np.abs(v) ** p).sum(axis=axes) ** (1 / p),)
    return (v.sum(axis=axes) / np.maximum(counts(x.shape, attrs), 1).astype(x.dtype),)


def _pool_nest(site: Site) -> Nest:
    x, y, attrs = site.x.shape, site.y.shape, site.attrs
    rank, pads, kind = len(attrs["size"]), attrs["pads"], attrs["kind"]
    o, k = [f"o{a}" for a in range(rank)], [f"k{a}" for a in range(rank)]
    at = [
        f"const size_t q{a} = {affine((o[a], k[a]), (attrs['strides'][a], attrs['dilations'][a]))};" for a in range(rank)
    ]  # fmt: skip
    places = [f"q{a} - {pads[a]}U" if pads[a] else f"q{a}" for a in range(rank)]
    at += [f"const size_t p{a} = {places[a]};" for a in range(rank)]
    in_image = inside([f"p{a}" for a in range(rank)], x[2:])
    value = read(site, 0, affine(("c", *(f"p{a}" for a in range(rank))), strides_of(x)[1:]))
    target = affine(("c", *o), strides_of(y)[1:])
    if kind == "max":
        walk = (prod(x[2:]), *attrs["places"]) if attrs["places"] else ()
        start, taken, end = _max_lines(site, value, _place(walk, rank))
    elif site.y.quant is not None:
        start, taken, end = lines(site, value)
    else:
        start, taken, end = _float_lines(site, value)
    tap = f"if ({in_image}) {{ {taken} }}"
    if kind == "average":
        start = [*start, "size_t count = 0U;"]
        sizes = [x[2 + a] + pads[a] + pads[a + rank] for a in range(rank)]
        counted = inside([f"q{a}" for a in range(rank)], sizes) if attrs["padded"] else in_image
        tap = f"if ({counted}) {{ count++; }} {tap}"
    taps = nested(k, attrs["kernel"], (*at, tap))
    more = [f"y1[{target}] = place;"] if attrs["places"] else []
    body = (*start, *taps, f"y0[{target}] = {end};", *more)
    loops = nested(("c", *o), (prod(y[:2]), *y[2:]), body)
    header = "math.h" if site.y.quant is None else "common/tml_normalize.h"
    return Nest(loops, includes=(header,), cycles=12.0 * site.y.size * prod(attrs["kernel"]))


def _place(walk: Sequence[int], rank: int) -> str:
    """The C expression of the place of a value, "" where none is wanted."""
    return affine(("c", *(f"p{a}" for a in range(rank))), walk) if walk else ""


def _max_lines(site: Site, value: str, place: str) -> tuple[list[str], str, str]:
    dtype = site.x.dtype
    lowest = c_value(-np.inf if dtype.is_float else dtype.range[0], dtype)
    start = [f"{dtype.c} acc = {lowest};", *(["int64_t place = -1;"] if place else [])]
    first, noted = (" || place < 0", f" place = (int64_t)({place});") if place else ("", "")
    step = f"const {dtype.c} v = {value}; if (v > acc{first}) {{ acc = v;{noted} }}"
    return start, step, "acc"


def _float_lines(site: Site, value: str) -> tuple[list[str], str, str]:
    dtype, p = site.x.dtype, site.attrs["p"]
    start = [f"{dtype.c} acc = 0;"]
    if site.attrs["kind"] == "average":
        return start, f"acc += {value};", f"count > 0U ? acc / ({dtype.c})count : 0"
    power = {1: "fabsf(v)", 2: "v * v"}.get(p, f"powf(fabsf(v), {p}.0F)")
    root = {1: "acc", 2: "sqrtf(acc)"}.get(p, f"powf(acc, 1.0F / {p}.0F)")
    step = typed_c(f"const float v = {value}; acc += {power};", dtype)
    return start, step, typed_c(root, dtype)


def _from_pool(kind: str, node: OnnxNode) -> None:
    x, kernel = node.type(0), tuple(node.attr("kernel_shape"))
    attrs = window_attrs(node, kernel, x.shape[2:], bool(node.attr("ceil_mode", 0)))
    more = {"kind": kind, "padded": bool(node.attr("count_include_pad", 0)), "p": node.attr("p", 2), "places": ()}  # fmt: skip
    if len(node.outputs) < 2 or not node.outputs[1]:
        name = "max_pool_nd" if kind == "max" else "pool_nd"
        node.emit(name, [node.inputs[0]], {**attrs, **more}, out=0)
        return
    spatial = x.shape[2:]
    columns = tuple(prod(spatial[:a]) for a in range(len(spatial)))
    more["places"] = columns if node.attr("storage_order", 0) else strides_of(spatial)
    node.emit_many("max_pool_nd", [node.inputs[0]], {**attrs, **more}, outs=(0, 1))


def _from_global(kind: str, node: OnnxNode) -> None:
    x = node.type(0)
    axes = tuple(range(2, x.rank))
    if kind == "lp" and node.attr("p", 2) not in (1, 2):
        node.refuse(f"GlobalLpPool with p {node.attr('p')}")
    name = f"l{node.attr('p', 2)}" if kind == "lp" else kind
    fold(node, name, node.inputs[0], axes, out=0)


def _from_lrn(node: OnnxNode) -> None:
    """x / (bias + alpha / size * sum of x^2 over neighbouring channels) ^ beta."""
    x, size = node.type(0), node.attr("size")
    squares = arithmetic(node, "mul", node.inputs[0], node.inputs[0])
    rows = node.emit(
        "reshape", [squares], {"shape": (x.shape[0], 1, x.shape[1], prod(x.shape[2:]))}
    )
    ahead = (size - 1) // 2
    window = {"kernel": (size, 1), "strides": (1, 1), "dilations": (1, 1), "size": (x.shape[1], prod(x.shape[2:])), "pads": (ahead, 0, size - 1 - ahead, 0)}  # fmt: skip
    pool = {"kind": "average", "padded": True, "p": 2, "places": ()}
    y = node.emit("reshape", [node.emit("pool_nd", [rows], {**window, **pool})], {"shape": x.shape})
    numbers = {k: node.constant(k, np.asarray(node.attr(k, d), x.dtype.numpy)) for k, d in (("alpha", 1e-4), ("bias", 1.0), ("beta", 0.75))}  # fmt: skip
    y = arithmetic(node, "add", arithmetic(node, "mul", y, numbers["alpha"]), numbers["bias"])
    arithmetic(node, "div", node.inputs[0], arithmetic(node, "pow", y, numbers["beta"]), out=0)


def _generic_pools() -> Mapping[str, Any]:
    kinds = {"MaxPool": "max", "AveragePool": "average"}
    pools = {name: partial(_from_pool, kind) for name, kind in kinds.items()}
    return {**pools, "GlobalMaxPool": partial(_from_global, "max"), "GlobalAveragePool": partial(_from_global, "mean")}  # fmt: skip


def _case(name: str, op: str, x: tuple[int, ...], integer: bool = True, off: float = 0.0, **attrs: Any) -> Case:  # fmt: skip
    return Case(name, op, (x,), attrs, 18, integer=integer, off=off)


def _lower_max(low: Lowering) -> None:
    """The order of quantised values is that of the real ones."""
    low.emit("max_pool_nd", [low.activation(0).name], low.attrs)


OPS = (
    Op(
        "pool_nd", _pool_infer, _pool_reference, integer, quantize=QuantizeRule(lower), nest=_pool_nest,
        onnx={"LpPool": partial(_from_pool, "lp"), "GlobalLpPool": partial(_from_global, "lp"), "LRN": _from_lrn},
        summary="Averages of any rank and type; LpPool, GlobalLpPool, LRN",
        cases=(
            _case("lp_1", "LpPool", (1, 2, 7), p=1, kernel_shape=[3]),
            _case("lp_2", "LpPool", (2, 3, 6, 5), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]),
            _case("lp_3_axes", "LpPool", (1, 2, 3, 4, 3), kernel_shape=[2, 2, 3]),
            _case("lp_3", "LpPool", (1, 2, 7), p=3, integer=False, kernel_shape=[3]),
            _case("average_3_axes", "AveragePool", (1, 2, 4, 3, 3), kernel_shape=[2, 3, 2], pads=[1, 1, 0, 0, 1, 1]),
            _case("average_with_padding", "AveragePool", (1, 2, 3, 3, 3), kernel_shape=[2, 2, 2], pads=[1, 0, 1, 0, 1, 0], count_include_pad=1),
            _case("response", "LRN", (1, 5, 3, 2), off=1.0, size=3, alpha=0.3, beta=0.75),
        ),
    ),
    Op(
        "max_pool_nd", _pool_infer, _pool_reference, quantize=QuantizeRule(_lower_max, "input"), nest=_pool_nest,
        generic=_generic_pools(), summary="Pools of any rank and type: maxima and where they are",
        cases=(_case("max_3_axes", "MaxPool", (1, 2, 4, 3, 3), kernel_shape=[2, 3, 2], pads=[1, 1, 0, 0, 1, 1]),),
    ),
)  # fmt: skip
