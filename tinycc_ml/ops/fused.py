"""Operators that ONNX Runtime makes by fusing others, taken apart again: FusedConv, FusedMatMul, Gelu, MatMulNBits.

There are no such nodes in a graph.
"""

from __future__ import annotations

import numpy as np

from .base import Case, Const, Op
from .importing import OnnxNode, never_emitted
from .qlinear import run_float

# Activation to the attributes that activation_params holds, in order
_PARAMETERS = {
    "Relu": (), "Tanh": (), "Sigmoid": (), "LeakyRelu": ("alpha",), "Clip": ("min", "max"),
    "HardSigmoid": ("alpha", "beta"),
}  # fmt: skip


def from_conv(node: OnnxNode) -> None:
    """A convolution, a tensor added to it, an activation."""
    activation = node.attr("activation", "")
    values = tuple(node.attr("activation_params", ()))
    if activation and len(_PARAMETERS.get(activation, (None,) * 9)) != len(values):
        node.refuse(f"FusedConv with the activation {activation!r} and parameters {list(values)}")
    attrs = {k: v for k, v in node.attrs.items() if not k.startswith("activation")}
    y = run_float(node, "Conv", tuple(name for name in node.inputs[:3] if name), attrs)
    if node.has(3):
        y = run_float(node, "Add", (y, node.inputs[3]))
    if not activation:
        node.rename(0, y)
        return
    settings = dict(zip(_PARAMETERS[activation], values, strict=True))
    run_float(node, activation, (y,), settings, opset=10, out=node.outputs[0])


def from_matmul(node: OnnxNode) -> None:
    """alpha * A' @ B', each transposed along its last two axes when asked for."""
    for name in ("transBatchA", "transBatchB"):
        if node.attr(name, 0):
            node.refuse(f"FusedMatMul with {name} is not supported")
    operands = []
    for k, flag in enumerate(("transA", "transB")):
        name, rank = node.inputs[k], node.type(k).rank
        if node.attr(flag, 0) and rank >= 2:
            perm = (*range(rank - 2), rank - 1, rank - 2)
            data = node.tensor(k).data
            if data is not None:
                name = node.constant(f"{name}.turned", data.transpose(perm))
            else:
                name = node.emit("transpose", [name], {"perm": perm}, hint="turned")
        operands.append(name)
    y = run_float(node, "MatMul", tuple(operands))
    alpha = node.constant(
        f"{node.outputs[0]}.alpha", np.asarray(node.attr("alpha", 1.0), np.float32)
    )
    node.emit("mul", [y, alpha], out=0)


def from_gelu(node: OnnxNode) -> None:
    run_float(node, "Gelu", (node.inputs[0],), out=node.outputs[0])


def from_matmul_nbits(node: OnnxNode) -> None:
    """A @ B' with B [N, blocks, bytes] of `bits`-bit integers, the low ones first, each block with a scale and a zero point.
    The weights become floats."""
    k, n, bits, block = (node.attr(name) for name in ("K", "N", "bits", "block_size"))
    if bits not in (2, 4, 8) or node.has(4) or (node.has(3) and node.type(3).dtype.name != "u8"):
        node.refuse(f"MatMulNBits of {bits} bits, with g_idx or zero points of other types than u8")
    blocks = -(-k // block)
    q = _unpacked(node.const(1, "B"), bits).reshape(n, blocks, block).astype(np.float32)
    zero = np.full((n, blocks), 1 << (bits - 1), np.float32)
    if node.has(3):
        zero = _unpacked(node.const(3, "zero points").reshape(n, -1), bits)[:, :blocks]
    scale = node.const(2, "scales").reshape(n, blocks, 1)
    weights = ((q - zero[:, :, None]) * scale).reshape(n, -1)[:, :k].T.astype(np.float32)
    y = run_float(node, "MatMul", (node.inputs[0], node.constant(node.inputs[1], weights)))
    if node.has(5):
        y = run_float(node, "Add", (y, node.inputs[5]))
    node.rename(0, y)


def _unpacked(packed: np.ndarray, bits: int) -> np.ndarray:
    """[..., bytes] to [..., bytes * 8 / bits]."""
    parts = [packed >> shift & ((1 << bits) - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, -1).reshape(*packed.shape[:-1], -1)


def _conv(name: str, activation: str, *values: float, more: bool = False) -> Case:
    attrs = {"activation": activation, "pads": [1, 1, 1, 1]}
    if values:
        attrs["activation_params"] = list(values)
    added = ((1, 4, 5, 5),) if more else ()
    inputs = ((1, 3, 5, 5), Const(shape=(4, 3, 3, 3)), Const(shape=(4,)), *added)
    return Case(name, "FusedConv", inputs, attrs, domain="com.microsoft")


def _matmul(name: str, a: tuple[int, ...], b: object, **attrs: object) -> Case:
    return Case(name, "FusedMatMul", (a, b), attrs, domain="com.microsoft")


OP = Op(
    "fused",
    never_emitted,
    onnx={
        "com.microsoft.FusedConv": from_conv,
        "com.microsoft.FusedMatMul": from_matmul,
        "com.microsoft.Gelu": from_gelu,
        "com.microsoft.MatMulNBits": from_matmul_nbits,
    },
    summary="ONNX Runtime's FusedConv, FusedMatMul, Gelu, MatMulNBits (as the operators they were made of)",
    cases=(
        _conv("conv_relu", "Relu"),
        _conv("conv_clip", "Clip", 0.0, 6.0),
        _conv("conv_leaky", "LeakyRelu", 0.25),
        _conv("conv_sum_relu", "Relu", more=True),
        _matmul("matmul_turned", (2, 3, 4), (2, 5, 4), transB=1, alpha=0.5),
        _matmul("matmul_weights", (4, 3), Const(shape=(4, 6)), transA=1),
        Case("gelu", "Gelu", ((3, 4),), domain="com.microsoft"),
    ),
)
