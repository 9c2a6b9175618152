"""ONNX operators on integers with scales as inputs: QLinearConv, QLinearMatMul and ONNX Runtime's own.

Each is imported as dequantize -> the float operator's importer -> quantize, which the pass absorb_qdq turns into
integer ops. There are no such nodes in a graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..ir.types import Quant
from .average_pool2d import emit_spatial_mean
from .base import Op
from .importing import OnnxNode, never_emitted
from .quantization import from_dequantize, from_quantize


def real(node: OnnxNode, x: int, scale: int, zero: int, axis: int = 0) -> str:
    """Input `x` dequantised by the inputs `scale` and `zero` (which may be absent)."""
    names = [node.tensor(x).name, node.tensor(scale).name]
    if node.has(zero):
        names.append(node.inputs[zero])
    name = node.draft.fresh(f"{names[0]}.real")
    from_dequantize(
        replace(
            node,
            op_type="DequantizeLinear",
            inputs=tuple(names),
            outputs=(name,),
            attrs={"axis": axis},
        )
    )
    return name


def run_float(
    node: OnnxNode, op_type: str, inputs: tuple[str, ...], attrs: Mapping[str, Any] | None = None,
    opset: int = 17, out: str = "",
) -> str:  # fmt: skip
    """Import a float ONNX operator; the name of its result."""
    from . import onnx_importers

    name = out or node.draft.fresh(f"{node.outputs[0]}.float")
    onnx_importers()[op_type](
        replace(
            node, op_type=op_type, inputs=inputs, outputs=(name,), attrs=attrs or {}, opset=opset
        )
    )
    return name


def quantized(node: OnnxNode, y: str, scale: int, zero: int) -> None:
    """The node's output: `y` quantised by the inputs `scale` and `zero`."""
    names = (y, node.tensor(scale).name, *((node.inputs[zero],) if node.has(zero) else ()))
    from_quantize(replace(node, op_type="QuantizeLinear", inputs=names, attrs={}))


def _bias(node: OnnxNode, index: int, x_scale: int, w_scale: int) -> tuple[str, ...]:
    """An int32 bias at the accumulator's scale, dequantised; nothing when it is absent."""
    if not node.has(index):
        return ()
    bias = node.const(index, "bias").ravel()
    scale = (
        node.const(x_scale, "scale").astype(np.float64).ravel()
        * node.const(w_scale, "scale").ravel()
    )
    if scale.size not in (1, bias.size):
        node.refuse(f"{node.op_type}: {scale.size} weight scales for a bias of {bias.size} values")
    per_channel = Quant(tuple(np.broadcast_to(scale, bias.shape).tolist()), (0,) * bias.size, 0)
    quant = per_channel if scale.size > 1 else Quant.per_tensor(scale[0])
    constant = node.constant(f"{node.tensor(index).name}.bias", bias, quant)
    return (node.emit("dequantize", [constant], hint="bias"),)


def from_conv(node: OnnxNode) -> None:
    operands = (real(node, 0, 1, 2), real(node, 3, 4, 5), *_bias(node, 8, 1, 4))
    quantized(node, run_float(node, "Conv", operands, node.attrs), 6, 7)


def from_matmul(node: OnnxNode) -> None:
    axis = max(node.type(3).rank - 1, 0)
    operands = (real(node, 0, 1, 2), real(node, 3, 4, 5, axis))
    quantized(node, run_float(node, "MatMul", operands), 6, 7)


def from_gemm(node: OnnxNode) -> None:
    """Without a scale for the result, that stays float."""
    axis = 0 if node.attr("transB", 0) else 1
    operands = (real(node, 0, 1, 2), real(node, 3, 4, 5, axis), *_bias(node, 6, 1, 4))
    if not node.has(7):
        run_float(node, "Gemm", operands, node.attrs, out=node.outputs[0])
        return
    quantized(node, run_float(node, "Gemm", operands, node.attrs), 7, 8)


def from_binary(node: OnnxNode) -> None:
    operands = (real(node, 0, 1, 2), real(node, 3, 4, 5))
    quantized(node, run_float(node, node.op_type.removeprefix("QLinear"), operands), 6, 7)


def from_unary(node: OnnxNode) -> None:
    """Sigmoid, LeakyRelu and Softmax, the last with the opset whose meaning it has."""
    attrs = {k: v for k, v in node.attrs.items() if k != "opset"}
    op_type, opset = node.op_type.removeprefix("QLinear"), node.attr("opset", 17)
    quantized(node, run_float(node, op_type, (real(node, 0, 1, 2),), attrs, opset), 3, 4)


def from_pool(node: OnnxNode) -> None:
    x = real(node, 0, 1, 2)
    attrs = {k: v for k, v in node.attrs.items() if k != "channels_last"}
    if not node.attr("channels_last", 0):
        y = run_float(node, node.op_type.removeprefix("QLinear"), (x,), attrs)
    elif node.op_type == "QLinearGlobalAveragePool" and node.type(0).rank == 4:
        y = emit_spatial_mean(replace(node, inputs=(x,)), (1, 2))
    else:
        node.refuse(f"{node.op_type} with channels_last of {node.type(0)} is not supported")
    quantized(node, y, 3, 4)


def from_concat(node: OnnxNode) -> None:
    operands = tuple(real(node, k, k + 1, k + 2) for k in range(2, len(node.inputs), 3))
    quantized(node, run_float(node, "Concat", operands, node.attrs), 0, 1)


_MICROSOFT = {
    "QGemm": from_gemm,
    "QLinearAdd": from_binary,
    "QLinearMul": from_binary,
    "QLinearSigmoid": from_unary,
    "QLinearLeakyRelu": from_unary,
    "QLinearSoftmax": from_unary,
    "QLinearAveragePool": from_pool,
    "QLinearGlobalAveragePool": from_pool,
    "QLinearConcat": from_concat,
    "QuantizeLinear": from_quantize,
    "DequantizeLinear": from_dequantize,
}

OP = Op(
    "qlinear",
    never_emitted,
    onnx={
        "QLinearConv": from_conv,
        "QLinearMatMul": from_matmul,
        **{f"com.microsoft.{name}": function for name, function in _MICROSOFT.items()},
    },
    summary="QLinearConv, QLinearMatMul and ONNX Runtime's QLinear operators (as dequantize, float op, quantize)",
)
