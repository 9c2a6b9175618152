"""Weights of a float net are stored as float16, where a kernel reads them so: half the flash, arithmetic in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, Node, Tensor, constant
from ..ir.rewrite import Draft
from ..ir.types import F16, F32
from ..ops import op_of
from ..ops.base import Site

# Weights stay float32 where rounding them makes more noise than this part of them: float16 is 2^-22 or better,
# but for values below 2^-14
_MOST_NOISE = 2.0**-20


def store_halves(graph: Graph) -> Graph:
    """Weights become float16 constants, each rounded to the nearest, halves to even. They stay float32 where a value is
    beyond 65504, where most are so small that float16 has few bits for them, and where no kernel takes them."""
    draft = Draft(graph)
    for tensor in graph.constants:
        readers = graph.consumers[tensor.name]
        half = _halved(tensor) if tensor.type.dtype == F32 and tensor.type.rank > 1 else None
        if half is not None and readers and all(_takes(graph, n, half) for n in readers):
            draft.set_tensor(half)
    return draft.graph()


def stored_note(graph: Graph) -> str:
    """What became of the weights, in a sentence."""
    weights = {t.name: t for node in graph.nodes for t in _weights(graph, node)}.values()
    halves = [t for t in weights if t.type.dtype == F16]
    kept = sum(t.type.bytes for t in weights) - sum(t.type.bytes for t in halves)
    saved = sum(t.type.bytes for t in halves)
    return (
        f"float32 C, {len(halves)} of {len(weights)} weight tensors as float16: {saved:,} bytes of flash less; "
        f"{kept:,} bytes of weights stay float32"
    )


def _weights(graph: Graph, node: Node) -> list[Tensor]:
    """Constant float weights of a node."""
    rule = op_of(node).quantize
    tensors = [graph.tensors[node.inputs[k]] for k in (rule.weights if rule else {})]
    return [t for t in tensors if t.is_constant and t.type.dtype.is_real]


def _halved(tensor: Tensor) -> Tensor | None:
    with np.errstate(over="ignore"):
        made = tensor.value.astype(np.float16)
    noise = np.square(made.astype(np.float64) - tensor.value).sum()
    if not np.isfinite(made).all() or noise > _MOST_NOISE * np.square(tensor.value, dtype=np.float64).sum():  # fmt: skip
        return None
    type_ = replace(tensor.type, dtype=F16)
    return replace(constant(tensor.name, type_, made), origin=tensor.origin)


def _takes(graph: Graph, node: Node, half: Tensor) -> bool:
    """Some kernel serves the node with these weights."""
    rule, site = op_of(node).quantize, Site.of(graph, node)
    if rule is None or [k for k, n in enumerate(node.inputs) if n == half.name] != [*rule.weights]:
        return False
    inputs = tuple(half if t.name == half.name else t for t in site.inputs)
    changed = replace(site, inputs=inputs)
    return any(kernel.accepts(changed) is None for kernel in op_of(node).kernels)
