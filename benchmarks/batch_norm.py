"""Batch norms put back into nets that were exported without: the same function, and the statistics of training known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.reference.run import run

EPSILON = 1e-5


def with_batch_norms(proto: onnx.ModelProto, inputs: Iterable[np.ndarray]) -> onnx.ModelProto:
    """Behind every convolution, and every other layer that a Relu reads, a BatchNormalization whose mean and variance
    are those of `inputs` there, and whose scale and bias undo it. inputs: of a net with one."""
    made = onnx.ModelProto.FromString(proto.SerializeToString())
    seen = _moments(load(proto), set(_layers(proto.graph)), inputs)
    nodes = list(proto.graph.node)
    del made.graph.node[:]
    for node in nodes:
        made.graph.node.append(node)
        if node.output[0] in seen:
            made.graph.node.extend(_batch_norm(made, node.output[0], *seen[node.output[0]]))
    return made


def _layers(graph: onnx.GraphProto) -> Iterable[str]:
    constants = {constant.name for constant in graph.initializer}
    rectified = {node.input[0] for node in graph.node if node.op_type == "Relu"}
    for node in graph.node:
        with_bias = node.op_type == "Gemm" or (
            node.op_type == "Add" and any(name in constants for name in node.input)
        )
        if node.op_type == "Conv" or (with_bias and node.output[0] in rectified):
            yield node.output[0]


def _moments(
    graph: Graph, names: set[str], inputs: Iterable[np.ndarray]
) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and variance of the channels, which are axis 1."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for x in inputs:
        values = run(graph, {graph.inputs[0]: x})
        for name, found in rows.items():
            channels = np.moveaxis(values[name], 1, -1)
            found.append(channels.reshape(-1, channels.shape[-1]).astype(np.float64))
    stacked = {name: np.concatenate(found) for name, found in rows.items()}
    return {name: (found.mean(axis=0), found.var(axis=0)) for name, found in stacked.items()}


def _batch_norm(
    model: onnx.ModelProto, name: str, mean: np.ndarray, variance: np.ndarray
) -> list[onnx.NodeProto]:
    """What makes `name` again, from what made it so far, which gets another name."""
    before = f"{name} before"
    model.graph.node[-1].output[0] = before
    values = {
        "scale": np.sqrt(variance + EPSILON),
        "bias": mean,
        "mean": mean,
        "variance": variance,
    }
    constants = {f"{name} {key}": value for key, value in values.items()}
    model.graph.initializer.extend(
        numpy_helper.from_array(value.astype(np.float32), key) for key, value in constants.items()
    )
    return [helper.make_node("BatchNormalization", [before, *constants], [name], epsilon=EPSILON)]
