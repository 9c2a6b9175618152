"""Functions of the elements of one to three tensors of any plain type, a line each, with NumPy's broadcasting.

What has a form on int8 stands in unary.py, binary.py and clip.py; here is everything that has none, and
the other element types of those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import BOOL, F32, I8, I16, I32, DType, TensorType
from ..numerics.minifloats import E8M0, c_format
from . import elementwise_integer, runs, unary
from .base import Arrays, Case, Const, Element, Nest, Op, QuantizeRule, Site
from .formulas import FUNCTIONS
from .importing import OnnxNode
from .indexing import (
    affine,
    broadcast_strides,
    c_float,
    elementwise_loops,
    nested,
    read,
    strides_of,
    to_f32_c,
    typed_c,
)
from .rows import pixelwise

_INTEGER = "common/tml_integer.h"
_HALF = "common/tml_half.h"
_MINI = "common/tml_mini.h"

_DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "is_inf": {"detect_positive": 1, "detect_negative": 1},
    **{name: f.attrs for name, f in unary.FUNCTIONS.items()},
}


def _c_of(name: str, dtype: DType) -> str:
    """The C of a function on a type; "" where it has none."""
    f = FUNCTIONS[name]
    c = {"float": f.floats, "bool": f.bools, "half": ""}.get(dtype.kind, f.integers)
    if dtype.kind == "uint":  # never below 0
        c = "" if name == "prelu" else re.sub(r"v0 < 0 \? .*? : ", "", c)
    return c


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: function, and those of the function."""
    name = attrs["function"]
    f, judged = FUNCTIONS[name], types[1 if name == "where" else 0].dtype
    if not _c_of(name, judged):
        raise ModelError(f"{name} of {types[0]} is not supported")
    if not f.mixed and len({t.dtype for t in types}) != 1 and not _limits(name, types):
        raise ModelError(f"{name} takes operands of one type, got {', '.join(map(str, types))}")
    try:
        shape = np.broadcast_shapes(*(t.shape for t in types))
    except ValueError as error:
        raise ModelError(
            f"{name} of {', '.join(map(str, types))}: the shapes don't broadcast"
        ) from error
    dtype = BOOL if f.result == "bool" else types[int(f.result)].dtype
    return (TensorType(tuple(int(d) for d in shape), dtype),)


def _limits(name: str, types: Sequence[TensorType]) -> bool:
    """A comparison of quantised values with integer limits, which may lie just beyond their type."""
    return name in elementwise_integer.COMPARISONS and all(t.dtype in (I8, I16, I32) for t in types)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    rest = {k: v for k, v in attrs.items() if k != "function"}
    with np.errstate(all="ignore"):
        y = np.asarray(FUNCTIONS[attrs["function"]].numpy(*arrays, **rest))
    return (np.broadcast_to(y, np.broadcast_shapes(*(a.shape for a in arrays))),)


def spelled(site: Site) -> str:
    """The C expression of the values v0, v1, ..."""
    name = site.attrs["function"]
    dtype = site.inputs[1 if name == "where" else 0].type.dtype
    c = _c_of(name, dtype)
    if name == "pow" and any(t.type.dtype.is_float for t in site.inputs):
        c = _to_c("pow((double)v0, (double)v1)", dtype)
    unsigned = dtype.kind == "uint"
    fields = {
        "{s}": "u64" if unsigned else "i64", "{x}": "uint64_t" if unsigned else "int64_t",
        "{w}": f"{dtype.bits}U", "{big}": "3.402823466e+38F" if dtype.bits == 32 else "1.7976931348623157e308",
    }  # fmt: skip
    for key, value in site.attrs.items():
        if not isinstance(value, str):
            fields[f"{{{key}}}"] = c_float(value) if isinstance(value, float) else str(value)
    for key, value in fields.items():
        c = c.replace(key, value)
    return typed_c(c, dtype)


def _to_c(value: str, dtype: DType) -> str:
    """A C double as another type."""
    low, high = dtype.range if dtype.is_integer else (0, 0)
    if dtype.kind == "uint":
        return f"({dtype.c})tml_u64_of_f64({value}, {high}ULL)"
    if dtype.kind == "int":
        least = "INT64_MIN" if dtype.bits == 64 else f"{low}LL"
        return f"({dtype.c})tml_i64_of_f64({value}, {least}, {high}LL)"
    return f"{value} != 0.0" if dtype == BOOL else f"({dtype.c})({value})"


