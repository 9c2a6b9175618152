"""Convolutions over any number of axes [N, C, ...] of any plain type, where the two-dimensional kernels do
not serve: weights may be computed at run time."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Nest, Op, Site
from .elementwise import emit as elementwise
from .importing import OnnxNode
from .indexing import affine, nested, read, strides_of, typed_c

Shape = tuple[int, ...]


def window_attrs(
    node: OnnxNode, kernel: Shape, spatial: Shape, ceil: bool = False
) -> dict[str, Any]:
    """kernel, strides, dilations, begins of padding and the size of the result, from an ONNX node."""
    rank = len(spatial)
    strides = tuple(node.attr("strides", (1,) * rank))
    dilations = tuple(node.attr("dilations", (1,) * rank))
    if not len(kernel) == len(strides) == len(dilations) == rank or min(strides, default=1) < 1:
        node.refuse(
            f"{node.op_type}: kernel {list(kernel)} and strides {list(strides)} for {rank} axes"
        )
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    mode = node.attr("auto_pad", "NOTSET")
    pads = list(node.attr("pads", (0,) * 2 * rank)) if mode in ("NOTSET", "") else [0] * 2 * rank
    if mode.startswith("SAME"):
        for a, (size, span, stride) in enumerate(zip(spatial, spans, strides, strict=True)):
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
            less, more = total // 2, total - total // 2
            pads[a], pads[a + rank] = (less, more) if mode == "SAME_UPPER" else (more, less)
    sizes: list[int] = []
    for a in range(rank):
        room = spatial[a] + pads[a] + pads[a + rank] - spans[a]
        steps = -(-room // strides[a]) if ceil else room // strides[a]
        if ceil and steps * strides[a] >= spatial[a] + pads[a]:
            steps -= 1  # a window must begin inside
        sizes.append(steps + 1)
    if min(sizes, default=1) < 1:
        node.refuse(f"{node.op_type}: a window of {spans} does not fit {list(spatial)}")
    return {"kernel": kernel, "strides": strides, "dilations": dilations, "pads": tuple(pads), "size": tuple(sizes)}  # fmt: skip


def windows(x: np.ndarray, attrs: Attrs, fill: float) -> np.ndarray:
    """x: [N, C, ...] to [N, C, size..., kernel...]; what lies outside is `fill`."""
    kernel, strides, dilations, size = (
        attrs[k] for k in ("kernel", "strides", "dilations", "size")
    )
    rank = len(kernel)
    need = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(size, strides, kernel, dilations, strict=True)]  # fmt: skip
    pads = [
        (b, max(n - b - d, 0)) for b, n, d in zip(attrs["pads"], need, x.shape[2:], strict=False)
    ]
    x = np.pad(x, [(0, 0), (0, 0), *pads], constant_values=fill)
    steps = x.strides[2:]
    walk = [a * s for a, s in zip(steps, strides, strict=True)]
    taps = [a * d for a, d in zip(steps, dilations, strict=True)]
    shape = (*x.shape[:2], *size, *kernel)
    assert len(walk) == rank
    return np.lib.stride_tricks.as_strided(
        x, shape, (*x.strides[:2], *walk, *taps), writeable=False
    )


def _conv_infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Operands: x [N, C, ...], weights [M, C / group, ...], bias [M] if any. Also: group."""
    x, w = types[0], types[1]
    if x.shape[1] != w.shape[1] * attrs["group"] or w.shape[0] % attrs["group"] or len({t.dtype for t in types}) != 1:  # fmt: skip
        raise ModelError(f"convolution of {x} with {w} in {attrs['group']} groups")
    return (TensorType((x.shape[0], w.shape[0], *attrs["size"]), x.dtype),)


