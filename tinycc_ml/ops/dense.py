"""Fully connected: x: [..., K], weights: [N, K], bias: [N]; y = x @ weights.T + bias."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from . import ab_kernels, packed_kernels, runs, wide_kernels
from .base import Arrays, Case, Const, Kernel, Op, QuantizeRule, Site, clamped
from .channels import contracted
from .contraction import (
    accumulator_bound,
    contraction_arrays,
    emit_contraction,
    exact_matmul,
    finish,
    float_params,
    needs,
    packed_blocks,
    portable_cycles,
    quantized_params,
    widening,
)  # fmt: skip
from .contraction_nests import dense_nest
from .importing import OnnxNode
from .intervals import Interval, contraction_interval
from .lowering import Lowering
from .windows import Window, image_params


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, w = types[0], types[1]
    if w.rank != 2 or x.rank < 1 or x.shape[-1] != w.shape[1]:
        raise ModelError(f"dense takes [..., K] and weights [N, K], got {x} and {w}")
    if len(types) > 2 and types[2].shape != (w.shape[0],):
        raise ModelError(f"dense: a bias of {types[2]} for {w.shape[0]} outputs")
    return (TensorType((*x.shape[:-1], w.shape[0]), x.dtype),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    y = arrays[0] @ arrays[1].T
    return (clamped(y + arrays[2] if len(arrays) > 2 else y, attrs),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    x, w, bias, multiplier = arrays
    return (finish(site, exact_matmul(x, w.T) + bias, multiplier),)


def lower(low: Lowering) -> None:
    x, weights = low.activation(0), low.quantized(1)
    if weights is None:
        low.refuse("its weights are no quantised constant")
    emit_contraction(low, x, low.contraction(x, weights, 0, 2, wide=True), low.attrs)


def _rows_met(site: Site, x: np.ndarray) -> np.ndarray:
    """[1, vectors, K]"""
    return x.reshape(1, -1, site.x.shape[-1])


def macs(site: Site) -> int:
    return site.y.size * site.x.shape[-1]


# One tap, which is always there
_INSIDE = np.ones((1, 1), bool)


def _interval(site: Site, operands: Sequence[Interval]) -> tuple[Interval, ...]:
    return contraction_interval(site, operands[0], site.const(1)[:, None], _INSIDE)


def _pack(site: Site) -> tuple[tuple[str, np.ndarray], ...]:
    weights = site.const(1)
    return contraction_arrays(site, packed_blocks(weights), weights.shape[0])


def _vectors(site: Site) -> int:
    return site.x.size // site.x.shape[-1]


def _params(site: Site) -> dict[str, int | float]:
    sizes: dict[str, int | float] = {"x_len": site.x.shape[-1], "y_len": site.y.shape[-1]}
    return {**sizes, **(float_params(site) if site.is_float else quantized_params(site))}


def _row_params(site: Site) -> dict[str, int | float]:
    """Many vectors are the pixels of one image row."""
    k, n, count = site.x.shape[-1], site.y.shape[-1], _vectors(site)
    image = image_params((1, 1, count, k), (1, 1, count, n))
    if site.is_float:
        return {**image, **Window((1, 1)).params(), "groups": 1, **float_params(site)}
    return {**{f: v for f, v in image.items() if f not in ("x_h", "x_w")}, **quantized_params(site)}


def _one_vector(kind: str, x: str | None = None) -> Kernel:
    """x: the type of activations where it is not that of weights."""
    return Kernel(
        f"tml_dense_{kind}",
        "dense",
        accepts=lambda site: (
            needs(site, x or kind, kind) or (None if _vectors(site) == 1 else "takes one vector")
        ),
        params=_params,
        arrays=_pack,
        shifts=True,
        per_image=False,
        cycles=lambda site: widening(kind) * portable_cycles(1, site.y.shape[-1], site.x.shape[-1]),
    )


def _rows(kind: str, name: str, x: str | None = None) -> Kernel:
    """The float kernel gathers two windows, that is vectors, into its scratch."""
    return Kernel(
        name,
        "conv2d",
        accepts=lambda site: needs(site, x or kind, kind),
        params=_row_params,
        arrays=_pack,
        shifts=True,
        scratch_bytes=lambda site: 8 * site.x.shape[-1] if site.is_float else 0,
        per_image=False,
        cycles=lambda site: (
            widening(kind) * portable_cycles(_vectors(site), site.y.shape[-1], site.x.shape[-1])
        ),
    )


KERNELS = (
    ab_kernels.DENSE,
    ab_kernels.DENSE_VECTOR,
    _one_vector("i8"),
    _rows("i8", "tml_conv2d_1x1_i8"),
    *packed_kernels.DENSE_KERNELS,
    *wide_kernels.dense_kernels(),
    _one_vector("f32"),
    _rows("f32", "tml_conv2d_f32"),
    _one_vector("f16", "f32"),
    _rows("f16", "tml_conv2d_f16", "f32"),
)


def from_gemm(node: OnnxNode) -> None:
    """Y = alpha * A' @ B' + beta * C, with constant B (and C)."""
    if node.attr("transA", 0):
        node.refuse("Gemm with transA is not supported", "transpose the input in the model")
    alpha, beta = node.attr("alpha", 1.0), node.attr("beta", 1.0)
    if (alpha != 1.0 and not node.is_const(1)) or (
        beta != 1.0 and node.has(2) and not node.is_const(2)
    ):
        node.refuse("Gemm with alpha or beta on quantised weights is not supported")
    outputs = node.type(1).shape[0 if node.attr("transB", 0) else 1]
    turn = (lambda a: a) if node.attr("transB", 0) else (lambda a: a.T)
    weights = node.rearranged(1, lambda a: _scaled(turn(a), alpha), 0)
    operands = [node.inputs[0], weights]
    if node.has(2):
        operands.append(_gemm_bias(node, outputs, beta))
    node.emit("dense", operands, out=0)


def _scaled(a: np.ndarray, factor: float) -> np.ndarray:
    return a if factor == 1.0 else (a * factor).astype(a.dtype)


def _gemm_bias(node: OnnxNode, outputs: int, beta: float) -> str:
    """C must broadcast over the rows: [N], [1, N], [1] or a scalar."""
    shape = node.type(2).shape
    if len(shape) > 1 and int(np.prod(shape[:-1])) != 1:
        node.refuse(f"Gemm takes one C for all rows, got {node.type(2)}")
    if shape == (outputs,) and beta == 1.0:
        return node.fixed(2, "C")
    return node.rearranged(2, lambda c: _scaled(np.broadcast_to(c.ravel(), (outputs,)), beta), 0)


def from_matmul(node: OnnxNode) -> None:
    """MatMul with a constant matrix on the right is dense; all else is the op matmul."""
    from .matmul import emit_matmul

    maker = node.draft.producer(node.inputs[1])
    behind = (
        node.draft.tensors[maker.inputs[0]]
        if maker and maker.op == "dequantize"
        else node.tensor(1)
    )
    if behind.data is None or behind.type.rank != 2 or node.type(0).rank < 1:
        emit_matmul(node)
        return
    node.emit("dense", [node.inputs[0], node.rearranged(1, lambda a: a.T, 0)], out=0)


OP = Op(
    "dense",
    infer,
    reference,
    integer,
    accumulator=lambda site: accumulator_bound(site, 0),
    interval=_interval,
    channels=lambda site: contracted(site, _INSIDE),
    quantize=QuantizeRule(lower, weights={1: 0}, bias=2, windows=_rows_met),
    runs=runs.of_first,
    kernels=KERNELS,
    nest=dense_nest,
    macs=macs,
    clamps=True,
    onnx={"Gemm": from_gemm, "MatMul": from_matmul},
    summary="Fully connected: Gemm and MatMul with constant weights",
    cases=(
        Case("gemm", "Gemm", ((1, 7), Const(shape=(7, 5)), Const(shape=(5,)))),
        Case("gemm_trans_b", "Gemm", ((1, 6), Const(shape=(9, 6)), Const(shape=(9,))), {"transB": 1}),
        Case("gemm_alpha_beta", "Gemm", ((2, 4), Const(shape=(4, 3)), Const(shape=(1, 3))), {"alpha": 0.5, "beta": 2.0}),
        Case("gemm_scalar_c", "Gemm", ((1, 4), Const(shape=(4, 3)), Const(shape=(1,)))),
        Case("one_by_one", "Gemm", ((1, 1), Const(shape=(1, 1)))),
        Case("matmul", "MatMul", ((1, 33), Const(shape=(33, 10)))),
        Case("matmul_rows", "MatMul", ((1, 5, 8), Const(shape=(8, 6)))),
    ),
)  # fmt: skip