def cast_c(x: DType, y: DType, saturate: bool = True, round_mode: str = "up") -> str:
    """C that makes the value v0 of one type a value of another; the rest as formulas.converted."""
    if x.is_half:
        return cast_c(F32, y, saturate, round_mode).replace("v0", to_f32_c(x, "v0"))
    if y.is_mini:
        return _mini_c(y, saturate, round_mode).replace("v0", "v0" if x == F32 else "(float)v0")
    if y.is_half:
        return f"tml_f32_to_{y}(v0)" if x == F32 else f"tml_f64_to_{y}((double)v0)"
    if y.is_small:
        return _low_bits(_to_c("(double)v0", I32) if x.is_float else "v0", y)
    if x.is_float and y.is_integer:
        return _to_c("(double)v0", y)
    return "v0 != 0" if y == BOOL else f"({y.c})v0"


def _mini_c(y: DType, saturate: bool, round_mode: str) -> str:
    if y.numpy == E8M0:
        return f"tml_f32_to_e8m0(v0, '{round_mode[0]}', {'true' if saturate else 'false'})"
    return f"tml_f32_to_mini(v0, {'true' if saturate else 'false'}, {c_format(y)})"


def _low_bits(value: str, y: DType) -> str:
    sign, mask = 1 << y.bits - 1, (1 << y.bits) - 1
    low = f"(int32_t)({value} & {mask})"
    return f"({y.c})({low})" if y.kind == "uint" else f"({y.c})(({low} ^ {sign}) - {sign})"


def nest_of(site: Site, element: Element, before: Sequence[str] = ()) -> Nest:
    """y0[...] = the element made of the operands' v0, v1, ..., and of what the statements `before` make of those."""
    shape = site.y.shape
    operands = (strides_of(shape), *(broadcast_strides(t.shape, shape) for t in site.inputs))
    variables, dims, strides = elementwise_loops(shape, operands)
    out, *at = (affine(variables, s) for s in strides)
    values = [
        f"const {t.type.dtype.c} v{k} = {read(site, k, index)};"
        for k, (t, index) in enumerate(zip(site.inputs, at, strict=True))
    ]
    in_place = tuple(
        k for k, t in enumerate(site.inputs)
        if not t.is_constant and t.shape == shape and t.type.dtype.bytes == site.y.dtype.bytes
    )  # fmt: skip
    body = (*values, *before, f"y0[{out}] = {element.c};")
    return Nest(
        nested(variables, dims, body), includes=_includes("\n".join(body)), in_place=in_place,
        cycles=element.cycles * site.y.size,
    )  # fmt: skip


def _includes(body: str) -> tuple[str, ...]:
    """Of the functions that statements call."""
    integer = (_INTEGER,) if re.search(r"\btml_([iu]64_of|(div|rem|mod|pow)_[iu]64)", body) else ()
    halves = (_HALF,) if re.search(r"\btml_\w*f16", body) else ()
    minis = (_MINI,) if re.search(r"\btml_\w*(mini|e8m0)", body) else ()
    return ("math.h", *integer, *halves, *minis)


def _element(site: Site) -> Element:
    return Element(spelled(site), 12.0)


def _nest(site: Site) -> Nest:
    return nest_of(site, _element(site))


def emit(node: OnnxNode, name: str, *inputs: str, out: int | None = None, **attrs: Any) -> str:
    """A node of this family on tensors of the graph; the result's name."""
    return node.emit("elementwise", inputs, {"function": name, **attrs}, out=out, hint=name)


def _from_onnx(name: str, node: OnnxNode) -> None:
    attrs = {k: type(d)(node.attr(k, d)) for k, d in _DEFAULTS.get(name, {}).items()}
    inputs = [n for n in node.inputs if n]
    if name == "mod" and node.attr("fmod", 0):
        name = "fmod"
    if name == "gelu" and node.attr("approximate", "none") == "tanh":
        name = "gelu_tanh"
    if node.opset < 7 and len(inputs) == 2:
        inputs[1] = legacy_operand(node)
    if name in ("minimum", "maximum"):
        variadic(node, name)
        return
    emit(node, name, *inputs, out=0, **attrs)