def _conv_reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, w, group = arrays[0], arrays[1], attrs["group"]
    v = windows(x, attrs, 0)
    v = v.reshape(x.shape[0], group, x.shape[1] // group, prod(attrs["size"]), -1)
    weights = w.reshape(group, w.shape[0] // group, w.shape[1], -1)
    y = np.einsum("ngcok,gmck->ngmo", v, weights, dtype=x.dtype, casting="unsafe")
    y = y.reshape(x.shape[0], w.shape[0], *attrs["size"])
    return (y + _channel(arrays[2], y.ndim) if len(arrays) > 2 else y,)


def _channel(values: np.ndarray, rank: int) -> np.ndarray:
    return values.reshape(-1, *(1,) * (rank - 2))


def inside(places: Sequence[str], sizes: Sequence[int]) -> str:
    return " && ".join(f"{p} < {d}U" for p, d in zip(places, sizes, strict=True))


def _accumulators(site: Site) -> tuple[str, str]:
    """The type that products are summed in, and a cast to it."""
    if site.y.dtype.is_float:
        return site.y.dtype.c, ""
    wide = typed_c("{u}", site.y.dtype)
    return wide, f"({wide})"


def _conv_nest(site: Site) -> Nest:
    x, w, y, attrs = site.x.shape, site.inputs[1].shape, site.y.shape, site.attrs
    rank, group = len(attrs["size"]), attrs["group"]
    o, k = [f"o{a}" for a in range(rank)], [f"k{a}" for a in range(rank)]
    places = [
        affine((o[a], k[a]), (attrs["strides"][a], attrs["dilations"][a]), -attrs["pads"][a]) for a in range(rank)
    ]  # fmt: skip
    at = [f"const size_t p{a} = {places[a]};" for a in range(rank)]
    value = read(
        site, 0, affine(("n", "g", "c", *(f"p{a}" for a in range(rank))), _grouped(x, group))
    )
    weight = read(site, 1, affine(("g", "m", "c", *k), _grouped_weights(w, group)))
    acc, cast = _accumulators(site)
    test = inside([f"p{a}" for a in range(rank)], x[2:])
    tap = f"if ({test}) {{ acc += {cast}{value} * {cast}{weight}; }}"
    taps = nested(("c", *k), (w[1], *attrs["kernel"]), (*at, tap))
    each = w[0] // group
    bias = f"{cast}{read(site, 2, affine(('g', 'm'), (each, 1)))}" if len(site.inputs) > 2 else "0"
    channel = (y[1] * prod(y[2:]), each * prod(y[2:]), prod(y[2:]))
    target = affine(("n", "g", "m", *o), (*channel, *strides_of(y)[2:]))
    body = (f"{acc} acc = {bias};", *taps, f"y0[{target}] = ({site.y.dtype.c})acc;")
    loops = nested(("n", "g", "m", *o), (y[0], group, each, *y[2:]), body)
    return Nest(loops, cycles=14.0 * _conv_macs(site))


def _grouped(x: Shape, group: int) -> Shape:
    channel = strides_of(x)[1]
    return (strides_of(x)[0], x[1] // group * channel, channel, *strides_of(x)[2:])


def _grouped_weights(w: Shape, group: int) -> Shape:
    return (w[0] // group * strides_of(w)[0], *strides_of(w))


def _conv_macs(site: Site) -> int:
    return site.y.size * prod(site.inputs[1].shape[1:])


def _transposed_infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Operands: x [N, C, ...], weights [C, M / group, ...], bias [M] if any."""
    x, w = types[0], types[1]
    if (
        x.shape[1] != w.shape[0]
        or w.shape[0] % attrs["group"]
        or len({t.dtype for t in types}) != 1
    ):
        raise ModelError(f"transposed convolution of {x} with {w} in {attrs['group']} groups")
    return (TensorType((x.shape[0], w.shape[1] * attrs["group"], *attrs["size"]), x.dtype),)


def _transposed_reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, w, group = arrays[0], arrays[1], attrs["group"]
    rank, size, begins = len(attrs["size"]), attrs["size"], attrs["pads"]
    spans = [(d - 1) * s + (k - 1) * e + 1 for d, s, k, e in zip(x.shape[2:], attrs["strides"], w.shape[2:], attrs["dilations"], strict=True)]  # fmt: skip
    room = [max(n, b + d) for n, b, d in zip(spans, begins, size, strict=False)]
    y = np.zeros((x.shape[0], w.shape[1] * group, *room), x.dtype)
    g = x.reshape(x.shape[0], group, x.shape[1] // group, *x.shape[2:])
    weights = w.reshape(group, w.shape[0] // group, *w.shape[1:])
    for tap in np.ndindex(*w.shape[2:]):
        part = np.einsum("ngc...,gcm->ngm...", g, weights[(..., *tap)])
        at = tuple(
            slice(t * e, t * e + (d - 1) * s + 1, s)
            for t, e, d, s in zip(
                tap, attrs["dilations"], x.shape[2:], attrs["strides"], strict=True
            )
        )
        y[(slice(None), slice(None), *at)] += part.reshape(x.shape[0], -1, *x.shape[2:])
    y = y[(slice(None), slice(None), *(slice(begins[a], begins[a] + size[a]) for a in range(rank)))]
    return (y + _channel(arrays[2], y.ndim) if len(arrays) > 2 else y,)


def _transposed_nest(site: Site) -> Nest:
    x, w, y, attrs = site.x.shape, site.inputs[1].shape, site.y.shape, site.attrs
    rank, group, each = len(attrs["size"]), attrs["group"], w[1]
    o, k = [f"o{a}" for a in range(rank)], [f"k{a}" for a in range(rank)]
    at = [
        f"const size_t q{a} = {affine((o[a], k[a]), (1, -attrs['dilations'][a]), attrs['pads'][a])};"
        for a in range(rank)
    ]
    at += [f"const size_t p{a} = q{a} / {attrs['strides'][a]}U;" for a in range(rank)]
    exact = " && ".join(f"q{a} % {attrs['strides'][a]}U == 0U" for a in range(rank))
    value = read(
        site, 0, affine(("n", "g", "c", *(f"p{a}" for a in range(rank))), _grouped(x, group))
    )
    weight = read(site, 1, affine(("g", "c", "m", *k), _grouped_weights(w, group)))
    acc, cast = _accumulators(site)
    test = inside([f"p{a}" for a in range(rank)], x[2:])
    tap = f"if ({exact} && {test}) {{ acc += {cast}{value} * {cast}{weight}; }}"
    taps = nested(("c", *k), (w[0] // group, *w[2:]), (*at, tap))
    bias = f"{cast}{read(site, 2, affine(('g', 'm'), (each, 1)))}" if len(site.inputs) > 2 else "0"
    channel = (y[1] * prod(y[2:]), each * prod(y[2:]), prod(y[2:]))
    target = affine(("n", "g", "m", *o), (*channel, *strides_of(y)[2:]))
    body = (f"{acc} acc = {bias};", *taps, f"y0[{target}] = ({site.y.dtype.c})acc;")
    loops = nested(("n", "g", "m", *o), (y[0], group, each, *y[2:]), body)
    return Nest(loops, cycles=20.0 * site.y.size * prod(w[2:]) * w[0] // group)


def _from_conv(node: OnnxNode) -> None:
    x, w = node.type(0), node.type(1)
    attrs = window_attrs(node, w.shape[2:], x.shape[2:])
    node.emit(
        "conv_nd", [n for n in node.inputs if n], {**attrs, "group": node.attr("group", 1)}, out=0
    )


def _from_conv_integer(node: OnnxNode) -> None:
    """int32 throughout; the padding stands for the zero point, which is 0 once it is taken off."""
    operands = []
    for k in (0, 1):
        x = node.emit("cast", [node.inputs[k]], {"dtype": "i32"})
        if node.has(k + 2):
            zero = node.emit("cast", [node.inputs[k + 2]], {"dtype": "i32"})
            if k == 1 and node.type(3).rank:
                shape = (node.type(3).size, *(1,) * (node.type(1).rank - 1))
                zero = node.emit("reshape", [zero], {"shape": shape})
            x = elementwise(node, "sub", x, zero)
        operands.append(x)
    attrs = window_attrs(node, node.type(1).shape[2:], node.type(0).shape[2:])
    node.emit("conv_nd", operands, {**attrs, "group": node.attr("group", 1)}, out=0)


def _from_conv_transpose(node: OnnxNode) -> None:
    x, w = node.type(0), node.type(1)
    spatial, rank = x.shape[2:], x.rank - 2
    strides = tuple(node.attr("strides", (1,) * rank))
    dilations = tuple(node.attr("dilations", (1,) * rank))
    more = tuple(node.attr("output_padding", (0,) * rank))
    full = [s * (d - 1) + m + (k - 1) * e + 1 for s, d, m, k, e in zip(strides, spatial, more, w.shape[2:], dilations, strict=True)]  # fmt: skip
    mode, pads = node.attr("auto_pad", "NOTSET"), list(node.attr("pads", (0,) * 2 * rank))
    wanted = node.attr("output_shape", None)
    if wanted is None and mode.startswith("SAME"):
        wanted = [d * s for d, s in zip(spatial, strides, strict=True)]
    if wanted is not None:
        for a in range(rank):
            total = max(full[a] - wanted[-rank:][a], 0)
            less, rest = total // 2, total - total // 2
            pads[a], pads[a + rank] = (rest, less) if mode == "SAME_LOWER" else (less, rest)
    size = tuple(full[a] - pads[a] - pads[a + rank] for a in range(rank))
    size = size if wanted is None else tuple(wanted[-rank:])
    attrs = {"strides": strides, "dilations": dilations, "pads": tuple(pads), "size": size, "group": node.attr("group", 1)}  # fmt: skip
    node.emit("conv_transpose_nd", [n for n in node.inputs if n], attrs, out=0)


def _from_col2im(node: OnnxNode) -> None:
    """Blocks added up at their places: a transposed convolution whose weights each copy one element."""
    x = node.type(0)
    image, block = (tuple(int(d) for d in node.const(k).ravel()) for k in (1, 2))
    rank, taps = len(image), prod(block)
    strides, dilations = (tuple(node.attr(k, (1,) * rank)) for k in ("strides", "dilations"))
    pads = tuple(node.attr("pads", (0,) * 2 * rank))
    count = tuple(
        (d + pads[a] + pads[a + rank] - (block[a] - 1) * dilations[a] - 1) // strides[a] + 1
        for a, d in enumerate(image)
    )
    columns = node.emit("reshape", [node.inputs[0]], {"shape": (*x.shape[:2], *count)})
    channels = x.shape[1] // taps
    one_hot = np.tile(np.eye(taps), (channels, 1)).reshape(x.shape[1], 1, *block)
    weights = node.constant("places", one_hot.astype(x.dtype.numpy))
    attrs = {
        "strides": strides,
        "dilations": dilations,
        "pads": pads,
        "size": image,
        "group": channels,
    }
    node.emit("conv_transpose_nd", [columns, weights], attrs, out=0)


OPS = (
    Op(
        "conv_nd", _conv_infer, _conv_reference, nest=_conv_nest, macs=_conv_macs,
        onnx={"ConvInteger": _from_conv_integer}, generic={"Conv": _from_conv},
        summary="Conv of any rank and type, with weights of run time; ConvInteger",
    ),
    Op(
        "conv_transpose_nd", _transposed_infer, _transposed_reference, nest=_transposed_nest,
        onnx={"Col2Im": _from_col2im}, generic={"ConvTranspose": _from_conv_transpose}, summary="ConvTranspose of any rank and type",
    ),
)  # fmt: skip
