"""Sums of products as loop nests: for element types that no kernel takes.

Those are int16 activations, with int8 or int16 weights, and int16 weights on int8 activations: uint8 ones with a
zero point other than 128 need nine bits once it is taken off.
"""

from __future__ import annotations

from .base import Loop, Nest, Site
from .contraction import float_params, sum_bound
from .indexing import c_float, nested, read
from .integer_end import accumulator_c, output_c
from .windows import Window

# Modelled cycles of a multiplication with its loads and loop
_CYCLES = 14.0


def dense_nest(site: Site) -> Nest:
    k, n = site.x.shape[-1], site.y.shape[-1]
    term = f"acc += {_value(site, f'x0[{k}U * r + i]')} * {read(site, 1, f'{k}U * n + i')};"
    body = _sum(site, f"y0[{n}U * r + n]", Loop("i", k, (term,)))
    return _nest(site, ("r", "n"), (site.x.size // k, n), body, site.y.size * k)


def conv2d_nest(site: Site) -> Nest:
    """weights: [O, KH, KW, C / groups]."""
    outputs, kernel_h, kernel_w, channels = site.inputs[1].shape
    groups = site.attrs["groups"]
    channel = "i" if groups == 1 else f"i + {channels}U * (n / {outputs // groups}U)"
    weight = (
        f"{kernel_h * kernel_w * channels}U * n + {kernel_w * channels}U * p + {channels}U * q + i"
    )
    taps = (Loop("i", channels, _product(site, (kernel_h, kernel_w), channel, weight)),)
    return _over_pixels(site, (kernel_h, kernel_w), taps)


def depthwise_nest(site: Site) -> Nest:
    """weights: [KH, KW, C]."""
    kernel_h, kernel_w, channels = site.inputs[1].shape
    weight = f"{kernel_w * channels}U * p + {channels}U * q + n"
    return _over_pixels(
        site, (kernel_h, kernel_w), _product(site, (kernel_h, kernel_w), "n", weight)
    )


def _over_pixels(site: Site, kernel: tuple[int, int], taps: tuple[Loop | str, ...]) -> Nest:
    """Loops over pixels and channels of the result; rows and columns of the window around `taps`."""
    window, (images, h, w, outputs) = Window.of(site.attrs, kernel), site.y.shape
    row, column = (
        f"const size_t {name} = {stride}U * {out} + {dilation}U * {tap} - {pad}U;"
        for name, out, tap, stride, dilation, pad in zip(
            ("row", "column"),
            "yx",
            "pq",
            window.strides,
            window.dilations,
            window.pads[:2],
            strict=True,
        )
    )
    rows = Loop("p", kernel[0], (row, Loop("q", kernel[1], (column, *taps))))
    target = f"y0[{h * w * outputs}U * b + {w * outputs}U * y + {outputs}U * x + n]"
    terms = site.y.size * site.inputs[1].type.size // outputs
    return _nest(
        site, ("b", "y", "x", "n"), (images, h, w, outputs), _sum(site, target, rows), terms
    )


def _product(site: Site, kernel: tuple[int, int], channel: str, weight: str) -> tuple[str, ...]:
    """One product; a pixel outside the image counts as zero. Rows and columns before it wrap round."""
    _, h, w, channels = site.x.shape
    pixel = (
        f"x0[{h * w * channels}U * b + {w * channels}U * row + {channels}U * column + {channel}]"
    )
    value = _value(site, pixel)
    if any(Window.of(site.attrs, kernel).pads):
        zero = "0.0F" if site.is_float else str(site.x.quant.zero)  # type: ignore[union-attr]
        value = f"row < {h}U && column < {w}U ? {value} : {zero}"
    return (f"const {_kind(site)} v = {value};", f"acc += v * {read(site, 1, weight)};")


def _kind(site: Site) -> str:
    return "float" if site.is_float else "int32_t"


def _value(site: Site, element: str) -> str:
    return element if site.is_float else f"(int32_t){element}"


def _accumulator(site: Site) -> str:
    """Channels lie along the first axis of weights, or the last of depthwise ones."""
    axis = 2 if site.node.op == "depthwise_conv2d" else 0
    return accumulator_c(site, sum_bound(site, axis))


def _sum(site: Site, target: str, loops: Loop) -> tuple[Loop | str, ...]:
    """The accumulator from the bias on, and the result that it becomes."""
    if not site.is_float:
        result = output_c(site, "acc", read(site, 3, "n"))
        return (f"{_accumulator(site)} acc = {read(site, 2, 'n')};", loops, f"{target} = {result};")
    bias = read(site, 2, "n") if len(site.inputs) > 2 else "0.0F"
    low, high = (c_float(float_params(site)[name]) for name in ("y_min", "y_max"))
    return (f"float acc = {bias};", loops, f"{target} = fminf(fmaxf(acc, {low}), {high});")


def _nest(
    site: Site,
    variables: tuple[str, ...],
    extents: tuple[int, ...],
    body: tuple[Loop | str, ...],
    terms: int,
) -> Nest:
    includes = ("math.h",) if site.is_float else ()
    return Nest(nested(variables, extents, body), includes=includes, cycles=_CYCLES * terms)
