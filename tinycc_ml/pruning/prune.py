"""Pruning: which weights become zero, by which method, and what is reported of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, ModelError
from ..ir.graph import Graph
from ..quant.refit import Met
from .channels import prune_channels
from .layers import Changed, Layer, layers, with_bias, with_constants
from .patterns import Pattern, largest, pattern_of
from .reconstruct import reconstructed
from .scores import magnitude, wanda
from .walk import Samples, changed_in_turn

SCOPES = ("tensor", "global")
METHODS = ("magnitude", "wanda", "reconstruct")
CHANNELS = "channels"


@dataclass(frozen=True)
class Pruning:
    """What is asked for. `ratio`: the part of the weights, or of the channels, that goes; N:M patterns say it
    themselves. `scope`: "tensor" takes that part of every tensor, "global" that part of all weights together.
    `method`: None is reconstruct with samples, magnitude without."""

    ratio: float = 0.0
    scope: str = "tensor"
    method: str | None = None
    pattern: str = "single"

    @property
    def wanted(self) -> bool:
        return bool(self.ratio) or ":" in self.pattern


@dataclass(frozen=True)
class Pruned:
    """What became of one tensor of weights. `channels_gone`: output channels whose weights have all become
    zero, or were taken out of the net; `channels`: the latter, as the model counts them. What it saves in flash
    and cycles is for the kernels to say."""

    node: str
    tensor: str
    size: int
    zeros_before: int
    zeros_after: int
    channels_gone: int
    channels: tuple[int, ...] = ()


def prune(
    graph: Graph, asked: Pruning, samples: Samples | None = None
) -> tuple[Graph, tuple[Pruned, ...]]:
    """`graph` with fewer weights, and what became of each tensor. samples: float arrays [N, ...] by input, for
    the methods that look at what weights meet. ModelError for what can't be asked, and for a model that comes
    quantised; DataError where samples are missing."""
    method = _checked(graph, asked, samples)
    found = layers(graph)
    if asked.pattern == CHANNELS:
        after = prune_channels(
            graph,
            found,
            asked.ratio,
            asked.scope,
            None if method == "magnitude" else samples,
            refit=method == "reconstruct",
        )
    else:
        after = with_constants(graph, _new_weights(graph, found, asked, method, samples))
    return after, tuple(_pruned(graph, after, layer) for layer in found.values())


def _checked(graph: Graph, asked: Pruning, samples: Samples | None) -> str:
    if not 0 <= asked.ratio <= 1:
        raise ModelError(f"pruning takes a part of the weights from 0 to 1, got {asked.ratio}")
    if asked.scope not in SCOPES:
        raise ModelError(f"pruning goes by {' or '.join(SCOPES)}, got {asked.scope!r}")
    method = asked.method or ("reconstruct" if samples else "magnitude")
    if method not in METHODS:
        raise ModelError(f"no pruning method {method!r}", hint=f"there are {', '.join(METHODS)}")
    if method != "magnitude" and samples is None:
        raise DataError(
            f"pruning by {method} looks at what the weights meet",
            hint="give --calibrate FILE.npz with sample inputs, or --prune-method magnitude",
        )
    if any(tensor.type.quant for tensor in graph.tensors.values()):
        raise ModelError(
            "the model comes quantised; only float weights are pruned",
            hint="prune before quantising",
        )
    return method


def _new_weights(
    graph: Graph, found: Mapping[str, Layer], asked: Pruning, method: str, samples: Samples | None
) -> Changed:
    pattern = pattern_of(asked.pattern)
    served = {n: layer for n, layer in found.items() if pattern.serves(layer.rows.shape[1])}
    if samples is None or method == "magnitude":
        scores = {n: magnitude(layer.rows) for n, layer in served.items()}
        masks = _masks(scores, pattern, asked)
        return {
            n: layer.from_rows(np.where(masks[n], layer.rows, 0)) for n, layer in served.items()
        }
    ratios = _ratios(graph, served, asked, pattern, samples)
    change = _changes(pattern, ratios)[method]
    return changed_in_turn(graph, samples, served, change)


def _masks(
    scores: Mapping[str, np.ndarray], pattern: Pattern, asked: Pruning
) -> dict[str, np.ndarray]:
    """What stays of each tensor; over all of them together where that is asked."""
    if asked.scope == "tensor" or pattern.run > 1 or not scores:
        ratio = pattern.ratio(asked.ratio)
        return {name: pattern.mask(values, ratio) for name, values in scores.items()}
    ends = np.cumsum([values.size for values in scores.values()])[:-1]
    together = largest(np.concatenate([values.ravel() for values in scores.values()]), asked.ratio)
    parts = zip(scores.items(), np.split(together, ends), strict=True)
    return {name: part.reshape(values.shape) for (name, values), part in parts}


def _ratios(
    graph: Graph, found: Mapping[str, Layer], asked: Pruning, pattern: Pattern, samples: Samples
) -> dict[str, float]:
    """The part of each tensor that goes. With scope "global" tensors whose weights matter little lose more:
    scores are compared as parts of a layer's own results."""
    if asked.scope == "tensor" or pattern.kept is not None:
        return dict.fromkeys(found, pattern.ratio(asked.ratio))
    scores: dict[str, np.ndarray] = {}

    def note(layer: Layer, met: Met) -> Changed:
        worth = wanda(layer.rows, met.whole) ** 2
        scores[layer.tensor.name] = worth / max(float(worth.sum()), 1e-30)
        return {}

    changed_in_turn(graph, samples, found, note)
    masks = _masks(scores, Pattern("single"), asked)
    return {n: 1 - float(masks[n].mean()) if n in masks else asked.ratio for n in found}


def _changes(
    pattern: Pattern, ratios: Mapping[str, float]
) -> dict[str, Callable[[Layer, Met], Changed]]:
    def by_wanda(layer: Layer, met: Met) -> Changed:
        name, scores = layer.tensor.name, wanda(layer.rows, met.whole)
        rows = [pattern.mask(row[None], ratios[name]) for row in scores]
        return {name: layer.from_rows(np.where(np.concatenate(rows), layer.rows, 0))}

    def by_reconstruction(layer: Layer, met: Met) -> Changed:
        centred = met if layer.bias is None else met.centred()
        rows = reconstructed(layer.rows, centred, pattern, ratios[layer.tensor.name])
        return with_bias(layer, met.whole, rows)

    return {"wanda": by_wanda, "reconstruct": by_reconstruction}


def _pruned(before: Graph, after: Graph, layer: Layer) -> Pruned:
    tensor, axis = layer.tensor, layer.axis
    old = tensor.value
    new = after.tensors[tensor.name].value if tensor.name in after.tensors else old[:0]
    gone = (
        _empty_channels(new, axis) - _empty_channels(old, axis) + old.shape[axis] - new.shape[axis]
    )
    zeros = _zeros(new) + old.size - new.size
    left = after.tensors[layer.node.outputs[0]].origin
    kept = left.channels if left else None
    out = () if kept is None else tuple(sorted({*range(old.shape[axis])} - {*kept}))
    return Pruned(layer.node.name, tensor.source_name, old.size, _zeros(old), zeros, gone, out)


def _zeros(values: np.ndarray) -> int:
    return int(values.size - np.count_nonzero(values))


def _empty_channels(values: np.ndarray, axis: int) -> int:
    other = tuple(i for i in range(values.ndim) if i != axis)
    return int(np.sum(~np.any(values, axis=other)))
