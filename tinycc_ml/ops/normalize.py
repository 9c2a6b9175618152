"""Normalisation along all axes from `axis` on: gain * (x - mean) / sqrt(variance + epsilon) + offset; not `centered`:
gain * x / sqrt(mean of x^2 + epsilon). Layer, RMS, instance and group norm are this with other shapes.

Inputs: x, gain and, if any, offset, which broadcast to x. The integer form (numerics.md §16) has int32 gains and
int64 offsets, and the attributes `extra` (epsilon) and `gain_shift`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt, prod

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import F32, TensorType
from ..numerics.fixedpoint import round_half_up
from . import runs
from .base import Arrays, Case, Const, Loop, Nest, Op, QuantizeRule, Site
from .importing import OnnxNode
from .indexing import affine, broadcast_strides, c_float, names, nested, read, strides_of
from .lowering import Lowering
from .slice import normal_axis

# Binary digits of a normalised value; with up to this many elements it stays below 2^7
UNIT_BITS = 24
MOST_ELEMENTS = 1 << 14
_GAIN_BITS, _WIDE = 30, 2.0**61
_Body = tuple[Loop | str, ...]
_Loops = Callable[[_Body], _Body]  # around a body, over what is normalised


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: axis, centered, epsilon."""
    x = types[0]
    if not 0 <= attrs["axis"] < x.rank:
        raise ModelError(f"normalize takes an axis of {x}, got {attrs['axis']}")
    for other in types[1:]:
        if other.rank > x.rank or np.broadcast_shapes(x.shape, other.shape) != x.shape:
            raise ModelError(f"normalize of {x}: {other} does not broadcast to it")
    return (TensorType(x.shape, x.dtype),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x = arrays[0]
    axes = tuple(range(attrs["axis"], x.ndim))
    off = x - x.mean(axis=axes, keepdims=True) if attrs["centered"] else x
    spread = np.mean(off * off, axis=axes, keepdims=True) + np.float32(attrs["epsilon"])
    with np.errstate(all="ignore"):
        y = off / np.sqrt(spread) * arrays[1]
    return (np.asarray(y + arrays[2] if len(arrays) > 2 else y, np.float32),)


def _count(site: Site) -> int:
    return prod(site.x.shape[site.attrs["axis"] :])


def _inverse_root(v: int) -> tuple[int, int]:
    """As tml_inverse_root: the inverse and the shift."""
    if v == 0:
        return 0, 37
    k = (62 - v.bit_length()) // 2
    return (1 << 61) // isqrt(v << 2 * k), 37 - k


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    attrs, n = site.attrs, _count(site)
    v = arrays[0].astype(np.int64) - site.x.quant.zero  # type: ignore[union-attr]
    rows = v.reshape(-1, n)
    total = rows.sum(axis=1) if attrs["centered"] else np.zeros(len(rows), np.int64)
    spread = n * (rows * rows).sum(axis=1) - total * total + attrs["extra"]
    found = [_inverse_root(int(s)) for s in spread]
    inverse, shift = (np.asarray(part, np.int64)[:, None] for part in zip(*found, strict=True))
    d = (n * rows - total[:, None]) * inverse
    unit = ((d >> (shift - 1)) + 1 >> 1).reshape(v.shape)
    acc = unit * arrays[1].astype(np.int64) + (arrays[2] if len(arrays) > 2 else 0)
    y = (acc >> (UNIT_BITS + attrs["gain_shift"] - 1)) + 1 >> 1
    return (np.clip(y + site.y.quant.zero, -128, 127).astype(np.int8),)  # type: ignore[union-attr]


def lower(low: Lowering) -> None:
    x, y = low.activation(0), low.y_quant
    axis, n = low.attrs["axis"], prod(x.shape[low.attrs["axis"] :])
    if n > MOST_ELEMENTS:
        low.refuse(f"it normalises {n} values, wanted {MOST_ELEMENTS} at most")
    if not all(low.is_constant(k) for k in range(1, len(low.node.inputs))):
        low.refuse("its gain or offset is made at run time")
    extra = n**2 * low.attrs["epsilon"] / x.type.quant.scale0**2  # type: ignore[union-attr]
    gain = low.real(1).astype(np.float64) / y.scale0
    peak = float(np.abs(gain).max(initial=0))
    bits = int(np.clip(np.floor(_GAIN_BITS - np.log2(max(peak, 1.0))), 0, 24))
    inputs = [x.name, low.constant("gain", round_half_up(gain * 2.0**bits).astype(np.int32))]
    offset = np.zeros(1)
    if len(low.node.inputs) > 2:
        offset = low.real(2).astype(np.float64) / y.scale0 * 2.0 ** (bits + UNIT_BITS)
        inputs.append(low.constant("offset", round_half_up(offset)))
    if max(extra, np.abs(offset).max()) >= _WIDE or peak * 2.0**bits > 2.0**_GAIN_BITS:
        low.refuse("its epsilon, gain or offset is too large beside the scales")
    attrs = {"axis": axis, "centered": low.attrs["centered"], "extra": int(extra + 0.5)}
    low.emit("normalize", inputs, {**attrs, "gain_shift": bits})


def _nest(site: Site) -> Nest:
    axis, variables = site.attrs["axis"], names(site.x.rank)
    shape = site.x.shape
    at = affine(variables, strides_of(shape))
    others = [
        read(site, k, affine(variables, broadcast_strides(t.shape, shape)))
        for k, t in enumerate(site.inputs[1:], start=1)
    ]
    lines = _float_lines if site.is_float else _integer_lines

    def loops(body: _Body) -> _Body:
        return nested(variables[axis:], shape[axis:], body)

    body = lines(site, at, others, loops)
    in_place = (0,) if site.x.dtype == site.y.dtype else ()
    include = "math.h" if site.is_float else "common/tml_normalize.h"
    nest = nested(variables[:axis], shape[:axis], body)
    return Nest(nest, includes=(include,), in_place=in_place, cycles=60.0 * site.x.size)


def _float_lines(site: Site, at: str, others: list[str], loops: _Loops) -> _Body:
    n, epsilon = f"{_count(site)}.0F", c_float(site.attrs["epsilon"])
    mean: _Body = ()
    less = ""
    if site.attrs["centered"]:
        mean = ("float mean = 0.0F;", *loops((f"mean += x0[{at}];",)), f"mean /= {n};")
        less = " - mean"
    step = (f"const float v = x0[{at}]{less};", "spread += v * v;")
    plus = f" + {others[1]}" if len(others) > 1 else ""
    made = f"y0[{at}] = (x0[{at}]{less}) * inverse * {others[0]}{plus};"
    return (
        *mean,
        "float spread = 0.0F;",
        *loops(step),
        f"const float inverse = 1.0F / sqrtf(spread / {n} + {epsilon});",
        *loops((made,)),
    )


def _integer_lines(site: Site, at: str, others: list[str], loops: _Loops) -> _Body:
    attrs, n, zero = site.attrs, _count(site), site.x.quant.zero  # type: ignore[union-attr]
    minus = f" {'-' if zero > 0 else '+'} {abs(zero)}" if zero else ""
    value = f"const int32_t v = (int32_t)x0[{at}]{minus};"
    centered = attrs["centered"]
    total = ("total += v;",) if centered else ()
    less, spread = (" - total", " - total * total") if centered else ("", "")
    plus = f" + {others[1]}" if len(others) > 1 else ""
    made = (
        value,
        f"const int64_t unit = tml_rounding_shift_i64(((int64_t)v * {n}{less}) * inverse, shift);",
        f"const int64_t scaled = tml_rounding_shift_i64(unit * {others[0]}{plus}, {UNIT_BITS + attrs['gain_shift']});",
        f"y0[{at}] = tml_saturate_i8((int32_t)scaled + {site.y.quant.zero});",  # type: ignore[union-attr]
    )
    return (
        *(("int64_t total = 0;",) if centered else ()),
        "int64_t squares = 0;",
        *loops((value, *total, "squares += v * v;")),
        "int_fast16_t shift;",
        f"const int64_t inverse = tml_inverse_root((uint64_t)(squares * {n}{spread}) + {attrs['extra']}U, &shift);",
        *loops(made),
    )


def _check(node: OnnxNode) -> None:
    if node.type(0).dtype != F32 or any(node.outputs[1:]):
        node.refuse(f"{node.op_type} with one result takes f32, got {node.type(0)}")


def _emit(node: OnnxNode, inputs: Sequence[str], axis: int, centered: bool, out: int | None) -> str:
    attrs = {"axis": axis, "centered": centered, "epsilon": float(node.attr("epsilon", 1e-5))}
    return node.emit("normalize", inputs, attrs, out=out)


def _from_last_axes(node: OnnxNode) -> None:
    """LayerNormalization, RMSNormalization."""
    _check(node)
    axis = normal_axis(node, node.attr("axis", -1), node.type(0).rank)
    operands = [name for name in node.inputs if name]
    _emit(node, operands, axis, node.op_type == "LayerNormalization", 0)


def _channels(node: OnnxNode, shape: tuple[int, ...]) -> list[str]:
    return [node.emit("reshape", [n], {"shape": shape}, hint="affine") for n in node.inputs[1:3]]


def _from_instance(node: OnnxNode) -> None:
    _check(node)
    x = node.type(0)
    affine_ = _channels(node, (x.shape[1], *(1,) * (x.rank - 2)))
    _emit(node, [node.inputs[0], *affine_], 2, True, 0)


def _from_group(node: OnnxNode) -> None:
    _check(node)
    x, groups = node.type(0), node.attr("num_groups")
    shape = (x.shape[0], groups, x.shape[1] // groups, prod(x.shape[2:]))
    per_group = node.type(1).size == groups != x.shape[1]  # before opset 21
    affine_ = _channels(node, (groups, 1 if per_group else shape[2], 1))
    rows = node.emit("reshape", [node.inputs[0]], {"shape": shape}, hint="groups")
    y = _emit(node, [rows, *affine_], 2, True, None)
    node.emit("reshape", [y], {"shape": x.shape}, out=0)


def _case(name: str, op: str, x: tuple[int, ...], *shapes: tuple[int, ...], opset: int = 17, **attrs: object) -> Case:  # fmt: skip
    return Case(name, op, (x, *(Const(shape=s) for s in shapes)), attrs, opset)


OP = Op(
    "normalize",
    infer,
    reference,
    integer,
    runs=runs.beside("axis"),
    quantize=QuantizeRule(lower, int8_only=True),
    nest=_nest,
    onnx={
        "LayerNormalization": _from_last_axes,
        "RMSNormalization": _from_last_axes,
        "InstanceNormalization": _from_instance,
        "GroupNormalization": _from_group,
    },
    summary="LayerNormalization, RMSNormalization, InstanceNormalization, GroupNormalization",
    cases=(
        _case("layer", "LayerNormalization", (2, 3, 8), (8,), (8,)),
        _case("layer_one_row", "LayerNormalization", (7,), (7,)),
        _case("layer_two_axes", "LayerNormalization", (2, 3, 5), (3, 5), (3, 5), axis=1),
        _case("layer_epsilon", "LayerNormalization", (2, 64), (64,), (64,), epsilon=0.1),
        _case("layer_broadcast", "LayerNormalization", (2, 3, 5), (5,), (3, 1), axis=-2),
        _case("rms", "RMSNormalization", (3, 9), (9,), opset=23),
        _case("rms_two_axes", "RMSNormalization", (3, 4, 5), (4, 5), opset=23, axis=-2),
        _case("instance", "InstanceNormalization", (2, 3, 4, 5), (3,), (3,)),
        _case("instance_1d", "InstanceNormalization", (1, 4, 9), (4,), (4,), epsilon=1e-2),
        _case("group", "GroupNormalization", (2, 6, 3, 3), (6,), (6,), opset=21, num_groups=2),
    ),
)
