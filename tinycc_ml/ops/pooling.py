"""What the pooling ops share: attributes kernel, strides, dilations, pads over images [N, H, W, C]; import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Case, Loop, Nest, Site
from .importing import OnnxNode
from .indexing import nested
from .windows import Window, channelwise_params, onnx_window


def window_of(attrs: Attrs) -> Window:
    return Window.of(attrs, attrs["kernel"])


def infer(name: str, types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x = types[0]
    if x.rank != 4:
        raise ModelError(f"{name} takes an image [N, H, W, C], got {x}")
    oh, ow = window_of(attrs).output(x.shape[1], x.shape[2])
    return (TensorType((x.shape[0], oh, ow, x.shape[3]), x.dtype),)


def params(site: Site) -> dict[str, int | float]:
    return {**channelwise_params(site.x.shape, site.y.shape), **window_of(site.attrs).params()}


def window_cycles(site: Site, four: float, single: float) -> float:
    """Modelled cycles of windows that take `four` for four channels at once and `single` for one."""
    channels = site.y.shape[3]
    windows = site.y.size // channels
    return windows * (channels // 4 * four + channels % 4 * single + 100.0)


def same_type(site: Site, kind: str) -> str | None:
    """None when x and y have this element type, else what they have."""
    got = site.x.dtype.name, site.y.dtype.name
    return None if got == (kind, kind) else f"takes {kind}, got {got[0]} for {got[1]}"


def pool_nest(
    site: Site,
    start: str,
    step: str,
    result: str,
    arrays: tuple[tuple[str, np.ndarray], ...] = (),
) -> Nest:
    """Loops over pixels and channels of y and the taps of its window that lie in x: `start`, `step` for each with
    its index `at`, y is `result`. For element types without a kernel."""
    window, (images, h, w, channels) = window_of(site.attrs), site.y.shape
    _, x_h, x_w, _ = site.x.shape
    row, column = (
        f"const size_t {name} = {stride}U * {out} + {dilation}U * {tap} - {pad}U;"
        for name, out, tap, stride, dilation, pad in zip(
            ("row", "column"), "yx", "pq",
            window.strides, window.dilations, window.pads[:2], strict=True,
        )
    )  # fmt: skip
    at = f"const size_t at = {x_h * x_w * channels}U * b + {x_w * channels}U * row + {channels}U * column + c;"
    inside = f"if (row < {x_h}U && column < {x_w}U) {{ {step} }}"
    taps = Loop("p", window.kernel[0], (row, Loop("q", window.kernel[1], (column, at, inside))))
    target = f"y0[{h * w * channels}U * b + {w * channels}U * y + {channels}U * x + c]"
    body = (start, taps, f"{target} = {result};")
    terms = site.y.size * window.kernel[0] * window.kernel[1]
    loops = nested(("b", "y", "x", "c"), (images, h, w, channels), body)
    return Nest(loops, arrays, cycles=14.0 * terms)


def onnx_pool_window(node: OnnxNode) -> Window:
    """The window of an ONNX MaxPool or AveragePool; ceil_mode becomes padding at the end."""
    x, kernel = node.type(0), tuple(node.attr("kernel_shape"))
    if x.rank not in (3, 4):
        node.refuse(f"{node.op_type} takes a 1-D or 2-D image [N, C, (H,) W], got {x}")
    window = onnx_window(node, kernel, x.shape[2:])
    return _ceiled(window, (1, *x.shape[2:])[-2:]) if node.attr("ceil_mode", 0) else window


def _ceiled(window: Window, size: tuple[int, ...]) -> Window:
    """One more window along an axis where it is not complete but begins inside image or first padding."""
    pads = list(window.pads)
    for axis, (length, span, stride) in enumerate(
        zip(size, window.extent, window.strides, strict=True)
    ):
        before, after = pads[axis], pads[axis + 2]
        start = -(-(length + before + after - span) // stride) * stride
        if start < length + before:
            pads[axis + 2] = max(after, start + span - length - before)
    return replace(window, pads=(pads[0], pads[1], pads[2], pads[3]))


def global_window(node: OnnxNode) -> Window:
    x = node.type(0)
    if x.rank not in (3, 4):
        node.refuse(f"{node.op_type} takes a 1-D or 2-D image [N, C, (H,) W], got {x}")
    return Window((1, *x.shape[2:])[-2:])  # type: ignore[arg-type]


def emit_pool(
    node: OnnxNode, op: str, window: Window, image: str | None = None, **attrs: object
) -> None:
    """The IR node on channels-last images, and the way back to ONNX's axis order."""
    x = image or node.to_channels_last(0)
    all_attrs = {"kernel": window.kernel, **window.attrs, **attrs}
    y = node.emit(op, [x], all_attrs, hint="nhwc", origin=node.image_origin())
    node.from_channels_last(y, node.type(0).rank)


def cases(op_type: str, **attrs: object) -> tuple[Case, ...]:
    def case(
        name: str, x: tuple[int, ...], kernel: list[int], opset: int = 17, **more: object
    ) -> Case:
        return Case(name, op_type, (x,), {"kernel_shape": kernel, **attrs, **more}, opset)

    return (
        case("one_pixel", (1, 1, 1, 1), [1, 1]),
        case("halves", (1, 3, 6, 8), [2, 2], strides=[2, 2]),
        case("odd_size", (1, 3, 7, 5), [2, 2], strides=[2, 2]),
        case("overlapping_padded", (1, 5, 6, 6), [3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        case("same_upper", (1, 2, 7, 6), [3, 2], strides=[2, 2], auto_pad="SAME_UPPER"),
        case("same_lower", (1, 2, 7, 6), [2, 3], strides=[1, 2], auto_pad="SAME_LOWER"),
        case("asymmetric", (1, 4, 9, 4), [4, 2], strides=[3, 1], pads=[2, 0, 1, 1]),
        case("ceil", (1, 3, 6, 7), [3, 3], strides=[2, 2], ceil_mode=1),
        case("ceil_padded", (1, 2, 5, 6), [2, 3], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1),
        case("dilated", (1, 2, 9, 9), [3, 2], 19, dilations=[2, 3], pads=[1, 1, 1, 1]),
        case("one_dimension", (1, 4, 11), [3], strides=[2], pads=[1, 1]),
        case("batch", (2, 3, 4, 4), [2, 2]),
    )


def global_cases(op_type: str) -> tuple[Case, ...]:
    shapes = {
        "one_pixel": (1, 2, 1, 1),
        "image": (1, 5, 7, 3),
        "row": (1, 6, 9),
        "batch": (2, 3, 4, 4),
    }
    return tuple(Case(f"global_{name}", op_type, (shape,)) for name, shape in shapes.items())
