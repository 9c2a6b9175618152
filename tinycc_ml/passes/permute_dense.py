"""dense(flatten(transpose(x))) reads x as it lies: the columns of the weights are permuted instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, Node
from ..ir.rewrite import Draft
from ..ops import op_of


def permute_dense(graph: Graph) -> Graph:
    draft = Draft(graph)
    for former in graph.nodes:
        node = draft.nodes.get(former.name)
        if node is not None and node.op == "dense":
            _permute(draft, node)
    return draft.graph()


def _permute(draft: Draft, dense: Node) -> None:
    path = _path_to_transpose(draft, dense)
    if path is None:
        return
    transpose, between = path
    source = draft.tensors[transpose.inputs[0]]
    columns = draft.tensors[dense.inputs[1]].shape[1]
    perm = transpose.attrs["perm"]
    if source.type.size != columns:  # more than one row: the flattening must not mix them
        return
    # flattened[j] = x.flat[order[j]], so the column for x.flat[i] is the j with order[j] == i
    order = np.arange(columns).reshape(source.shape).transpose(perm).ravel()
    weights = _reordered(draft, dense.inputs[1], np.argsort(order))
    if weights is None:
        return
    entry = source.name
    shape = draft.tensors[dense.inputs[0]].shape
    for node in between:  # quantize and dequantize between the transpose and dense are kept
        entry = _copied(draft, node, entry)
    former = replace(draft.tensors[dense.inputs[0]], statistics=None)
    flat = draft.add_tensor(replace(former, name=draft.fresh(f"{dense.name}.flat")))
    draft.add_node("reshape", [entry], [flat], {"shape": shape}, f"{dense.name}.flat")
    draft.replace_node(dense, inputs=(flat, weights, *dense.inputs[2:]))


def _path_to_transpose(draft: Draft, dense: Node) -> tuple[Node, list[Node]] | None:
    """Up through reshapes and per-tensor element-wise nodes to a transpose; the latter in execution order."""
    between: list[Node] = []
    node = draft.producer(dense.inputs[0])
    while node is not None and node.op != "transpose":
        unary = op_of(node).elementwise or node.op in ("quantize", "dequantize")
        if not op_of(node).alias:
            if not unary or len(node.inputs) != 1 or "axis" in node.attrs:
                return None
            between.insert(0, node)
        node = draft.producer(node.inputs[0])
    return (node, between) if node is not None else None


def _copied(draft: Draft, node: Node, entry: str) -> str:
    former = draft.tensors[node.outputs[0]]
    type_ = replace(former.type, shape=draft.tensors[entry].shape)
    name = draft.fresh(f"{former.name}.nhwc")
    draft.add_tensor(replace(former, name=name, type=type_, statistics=None))
    draft.add_node(node.op, [entry], [name], node.attrs, f"{node.name}.nhwc")
    return name


def _reordered(draft: Draft, name: str, columns: np.ndarray) -> str | None:
    """The weights with their columns in another order, also behind a dequantize; None when not constant."""
    tensor = draft.tensors[name]
    if tensor.data is not None:
        return draft.add_constant(name, tensor.data[:, columns], tensor.type.quant, tensor.origin)
    maker = draft.producer(name)
    if maker is None or maker.op != "dequantize" or draft.tensors[maker.inputs[0]].data is None:
        return None
    inner = _reordered(draft, maker.inputs[0], columns)
    assert inner is not None
    out = draft.add_tensor(replace(tensor, name=draft.fresh(name)))
    draft.add_node("dequantize", [inner], [out], {}, maker.name)
    return out
