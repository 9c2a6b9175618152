"""How far each quantised tensor is from the float model, on a few of the test samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..compiler import Compiled
from ..ir.graph import Graph, Tensor
from ..numerics.quantization import dequantize
from ..reference.compare import sqnr_db
from ..reference.run import run
from ..toolchain.verify import to_source

# Samples it is measured on: a run of both references each
SAMPLES = 2


def sqnr_by_tensor(compiled: Compiled) -> dict[str, float]:
    """SQNR in dB by tensor of the integer graph; empty for a net that was not quantised here. The
    inputs are those of the test vectors, so that an input's own rounding is not counted."""
    if compiled.accuracy is None:
        return {}
    graph, source = compiled.graph, compiled.float_graph
    twins = _twins(graph, source)
    wanted: dict[str, list[np.ndarray]] = {name: [] for name in twins}
    made: dict[str, list[np.ndarray]] = {name: [] for name in twins}
    for k in range(min(SAMPLES, compiled.vectors.count)):
        inputs = {name: array[k] for name, array in compiled.vectors.inputs.items()}
        integers = run(graph, inputs)
        floats = run(
            source, {name: _real(graph.tensors[name], value) for name, value in inputs.items()}
        )
        for name, twin in twins.items():
            wanted[name].append(
                _left(graph.tensors[name], to_source(source.tensors[twin], floats[twin]))
            )
            made[name].append(
                to_source(graph.tensors[name], _real(graph.tensors[name], integers[name]))
            )
    return {name: sqnr_db(np.stack(wanted[name]), np.stack(made[name])) for name in twins}


def _real(tensor: Tensor, array: np.ndarray) -> np.ndarray:
    return dequantize(array, tensor.type) if tensor.type.quant else array


def _channel_axis(tensor: Tensor) -> int:
    """Where the last axis is in the model's order."""
    permutation = tensor.origin.permutation if tensor.origin else None
    return permutation.index(tensor.type.rank - 1) if permutation else tensor.type.rank - 1


def _left(tensor: Tensor, array: np.ndarray) -> np.ndarray:
    """Of the float values, in the model's axis order, the channels that `tensor` still has."""
    channels = tensor.origin.channels if tensor.origin else None
    return array if channels is None else np.take(array, channels, _channel_axis(tensor))


def _twins(graph: Graph, source: Graph) -> Mapping[str, str]:
    """Quantised tensors that a node makes, and the float tensor with the same origin and values."""
    by_name: dict[str, list[Tensor]] = {}
    for tensor in source.tensors.values():
        if not tensor.is_constant:
            by_name.setdefault(tensor.source_name, []).append(tensor)
    found = {}
    for node in graph.nodes:
        for name in node.outputs:
            tensor = graph.tensors[name]
            twins = [t.name for t in by_name.get(tensor.source_name, ()) if _is_twin(tensor, t)]
            if tensor.type.quant and twins:
                found[name] = twins[-1]
    return found


def _is_twin(tensor: Tensor, twin: Tensor) -> bool:
    """The same shape in the model's axis order; some channels of `tensor` may have been removed."""
    mine, other = _source_shape(tensor), _source_shape(twin)
    if tensor.origin is None or tensor.origin.channels is None or len(mine) != len(other):
        return mine == other
    axis = _channel_axis(tensor)
    same = mine[:axis] == other[:axis] and mine[axis + 1 :] == other[axis + 1 :]
    return same and max(tensor.origin.channels) < other[axis]


def _source_shape(tensor: Tensor) -> tuple[int, ...]:
    permutation = tensor.origin.permutation if tensor.origin else None
    return tuple(tensor.shape[p] for p in permutation) if permutation else tensor.shape
