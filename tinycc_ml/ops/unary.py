"""Functions of one value, a line each: the float reference, the C expression, the ONNX operator.

On int8 every one of them is a table of 256 entries, computed exactly by the float reference; on int16 those that
don't jump are straight lines between 257 entries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import F32, Quant, TensorType
from ..numerics.quantization import SIGNED_UNIT, UNIT
from . import runs
from .base import Arrays, Case, Element, Nest, Op, QuantizeRule, Site
from .importing import OnnxNode
from .indexing import c_float, nested
from .lowering import Lowering
from .rows import pixelwise

_f = np.float32


@dataclass(frozen=True)
class Function:
    """`numpy(x, **attrs)`; `c` is a C expression of the float `v` with {attr} fields for attributes."""

    numpy: Callable[..., np.ndarray]
    c: str
    onnx: str | None
    attrs: Mapping[str, float] = field(default_factory=dict)  # ONNX attributes and their defaults
    cycles: float = 60.0
    output: str | Quant = "calibrated"
    low: float = -4.0  # range of the test case
    high: float = 3.0
    opset: int = 17
    jumps: bool = (
        False  # straight lines between the entries of a table would be no function of that name
    )


def _erf(x: np.ndarray) -> np.ndarray:
    from math import erf

    return np.vectorize(erf, otypes=[np.float64])(x)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -88, 88)))


def _gelu(x: np.ndarray, approximate: str = "none") -> np.ndarray:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + _erf(x * 0.7071067811865476))


FUNCTIONS: Mapping[str, Function] = {
    "abs": Function(np.abs, "fabsf(v)", "Abs", cycles=4),
    "neg": Function(np.negative, "-v", "Neg", cycles=4),
    "exp": Function(np.exp, "expf(v)", "Exp"),
    "log": Function(np.log, "logf(v)", "Log", low=0.5),
    "sqrt": Function(np.sqrt, "sqrtf(v)", "Sqrt", low=0.0, cycles=18),
    "reciprocal": Function(np.reciprocal, "1.0F / v", "Reciprocal", low=0.5, cycles=18),
    "floor": Function(np.floor, "floorf(v)", "Floor", jumps=True),
    "ceil": Function(np.ceil, "ceilf(v)", "Ceil", jumps=True),
    "round": Function(np.rint, "nearbyintf(v)", "Round", jumps=True),
    "sin": Function(np.sin, "sinf(v)", "Sin"),
    "cos": Function(np.cos, "cosf(v)", "Cos"),
    "tan": Function(np.tan, "tanf(v)", "Tan"),
    "asin": Function(np.arcsin, "asinf(v)", "Asin", low=-1.0, high=1.0),
    "acos": Function(np.arccos, "acosf(v)", "Acos", low=-1.0, high=1.0),
    "atan": Function(np.arctan, "atanf(v)", "Atan"),
    "sinh": Function(np.sinh, "sinhf(v)", "Sinh"),
    "cosh": Function(np.cosh, "coshf(v)", "Cosh"),
    "asinh": Function(np.arcsinh, "asinhf(v)", "Asinh"),
    "acosh": Function(np.arccosh, "acoshf(v)", "Acosh", low=1.0),
    "atanh": Function(np.arctanh, "atanhf(v)", "Atanh", low=-0.9, high=0.9),
    "sign": Function(np.sign, "(float)((v > 0.0F) - (v < 0.0F))", "Sign", cycles=8, output=SIGNED_UNIT, jumps=True),
    "erf": Function(_erf, "erff(v)", "Erf", output=SIGNED_UNIT),
    "tanh": Function(np.tanh, "tanhf(v)", "Tanh", output=SIGNED_UNIT),
    "sigmoid": Function(_sigmoid, "1.0F / (1.0F + expf(-v))", "Sigmoid", output=UNIT),
    "softplus": Function(lambda x: np.logaddexp(0, x), "log1pf(expf(-fabsf(v))) + (v > 0.0F ? v : 0.0F)", "Softplus"),
    "softsign": Function(lambda x: x / (1 + np.abs(x)), "v / (1.0F + fabsf(v))", "Softsign", output=SIGNED_UNIT),
    "mish": Function(lambda x: x * np.tanh(np.logaddexp(0, x)), "v * tanhf(log1pf(expf(-fabsf(v))) + (v > 0.0F ? v : 0.0F))", "Mish", opset=18),
    "elu": Function(lambda x, alpha: np.where(x < 0, _f(alpha) * np.expm1(x), x), "v < 0.0F ? {alpha} * expm1f(v) : v", "Elu", {"alpha": 1.0}),
    "celu": Function(lambda x, alpha: np.maximum(0, x) + np.minimum(0, _f(alpha) * np.expm1(x / _f(alpha))), "v < 0.0F ? {alpha} * expm1f(v / {alpha}) : v", "Celu", {"alpha": 1.0}),
    "selu": Function(lambda x, alpha, gamma: _f(gamma) * np.where(x > 0, x, _f(alpha) * np.expm1(x)), "{gamma} * (v > 0.0F ? v : {alpha} * expm1f(v))", "Selu", {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875}),
    "leaky_relu": Function(lambda x, alpha: np.where(x < 0, _f(alpha) * x, x), "v < 0.0F ? {alpha} * v : v", "LeakyRelu", {"alpha": 0.01}, cycles=8),
    "thresholded_relu": Function(lambda x, alpha: np.where(x > _f(alpha), x, _f(0)), "v > {alpha} ? v : 0.0F", "ThresholdedRelu", {"alpha": 1.0}, cycles=8, jumps=True),
    "shrink": Function(lambda x, bias, lambd: np.where(x < -_f(lambd), x + _f(bias), np.where(x > _f(lambd), x - _f(bias), _f(0))), "v < 0.0F - {lambd} ? v + {bias} : v > {lambd} ? v - {bias} : 0.0F", "Shrink", {"bias": 0.0, "lambd": 0.5}, cycles=10, jumps=True),
    "swish": Function(lambda x, alpha: x * _sigmoid(_f(alpha) * x), "v / (1.0F + expf(-{alpha} * v))", "Swish", {"alpha": 1.0}, opset=24),
    "hard_sigmoid": Function(lambda x, alpha, beta: np.clip(_f(alpha) * x + _f(beta), 0, 1), "fminf(fmaxf({alpha} * v + {beta}, 0.0F), 1.0F)", "HardSigmoid", {"alpha": 0.2, "beta": 0.5}, cycles=14, output=UNIT),
    "hard_swish": Function(lambda x: x * np.clip(x / _f(6) + _f(0.5), 0, 1), "v * fminf(fmaxf(v / 6.0F + 0.5F, 0.0F), 1.0F)", "HardSwish", cycles=14),
    "gelu": Function(_gelu, "0.5F * v * (1.0F + erff(v * 0.70710678F))", "Gelu", opset=20),
    "gelu_tanh": Function(lambda x: _gelu(x, "tanh"), "0.5F * v * (1.0F + tanhf(0.79788456F * (v + 0.044715F * v * v * v)))", None),
}  # fmt: skip


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    return (TensorType(types[0].shape, types[0].dtype),)


def _reference(function: Function) -> Callable[[Arrays, Attrs], tuple[np.ndarray, ...]]:
    def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
        with np.errstate(all="ignore"):
            return (np.asarray(function.numpy(arrays[0], **attrs)).astype(np.float32),)

    return reference


def lower(low: Lowering) -> None:
    """The table over all 256 inputs of the op's own float reference."""
    from . import table
    from .lut import emit_lut

    x = low.activation(0)
    reference = table()[low.node.op].reference
    emit_lut(low, x, lambda real: reference((real,), low.attrs)[0])  # type: ignore[misc]


