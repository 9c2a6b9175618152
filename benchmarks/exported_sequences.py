"""Nets over sequences as users export them, with seeded random weights: keywords by LSTM and GRU, a BERT."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto
from untuned_models import Builder, start

FRAMES, FEATURES, STATE = 49, 10, 48
TOKENS, LENGTH, WIDTH, HEADS = 400, 24, 32, 2


def lstm_keywords() -> onnx.ModelProto:
    """49 frames of 10 cepstral coefficients, an LSTM as PyTorch writes it with batch_first, 12 words."""
    return _keywords(21, "LSTM", 4)


def gru_keywords() -> onnx.ModelProto:
    """The same with a GRU whose reset gate comes after the product, as PyTorch's and Keras' do."""
    return _keywords(22, "GRU", 3, linear_before_reset=1)


def _keywords(seed: int, op: str, gates: int, **attributes: int) -> onnx.ModelProto:
    b = start(seed, FEATURES)
    x = b.node("Transpose", ["input"], perm=[1, 0, 2])
    weights = [_uniform(b, 1, gates * STATE, inner) for inner in (FEATURES, STATE)]
    zeros = [b.constant(np.zeros((1, 1, STATE), np.float32)) for _ in range(gates - 2)]
    inputs = [x, *weights, _uniform(b, 1, 2 * gates * STATE), "", *zeros]
    y = b.node(op, inputs, hidden_size=STATE, **attributes)
    one, last = b.constant(np.array([1], np.int64)), b.constant(np.array(-1, np.int64))
    y = b.node("Transpose", [b.node("Squeeze", [y, one])], perm=[1, 0, 2])
    y = b.node("Gather", [y, last], axis=1)
    logits = b.node("Gemm", [y, _uniform(b, 12, STATE), _uniform(b, 12)], transB=1)
    return b.model([1, FRAMES, FEATURES], b.node("Softmax", [logits], axis=-1))


def _uniform(b: Builder, *shape: int) -> str:
    """As PyTorch initialises recurrent cells, twice as wide: gates open and close."""
    limit = 2 / np.sqrt(STATE)
    return b.constant(b.rng.uniform(-limit, limit, shape).astype(np.float32))


def small_bert() -> onnx.ModelProto:
    """Two layers of a BERT of width 32 over 24 tokens, in primitive operators; the class of the first token."""
    b = start(23, 1)
    words = b.node("Gather", [_normal(b, TOKENS, WIDTH), "input"])
    places = b.node("Gather", [_normal(b, 64, WIDTH), b.constant(np.arange(LENGTH)[None])])
    x = _normed(b, b.node("Add", [words, places]))
    for _ in range(2):
        x = _normed(b, b.node("Add", [x, _attention(b, x)]))
        wide = _gelu(b, _linear(b, x, 4 * WIDTH, WIDTH))
        x = _normed(b, b.node("Add", [x, _linear(b, wide, WIDTH, 4 * WIDTH)]))
    first = b.node("Gather", [x, b.constant(np.array(0, np.int64))], axis=1)
    pooled = b.node("Tanh", [_linear(b, first, WIDTH, WIDTH)])
    return b.model([1, LENGTH], _linear(b, pooled, 4, WIDTH), kind=TensorProto.INT64)


def _normal(b: Builder, *shape: int, spread: float = 1.0) -> str:
    return b.constant(b.rng.normal(0, spread, shape).astype(np.float32))


def _linear(b: Builder, x: str, out: int, inner: int) -> str:
    """MatMul and Add, as exporters write a linear layer on a sequence."""
    product = b.node("MatMul", [x, _normal(b, inner, out, spread=inner**-0.5)])
    return b.node("Add", [_normal(b, out, spread=0.1), product])


def _heads(b: Builder, x: str, perm: list[int]) -> str:
    shape = b.constant(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
    return b.node("Transpose", [b.node("Reshape", [_linear(b, x, WIDTH, WIDTH), shape])], perm=perm)


def _attention(b: Builder, x: str) -> str:
    query, key, value = (_heads(b, x, perm) for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
    root = b.constant(np.array((WIDTH / HEADS) ** 0.5, np.float32))
    scores = b.node("Div", [b.node("MatMul", [query, key]), root])
    mixed = b.node("MatMul", [b.node("Softmax", [scores], axis=-1), value])
    merged = b.node("Transpose", [mixed], perm=[0, 2, 1, 3])
    flat = b.node("Reshape", [merged, b.constant(np.array([0, 0, WIDTH], np.int64))])
    return _linear(b, flat, WIDTH, WIDTH)


def _normed(b: Builder, x: str) -> str:
    """Layer normalisation in the primitives of opsets before 17."""
    two, little = (b.constant(np.array(v, np.float32)) for v in (2, 1e-5))
    off = b.node("Sub", [x, b.node("ReduceMean", [x], axes=[-1])])
    spread = b.node("ReduceMean", [b.node("Pow", [off, two])], axes=[-1])
    unit = b.node("Div", [off, b.node("Sqrt", [b.node("Add", [spread, little])])])
    gain = b.constant(b.rng.uniform(0.7, 1.3, WIDTH).astype(np.float32))
    return b.node("Add", [b.node("Mul", [unit, gain]), _normal(b, WIDTH, spread=0.1)])


def _gelu(b: Builder, x: str) -> str:
    """x * (1 + erf(x / sqrt(2))) / 2."""
    root, one, half = (b.constant(np.array(v, np.float32)) for v in (2**0.5, 1, 0.5))
    opened = b.node("Add", [b.node("Erf", [b.node("Div", [x, root])]), one])
    return b.node("Mul", [b.node("Mul", [x, opened]), half])
