"""Operators of com.microsoft through compiled C, against ONNX Runtime itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.random_onnx.graphs import RandomModel
from tests.random_onnx.outcomes import outcome_of_model
from tests.random_onnx.writer import MICROSOFT, Writer

_RNG = np.random.default_rng(0)


def f(*shape: int) -> np.ndarray:
    return _RNG.uniform(-2, 2, shape).astype(np.float32)


def u8(*shape: int) -> np.ndarray:
    return _RNG.integers(0, 256, shape).astype(np.uint8)


def i8(*shape: int) -> np.ndarray:
    """Of seven bits: with eight, ONNX Runtime's sums of pairs saturate at int16 on x86 without VNNI."""
    return _RNG.integers(-64, 64, shape).astype(np.int8)


def ids(high: int, *shape: int) -> np.ndarray:
    return _RNG.integers(0, high, shape).astype(np.int32)


S = np.float32(0.02)
# Operator, operands (the first is an input of the graph), attributes, number of results
CASES: dict[str, tuple[str, list[Any], dict[str, Any], int]] = {
    "bias_gelu": ("BiasGelu", [f(2, 5), f(5)], {}, 1),
    "fast_gelu": ("FastGelu", [f(2, 5)], {}, 1),
    "fast_gelu_bias": ("FastGelu", [f(2, 5), f(5)], {}, 1),
    "quick_gelu": ("QuickGelu", [f(2, 5)], {}, 1),
    "quick_gelu_alpha": ("QuickGelu", [f(2, 5)], {"alpha": 0.5}, 1),
    "fused_gemm": ("FusedGemm", [f(2, 5), f(3, 5), f(3)], {"transB": 1, "activation": "Relu"}, 1),
    "fused_gemm_leaky": ("FusedGemm", [f(2, 5), f(5, 3)], {"alpha": 0.5, "activation": "LeakyRelu", "activation_alpha": 0.2}, 1),
    "skip": ("SkipLayerNormalization", [f(1, 3, 8), f(1, 3, 8), f(8), f(8)], {"epsilon": 1e-3}, 1),
    "skip_bias": ("SkipLayerNormalization", [f(1, 3, 8), f(1, 3, 8), f(8), f(8), f(8)], {}, 1),
    "skip_sum": ("SkipLayerNormalization", [f(2, 3, 8), f(2, 3, 8), f(8), None, f(8)], {}, 4),
    "skip_rms": ("SkipSimplifiedLayerNormalization", [f(1, 3, 8), f(1, 3, 8), f(8)], {"epsilon": 1e-5}, 1),
    "embed": ("EmbedLayerNormalization", [ids(9, 2, 4), ids(2, 2, 4), f(9, 8), f(6, 8), f(2, 8), f(8), f(8)], {}, 2),
    "embed_mask": ("EmbedLayerNormalization", [ids(9, 2, 4), None, f(9, 8), f(6, 8), None, f(8), f(8), ids(2, 2, 4)], {"epsilon": 1e-3}, 3),
    "to_float": ("MatMulIntegerToFloat", [u8(3, 6), u8(6, 4), S, S, np.uint8(120), np.uint8(130)], {}, 1),
    "to_float_bias": ("MatMulIntegerToFloat", [u8(3, 6), i8(6, 4), S, np.full(4, S), np.uint8(120), np.zeros(4, np.int8), f(4)], {}, 1),
    "dynamic": ("DynamicQuantizeMatMul", [f(3, 6), i8(6, 4), S], {}, 1),
    "dynamic_bias": ("DynamicQuantizeMatMul", [f(3, 6), u8(6, 4), np.full(4, S), np.full(4, 128, np.uint8), f(4)], {}, 1),
    "nbits": ("MatMulNBits", [f(3, 32), u8(4, 2, 8), f(8)], {"K": 32, "N": 4, "bits": 4, "block_size": 16}, 1),
    "nbits_zeros": ("MatMulNBits", [f(3, 40), u8(4, 3, 8), f(12), u8(8)], {"K": 40, "N": 4, "bits": 4, "block_size": 16}, 1),
    "nbits_eight": ("MatMulNBits", [f(3, 32), u8(4, 2, 16), f(8)], {"K": 32, "N": 4, "bits": 8, "block_size": 16}, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_operator_gives_what_onnx_runtime_gives(name: str) -> None:
    op, operands, attrs, results = CASES[name]
    w = Writer(0, opset=21)
    first, *rest = operands
    given = [w.input(first), *(None if a is None else w.constant(np.asarray(a)) for a in rest)]
    w.node(op, given, results, domain=MICROSOFT, **attrs)
    made = [n for node in w.nodes if node.op_type == op for n in node.output]
    wanted = {n: w.values[n].array for n in made}
    fed = {n: v.array for n, v in w.inputs.items()}
    outcome = outcome_of_model(RandomModel(0, w.model(), fed, wanted, frozenset()))
    assert outcome.status == "right", outcome.reason


def test_an_activation_that_is_unknown_is_refused_by_name() -> None:
    node = helper.make_node("FusedGemm", ["a", "b"], ["y"], domain=MICROSOFT, activation="Elu")
    infos = [helper.make_tensor_value_info(n, 1, [2, 2]) for n in "ab"]
    graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", 1, [2, 2])])
    imports = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=imports)
    outcome = outcome_of_model(RandomModel(0, model, {}, {}, frozenset()))
    assert outcome.status == "refused"
    assert "activation 'Elu'" in outcome.reason