def _spelled(function: Function, attrs: Attrs) -> str:
    """The C expression of the float v."""
    return function.c.format(**{k: c_float(v) for k, v in attrs.items() if not isinstance(v, str)})


def _element(function: Function) -> Callable[[Site], Element]:
    return lambda site: Element(
        re.sub(r"\bv\b", "v0", _spelled(function, site.attrs)), function.cycles
    )


def _nest(function: Function) -> Callable[[Site], Nest]:
    def nest(site: Site) -> Nest:
        size = site.y.size
        body = ("const float v = x0[i];", f"y0[i] = {_spelled(function, site.attrs)};")
        return Nest(
            nested(("i",), (size,), body),
            includes=("math.h",),
            in_place=(0,),
            cycles=size * function.cycles,
        )

    return nest


def _importer(name: str, function: Function) -> Callable[[OnnxNode], None]:
    def from_onnx(node: OnnxNode) -> None:
        attrs: dict[str, Any] = {k: float(node.attr(k, d)) for k, d in function.attrs.items()}
        if node.type(0).dtype != F32:
            node.refuse(f"{node.op_type} takes f32, got {node.type(0)}")
        tanh = node.op_type == "Gelu" and node.attr("approximate", "none") == "tanh"
        node.emit("gelu_tanh" if tanh else name, [node.inputs[0]], attrs, out=0)

    return from_onnx


def _op(name: str, function: Function) -> Op:
    onnx = {function.onnx: _importer(name, function)} if function.onnx else {}
    cases: tuple[Case, ...] = ()
    if function.onnx:
        cases = (
            Case(
                name,
                function.onnx,
                ((1, 3, 5),),
                opset=function.opset,
                low=function.low,
                high=function.high,
            ),
        )
    if name == "gelu_tanh":
        cases = (Case(name, "Gelu", ((2, 9),), {"approximate": "tanh"}, opset=20),)
    return Op(
        name, infer, _reference(function), quantize=QuantizeRule(lower, function.output, int8_only=function.jumps),
        nest=_nest(function), element=_element(function), rows=pixelwise, runs=runs.aligned, elementwise=True, transposed=lambda site, permutation: site.attrs,
        onnx=onnx, cases=cases, summary=f"Element-wise {name.replace('_', ' ')}",
    )  # fmt: skip


OPS = tuple(_op(name, function) for name, function in FUNCTIONS.items())
