"""Transposed convolution on channels-last images: every pixel of x adds a window to y.

x: [N, H, W, C], weights: [O, KH, KW, C / groups], bias: [O]. Attributes as conv2d's, and output_padding: rows
and columns added at the end. The integer kernel subtracts x's zero point itself (how many taps meet differs from
pixel to pixel), so the bias does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from ..numerics.fixedpoint import INT32_MAX
from . import runs
from .base import Arrays, Case, Const, Kernel, Op, QuantizeRule, Site, clamped
from .contraction import contraction_arrays, finish, float_params, needs, quantized_params
from .importing import OnnxNode
from .integer_end import reach, shifted
from .lowering import Lowering
from .windows import Window, image_params


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, w = types[0], types[1]
    if x.rank != 4 or w.rank != 4:
        raise ModelError(
            f"conv_transpose2d takes [N, H, W, C] and weights [O, KH, KW, C], got {x} and {w}"
        )
    if w.shape[3] * attrs["groups"] != x.shape[3] or w.shape[0] % attrs["groups"]:
        raise ModelError(
            f"conv_transpose2d: weights {w} in {attrs['groups']} groups don't fit the input {x}"
        )
    if len(types) > 2 and types[2].shape != (w.shape[0],):
        raise ModelError(f"conv_transpose2d: a bias of {types[2]} for {w.shape[0]} output channels")
    oh, ow = output_size(x.shape, _window(w.shape, attrs), attrs["output_padding"])
    if min(oh, ow) < 1:
        raise ModelError(
            f"conv_transpose2d of {x}: nothing is left after padding {list(attrs['pads'])}"
        )
    return (TensorType((x.shape[0], oh, ow, w.shape[0]), x.dtype),)


def _window(weights: tuple[int, ...], attrs: Attrs) -> Window:
    return Window.of(attrs, (weights[1], weights[2]))


def output_size(x: tuple[int, ...], window: Window, more: tuple[int, int]) -> tuple[int, int]:
    pads = (window.pads[0] + window.pads[2], window.pads[1] + window.pads[3])
    rows, columns = (
        (x[k + 1] - 1) * window.strides[k] + window.extent[k] + more[k] - pads[k] for k in (0, 1)
    )
    return rows, columns


def _taps(
    x: tuple[int, ...], window: Window
) -> Iterator[tuple[tuple[int, int], tuple[slice, slice, slice]]]:
    """Each tap, and where on the canvas it meets the pixels of x."""
    (th, tw), (dh, dw) = window.strides, window.dilations
    for row, column in np.ndindex(window.kernel):
        rows = slice(row * dh, row * dh + (x[1] - 1) * th + 1, th)
        columns = slice(column * dw, column * dw + (x[2] - 1) * tw + 1, tw)
        yield (row, column), (slice(None), rows, columns)


def _canvas(
    x: np.ndarray, window: Window, attrs: Attrs, width: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Zeros for y before padding is cut off, `width` values at a pixel; and the view that is y."""
    oh, ow = output_size(x.shape, window, attrs["output_padding"])
    top, left, bottom, right = window.pads
    canvas = np.zeros((x.shape[0], oh + top + bottom, ow + left + right, *width), x.dtype)
    return canvas, canvas[:, top : top + oh, left : left + ow]


def _products(x: np.ndarray, w: np.ndarray, attrs: Attrs) -> np.ndarray:
    """Sums of products [N, OH, OW, O] without bias, tap by tap on a canvas without padding."""
    window, groups = _window(w.shape, attrs), attrs["groups"]
    canvas, y = _canvas(x, window, attrs, (w.shape[0],))
    per_group = w.reshape(groups, -1, *w.shape[1:])
    parts = np.split(x, groups, axis=3)
    for (row, column), place in _taps(x.shape, window):
        values = [
            part @ taps[:, row, column].T for part, taps in zip(parts, per_group, strict=True)
        ]
        canvas[place] += np.concatenate(values, axis=-1)
    return y


