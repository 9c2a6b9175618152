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
from .base import Arrays, Nest, Op, Site
from .composed import arithmetic
from .fold import emit as fold
from .importing import OnnxNode
from .indexing import affine, c_value, nested, read, strides_of, typed_c
from .windows_nd import inside, window_attrs, windows


def _pool_infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: those of a window, kind (max, average, lp), padded (an average counts the padding), p,
    and, of a maximum, places: the strides by which a second result counts where it is, or ()."""
    x = types[0]
    if x.dtype.kind == "bool" or (attrs["kind"] != "max" and not x.dtype.is_float):
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
    ones = np.ones((1, 1, *x.shape[2:]), x.dtype)
    if attrs["padded"]:
        begins, ends = attrs["pads"][:rank], attrs["pads"][rank:]
        ones = np.ones(
            (1, 1, *(d + b + e for d, b, e in zip(x.shape[2:], begins, ends, strict=True)))
        )
        count = windows(ones, {**attrs, "pads": (0,) * 2 * rank}, 0).sum(axis=axes)
    else:
        count = windows(ones, attrs, 0).sum(axis=axes)
    return (v.sum(axis=axes) / np.maximum(count, 1),)


def _pool_nest(site: Site) -> Nest:
    x, y, attrs, dtype = site.x.shape, site.y.shape, site.attrs, site.x.dtype
    rank, pads, kind = len(attrs["size"]), attrs["pads"], attrs["kind"]
    o, k = [f"o{a}" for a in range(rank)], [f"k{a}" for a in range(rank)]
    at = [
        f"const size_t q{a} = {affine((o[a], k[a]), (attrs['strides'][a], attrs['dilations'][a]))};" for a in range(rank)
    ]  # fmt: skip
    places = [f"q{a} - {pads[a]}U" if pads[a] else f"q{a}" for a in range(rank)]
    at += [f"const size_t p{a} = {places[a]};" for a in range(rank)]
    in_image = inside([f"p{a}" for a in range(rank)], x[2:])
    value = read(site, 0, affine(("c", *(f"p{a}" for a in range(rank))), strides_of(x)[1:]))
    lowest = c_value(-np.inf if dtype.is_float else dtype.range[0], dtype)
    start = [f"{dtype.c} acc = {lowest if kind == 'max' else '0'};"]
    target, end = affine(("c", *o), strides_of(y)[1:]), "acc"
    if kind == "max":
        place = ""
        if attrs["places"]:
            index = affine(("c", *(f"p{a}" for a in range(rank))), (prod(x[2:]), *attrs["places"]))
            place, start = f" place = (int64_t)({index});", [*start, "int64_t place = -1;"]
        first = " || place < 0" if place else ""
        tap = f"if ({in_image}) {{ const {dtype.c} v = {value}; if (v > acc{first}) {{ acc = v;{place} }} }}"
    elif kind == "average":
        start.append("size_t count = 0U;")
        sizes = [x[2 + a] + pads[a] + pads[a + rank] for a in range(rank)]
        counted = inside([f"q{a}" for a in range(rank)], sizes) if attrs["padded"] else in_image
        tap = f"if ({counted}) {{ count++; }} if ({in_image}) {{ acc += {value}; }}"
        end = f"count > 0U ? acc / ({dtype.c})count : 0"
    else:
        p = attrs["p"]
        power = {1: "fabsf(v)", 2: "v * v"}.get(p, f"powf(fabsf(v), {p}.0F)")
        root = {1: "acc", 2: "sqrtf(acc)"}.get(p, f"powf(acc, 1.0F / {p}.0F)")
        tap = typed_c(f"if ({in_image}) {{ const float v = {value}; acc += {power}; }}", dtype)
        end = typed_c(root, dtype)
    taps = nested(k, attrs["kernel"], (*at, tap))
    more = [f"y1[{target}] = place;"] if attrs["places"] else []
    body = (*start, *taps, f"y0[{target}] = {end};", *more)
    loops = nested(("c", *o), (prod(y[:2]), *y[2:]), body)
    return Nest(loops, includes=("math.h",), cycles=12.0 * site.y.size * prod(attrs["kernel"]))


def _from_pool(kind: str, node: OnnxNode) -> None:
    x, kernel = node.type(0), tuple(node.attr("kernel_shape"))
    attrs = window_attrs(node, kernel, x.shape[2:], bool(node.attr("ceil_mode", 0)))
    more = {"kind": kind, "padded": bool(node.attr("count_include_pad", 0)), "p": node.attr("p", 2), "places": ()}  # fmt: skip
    if len(node.outputs) < 2 or not node.outputs[1]:
        node.emit("pool_nd", [node.inputs[0]], {**attrs, **more}, out=0)
        return
    spatial = x.shape[2:]
    columns = tuple(prod(spatial[:a]) for a in range(len(spatial)))
    more["places"] = columns if node.attr("storage_order", 0) else strides_of(spatial)
    node.emit_many("pool_nd", [node.inputs[0]], {**attrs, **more}, outs=(0, 1))


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


OPS = (
    Op(
        "pool_nd", _pool_infer, _pool_reference, nest=_pool_nest,
        onnx={"LpPool": partial(_from_pool, "lp"), "GlobalLpPool": partial(_from_global, "lp"), "LRN": _from_lrn},
        generic=_generic_pools(), summary="Pools of any rank and type; LpPool, GlobalLpPool, LRN",
    ),
)  # fmt: skip
