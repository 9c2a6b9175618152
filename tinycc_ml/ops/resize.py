"""Images of another size: ONNX Resize and Upsample, nearest and linear. How coordinates and roundings are
meant is settled at import, so the ops only hold indices (and weights) for each axis; () leaves an axis alone.

resize_nearest: `indices`, a tuple for each axis. resize_linear: `first` and `weight`: along an axis
y[i] = x[first[i]] * (1 - weight[i]) + x[first[i] + 1] * weight[i]; integer weights are in 1/2048.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from ..numerics.fixedpoint import rounding_shift
from . import runs
from .base import Arrays, Case, Const, Nest, Op, QuantizeRule, Site
from .channels import channelwise
from .indexing import affine, index_table, names, nested, read_rom, strides_of, table_read
from .integer_end import is_wide
from .intervals import rising
from .lowering import Lowering
from .moving import copy_run, moved, run_cycles
from .resize_import import from_resize, from_upsample
from .resize_kernels import KERNELS

BITS = 11
ONE = 1 << BITS


def _infer(key: str, types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, tables = types[0], attrs[key]
    reach = 1 if key == "first" else 0
    if len(tables) != x.rank:
        raise ModelError(f"resize of {x} with tables for {len(tables)} axes")
    for axis, (table, size) in enumerate(zip(tables, x.shape, strict=True)):
        if table and (min(table) < 0 or max(table) + reach >= size):
            raise ModelError(f"resize of {x}: indices up to {max(table) + reach} of axis {axis}")
    return (x.with_shape(tuple(len(t) or d for t, d in zip(tables, x.shape, strict=True))),)


def _nearest(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    full = [t or range(d) for t, d in zip(attrs["indices"], arrays[0].shape, strict=True)]
    return (arrays[0][np.ix_(*full)],)


def _nearest_integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return _nearest(arrays, site.attrs)


def _along(values: Sequence[float], axis: int, rank: int, dtype: type) -> np.ndarray:
    return np.asarray(values, dtype).reshape([-1 if k == axis else 1 for k in range(rank)])


def _linear(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    y = arrays[0]
    for axis, first in enumerate(attrs["first"]):
        if first:
            weight = _along(attrs["weight"][axis], axis, y.ndim, np.float32)
            low, high = np.take(y, first, axis), np.take(y, np.asarray(first) + 1, axis)
            y = low * (1 - weight) + high * weight
    return (np.asarray(y, np.float32),)


def _linear_integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    """Weights sum to 1, so the zero point needs no care; one rounding at the end."""
    acc, shift = arrays[0].astype(np.int64), 0
    for axis, first in enumerate(site.attrs["first"]):
        if first:
            weight = _along(site.attrs["weight"][axis], axis, acc.ndim, np.int64)
            low, high = np.take(acc, first, axis), np.take(acc, np.asarray(first) + 1, axis)
            acc, shift = low * (ONE - weight) + high * weight, shift + BITS
    return (rounding_shift(acc, shift).astype(site.y.dtype.numpy),)


def _lower_nearest(low: Lowering) -> None:
    low.emit("resize_nearest", [low.activation(0).name], low.attrs)


def _lower_linear(low: Lowering) -> None:
    weight = [tuple(int(np.rint(w * ONE)) for w in table) for table in low.attrs["weight"]]
    low.emit("resize_linear", [low.activation(0).name], {**low.attrs, "weight": tuple(weight)})


def _nearest_nest(site: Site) -> Nest:
    """Where each index comes equally often, loops over x and the repeats; else indices are read from tables."""
    repeats = [_repeats(t, d) for t, d in zip(site.attrs["indices"], site.x.shape, strict=True)]
    if not all(repeats):
        return _nearest_tables(site)
    shape, write, read = [], [], []
    for size, times, to, at in zip(
        site.x.shape, repeats, strides_of(site.y.shape), strides_of(site.x.shape), strict=True
    ):
        shape += [size, times]
        write += [times * to, to]
        read += [at, 0]
    return moved(tuple(shape), tuple(write), tuple(read), site.y.dtype)


def _repeats(indices: Sequence[int], size: int) -> int:
    """How often each of 0..size - 1 comes, one after the other; 0: unequally often."""
    times = max(len(indices) // size, 1)
    return times if not indices or [k // times for k in range(size * times)] == list(indices) else 0


def _nearest_tables(site: Site) -> Nest:
    """The axes behind the last one with a table are copied as a run."""
    kept = max(axis for axis, indices in enumerate(site.attrs["indices"]) if indices) + 1
    run = prod(site.y.shape[kept:])
    variables, strides = names(kept), list(strides_of(site.x.shape)[:kept])
    to = strides_of(site.y.shape)[:kept]
    arrays, terms = [], []
    for axis, indices in enumerate(site.attrs["indices"][:kept]):
        if indices:
            table = index_table(indices)
            arrays.append((f"at{axis}", table))
            terms.append(f"{strides[axis]}U * {table_read(f'at{axis}', table, variables[axis])}")
            strides[axis] = 0
    if any(strides):
        terms.append(affine(variables, strides))
    target, source = f"y0[{affine(variables, to)}]", f"x0[{' + '.join(terms) or '0'}]"
    body = copy_run(target, source, run, site.y.dtype) if run > 1 else f"{target} = {source};"
    cycles = site.y.size // run * (12.0 + run_cycles(run, site.y.dtype))
    return Nest(nested(variables, site.y.shape[:kept], (body,)), tuple(arrays), cycles=cycles)


def _linear_nest(site: Site) -> Nest:
    """Interpolates along the first axis of two last, as the references do."""
    variables, strides = names(site.y.rank), strides_of(site.x.shape)
    axes = [axis for axis, first in enumerate(site.attrs["first"]) if first]
    free = [0 if axis in axes else s for axis, s in enumerate(strides)]
    arrays: list[tuple[str, np.ndarray]] = []
    lines, terms = [], [affine(variables, free)] if any(free) else []
    for axis in axes:
        table = index_table(site.attrs["first"][axis])
        weight = np.asarray(site.attrs["weight"][axis], np.float32 if site.is_float else np.int16)
        arrays += [(f"at{axis}", table), (f"weight{axis}", weight)]
        kind = ("const float", "f32") if site.is_float else ("const int32_t", "i16")
        lines.append(f"{kind[0]} w{axis} = {read_rom(f'weight{axis}', variables[axis], kind[1])};")
        terms.append(f"{strides[axis]}U * {table_read(f'at{axis}', table, variables[axis])}")
    lines.append(f"const size_t corner = {' + '.join(terms) or '0U'};")
    value = _blend(site, axes, strides)
    if not site.is_float:
        value = _rounded(site, value, BITS * len(axes))
    lines.append(f"y0[{affine(variables, strides_of(site.y.shape))}] = {value};")
    cycles = 25.0 * site.y.size * max(len(axes), 1)
    return Nest(nested(variables, site.y.shape, lines), tuple(arrays), cycles=cycles)


def _blend(site: Site, axes: Sequence[int], strides: Sequence[int], offset: int = 0) -> str:
    """The last axis outermost: an expression of 2 ** len(axes) values of x."""
    if not axes:
        element = f"x0[corner + {offset}U]" if offset else "x0[corner]"
        kind = "int64_t" if is_wide(site) else "int32_t"
        return element if site.is_float else f"({kind}){element}"
    *rest, axis = axes
    low, high = (_blend(site, rest, strides, offset + step * strides[axis]) for step in (0, 1))
    one = "1.0F" if site.is_float else str(ONE)
    return f"({low} * ({one} - w{axis}) + {high} * w{axis})"


def _rounded(site: Site, value: str, shift: int) -> str:
    """Weights sum to one, so no result leaves the type."""
    if is_wide(site):
        low, high = site.y.dtype.range
        return f"({site.y.dtype.c})tml_wide_sum({value}, {shift}, {low}, {high})"
    return f"(int8_t)tml_rounding_shift({value}, {shift})"


def _transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any]:
    back = [permutation.index(axis) for axis in range(len(permutation))]
    return {key: tuple(tables[k] for k in back) for key, tables in site.attrs.items()}


def _infer_by(key: str) -> Callable[[Sequence[TensorType], Attrs], tuple[TensorType, ...]]:
    return lambda types, attrs: _infer(key, types, attrs)


def _runs_by(key: str) -> runs.Runs:
    return lambda site, count: None if site.attrs[key][0] else runs.of_first(site, count)


def _resize(name: str, x: tuple[int, ...], scales: list[float] | None, sizes: list[int] | None = None,
            opset: int = 17, **attrs: Any) -> Case:  # fmt: skip
    roi = None
    inputs = (
        (x, roi, Const(scales)) if sizes is None else (x, roi, None, Const(sizes, dtype="int64"))
    )
    return Case(name, "Resize", inputs, attrs, opset)


_COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
_ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
_SHAPE = (1, 2, 5, 7)
_NEAREST_CASES = (
    _resize("twice", (1, 3, 2, 3), [1, 1, 2, 2], mode="nearest"),
    Case("upsample", "Upsample", ((1, 2, 2, 3), Const([1, 1, 2, 2])), {"mode": "nearest"}, opset=9),
    *(
        _resize(f"{c}_{r}", _SHAPE, [1, 1, 1.6, 3.0 if c == "align_corners" else 0.6], mode="nearest", coordinate_transformation_mode=c, nearest_mode=r)
        for c in _COORDINATES for r in _ROUNDINGS
    ),
    _resize("sizes", _SHAPE, None, [1, 2, 3, 15], mode="nearest"),
    _resize("one_pixel", (1, 1, 1, 1), [1, 1, 3, 2], mode="nearest"),
    _resize("channels_last", (1, 3, 4, 2), [1, 2, 2, 1], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
    _resize("some_axes", (1, 2, 3, 4), [2, 3], opset=18, axes=[2, 3], mode="nearest"),
)  # fmt: skip
_LINEAR_CASES = (
    _resize("linear_twice", (1, 3, 4, 5), [1, 1, 2, 2], mode="linear"),
    *(
        _resize(f"linear_{c}", _SHAPE, [1, 1, 1.6, 3.0 if c == "align_corners" else 0.6], mode="linear", coordinate_transformation_mode=c)
        for c in _COORDINATES
    ),
    _resize("linear_one_pixel", (1, 2, 1, 3), [1, 1, 4, 2], mode="linear"),
    _resize("linear_sizes", _SHAPE, None, [1, 2, 9, 4], mode="linear", coordinate_transformation_mode="align_corners"),
    _resize("linear_one_dimension", (1, 2, 6), [1, 1, 2.5], mode="linear"),
    _resize("linear_twice_6_channels", (2, 6, 3, 4), [1, 1, 2, 4], mode="linear"),
    _resize("linear_channels_last", (1, 4, 5, 2), [1, 2, 2, 1], mode="linear"),
)  # fmt: skip

OPS = (
    Op(
        "resize_nearest", _infer_by("indices"), _nearest, _nearest_integer,
        runs=_runs_by("indices"), interval=rising(_nearest_integer), channels=channelwise(0, where=lambda site: not any(site.attrs["indices"][-1:])),
        quantize=QuantizeRule(_lower_nearest, "input"), nest=_nearest_nest, transposed=_transposed,
        onnx={"Resize": from_resize, "Upsample": from_upsample}, cases=_NEAREST_CASES,
        summary="Resize and Upsample, nearest",
    ),
    Op(
        "resize_linear", _infer_by("first"), _linear, _linear_integer,
        runs=_runs_by("first"), interval=rising(_linear_integer), channels=channelwise(0, where=lambda site: not any(site.attrs["first"][-1:])),
        quantize=QuantizeRule(_lower_linear, "input"), kernels=KERNELS, nest=_linear_nest, transposed=_transposed,
        cases=_LINEAR_CASES, summary="Resize and Upsample, linear along one or two axes",
    ),
)  # fmt: skip
