"""Largest value of each window. x: [N, H, W, C]; padding never wins. Integers keep their quantisation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import F32
from . import runs
from .base import Arrays, Kernel, Nest, Op, QuantizeRule, Site, clamped
from .channels import channelwise
from .contraction import float_params
from .importing import OnnxNode
from .integer_end import clamped_integer_c, narrowed
from .intervals import rising
from .lowering import Lowering
from .pooling import (
    cases,
    emit_pool,
    global_cases,
    global_window,
    infer,
    onnx_pool_window,
    params,
    pool_nest,
    same_type,
    window_cycles,
    window_of,
)  # fmt: skip
from .quantization import on_real_values
from .rows import windowed
from .windows import Window, windows


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (clamped(windows(arrays[0], window_of(attrs), -np.inf).max(axis=(3, 4)), attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    y = windows(arrays[0], window_of(site.attrs), site.x.dtype.range[0]).max(axis=(3, 4))
    return (narrowed(site, y),)


def lower(low: Lowering) -> None:
    kept = {k: v for k, v in low.attrs.items() if k not in ("min", "max")}
    low.emit("max_pool2d", [low.activation(0).name], {**kept, **low.limits()})


def _cycles(site: Site) -> float:
    """int8: four channels at once, a pair of columns faster than two."""
    rows, columns = site.attrs["kernel"]
    taps = rows * columns
    if site.is_float:
        return window_cycles(site, 26.0 * taps + 12.0 * rows + 40.0, 9.0 * taps + 30.0)
    pixels, c = site.y.size // site.y.shape[3], site.y.shape[3]
    row = 7.0 * (columns // 2 + columns % 2) + (8.0 if rows > 1 else 0.0)
    word = {(1, 2): 11.0, (2, 2): 17.0}.get((rows, columns), 5.0 + rows * row)
    return pixels * (c // 4 * word + c % 4 * 2.0 * taps + 8.0)


def _params(site: Site) -> dict[str, int | float]:
    if site.is_float:
        return {**params(site), **float_params(site)}
    return {**params(site), "y_min": site.attrs["q_min"], "y_max": site.attrs["q_max"]}


def _kernel(kind: str) -> Kernel:
    return Kernel(
        f"tml_max_pool2d_{kind}",
        "max_pool2d",
        accepts=lambda site: same_type(site, kind),
        params=_params,
        cycles=_cycles,
        small=kind == "i8",
    )


def _nest(site: Site) -> Nest:
    lowest = site.x.dtype.range[0]
    step = "acc = x0[at] > acc ? x0[at] : acc;"
    return pool_nest(site, f"int32_t acc = {lowest};", step, clamped_integer_c(site, "acc"))


def _import(node: OnnxNode, window_from: Callable[[OnnxNode], Window]) -> None:
    if len([name for name in node.outputs if name]) > 1:
        node.refuse(f"{node.op_type}: the output Indices is not supported")
    if node.type(0).dtype == F32:
        emit_pool(node, "max_pool2d", window_from(node))
    else:
        on_real_values(node, lambda real: _import(real, window_from))


def from_max_pool(node: OnnxNode) -> None:
    _import(node, onnx_pool_window)


def from_global(node: OnnxNode) -> None:
    _import(node, global_window)


OP = Op(
    "max_pool2d",
    partial(infer, "max_pool2d"),
    reference,
    integer,
    interval=rising(integer),
    channels=channelwise(0),
    rows=windowed(lambda site: window_of(site.attrs)),
    runs=runs.of_first,
    quantize=QuantizeRule(lower, "input"),
    kernels=(_kernel("i8"), _kernel("f32")),
    nest=_nest,
    clamps=True,
    onnx={"MaxPool": from_max_pool, "GlobalMaxPool": from_global},
    summary="MaxPool and GlobalMaxPool, 1-D and 2-D",
    cases=(*cases("MaxPool"), *global_cases("GlobalMaxPool")),
)
