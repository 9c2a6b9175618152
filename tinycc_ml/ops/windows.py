"""Sliding windows over channels-last images: output sizes, ONNX padding, and NumPy windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from .importing import OnnxNode


@dataclass(frozen=True)
class Window:
    """A 2-D window: kernel, strides, dilations as (h, w); pads as (top, left, bottom, right)."""

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

    @staticmethod
    def of(attrs: Attrs, kernel: tuple[int, int]) -> Window:
        return Window(kernel, attrs["strides"], attrs["dilations"], attrs["pads"])

    @property
    def attrs(self) -> dict[str, Any]:
        """As node attributes, without the kernel (which weights give)."""
        return {"strides": self.strides, "dilations": self.dilations, "pads": self.pads}

    @property
    def is_pointwise(self) -> bool:
        """One tap at every pixel: no window to speak of."""
        return self.kernel == (1, 1) == self.strides and not any(self.pads)

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns the dilated kernel spans."""
        (kh, kw), (dh, dw) = self.kernel, self.dilations
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1

    def output(self, h: int, w: int) -> tuple[int, int]:
        """Output rows and columns of an [h, w] image. ModelError when there is none."""
        top, left, bottom, right = self.pads
        (eh, ew), (sh, sw) = self.extent, self.strides
        padded = (h + top + bottom, w + left + right)
        spare_h, spare_w = padded[0] - eh, padded[1] - ew
        if spare_h < 0 or spare_w < 0:
            raise ModelError(
                f"a window spanning {self.extent} does not fit the padded image {padded}"
            )
        return spare_h // sh + 1, spare_w // sw + 1

    def positions_within(self, axis: int, size: int, count: int) -> int:
        """How many of `count` positions along an axis (0: rows, 1: columns) of `size` reach no padding."""
        starts = np.arange(count) * self.strides[axis] - self.pads[axis]
        return int(((starts >= 0) & (starts + self.extent[axis] <= size)).sum())

    def params(self) -> dict[str, int]:
        """As fields of a C params struct."""
        return {
            "kernel_h": self.kernel[0], "kernel_w": self.kernel[1],
            "stride_h": self.strides[0], "stride_w": self.strides[1],
            "dilation_h": self.dilations[0], "dilation_w": self.dilations[1],
            "pad_top": self.pads[0], "pad_left": self.pads[1],
        }  # fmt: skip


def channelwise_params(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> dict[str, int]:
    """The same for kernels that make each channel from itself: y has x's channels."""
    return {k: v for k, v in image_params(x_shape, y_shape).items() if k != "y_c"}


def image_params(x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> dict[str, int]:
    """Sizes of one channels-last image in and out, as fields of a C params struct."""
    (_, xh, xw, xc), (_, yh, yw, yc) = x_shape, y_shape
    return {
        "x_h": xh, "x_w": xw, "x_c": xc, "x_row_pitch": xw * xc,
        "y_h": yh, "y_w": yw, "y_c": yc, "y_row_pitch": yw * yc,
    }  # fmt: skip


def windows(x: np.ndarray, window: Window, fill: float) -> np.ndarray:
    """x: [N, H, W, C] to a view [N, OH, OW, KH, KW, C]; padding holds `fill`."""
    if window.is_pointwise:
        return x[:, :, :, None, None]
    top, left, bottom, right = window.pads
    oh, ow = window.output(x.shape[1], x.shape[2])
    if any(window.pads):
        n, h, w, c = x.shape
        padded = np.full((n, top + h + bottom, left + w + right, c), fill, x.dtype)
        padded[:, top : top + h, left : left + w] = x
        x = padded
    sn, sh, sw, sc = x.strides
    (kh, kw), (th, tw), (dh, dw) = window.kernel, window.strides, window.dilations
    shape = (x.shape[0], oh, ow, kh, kw, x.shape[3])
    return np.lib.stride_tricks.as_strided(
        x, shape, (sn, sh * th, sw * tw, sh * dh, sw * dw, sc), writeable=False
    )


def taps_inside(window: Window, h: int, w: int) -> np.ndarray:
    """bool [kinds, KH * KW]: which taps lie in an [h, w] image, for every kind of position of the window."""
    image = windows(np.ones((1, h, w, 1), bool), window, 0)
    return np.unique(image.reshape(-1, window.kernel[0] * window.kernel[1]), axis=0)


def onnx_window(node: OnnxNode, kernel: tuple[int, ...], spatial: tuple[int, ...]) -> Window:
    """The window attributes of an ONNX node for 1-D or 2-D images; auto_pad is resolved."""
    rank = len(spatial)
    strides = tuple(node.attr("strides", (1,) * rank))
    dilations = tuple(node.attr("dilations", (1,) * rank))
    pads = _resolve_pads(node, kernel, strides, dilations, spatial)
    for name, values in (("kernel", kernel), ("strides", strides), ("dilations", dilations)):
        if len(values) != rank or min(values) < 1:
            node.refuse(f"{node.op_type}: {name} {list(values)} for {rank} spatial axes")
    if min(pads) < 0 or len(pads) != 2 * rank:
        node.refuse(f"{node.op_type}: pads {list(pads)}, wanted {2 * rank} values of 0 or more")
    if rank == 1:
        return Window((1, kernel[0]), (1, strides[0]), (1, dilations[0]), (0, pads[0], 0, pads[1]))
    return Window(kernel, strides, dilations, (pads[0], pads[1], pads[2], pads[3]))  # type: ignore[arg-type]


def _resolve_pads(
    node: OnnxNode, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...],
    spatial: tuple[int, ...],
) -> tuple[int, ...]:  # fmt: skip
    """pads as ONNX orders them (all begins, then all ends)."""
    mode = node.attr("auto_pad", "NOTSET")
    if mode in ("NOTSET", ""):
        return tuple(node.attr("pads", (0,) * (2 * len(spatial))))
    if mode == "VALID":
        return (0,) * (2 * len(spatial))
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        node.refuse(f"{node.op_type}: auto_pad {mode!r}")
    begins, ends = [], []
    for size, k, s, d in zip(spatial, kernel, strides, dilations, strict=True):
        total = max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        small, large = total // 2, total - total // 2
        begins.append(small if mode == "SAME_UPPER" else large)
        ends.append(large if mode == "SAME_UPPER" else small)
    return (*begins, *ends)
