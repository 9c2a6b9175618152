"""Discrete Fourier transform along an axis, also of windowed frames (STFT); float only.

x: [..., L, ..., C], C 1 (real) or 2 (complex), and a window [N] where attribute `step` is not 0. Attributes:
axis; length N (x is cut or counts as 0 beyond its end); inverse; onesided (bins 0..N/2 only; inverse: x has
those bins, the result is real); step: frames begin that far apart, and [B, L, C] becomes [B, frames, bins, 2].

    y[k] = sum over n of x[n] * exp(-2 pi j k n / N)        inverse: with + and divided by N

By passes (fft.py) where that is faster, else the sum as it stands, with a table of 2 N numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import F32, TensorType
from .base import Arrays, Case, Const, Loop, Nest, Op, Site
from .fft import Line, cycles, fast_nest
from .importing import OnnxNode
from .indexing import c_value, nested, read, read_rom, typed_c
from .slice import normal_axis

# Modelled cycles of one term of the sum
_CYCLES = 20.0
# Below so many points the sum is less code, and not much slower
_LEAST_POINTS = 8


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, axis, length = types[0], attrs["axis"], attrs["length"]
    if (
        not x.dtype.is_float
        or x.rank < 2
        or x.shape[-1] not in (1, 2)
        or not 0 <= axis < x.rank - 1
    ):
        raise ModelError(
            f"wanted floats [..., 1] or [..., 2] and an axis before that, got {x}, axis {axis}"
        )
    if length < 1 or x.shape[axis] < 1:
        raise ModelError(f"wanted at least one point, got {x} and a length of {length}")
    bins = (_bins(attrs), 1 if _to_real(attrs) else 2)
    if not attrs["step"]:
        return (x.with_shape((*x.shape[:axis], bins[0], *x.shape[axis + 1 : -1], bins[1])),)
    if x.rank != 3 or attrs["step"] < 0 or types[1].shape != (length,) or length > x.shape[1]:
        raise ModelError(
            f"wanted [batch, samples, 1 or 2] and a window of at most its samples, got {x} and {types[1]}"
        )
    frames = (x.shape[1] - length) // attrs["step"] + 1
    return (x.with_shape((x.shape[0], frames, *bins)),)


def _to_real(attrs: Attrs) -> bool:
    return bool(attrs["inverse"] and attrs["onesided"])


def _bins(attrs: Attrs) -> int:
    """Values along the axis of the result."""
    half = attrs["onesided"] and not attrs["inverse"]
    return attrs["length"] // 2 + 1 if half else attrs["length"]


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, axis, n = arrays[0].astype(np.float64), attrs["axis"], attrs["length"]
    if attrs["step"]:
        starts = np.arange(0, x.shape[1] - n + 1, attrs["step"])
        x = x[:, starts[:, None] + np.arange(n)] * arrays[1][:, None]
        axis = 2
    values = x[..., 0] + 1j * x[..., 1] if x.shape[-1] == 2 else x[..., 0]
    if _to_real(attrs):
        return (np.fft.irfft(values, n, axis)[..., None].astype(arrays[0].dtype),)
    made = (np.fft.ifft if attrs["inverse"] else np.fft.fft)(values, n, axis)
    made = np.take(made, np.arange(_bins(attrs)), axis)
    return (np.stack([made.real, made.imag], -1).astype(arrays[0].dtype),)


def _nest(site: Site) -> Nest:
    line = Line(site, _taps(site), _bins(site.attrs))
    faster = cycles(line.n, line.real) < _CYCLES * line.bins * line.taps
    if site.x.dtype == F32 and line.n >= _LEAST_POINTS and faster:
        return fast_nest(line)
    return _sum_nest(site)


def _taps(site: Site) -> int:
    """Values of x that one sequence has."""
    n = site.attrs["length"]
    return min(n // 2 + 1 if _to_real(site.attrs) else n, site.x.shape[site.attrs["axis"]])


def _sum_nest(site: Site) -> Nest:
    x, attrs, n = site.x, site.attrs, site.attrs["length"]
    frames = site.y.shape[1] if attrs["step"] else 1
    parts, inner = x.shape[-1], prod(x.shape[attrs["axis"] + 1 : -1])
    outer, bins = prod(x.shape[: attrs["axis"]]), _bins(attrs)
    angles = 2 * np.pi * np.arange(n) / n
    turns = np.concatenate([np.cos(angles), np.sin(angles) * (1 if attrs["inverse"] else -1)])
    at = f"{x.shape[attrs['axis']] * inner * parts}U * o + {inner * parts}U * (n + {attrs['step']}U * f) + {parts}U * i"
    taps = _taps(site)
    place = f"{frames * bins * inner}U * o + {bins * inner}U * f + {inner}U * k + i"
    body: tuple[Loop | str, ...] = (
        "float re = 0.0F;", "float im = 0.0F;", "size_t at = 0U;",
        Loop("n", taps, (*_term(site, at), "at += k;", f"at = at >= {n}U ? at - {n}U : at;")),
        *_written(site, place),
    )  # fmt: skip
    loops = nested(("o", "f", "k", "i"), (outer, frames, bins, inner), body)
    terms = outer * frames * bins * inner * taps
    arrays = (("turns", turns.astype(x.dtype.numpy)),)
    return Nest(_typed(loops, site), arrays, cycles=_CYCLES * terms)


def _term(site: Site, at: str) -> tuple[str, ...]:
    """One point of the sum; of bins that stand for two, both."""
    attrs, n, kind = site.attrs, site.attrs["length"], site.x.dtype.name
    factor = f" * {read(site, 1, 'n')}" if attrs["step"] else ""
    if _to_real(attrs):
        factor = f" * (n == 0U || 2U * n == {n}U ? 1.0F : 2.0F)"
    cosine, sine = (
        f"const float {name} = {read_rom('turns', index, kind)};"
        for name, index in (("c", "at"), ("s", f"{n}U + at"))
    )
    value = (f"const float v = x0[{at}]{factor};",)
    if site.x.shape[-1] == 1:
        return cosine, sine, *value, "re += v * c;", "im += v * s;"
    second = f"const float u = x0[{at} + 1U]{factor};"
    return cosine, sine, *value, second, "re += v * c - u * s;", "im += v * s + u * c;"


def _written(site: Site, place: str) -> tuple[str, ...]:
    scale = ""
    if site.attrs["inverse"]:
        scale = f" * {c_value(1 / site.attrs['length'], site.x.dtype)}"
    if _to_real(site.attrs):
        return "(void)im;", f"y0[{place}] = re{scale};"
    return f"y0[2U * ({place})] = re{scale};", f"y0[2U * ({place}) + 1U] = im{scale};"


def _typed(body: Sequence[Loop | str], site: Site) -> tuple[Loop | str, ...]:
    """Statements written for float, for the type at hand."""
    return tuple(
        Loop(part.var, part.extent, _typed(part.body, site))
        if isinstance(part, Loop)
        else typed_c(part, site.x.dtype)
        for part in body
    )


def from_dft(node: OnnxNode) -> None:
    x = node.type(0)
    if node.opset < 20:
        axis = normal_axis(node, node.attr("axis", 1), x.rank)
    else:
        axis = normal_axis(
            node, int(node.const(2, "axis").ravel()[0]) if node.has(2) else -2, x.rank
        )
    inverse, onesided = bool(node.attr("inverse", 0)), bool(node.attr("onesided", 0))
    length = 2 * (x.shape[axis] - 1) if inverse and onesided else x.shape[axis]
    if node.has(1):
        length = int(node.const(1, "length").ravel()[0])
    attrs = {"axis": axis, "length": length, "inverse": inverse, "onesided": onesided, "step": 0}
    node.emit("dft", [node.inputs[0]], attrs, out=0)


def from_stft(node: OnnxNode) -> None:
    signal, name = node.type(0), node.inputs[0]
    if signal.rank == 2:
        name = node.emit("reshape", [name], {"shape": (*signal.shape, 1)}, hint="real")
    elif signal.rank != 3:
        node.refuse(f"STFT takes a signal [batch, samples, 1 or 2], got {signal}")
    step = int(node.const(1, "frame_step").ravel()[0])
    length = node.type(2).size if node.has(2) else signal.shape[1]
    if node.has(3):
        length = int(node.const(3, "frame_length").ravel()[0])
    if step < 1:
        node.refuse(f"STFT: wanted a frame_step of 1 or more, got {step}")
    window = (
        node.inputs[2]
        if node.has(2)
        else node.constant("window", np.ones(length, signal.dtype.numpy))
    )
    attrs = {
        "axis": 1,
        "length": length,
        "inverse": False,
        "onesided": bool(node.attr("onesided", 1)),
        "step": step,
    }
    node.emit("dft", [name, window], attrs, out=0)


def _dft(
    name: str,
    shape: tuple[int, ...],
    length: int | None = None,
    axis: int | None = None,
    **attrs: Any,
) -> Case:
    given = [None if v is None else Const(v, dtype="int64") for v in (length, axis)]
    while given and given[-1] is None:
        given.pop()
    return Case(name, "DFT", (shape, *given), attrs, opset=20, integer=False)


def _stft(
    name: str, shape: tuple[int, ...], window: Any, length: int | None = None, **attrs: Any
) -> Case:
    rest = (Const(3, dtype="int64"), window, *([Const(length, dtype="int64")] if length else []))
    return Case(name, "STFT", (shape, *rest), attrs, integer=False)


OP = Op(
    "dft",
    infer,
    reference,
    nest=_nest,
    onnx={"DFT": from_dft, "STFT": from_stft},
    summary="Discrete Fourier transform: DFT, STFT",
    cases=(
        _dft("real", (1, 8, 1)),
        _dft("onesided", (2, 9, 1), onesided=1),
        _dft("complex", (1, 6, 2)),
        _dft("inverse", (1, 10, 2), inverse=1),
        _dft("longer", (1, 5, 1), length=8),
        _dft("shorter_first_axis", (7, 3, 2), length=4, axis=0),
        _dft("one_point", (1, 1, 1)),
        _dft("passes_of_4", (1, 64, 1), onesided=1),
        _dft("passes_of_2_and_4", (1, 32, 2)),
        _dft("passes_of_3_and_5", (2, 45, 2), inverse=1),
        _dft("general_pass", (1, 14, 2), inverse=1),
        _dft("between_others", (3, 24, 5, 1), axis=1),
        _dft("real_odd", (1, 15, 1), onesided=1),
        _dft("filled", (2, 20, 1), length=32),
        _dft("complex_onesided", (1, 20, 2), onesided=1),
        Case("old_axis", "DFT", ((2, 3, 4, 1),), {"axis": 2, "onesided": 1}, integer=False),
        _stft("frames", (1, 16, 1), Const(shape=(8,))),
        _stft("whole_spectrum", (2, 13, 1), Const(shape=(6,)), onesided=0),
        _stft("no_window", (1, 12, 1), None, length=5),
        _stft("many_points", (2, 80, 1), Const(shape=(64,))),
        _stft("complex", (1, 40, 2), Const(shape=(18,)), onesided=0),
    ),
)
