"""Cross-layer equalisation: channels between two layers are scaled so that one scale suits all of them.

After Nagel, van Baalen, Blankevoort, Welling, "Data-Free Quantization Through Weight Equalization and Bias
Correction" (2019), section 4.1. Weights have a scale for each output channel here, so what is balanced is the
channel's activation against the weights that read it. Factors are powers of two: the float net stays the
same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph
from ..ir.rewrite import Draft
from .calibrate import Samples
from .grids import as_rows, from_rows
from .layers import Layer, layers
from .simulate import EXACT, drop, last_reads, starts, step

# Beyond this, a channel is as good as dead, and scaling it up would only enlarge its error
_MOST = 2.0**8


@dataclass(frozen=True)
class Pair:
    """Two layers, the second the only reader of the first. meets: the channel of the first that each column of the
    second meets, [groups, columns]; -1: none."""

    first: Layer
    second: Layer
    meets: np.ndarray


def pairs(graph: Graph) -> Iterator[Pair]:
    """Where y(x / s) s = y(x) for every positive s a channel: nothing but a clamp at 0 between the layers. A
    clamp from above, as of relu6, is no such place."""
    by_name = {layer.key: layer for layer in layers(graph)}
    for first in by_name.values():
        reader = graph.sole_consumer(first.node.outputs[0])
        second = by_name.get(reader.name) if reader else None
        if second is None or second.node.inputs[0] != first.node.outputs[0]:
            continue
        meets = _meets(second)
        if meets is not None and _scales(first) and not second.shared:
            yield Pair(first, second, meets)


def _scales(layer: Layer) -> bool:
    attrs = layer.node.attrs
    homogeneous = "max" not in attrs and attrs.get("min", 0.0) == 0.0
    known = layer.bias is not None and layer.site.y.shape[-1] == len(layer.rows)
    return homogeneous and known and not layer.shared


def _meets(layer: Layer) -> np.ndarray | None:
    """From windows of an input that holds its own channel's number, from 1."""
    if layer.rule.windows is None:
        return None
    shape = layer.site.x.shape
    numbered = np.broadcast_to(np.arange(1, shape[-1] + 1, dtype=np.float32), shape)
    return layer.rule.windows(layer.site, numbered).max(axis=1).astype(np.int64) - 1


def equalized(graph: Graph, samples: Samples, numbers: Sequence[int]) -> Graph:
    """The same function, every pair of layers balanced; the graph itself where there is none."""
    found = tuple(pairs(graph))
    if not found:
        return graph
    reach = _reach(graph, samples, numbers, [p.first.node.outputs[0] for p in found])
    draft = Draft(graph)
    for pair in found:
        _balance(draft, pair, reach[pair.first.node.outputs[0]])
    return draft.graph()


def _reach(
    graph: Graph, samples: Samples, numbers: Sequence[int], wanted: Sequence[str]
) -> dict[str, np.ndarray]:
    """The largest |value| of each channel."""
    reach = {name: np.zeros(graph.type(name).shape[-1]) for name in wanted}
    last = last_reads(graph)
    steps = [step(graph, node, EXACT) for node in graph.nodes]
    for live in starts(graph, samples, numbers, EXACT):
        for number, node in enumerate(graph.nodes):
            live.update(steps[number](live))
            for name in node.outputs:
                if name in reach:
                    values = np.abs(live[name].reshape(-1, len(reach[name])))
                    reach[name] = np.maximum(reach[name], values.max(axis=0))
            drop(live, node, last, number)
    return reach


def _balance(draft: Draft, pair: Pair, reach: np.ndarray) -> None:
    """A channel's values are divided by s = sqrt(reach / largest weight that reads it), its readers multiplied."""
    reading = _rows(draft, pair.second)
    groups, columns = pair.meets.shape
    largest = np.zeros(len(reach) + 1)
    by_group = np.abs(reading).reshape(groups, -1, columns).max(axis=1)
    np.maximum.at(largest, pair.meets, by_group)
    factor = _factors(reach, largest[:-1])
    scaled = np.append(factor, 1.0)[pair.meets]
    read = reading.reshape(groups, -1, columns) * scaled[:, None]
    _set(draft, pair.second, pair.second.index, _tensor(pair.second, read.reshape(reading.shape)))
    made = _rows(draft, pair.first) / factor[:, None]
    _set(draft, pair.first, pair.first.index, _tensor(pair.first, made))
    if pair.first.rule.bias is not None and pair.first.rule.bias < len(pair.first.site.inputs):
        bias = draft.tensors[_input(draft, pair.first, pair.first.rule.bias)].value
        _set(draft, pair.first, pair.first.rule.bias, bias / factor)


def _factors(reach: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Powers of two around 1; 1 where a channel is dead."""
    alive = (reach > 0) & (largest > 0)
    ratio = np.where(alive, reach / np.where(alive, largest, 1.0), 1.0)
    middle = np.median(ratio[alive]) if alive.any() else 1.0
    balanced = np.where(alive, np.sqrt(np.where(alive, ratio, middle) / middle), 1.0)
    return 2.0 ** np.rint(np.log2(np.clip(balanced, 1 / _MOST, _MOST)))


def _input(draft: Draft, layer: Layer, index: int) -> str:
    return draft.nodes[layer.node.name].inputs[index]


def _rows(draft: Draft, layer: Layer) -> np.ndarray:
    """Weights as they are by now: a layer may be the second of a pair and the first of another."""
    data = draft.tensors[_input(draft, layer, layer.index)].value
    return as_rows(data, layer.axis).astype(np.float64)


def _tensor(layer: Layer, rows: np.ndarray) -> np.ndarray:
    return from_rows(rows, layer.site.inputs[layer.index].shape, layer.axis)


def _set(draft: Draft, layer: Layer, index: int, data: np.ndarray) -> None:
    old = draft.tensors[_input(draft, layer, index)]
    name = draft.add_constant(f"{old.name}.balanced", data.astype(np.float32), origin=old.origin)
    node = draft.nodes[layer.node.name]
    inputs = tuple(name if k == index else n for k, n in enumerate(node.inputs))
    draft.replace_node(node, inputs=inputs)
