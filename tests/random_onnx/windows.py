"""Convolutions, pools, normalisations, resizing, and quantisation between floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from .entry import Entry
from .writer import Skip, Value, Writer


def image(w: Writer, most: int = 5, **limits: Any) -> Value:
    """[N, C, ...] with one to three spatial axes."""
    return w.real(3, most, low=-60, high=60, **limits)


def _maybe_constant(w: Writer, a: np.ndarray, p: float = 0.8) -> Value:
    return w.constant(a) if w.chance(p) else w.input(a)


def _window(w: Writer, shape: tuple[int, ...], dilate: bool = True) -> dict[str, Any]:
    """kernel_shape, strides, dilations, and pads or auto_pad, some of them left out."""
    rank = len(shape) - 2
    kernel = [w.whole(1, min(4, d + 1)) for d in shape[2:]]
    attrs: dict[str, Any] = {"kernel_shape": kernel}
    if w.chance(0.5):
        attrs["strides"] = [w.whole(1, 3) for _ in range(rank)]
    if dilate and w.chance(0.3):
        attrs["dilations"] = [w.whole(1, 2) for _ in range(rank)]
    if w.chance(0.2) and "dilations" not in attrs:
        attrs["auto_pad"] = w.one_of("SAME_UPPER", "SAME_LOWER", "VALID")
    elif w.chance(0.8):
        attrs["pads"] = [w.whole(0, k - 1) for k in (*kernel, *kernel)]
    pads, steps = attrs.get("pads", [0] * 2 * rank), attrs.get("dilations", [1] * rank)
    room = [d + sum(pads[a::rank]) for a, d in enumerate(shape[2:])]
    if any((k - 1) * d >= r for k, d, r in zip(kernel, steps, room, strict=True)):
        raise Skip  # a window larger than the padded image has no meaning
    return attrs


def _groups(w: Writer, channels: int) -> int:
    if w.chance(0.6):
        return 1
    return int(w.rng.choice([g for g in range(1, channels + 1) if channels % g == 0]))


def _conv(w: Writer) -> None:
    x = image(w)
    attrs, channels = _window(w, x.shape), x.shape[1]
    group = _groups(w, channels)
    made = group * w.whole(1, 3)
    operands = [x, _maybe_constant(w, w.floats((made, channels // group, *attrs["kernel_shape"])))]
    if w.chance(0.6):
        operands.append(_maybe_constant(w, w.floats((made,))))
    w.node("Conv", operands, group=group, **attrs)


def _conv_transpose(w: Writer) -> None:
    x = image(w)
    attrs, channels = _window(w, x.shape), x.shape[1]
    attrs.pop("auto_pad", None)  # runtimes differ
    group = _groups(w, channels)
    each = w.whole(1, 3)
    operands = [x, _maybe_constant(w, w.floats((channels, each, *attrs["kernel_shape"])))]
    if w.chance(0.6):
        operands.append(_maybe_constant(w, w.floats((group * each,))))
    if "strides" in attrs and w.chance(0.4):
        attrs["output_padding"] = [s - 1 for s in attrs["strides"]]
    w.node("ConvTranspose", operands, group=group, **attrs)


def _max_pool(w: Writer) -> None:
    x = image(w)
    ceil = w.flag() if w.opset >= 19 else 0  # before, runtimes differ on windows that start outside
    attrs = _window(w, x.shape)
    if ceil and "auto_pad" in attrs:
        raise Skip
    w.node("MaxPool", [x], exact=True, ceil_mode=ceil, **attrs)


def _average_pool(w: Writer) -> None:
    x = image(w)
    attrs = _window(w, x.shape, dilate=w.opset >= 19)
    w.node("AveragePool", [x], count_include_pad=w.flag(), **attrs)


def _lp_pool(w: Writer) -> None:
    x = image(w)
    w.node("LpPool", [x], p=w.one_of(1, 2), **_window(w, x.shape, dilate=w.opset >= 18))


def _global(op: str, exact: bool = False) -> Entry:
    return Entry(op, lambda w: w.node(op, [image(w)], exact=exact))


def _lrn(w: Writer) -> None:
    w.node(
        "LRN", [image(w, 4)], size=w.one_of(1, 3, 5), alpha=0.01, beta=0.75, bias=w.one_of(1.0, 2.0)
    )


def _batch_norm(w: Writer) -> None:
    x = w.real(2, low=-60, high=60)
    c = x.shape[1]
    scale, bias, mean = (w.constant(w.floats((c,))) for _ in range(3))
    variance = w.constant(w.floats((c,), low=0.5))
    w.node("BatchNormalization", [x, scale, bias, mean, variance], epsilon=w.one_of(None, 1e-3))


def _spread(axes: tuple[int, ...]) -> Any:
    """Values that differ along the axes: a norm of what is nearly constant is ill-conditioned."""

    def fits(v: Value) -> bool:
        chosen = tuple(a for a in axes if a < v.rank)
        return bool(np.std(v.array, chosen).min() > 0.3)

    return fits


def _fresh_unless(w: Writer, x: Value, spread: Any) -> Value:
    """x, or a new input of its rank with values of enough spread."""
    if spread(x):
        return x
    y = w.input(w.floats((*x.shape[:2], *(max(d, 5) for d in x.shape[2:]))))
    if not spread(y):
        raise Skip
    return y


def _instance_norm(w: Writer) -> None:
    spread = _spread((2, 3, 4))
    x = _fresh_unless(w, image(w, 4, fits=spread), spread)
    affine = [w.constant(w.floats((x.shape[1],))) for _ in range(2)]
    w.node("InstanceNormalization", [x, *affine], epsilon=w.one_of(None, 1e-2))


def _group_norm(w: Writer) -> None:
    spread = _spread((2, 3, 4))
    x = _fresh_unless(w, image(w, 4, fits=spread), spread)
    groups = _groups(w, x.shape[1])
    affine = [w.constant(w.floats((x.shape[1],))) for _ in range(2)]
    w.node("GroupNormalization", [x, *affine], num_groups=groups)


def _last_axes(w: Writer, op: str, bias: bool) -> None:
    axis = w.whole(-2, -1)
    x = w.real(2, fits=lambda v: _spread((v.rank - 1,))(v))
    if not _spread((x.rank - 1,))(x):
        x = w.input(w.floats((*x.shape[:-1], 7)))
    shape = x.shape[axis:] if w.chance(0.7) else x.shape[-1:]
    affine: list[Value | None] = [w.constant(w.floats(shape))]
    if bias and w.chance(0.7):
        affine.append(w.constant(w.floats(shape)))
    w.node(op, [x, *affine], axis=axis, epsilon=w.one_of(None, 1e-3))


def _mean_variance(w: Writer) -> None:
    spread = _spread((0, 2, 3))
    x = w.real(4, 4, fits=spread)
    w.node("MeanVarianceNormalization", [x if spread(x) else w.input(w.floats((2, 2, 3, 3)))])


def _resize(w: Writer) -> None:
    x = image(w, 4)
    spatial = x.rank - 2
    mode = w.one_of("nearest", "linear", "cubic") if x.rank == 4 else w.one_of("nearest", "linear")
    how = [
        "asymmetric",
        "half_pixel",
        "align_corners",
        *(["half_pixel_symmetric"] if w.opset >= 19 else []),
    ]
    attrs = {"mode": mode, "coordinate_transformation_mode": w.rng.choice(how)}
    if mode == "nearest":
        attrs["nearest_mode"] = w.one_of("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
    roi = w.constant(np.zeros(0, np.float32)) if w.opset < 13 else None
    if w.chance(0.5):
        scales = [1.0, 1.0, *(w.one_of(2.0, 1.0, 3.0) for _ in range(spatial))]
        w.node("Resize", [x, roi, w.constant(np.asarray(scales, np.float32))], **attrs)
        return
    sizes = [*x.shape[:2], *(w.whole(1, 2 * d + 1) for d in x.shape[2:])]
    empty = w.constant(np.zeros(0, np.float32)) if w.opset < 13 else None
    w.node("Resize", [x, roi, empty, w.constant(np.asarray(sizes, np.int64))], **attrs)


def _grid_sample(w: Writer) -> None:
    x = w.real(4, 4)
    grid = w.input(w.floats((x.shape[0], w.whole(1, 4), w.whole(1, 4), 2), -1.1, 1.1), exact=False)
    mode = "bilinear" if w.opset < 20 else "linear"
    padding = w.one_of("zeros", "border", "reflection")
    w.node("GridSample", [x, grid], mode=mode, padding_mode=padding, align_corners=w.flag())


def _quantize(w: Writer) -> None:
    """There and back, by a power of two, so that the division is exact; now and then by channel."""
    x = w.real(1, exact=True)
    kind, axis = w.one_of(np.uint8, np.int8), None
    scale: Any = np.float32(w.one_of(0.25, 0.125))
    zero = np.asarray(w.whole(0, 9), kind)
    if w.opset >= 13 and w.chance(0.3):
        axis = w.axis(x.rank)
        scale = np.asarray(w.rng.choices((0.25, 0.5), k=x.shape[axis]), np.float32)
        zero = np.full(x.shape[axis], zero, kind)
    given = [w.constant(np.asarray(scale)), w.constant(zero)]
    q = w.node("QuantizeLinear", [x, *given], exact=True, axis=axis)
    w.node("DequantizeLinear", [q, *given], exact=True, axis=axis)


def _dequantize(w: Writer) -> None:
    x = w.integer(np.uint8, np.int8)
    zero = w.constant(np.asarray(3, x.kind)) if w.chance(0.7) else None
    w.node("DequantizeLinear", [x, w.constant(np.float32(0.0625)), zero], exact=True)


def _conv_integer(w: Writer) -> None:
    x = w.input(w.integers(np.uint8, (1, w.whole(1, 3), w.whole(3, 6), w.whole(3, 6))))
    weights = w.constant(w.integers(np.uint8, (2, x.shape[1], w.whole(1, 3), w.whole(1, 3))))
    zeros = [w.constant(np.asarray(v, np.uint8)) for v in (2, 1)]
    w.node("ConvInteger", [x, weights, *zeros[: w.whole(0, 2)]], strides=[w.whole(1, 2)] * 2)


WINDOWS = (
    Entry("Conv", _conv),
    Entry("Conv", _conv),
    Entry("ConvTranspose", _conv_transpose),
    Entry("MaxPool", _max_pool),
    Entry("AveragePool", _average_pool),
    Entry("LpPool", _lp_pool),
    _global("GlobalAveragePool"),
    _global("GlobalMaxPool", exact=True),
    _global("GlobalLpPool"),
    Entry("LRN", _lrn),
    Entry("BatchNormalization", _batch_norm),
    Entry("InstanceNormalization", _instance_norm),
    Entry("GroupNormalization", _group_norm, 21),
    Entry("LayerNormalization", lambda w: _last_axes(w, "LayerNormalization", True), 17),
    Entry("RMSNormalization", lambda w: _last_axes(w, "RMSNormalization", False), 23),
    Entry("MeanVarianceNormalization", _mean_variance),
    Entry("Resize", _resize),
    Entry("GridSample", _grid_sample, 16),
    Entry("QuantizeLinear", _quantize),
    Entry("DequantizeLinear", _dequantize),
    Entry("ConvInteger", _conv_integer),
)
