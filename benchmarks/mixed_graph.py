"""A graph of any number of nodes that mixes operators, for measuring the compiler: seeded, valid, of no use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from exported_models import batch_norm
from untuned_models import Builder, start

CHANNELS, SIZE = 12, 8


def _convolved(b: Builder, x: str) -> str:
    return b.relu(batch_norm(b, b.conv(x, CHANNELS, (1, 1))))


def _residual(b: Builder, x: str) -> str:
    return b.node("Add", [x, b.relu6(b.depthwise(x))])


def _gated(b: Builder, x: str) -> str:
    return b.node("Mul", [x, b.node("Sigmoid", [x])])


def _halves(b: Builder, x: str) -> str:
    """Split and joined the other way round."""
    sizes = b.constant(np.array([CHANNELS // 2, CHANNELS // 2], np.int64))
    names = [f"split_{len(b.nodes)}_{k}" for k in range(2)]
    b.nodes.append(onnx.helper.make_node("Split", [x, sizes], names, axis=1))
    y = b.node("Concat", names[::-1], axis=1)
    b.channels[y] = CHANNELS
    return y


def _turned(b: Builder, x: str) -> str:
    """Through a sequence of pixels, normalised."""
    flat, back = (
        b.constant(np.array(s, np.int64))
        for s in ([1, CHANNELS, SIZE * SIZE], [1, CHANNELS, SIZE, SIZE])
    )
    y = b.node("Transpose", [b.node("Reshape", [x, flat])], perm=[0, 2, 1])
    y = b.node("Sub", [y, b.node("ReduceMean", [y], axes=[-1])])
    y = b.node("Reshape", [b.node("Transpose", [b.node("Tanh", [y])], perm=[0, 2, 1]), back])
    b.channels[y] = CHANNELS
    return y


def _pooled(b: Builder, x: str) -> str:
    return b.node("MaxPool", [x], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])


def _excited(b: Builder, x: str) -> str:
    gate = b.node("HardSigmoid", [b.conv(b.node("GlobalAveragePool", [x]), CHANNELS, (1, 1))])
    return b.node("Mul", [x, gate])


BLOCKS: tuple[Callable[[Builder, str], str], ...] = (
    _convolved, _residual, _gated, _halves, _turned, _pooled, _excited,
)  # fmt: skip


def mixed_graph(nodes: int, seed: int = 31) -> onnx.ModelProto:
    """At least so many nodes, a few more."""
    b = start(seed, CHANNELS)
    x, before = "input", "input"
    while len(b.nodes) < nodes:
        x, before = BLOCKS[int(b.rng.integers(len(BLOCKS)))](b, x), x
        if b.rng.uniform() < 0.2:
            x = b.node("Add", [x, before])
    return b.model([1, CHANNELS, SIZE, SIZE], x)