def _rows_met(site: Site, x: np.ndarray) -> np.ndarray:
    """[groups, pixels, KH * KW * C / groups]; 0 where a tap meets nothing."""
    window, groups = _window(site.inputs[1].shape, site.attrs), site.attrs["groups"]
    canvas, met = _canvas(x, window, site.attrs, (*window.kernel, x.shape[3]))
    for (row, column), place in _taps(x.shape, window):
        canvas[(*place, row, column)] = x
    by_group = met.reshape(-1, *window.kernel, groups, x.shape[3] // groups)
    return np.moveaxis(by_group, 3, 0).reshape(groups, len(by_group), -1)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    y = _products(arrays[0], arrays[1], attrs)
    return (clamped(y + arrays[2] if len(arrays) > 2 else y, attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    """Through float64, which holds these sums exactly."""
    x, w, bias, multiplier = arrays
    centred = x.astype(np.float64) - site.x.quant.zero  # type: ignore[union-attr]
    acc = _products(centred, w.astype(np.float64), site.attrs).astype(np.int64)
    return (finish(site, acc + bias, multiplier),)


def accumulator(site: Site) -> np.ndarray:
    """As if all taps met at one pixel."""
    total = np.abs(site.const(1).astype(np.int64)).sum(axis=(1, 2, 3)) * reach(site, 0)
    return shifted(total + np.abs(site.const(2).astype(np.int64)), site)


def lower(low: Lowering) -> None:
    x, weights = low.activation(0), low.quantized(1)
    if weights is None:
        low.refuse("its weights are no quantised constant")
    parts = low.contraction(x, weights, 0, 2)
    folded = x.type.quant.zero * parts.weights.astype(np.int64).sum(axis=(1, 2, 3))  # type: ignore[union-attr]
    bias = parts.bias + folded
    if np.abs(bias).max(initial=0) > INT32_MAX:
        low.refuse("its bias leaves the range of int32")
    constants = [
        low.constant("weights", parts.weights),
        low.constant("bias", bias.astype(np.int32)),
        low.constant("multiplier", parts.multiplier.value),
    ]
    kept = {k: v for k, v in low.attrs.items() if k not in ("min", "max")}
    attrs = {**kept, "pre_shift": parts.multiplier.pre_shift, **low.limits()}
    low.emit("conv_transpose2d", [x.name, *constants], attrs)


def macs(site: Site) -> int:
    return site.x.size // site.x.shape[3] * site.inputs[1].type.size


def _params(site: Site) -> dict[str, int | float]:
    image: dict[str, int | float] = {
        **image_params(site.x.shape, site.y.shape), **_window(site.inputs[1].shape, site.attrs).params()
    }  # fmt: skip
    image["groups"] = site.attrs["groups"]
    if site.is_float:
        return {**image, **float_params(site)}
    return {**image, "x_zero_point": site.x.quant.zero, **quantized_params(site)}  # type: ignore[union-attr]


def _kernel(kind: str) -> Kernel:
    return Kernel(
        f"tml_conv_transpose2d_{kind}", "conv_transpose2d",
        accepts=lambda site: needs(site, kind, kind), params=_params,
        arrays=lambda site: contraction_arrays(site, site.const(1), site.y.shape[3]),
        cycles=lambda site: 6.0 * macs(site) + 20.0 * site.y.size,
    )  # fmt: skip


def from_onnx(node: OnnxNode) -> None:
    x, w, groups = node.type(0), node.type(1), node.attr("group", 1)
    if (
        x.rank not in (3, 4)
        or w.rank != x.rank
        or w.shape[0] != x.shape[1]
        or groups < 1
        or w.shape[0] % groups
    ):
        node.refuse(
            f"ConvTranspose takes a 1-D or 2-D image and weights [C, O / group, ...], got {x} and {w}"
        )
    quant = w.quant if node.is_const(1) else _quant_behind(node)
    if quant is not None and not quant.is_per_tensor and groups > 1:
        node.refuse("ConvTranspose in groups with weights quantised per channel is not supported")
    window, more = _onnx_window(node)
    weights = node.rearranged(1, lambda a: _reordered(a, groups, window.kernel), 0)
    bias = [node.fixed(2, "bias")] if node.has(2) else []
    operands = [node.to_channels_last(0), weights, *bias]
    attrs = {**window.attrs, "groups": groups, "output_padding": more}
    y = node.emit(
        "conv_transpose2d", operands, attrs, hint="nhwc", origin=node.image_origin()
    )  # fmt: skip
    node.from_channels_last(y, x.rank)


def _quant_behind(node: OnnxNode) -> Any:
    maker = node.draft.producer(node.inputs[1])
    return node.draft.tensors[maker.inputs[0]].type.quant if maker else None


def _reordered(w: np.ndarray, groups: int, kernel: tuple[int, int]) -> np.ndarray:
    """[C, O / groups, (KH,) KW] to [O, KH, KW, C / groups]."""
    split = w.reshape(groups, w.shape[0] // groups, w.shape[1], *kernel)
    return split.transpose(0, 2, 3, 4, 1).reshape(
        groups * w.shape[1], *kernel, w.shape[0] // groups
    )


def _onnx_window(node: OnnxNode) -> tuple[Window, tuple[int, int]]:
    """Window and output_padding for a 1-D or 2-D image; auto_pad and output_shape are resolved."""
    x, w = node.type(0).shape[2:], node.type(1).shape[2:]
    rank = len(x)
    if tuple(node.attr("kernel_shape", w)) != w:
        node.refuse(
            f"ConvTranspose: kernel_shape {node.attr('kernel_shape')}, but the weights are {node.type(1)}"
        )
    lists = {name: tuple(node.attr(name, (1,) * rank)) for name in ("strides", "dilations")}
    lists["output_padding"] = tuple(node.attr("output_padding", (0,) * rank))
    for name, values in lists.items():
        if len(values) != rank or min(values) < (0 if name == "output_padding" else 1):
            node.refuse(f"ConvTranspose: {name} {list(values)} for {rank} spatial axes")
    front = (1,) * (2 - rank)
    one = Window((*front, *w), (*front, *lists["strides"]), (*front, *lists["dilations"]))  # type: ignore
    more = ((0,) * (2 - rank) + lists["output_padding"])[-2:]
    return _padded(node, one, (*front, *x), more)  # type: ignore[arg-type]


def _padded(
    node: OnnxNode, window: Window, x: tuple[int, ...], more: tuple[int, int]
) -> tuple[Window, tuple[int, int]]:
    full = output_size((1, *x), window, more)
    mode, wanted = node.attr("auto_pad", "NOTSET"), node.attr("output_shape", None)
    if wanted is not None:
        size = ((1,) * (2 - len(wanted)) + tuple(wanted))[-2:]
    elif mode in ("SAME_UPPER", "SAME_LOWER"):
        size = (x[0] * window.strides[0], x[1] * window.strides[1])
    else:
        pads = tuple(node.attr("pads", (0,) * (2 * len(node.type(0).shape[2:]))))
        pads = pads if mode in ("NOTSET", "") else (0, 0, 0, 0)
        pads = (0, pads[0], 0, pads[1]) if len(pads) == 2 else pads
        if len(pads) != 4 or min(pads) < 0 or mode not in ("NOTSET", "", "VALID"):
            node.refuse(f"ConvTranspose: pads {list(pads)}, auto_pad {mode!r}")
        return Window(window.kernel, window.strides, window.dilations, pads), more
    return _cut_to(node, window, full, size, more)


def _cut_to(
    node: OnnxNode,
    window: Window,
    full: tuple[int, int],
    size: tuple[int, int],
    more: tuple[int, int],
) -> tuple[Window, tuple[int, int]]:
    """Padding that leaves `size`; what is missing is added at the end. The odd element is cut off at the
    end for SAME_UPPER, else at the beginning."""
    cut = [max(f - s, 0) for f, s in zip(full, size, strict=True)]
    added = tuple(m + max(s - f, 0) for f, s, m in zip(full, size, more, strict=True))
    upper = node.attr("auto_pad", "NOTSET") == "SAME_UPPER"
    begin = [c // 2 if upper else c - c // 2 for c in cut]
    pads = (*begin, *(c - b for c, b in zip(cut, begin, strict=True)))
    return Window(window.kernel, window.strides, window.dilations, pads), added  # type: ignore[arg-type,return-value]


def _case(
    name: str, x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **attrs: Any
) -> Case:
    channels = w[1] * attrs.get("group", 1)
    inputs = (x, Const(shape=w)) + ((Const(shape=(channels,)),) if bias else ())
    return Case(name, "ConvTranspose", inputs, attrs)


OP = Op(
    "conv_transpose2d",
    infer,
    reference,
    integer,
    accumulator=accumulator,
    runs=runs.of_first,
    quantize=QuantizeRule(lower, weights={1: 0}, bias=2, windows=_rows_met, int8_only=True),
    kernels=(_kernel("i8"), _kernel("f32")),
    macs=macs,
    clamps=True,
    onnx={"ConvTranspose": from_onnx},
    summary="ConvTranspose, 1-D and 2-D",
    cases=(
        _case("one_pixel", (1, 1, 1, 1), (1, 1, 1, 1)),
        _case("twice", (1, 3, 4, 5), (3, 2, 2, 2), strides=[2, 2]),
        _case(
            "overlapping", (1, 2, 3, 4), (2, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]
        ),
        _case("asymmetric", (1, 2, 4, 3), (2, 5, 3, 2), strides=[1, 3], pads=[1, 0, 2, 1]),
        _case("gaps", (1, 2, 3, 3), (2, 2, 1, 2), strides=[3, 3], output_padding=[2, 0]),
        _case("dilated", (1, 1, 4, 4), (1, 2, 2, 3), dilations=[2, 2]),
        _case("groups", (1, 4, 3, 3), (4, 3, 2, 2), group=2, strides=[2, 2]),
        _case("depthwise", (1, 3, 4, 4), (3, 1, 3, 3), group=3, strides=[2, 2], bias=False),
        _case("same_upper", (1, 2, 3, 4), (2, 2, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
        _case("same_lower", (1, 2, 3, 4), (2, 2, 3, 3), strides=[2, 2], auto_pad="SAME_LOWER"),
        _case("output_shape", (1, 2, 3, 3), (2, 2, 3, 3), strides=[3, 2], output_shape=[10, 6]),
        _case("one_dimension", (1, 3, 7), (3, 2, 4), strides=[2], pads=[1, 1]),
        _case("batch", (2, 2, 3, 3), (2, 2, 3, 3)),
    ),
)  # fmt: skip