def legacy_operand(node: OnnxNode) -> str:
    """The second operand as it was broadcast before opset 7: its axes begin at `axis`."""
    a, b = node.type(0), node.type(1)
    channels = node.op_type == "PRelu" and b.rank == 1 and b.size > 1
    if not channels and not (node.attr("broadcast", 0) and "axis" in node.attrs):
        return node.inputs[1]
    axis = 1 if channels else node.attr("axis") % max(a.rank, 1)
    shape = (*b.shape, *(1,) * (a.rank - axis - b.rank))
    return node.emit("reshape", [node.inputs[1]], {"shape": shape}, hint="broadcast")


def variadic(node: OnnxNode, name: str) -> None:
    """f(f(x0, x1), x2)...; one input alone is passed on."""
    y, *rest = node.inputs
    if not rest:
        node.rename(0, y)
    for k, x in enumerate(rest, start=1):
        y = emit(node, name, y, x, out=0 if k == len(rest) else None)


def _from_mean(node: OnnxNode) -> None:
    y = node.inputs[0]
    for x in node.inputs[1:]:
        y = emit(node, "add", y, x)
    count = node.constant("count", np.asarray(len(node.inputs), node.type(0).dtype.numpy))
    emit(node, "div", y, count, out=0)


def _from_shift(node: OnnxNode) -> None:
    left = node.attr("direction") == "LEFT"
    emit(node, "shift_left" if left else "shift_right", *node.inputs, out=0)


def _from_clip(node: OnnxNode) -> None:
    """Bounds may be computed; before opset 11 they were attributes."""
    y, dtype = node.inputs[0], node.type(0).dtype.numpy
    for k, (key, name) in enumerate((("min", "maximum"), ("max", "minimum")), start=1):
        if node.has(k):
            y = emit(node, name, y, node.inputs[k])
        elif key in node.attrs:
            y = emit(node, name, y, node.constant(key, np.asarray(node.attr(key), dtype)))
    node.rename(0, y)


# Imported by the op of that name where its operands are float32
_ELSEWHERE = {
    *(f.onnx for f in unary.FUNCTIONS.values()),
    *("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Relu", "PRelu"),
}
_ALL = {f.onnx: partial(_from_onnx, name) for name, f in FUNCTIONS.items() if f.onnx}


OP = Op(
    "elementwise",
    infer,
    reference,
    quantize=QuantizeRule(elementwise_integer.lower),
    nest=_nest,
    element=_element,
    rows=pixelwise,
    runs=runs.aligned,
    onnx={"BitShift": _from_shift, **{n: f for n, f in _ALL.items() if n not in _ELSEWHERE}},
    generic={
        **{name: f for name, f in _ALL.items() if name in _ELSEWHERE},
        "Sum": partial(variadic, name="add"),
        "Mean": _from_mean,
        "Clip": _from_clip,
    },
    summary="Element-wise functions of any plain type: comparisons, logic, bits, Where, Mod, ...",
    cases=(
        Case("where", "Where", (Const([[True], [False]], dtype="bool"), (2, 5), (1, 5))),
        Case(
            "where_constant",
            "Where",
            (Const([True, False, True], dtype="bool"), (2, 3), Const(0.5)),
        ),
        Case("greater", "Greater", ((3, 5), (1, 5))),
        Case("greater_than_one", "Greater", ((3, 5), Const(0.25))),
        Case("less_than_each", "Less", ((3, 4), Const([-4.0, -0.5, 1.0, 4.0]))),
        Case("one_less_or_equal", "LessOrEqual", (Const(-0.5), (7,))),
        Case("all_are_greater_or_equal", "GreaterOrEqual", ((7,), Const(-9.0))),
        Case("equal_to_zero", "Equal", ((5, 3), Const(0.0))),
        Case("fmod_of_one", "Mod", ((4, 6), Const(0.75)), {"fmod": 1}),
    ),
)
