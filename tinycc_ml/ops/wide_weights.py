"""Integer sums of products with 16-bit weights, as loop nests.

uint8 weights with a zero point other than 128 need nine bits once it is taken off: no kernel takes
them, and models that have them are few.
"""

from __future__ import annotations

from ..errors import Location, ModelError
from ..ir.types import I8, I16
from .base import Loop, Nest, Site
from .contraction import quantized_params
from .indexing import nested, read
from .windows import Window

# Modelled cycles of a multiplication with its loads and loop
_CYCLES = 14.0


def dense_nest(site: Site) -> Nest:
    k, n = site.x.shape[-1], site.y.shape[-1]
    term = f"acc += (int32_t)x0[{k}U * r + i] * {read(site, 1, f'{k}U * n + i')};"
    body = _output(site, "n", f"y0[{n}U * r + n]", (Loop("i", k, (term,)),))
    return Nest(nested(("r", "n"), (site.x.size // k, n), body), cycles=_CYCLES * site.y.size * k)


def conv2d_nest(site: Site) -> Nest:
    """weights: [O, KH, KW, C / groups]."""
    outputs, kernel_h, kernel_w, channels = site.inputs[1].shape
    group = f" + {channels}U * (n / {outputs // site.attrs['groups']}U)"
    at = f"{kernel_h * kernel_w * channels}U * n + {kernel_w * channels}U * p + {channels}U * q + i"
    image = _image(site, (kernel_h, kernel_w), f"i{group if site.attrs['groups'] > 1 else ''}", at)
    return _over_pixels(site, (kernel_h, kernel_w), (Loop("i", channels, image),))


def depthwise_nest(site: Site) -> Nest:
    """weights: [KH, KW, C]."""
    kernel_h, kernel_w, channels = site.inputs[1].shape
    image = _image(site, (kernel_h, kernel_w), "n", f"{kernel_w * channels}U * p + {channels}U * q + n")
    return _over_pixels(site, (kernel_h, kernel_w), image)


def _over_pixels(site: Site, kernel: tuple[int, int], inner: tuple[Loop | str, ...]) -> Nest:
    """Loops over the pixels and channels of the result, rows and columns of the window around `inner`."""
    window, (images, h, w, outputs) = Window.of(site.attrs, kernel), site.y.shape
    at = [
        f"const size_t {name} = {stride}U * {out} + {dilation}U * {tap} - {pad}U;"
        for name, out, tap, stride, dilation, pad in zip(
            ("row", "column"), "yx", "pq", window.strides, window.dilations, window.pads[:2], strict=True
        )
    ]
    columns = Loop("q", kernel[1], (at[1], *inner))
    rows = Loop("p", kernel[0], (at[0], columns))
    target = f"y0[{h * w * outputs}U * b + {w * outputs}U * y + {outputs}U * x + n]"
    body = _output(site, "n", target, (rows,))
    taps = site.y.size * site.inputs[1].type.size // outputs
    return Nest(nested(("b", "y", "x", "n"), (images, h, w, outputs), body), cycles=_CYCLES * taps)


def _image(site: Site, kernel: tuple[int, int], channel: str, weight: str) -> tuple[str, ...]:
    """One product; a pixel outside the image counts as zero. Rows and columns before it wrap round."""
    _, h, w, channels = site.x.shape
    pixel = f"x0[{h * w * channels}U * b + {w * channels}U * row + {channels}U * column + {channel}]"
    zero = site.x.quant.zero  # type: ignore[union-attr]
    value = pixel
    if any(Window.of(site.attrs, kernel).pads):
        value = f"row < {h}U && column < {w}U ? {pixel} : {zero}"
    return (f"const int32_t v = {value};", f"acc += v * {read(site, 1, weight)};")


def _output(site: Site, n: str, target: str, sums: tuple[Loop | str, ...]) -> tuple[Loop | str, ...]:
    got = site.x.dtype, site.inputs[1].type.dtype
    if got != (I8, I16):
        message = f"{site.node.op} takes i8 by i8, i8 by i16 or f32 by f32, got {got[0]} by {got[1]}"
        raise ModelError(message, loc=Location(node=site.node.name))
    fields = quantized_params(site)
    names = ("pre_shift", "y_zero_point", "y_min", "y_max")
    rest = ", ".join(str(fields[name]) for name in names)
    return (
        f"int32_t acc = {read(site, 2, n)};",
        *sums,
        f"{target} = tml_output_i8(acc, {read(site, 3, n)}, {rest});",
    )
