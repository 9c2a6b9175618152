"""The ONNX model that is decompiled: its graph as the front end imports it, and its nodes with the constants they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from ....errors import ModelError
from ....ir.graph import Graph, Origin, Tensor
from ....ir.rewrite import Draft
from ....ir.types import TensorType
from ...onnx import load
from ...onnx.load import add_constant, to_array
from ...onnx.nodes import NodeImport
from ..stored import Quantised


@dataclass(frozen=True)
class Weight:
    """A constant of the model. `name`: in the imported graph; `integers`: what it is dequantised from, by
    `node`."""

    name: str
    array: np.ndarray
    integers: Quantised | None = None
    node: onnx.NodeProto | None = None


@dataclass(frozen=True)
class SourceNet:
    """`nodes`: those that compute something at run time, and dequantise constants, in their order.
    `weights`: constants by the names that nodes read them by, dequantised ones included. `uses`: how many
    nodes and outputs read a tensor."""

    graph: Graph
    opset: int
    nodes: tuple[onnx.NodeProto, ...]
    weights: Mapping[str, Weight]
    types: Mapping[str, TensorType]
    outputs: tuple[str, ...]
    uses: Mapping[str, int]


def read_net(path: Path, dims: Mapping[str, int] | None = None) -> SourceNet:
    """Read a model. ModelError when it can't be served."""
    graph = load(path, dims=dims)
    proto = onnx.load(path)
    opsets = {entry.domain or "ai.onnx": entry.version for entry in proto.opset_import}
    draft = Draft(Graph(graph.name, (), (), (), {}))
    for initialiser in proto.graph.initializer:
        add_constant(draft, initialiser.name, to_array(initialiser))
    for name in graph.inputs:
        draft.add_tensor(Tensor(name, graph.type(name), origin=Origin(name)))
        draft.inputs.append(name)
    nodes, weights = _imported(proto, draft, opsets)
    outputs = tuple(value.name for value in proto.graph.output)
    uses: dict[str, int] = {}
    for name in [*(n for node in nodes for n in node.input), *outputs]:
        uses[name] = uses.get(name, 0) + 1
    types = {name: tensor.type for name, tensor in draft.tensors.items()}
    version = opsets.get("ai.onnx", 1)
    return SourceNet(graph, version, tuple(nodes), weights, types, outputs, uses)


def _imported(
    proto: onnx.ModelProto, draft: Draft, opsets: Mapping[str, int]
) -> tuple[list[onnx.NodeProto], dict[str, Weight]]:
    """The nodes that are left when constants are folded, and all constants."""
    importer = NodeImport(draft, opsets)
    dequantised: dict[str, Weight] = {}
    nodes = []
    for node in _live(proto.graph):
        importer.add(node)
        if importer.problems:
            raise importer.problems[0]
        if all(not out or draft.tensors[out].data is not None for out in node.output):
            continue
        nodes.append(node)
        weight = _dequantised(node, draft)
        if weight is not None:
            dequantised[node.output[0]] = weight
    plain = {n: Weight(n, t.data) for n, t in draft.tensors.items() if t.data is not None}
    return nodes, {**plain, **dequantised}


def _live(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that outputs depend on."""
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


def _dequantised(node: onnx.NodeProto, draft: Draft) -> Weight | None:
    """What a DequantizeLinear of constants gives."""
    operands = [draft.tensors[name].data if name else None for name in node.input]
    if node.op_type != "DequantizeLinear" or any(o is None for o in operands[:2]):
        return None
    data, scale = operands[:2]
    assert data is not None and scale is not None
    zero = operands[2] if len(operands) > 2 else None
    zero = np.zeros(scale.shape, data.dtype) if zero is None else zero
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    axis = axis + data.ndim if axis < 0 else axis
    maker = draft.producer(node.output[0])
    if maker is None or any(a.name not in ("axis",) for a in node.attribute):
        raise ModelError(f"{node.name or node.output[0]}: this DequantizeLinear can't be written")
    many = None if scale.size == 1 else axis
    if many is None:
        scale, zero = scale.reshape(()), zero.reshape(())
    integers = Quantised(data, scale, zero, many)
    return Weight(maker.inputs[0], data, integers, node)
