"""Nodes whose inputs are all constants are computed now. Dequantised weights stay: integers need them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, Node, constant
from ..ir.rewrite import Draft
from ..ops import op_of

# A folded result may be this many times larger than what it was made from, above a small size
_LARGEST = 1 << 16
_GROWTH = 4


def fold_constants(graph: Graph) -> Graph:
    draft = Draft(graph)
    for node in graph.nodes:
        if _foldable(draft, node):
            _fold(draft, node)
    return draft.graph()


def _foldable(draft: Draft, node: Node) -> bool:
    inputs = [draft.tensors[name] for name in node.inputs if name]
    outputs = [draft.tensors[name] for name in node.outputs]
    if (
        not inputs
        or op_of(node).reference is None
        or any(t.type.quant for t in (*inputs, *outputs))
    ):
        return False
    if any(t.data is None for t in inputs) or any(t.name in draft.outputs for t in outputs):
        return False
    size = sum(t.type.size for t in outputs)
    kept = sum(1 if t.is_uniform else t.type.size for t in inputs)
    return size <= max(_LARGEST, _GROWTH * kept)


def _fold(draft: Draft, node: Node) -> None:
    reference = op_of(node).reference
    assert reference is not None
    arrays = reference([draft.tensors[name].value for name in node.inputs if name], node.attrs)
    draft.remove_node(node)
    for name, array in zip(node.outputs, arrays, strict=True):
        tensor = draft.tensors[name]
        folded = constant(name, tensor.type, np.asarray(array))
        draft.set_tensor(replace(folded, origin=tensor.origin))
