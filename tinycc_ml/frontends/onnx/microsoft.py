"""Operators of ONNX Runtime (domain com.microsoft) as functions of ONNX's own, in ONNX's text form.

The formulas are those of ONNX Runtime's operator documentation (ContribOperators.md). What needs the value
of a constant, or is quantised, is imported in ops/fused.py and ops/qlinear.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
import onnx.parser
from onnx import helper

from ...errors import ModelError
from ...ir.types import TensorType

DOMAIN = "com.microsoft"
# Of the operators that the bodies use
OPSET = 24


@dataclass(frozen=True)
class Given:
    """A node: which operands and results it has, its attributes, the types of its operands."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    attrs: Mapping[str, Any]
    types: Mapping[str, TensorType]


@dataclass(frozen=True)
class Function:
    """`inputs` and `outputs`: formal names in the operator's order; `body`: the text of the nodes."""

    inputs: str
    outputs: str
    body: Callable[[Given], str]


def _plus(total: str, x: str, more: str, given: Given) -> str:
    """total = x + more, where there is more."""
    return f"{total} = Add({x}, {more})" if more in given.inputs else f"{total} = Identity({x})"


def _fast_gelu(given: Given) -> str:
    return _plus("s", "X", "bias", given) + '\n Y = Gelu<approximate = "tanh">(s)'


def _quick_gelu(given: Given) -> str:
    return f"Y = Swish<alpha = {float(given.attrs.get('alpha', 1.702))}>(X)"


_ACTIVATIONS = {"": "Identity", "Relu": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "LeakyRelu": "LeakyRelu<alpha = {alpha}>"}  # fmt: skip


def _fused_gemm(given: Given) -> str:
    attrs = given.attrs
    activation = attrs.get("activation", "")
    if activation not in _ACTIVATIONS:
        raise ModelError(f"FusedGemm with the activation {activation!r} is not supported")
    names = {"alpha": float, "beta": float, "transA": int, "transB": int}
    settings = ", ".join(f"{n} = {kind(attrs[n])}" for n, kind in names.items() if n in attrs)
    operands = "A, B, C" if "C" in given.inputs else "A, B"
    function = _ACTIVATIONS[activation].format(alpha=float(attrs.get("activation_alpha", 0.01)))
    return f"g = Gemm<{settings}>({operands})\n Y = {function}(g)"


def _epsilon(given: Given, default: float) -> str:
    return f"axis = -1, epsilon = {float(given.attrs.get('epsilon', default)):.9e}"


def _sum_of_skip(given: Given) -> str:
    return "a = Add(input, skip)\n" + _plus("input_skip_bias_sum", "a", "bias", given) + "\n"


def _skip_norm(given: Given) -> str:
    operands = "gamma, beta" if "beta" in given.inputs else "gamma"
    names = ("output", *(n for n in ("mean", "inv_std_var") if n in given.outputs))
    return (
        _sum_of_skip(given)
        + f"{', '.join(names)} = LayerNormalization<{_epsilon(given, 1e-12)}>(input_skip_bias_sum, {operands})"
    )


def _skip_rms_norm(given: Given) -> str:
    norm = f"output = RMSNormalization<{_epsilon(given, 1e-12)}>(input_skip_bias_sum, gamma)"
    return _sum_of_skip(given) + norm


