"""ONNX Resize and Upsample to tables of indices and weights: all that is said about coordinates ends here.

Coordinates are computed in float32, as ONNX Runtime does: at ties the last bit decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .importing import OnnxNode
from .quantization import on_real_values

_f = np.float32


@dataclass(frozen=True)
class _Axis:
    """An axis of `size` elements to become one of `count`."""

    size: int
    count: int
    scale: np.float32


def _half_pixel(i: np.ndarray, axis: _Axis) -> np.ndarray:
    return (i + _f(0.5)) / axis.scale - _f(0.5)


def _pytorch_half_pixel(i: np.ndarray, axis: _Axis) -> np.ndarray:
    return _half_pixel(i, axis) if axis.count > 1 else np.zeros_like(i)


def _symmetric(i: np.ndarray, axis: _Axis) -> np.ndarray:
    adjustment = _f(axis.count) / (axis.scale * _f(axis.size))
    offset = _f(axis.size) / _f(2) * (_f(1) - adjustment)
    return offset + _half_pixel(i, axis)


def _align_corners(i: np.ndarray, axis: _Axis) -> np.ndarray:
    return np.zeros_like(i) if axis.count == 1 else i * _f(axis.size - 1) / _f(axis.count - 1)


COORDINATES: Mapping[str, Callable[[np.ndarray, _Axis], np.ndarray]] = {
    "half_pixel": _half_pixel,
    "pytorch_half_pixel": _pytorch_half_pixel,
    "half_pixel_symmetric": _symmetric,
    "align_corners": _align_corners,
    "asymmetric": lambda i, axis: i / axis.scale,
}
ROUNDINGS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "round_prefer_floor": lambda x: np.ceil(x - _f(0.5)),
    "round_prefer_ceil": lambda x: np.floor(x + _f(0.5)),
    "floor": np.floor,
    "ceil": np.ceil,
}


def from_resize(node: OnnxNode) -> None:
    _check(node)
    if node.type(0).quant is not None:
        on_real_values(node, from_resize)
        return
    how = node.attr("coordinate_transformation_mode", "half_pixel")
    if how not in COORDINATES:
        node.refuse(
            f"Resize: coordinate_transformation_mode {how!r}, wanted one of {', '.join(COORDINATES)}"
        )
    axes = _axes_of(node, scales=2, sizes=3)
    if how == "align_corners":
        for axis in axes:
            check_corners(node, axis.size, float(axis.scale), axis.count)
    _emit(
        node,
        axes,
        how,
        node.attr("nearest_mode", "round_prefer_floor"),
    )


def check_corners(node: OnnxNode, size: int, scale: float, count: int) -> None:
    """ONNX's reference takes the length with its fraction, ONNX Runtime and PyTorch its whole part."""
    if abs(scale * size - count) > 1e-4:
        node.refuse(
            f"Resize by {scale:g} of {size} elements with align_corners, which runtimes understand differently",
            hint="give sizes, or scales that make whole sizes",
        )


def from_upsample(node: OnnxNode) -> None:
    _emit(node, _axes_of(node, scales=1, sizes=9), "asymmetric", "floor")


def _check(node: OnnxNode) -> None:
    for name, harmless in (("antialias", 0), ("keep_aspect_ratio_policy", "stretch")):
        if node.attr(name, harmless) != harmless:
            node.refuse(f"Resize with {name} {node.attr(name)!r} is not supported")


def _axes_of(node: OnnxNode, scales: int, sizes: int) -> list[_Axis]:
    """The old and new size of every axis, from the scales or the sizes; both may name some axes only."""
    shape = node.type(0).shape
    axes = [a % len(shape) for a in node.attr("axes", range(len(shape)))]
    found = [_Axis(d, d, _f(1)) for d in shape]
    if node.has(sizes) and node.const(sizes, "sizes").size:
        given = node.const(sizes).ravel().tolist()
        made = [
            _Axis(shape[a], int(n), _f(n) / _f(shape[a])) for a, n in zip(axes, given, strict=False)
        ]
    else:
        given = node.const(scales, "scales").ravel().astype(np.float32).tolist()
        made = [
            _Axis(shape[a], int(np.floor(_f(shape[a]) * _f(s))), _f(s))
            for a, s in zip(axes, given, strict=False)
        ]
    if len(given) != len(axes) or any(axis.count < 1 for axis in made):
        node.refuse(f"{node.op_type} of {node.type(0)} to {given}")
    for a, axis in zip(axes, made, strict=True):
        found[a] = axis
    return found


def _emit(node: OnnxNode, axes: list[_Axis], how: str, rounding: str) -> None:
    mode = node.attr("mode", "nearest")
    if mode == "nearest":
        if rounding not in ROUNDINGS:
            node.refuse(
                f"{node.op_type}: nearest_mode {rounding!r}, wanted one of {', '.join(ROUNDINGS)}"
            )
        indices = tuple(_nearest(axis, how, rounding) for axis in axes)
        node.emit("resize_nearest", [node.inputs[0]], {"indices": indices}, out=0)
    elif mode == "linear":
        _emit_linear(node, axes, how)
    else:
        node.refuse(f"{node.op_type}: mode {mode!r} is not supported, only nearest and linear")


def _coordinates(axis: _Axis, how: str) -> np.ndarray:
    return COORDINATES[how](np.arange(axis.count, dtype=np.float32), axis)


def _untouched(axis: _Axis) -> bool:
    return axis.scale == 1 and axis.count == axis.size


def _nearest(axis: _Axis, how: str, rounding: str) -> tuple[int, ...]:
    if _untouched(axis):
        return ()
    at = np.clip(ROUNDINGS[rounding](_coordinates(axis, how)), 0, axis.size - 1)
    return tuple(int(i) for i in at)


def _emit_linear(node: OnnxNode, axes: list[_Axis], how: str) -> None:
    """An axis of one element is repeated, which is a nearest resize; the others are interpolated."""
    single = tuple((0,) * a.count if a.size == 1 and a.count > 1 else () for a in axes)
    tables = [((), ()) if _untouched(a) or a.size == 1 else _linear(a, how) for a in axes]
    if sum(bool(first) for first, _ in tables) > 2:
        node.refuse(f"{node.op_type}: linear along more than two axes is not supported")
    attrs = {
        "first": tuple(first for first, _ in tables),
        "weight": tuple(weight for _, weight in tables),
    }
    if not any(single):
        node.emit("resize_linear", [node.inputs[0]], attrs, out=0)
        return
    y = node.emit("resize_linear", [node.inputs[0]], attrs)
    node.emit("resize_nearest", [y], {"indices": single}, out=0)


def _linear(axis: _Axis, how: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The first of the two neighbours and the weight of the second."""
    at = np.clip(_coordinates(axis, how), 0, axis.size - 1)
    first = np.minimum(np.floor(at), axis.size - 2)
    return tuple(int(i) for i in first), tuple(float(w) for w in at - first)
