"""Nets whose batch norms have seen samples: mean and variance as training would have left them, by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .models import model, node, run_onnx, weights


def image_net() -> onnx.ModelProto:
    """Batch norms behind Conv and Relu, a depthwise Conv and a clip, a Conv alone, an Add, and Gemm; all are folded but
    that of the Add."""
    nodes = [
        node("Conv", "x w0", "c0", pads=[1, 1, 1, 1]), _norm("c0", "n0"), node("Relu", "n0", "r0"),
        node("Conv", "r0 w1 b1", "c1", group=6, pads=[1, 1, 1, 1]), _norm("c1", "n1"),
        node("Clip", "n1 low high", "r1"),
        node("Conv", "r1 w2", "c2", pads=[1, 1, 1, 1]), _norm("c2", "n2"),
        node("Add", "n2 r0", "sum"), _norm("sum", "n3"), node("Relu", "n3", "r3"),
        node("GlobalAveragePool", "r3", "pooled"), node("Flatten", "pooled", "flat"),
        node("Gemm", "flat w4 b4", "d4", transB=1), _norm("d4", "n4"), node("Relu", "n4", "r4"),
        node("Gemm", "r4 w5", "y", transB=1),
    ]  # fmt: skip
    constants = {
        "w0": weights(1, 6, 3, 3, 3), "w1": weights(2, 6, 1, 3, 3), "b1": weights(3, 6),
        "w2": weights(4, 6, 6, 3, 3), "w4": weights(5, 7, 6), "b4": weights(6, 7), "w5": weights(7, 4, 7),
        "low": np.float32(0), "high": np.float32(6),
    }  # fmt: skip
    return _with_norms(model(nodes, {"x": (1, 3, 6, 5)}, ["y"], constants), 6, n4=7)


def row_net() -> onnx.ModelProto:
    """One-dimensional images; the last batch norm, whose epsilon counts, gives the output."""
    nodes = [
        node("Conv", "x w0", "c0", strides=[2], pads=[1, 1]), _norm("c0", "n0"), node("Relu", "n0", "r0"),
        node("Conv", "r0 w1", "c1", pads=[1, 1]), _norm("c1", "n1", 0.25),
    ]  # fmt: skip
    constants = {"w0": weights(1, 4, 2, 3), "w1": weights(2, 4, 4, 3)}
    return _with_norms(model(nodes, {"x": (1, 2, 12)}, ["n1"], constants), 4)


def first_net() -> onnx.ModelProto:
    """Batch norms of the input and of the net's result, and two in a row."""
    nodes = [
        _norm("x", "n0"), node("Conv", "n0 w0", "c0"), _norm("c0", "n1"), _norm("n1", "n2"),
        node("Relu", "n2", "r"), node("Conv", "r w1", "c1"), _norm("c1", "n3"),
    ]  # fmt: skip
    constants = {"w0": weights(1, 3, 3, 2, 2), "w1": weights(2, 3, 3, 1, 1)}
    return _with_norms(model(nodes, {"x": (1, 3, 5, 4)}, ["n3"], constants), 3)


def samples_of(proto: onnx.ModelProto, count: int = 24, seed: int = 3) -> np.ndarray:
    """Normal inputs [count, ...]."""
    shape = [d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim]
    return np.random.default_rng(seed).normal(0.3, 0.8, (count, *shape)).astype(np.float32)


def trained(proto: onnx.ModelProto, samples: np.ndarray) -> onnx.ModelProto:
    """With the mean and variance of every BatchNormalization, in order, as they are for `samples`."""
    for n in [n for n in proto.graph.node if n.op_type == "BatchNormalization"]:
        rows = _rows(proto, n.input[0], samples)
        for name, value in zip(n.input[3:], (rows.mean(axis=0), rows.var(axis=0)), strict=True):
            old = next(c for c in proto.graph.initializer if c.name == name)
            old.CopyFrom(numpy_helper.from_array(value.astype(np.float32), name))
    return proto


def _rows(proto: onnx.ModelProto, name: str, samples: np.ndarray) -> np.ndarray:
    """Values of a tensor by channel, which is axis 1."""
    if name == proto.graph.input[0].name:
        found = list(samples)
    else:
        probe = onnx.ModelProto.FromString(proto.SerializeToString())
        if name not in [o.name for o in probe.graph.output]:
            shown = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            probe.graph.output.append(shown)
        found = [run_onnx(probe, {"x": sample})[name] for sample in samples]
    rows = [np.moveaxis(values, 1, -1).reshape(-1, values.shape[1]) for values in found]
    return np.concatenate(rows).astype(np.float64)


def _norm(x: str, y: str, epsilon: float = 1e-5) -> onnx.NodeProto:
    operands = f"{x} {y}.scale {y}.bias {y}.mean {y}.var"
    return node("BatchNormalization", operands, y, epsilon=epsilon)


def _with_norms(proto: onnx.ModelProto, channels: int, **others: int) -> onnx.ModelProto:
    """Constants for all batch norms, of so many channels. Scales of both signs."""
    norms: Sequence[str] = [
        n.output[0] for n in proto.graph.node if n.op_type == "BatchNormalization"
    ]
    for seed, name in enumerate(norms, start=20):
        count = others.get(name, channels)
        rng = np.random.default_rng(seed)
        values = {
            "scale": rng.uniform(0.5, 1.5, count) * rng.choice([-1, 1], count),
            "bias": rng.normal(0.4, 0.6, count), "mean": np.zeros(count), "var": np.ones(count),
        }  # fmt: skip
        proto.graph.initializer.extend(
            numpy_helper.from_array(v.astype(np.float32), f"{name}.{k}") for k, v in values.items()
        )
    return proto
