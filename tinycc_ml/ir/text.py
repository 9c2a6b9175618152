"""Canonical text of a graph: the same graph gives the same text. For dumps, tests and the hash.

grammar/graph.lark is its grammar, parse.py reads it. Names of nodes, origins and statistics of tensors are not in it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from .graph import Graph, Node, Tensor
from .types import Quant, TensorType

# Constants of more values are told by the hash of their bytes
LARGEST_INLINE = 8
_PIECE = 1 << 20


def canonical_text(graph: Graph) -> str:
    """One line per input, constant, node and output."""
    lines = [f"graph {_quote(graph.name)}"]
    lines += [f"input {_typed(graph.tensors[name])}" for name in graph.inputs]
    used = [n for node in graph.nodes for n in node.inputs if n] + list(graph.outputs)
    for name in dict.fromkeys(used):
        tensor = graph.tensors[name]
        if tensor.is_constant:
            lines.append(f"constant {_typed(tensor)} = {_value(tensor)}")
    lines += [_node_text(node, graph) for node in graph.nodes]
    lines += [f"output {_quote(name)}" for name in graph.outputs]
    return "\n".join(lines) + "\n"


def graph_hash(graph: Graph) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the canonical text."""
    return hashlib.sha256(canonical_text(graph).encode()).hexdigest()[:16]


def _node_text(node: Node, graph: Graph) -> str:
    made = ", ".join(_typed(graph.tensors[name]) for name in node.outputs)
    read = ", ".join(_quote(name) if name else "_" for name in node.inputs)
    attrs = "".join(f" {key}={_attr(value)}" for key, value in node.attrs.items())
    return f"{made} = {node.op}({read}){attrs}"


def _typed(tensor: Tensor) -> str:
    return f"{_quote(tensor.name)}: {type_text(tensor.type)}"


def type_text(type_: TensorType) -> str:
    return f"{type_}{_quant_text(type_.quant)}"


def _quant_text(quant: Quant | None) -> str:
    if quant is None:
        return ""
    if quant.is_per_tensor:
        return f" scale {quant.scale0!r} zero {quant.zero}"
    zeros = quant.zero if len(set(quant.zero_point)) == 1 else _attr(quant.zero_point)
    return f" scale {_attr(quant.scale)} zero {zeros} axis {quant.axis}"


def _value(tensor: Tensor) -> str:
    data = tensor.value
    if data.size <= LARGEST_INLINE:
        return "[" + ", ".join(repr(v) for v in data.ravel().tolist()) + "]"
    return digest(data)


def digest(data: np.ndarray) -> str:
    """In pieces, as data may be one value repeated more often than memory holds."""
    found, flat = hashlib.sha256(), data.reshape(-1)
    for first in range(0, len(flat), _PIECE):
        found.update(flat[first : first + _PIECE].tobytes())
    return "#" + found.hexdigest()[:16]


def _attr(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ",".join(_attr(v) for v in value) + "]"
    return _quote(value) if isinstance(value, str) else repr(value)


def _quote(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