def _embed(given: Given) -> str:
    """Words, their places and, where there are any, segments; `mask_index` counts the words of each row."""
    _, length = given.types["input_ids"].shape
    places = "position_ids" if "position_ids" in given.inputs else "steps"
    lines = [f"steps = Constant<value_ints = [{', '.join(map(str, range(length)))}]>()"]
    lines += [f"p = Gather(position_embedding, {places})", "w = Gather(word_embedding, input_ids)", "wp = Add(w, p)"]  # fmt: skip
    if "segment_ids" in given.inputs:
        lines += ["g = Gather(segment_embedding, segment_ids)", "embedding_sum = Add(wp, g)"]
    else:
        lines.append("embedding_sum = Identity(wp)")
    lines.append(f"output = LayerNormalization<{_epsilon(given, 1e-12)}>(embedding_sum, gamma, beta)")  # fmt: skip
    lines.append("axes = Constant<value_ints = [1]>()")
    counted = "mask" if "mask" in given.inputs else "nothing"
    lines.append("nothing = Sub(input_ids, input_ids)")
    lines += [f"n = ReduceSum<keepdims = 0>({counted}, axes)", "mask_index = Cast<to = 6>(n)"]
    return "\n".join(lines)


def _integer_matmul(given: Given, zeros: tuple[str, str]) -> str:
    """int32 sums of products; the scale of `B` may be one for each column."""
    operands = [*zeros]
    while operands and not (operands[-1] in given.inputs or operands[-1] == "a_zero"):
        operands.pop()
    names = [n if n in given.inputs or n == "a_zero" else "" for n in operands]
    lines = [f"i = MatMulInteger({', '.join(('a', 'B', *names))})", "f = Cast<to = 1>(i)"]
    lines += ["scale = Mul(a_scale, b_scale)", "s = Mul(f, scale)", _plus("Y", "s", "bias", given)]
    return "\n".join(lines)


def _matmul_to_float(given: Given) -> str:
    return "a = Identity(A)\n" + _integer_matmul(given, ("a_zero_point", "b_zero_point"))


def _dynamic_matmul(given: Given) -> str:
    head = "a, a_scale, a_zero = DynamicQuantizeLinear(A)\n"
    return head + _integer_matmul(given, ("a_zero", "b_zero_point"))


_SKIP = "output, mean, inv_std_var, input_skip_bias_sum"
FUNCTIONS: Mapping[str, Function] = {
    "BiasGelu": Function("A, B", "Y", lambda given: "s = Add(A, B)\n Y = Gelu(s)"),
    "FastGelu": Function("X, bias", "Y", _fast_gelu),
    "QuickGelu": Function("X", "Y", _quick_gelu),
    "FusedGemm": Function("A, B, C", "Y", _fused_gemm),
    "SkipLayerNormalization": Function("input, skip, gamma, beta, bias", _SKIP, _skip_norm),
    "SkipSimplifiedLayerNormalization": Function("input, skip, gamma, bias", _SKIP, _skip_rms_norm),
    "EmbedLayerNormalization": Function("input_ids, segment_ids, word_embedding, position_embedding, segment_embedding, gamma, beta, mask, position_ids", "output, mask_index, embedding_sum", _embed),
    "MatMulIntegerToFloat": Function("A, B, a_scale, b_scale, a_zero_point, b_zero_point, bias", "Y", _matmul_to_float),
    "DynamicQuantizeMatMul": Function("A, B, b_scale, b_zero_point, bias", "Y", _dynamic_matmul),
}  # fmt: skip


def microsoft_body(
    proto: onnx.NodeProto, types: Sequence[TensorType | None]
) -> onnx.FunctionProto | None:
    """The nodes that an operator of com.microsoft stands for; None when it is not among them."""
    function = FUNCTIONS.get(proto.op_type) if proto.domain == DOMAIN else None
    if function is None:
        return None
    formal = function.inputs.split(", ")
    known = {n: t for n, t in zip(formal, types, strict=False) if t is not None}
    made = (n for n, name in zip(function.outputs.split(", "), proto.output, strict=False) if name)
    attrs = {a.name: _plain(helper.get_attribute_value(a)) for a in proto.attribute}
    given = Given(frozenset(known), frozenset(made), attrs, known)
    head = f'<domain: "{DOMAIN}", opset_import: ["" : {OPSET}]>'
    text = f"{head} f ({function.inputs}) => ({function.outputs}) {{ {function.body(given)} }}"
    return onnx.parser.parse_function(text)


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
