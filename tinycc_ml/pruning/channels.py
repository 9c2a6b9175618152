"""Structured pruning: whole channels go, through all that makes and reads them, and a smaller dense net is left.

Channels that an add, a depthwise convolution or a concat ties together go together. What a channel is worth is the
part that it has in the results of the layers that read it: its variance there, as its mean can go into their
bias. Layers are then fitted anew to the channels that are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph
from ..ops.base import Site
from ..ops.intervals import channels_of
from ..passes.narrow import channels_at, narrowed, possible
from ..quant.refit import Met, refitted
from .layers import Changed, Layer, with_bias, with_constants
from .walk import Samples, changed_in_turn

# Of channels that are made by the same nodes at least this part stays when all nets' channels are compared
_LEAST_KEPT = 0.25


@dataclass(frozen=True)
class Group:
    """Channels that go together: (tensor, channel) each."""

    members: tuple[tuple[str, int], ...]

    @property
    def tensors(self) -> frozenset[str]:
        return frozenset(tensor for tensor, _ in self.members)


def prune_channels(
    graph: Graph,
    layers: Mapping[str, Layer],
    ratio: float,
    scope: str,
    samples: Samples | None,
    *,
    refit: bool,
) -> Graph:
    """`graph` without `ratio` of its groups of channels. samples: to judge channels by, and to fit layers anew."""
    groups = coupled_channels(graph)
    shares = _shares(graph, layers, samples)
    worth = [sum(shares.get(member, 0.0) for member in group.members) for group in groups]
    wanted = _masks(graph, [groups[k] for k in _chosen(groups, worth, ratio, scope)])
    zeros = {name: np.zeros(len(mask)) for name, mask in wanted.items()}
    going = possible(graph, wanted, zeros)
    if samples is not None and refit:
        graph = with_constants(graph, _fitted_anew(graph, layers, samples, going))
    return narrowed(graph, going, zeros)


def coupled_channels(graph: Graph) -> list[Group]:
    """Groups of channels of which every node allows that they go."""
    names = [name for name, tensor in graph.tensors.items() if not tensor.is_constant]
    sizes = [channels_of(graph.type(name)) for name in names]
    first = dict(zip(names, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
    parent = list(range(sum(sizes)))
    frozen = {
        first[n] + c
        for n in {*graph.inputs, *graph.outputs}
        for c in range(channels_of(graph.type(n)))
    }
    for node in graph.nodes:
        pairs, stuck = _ties(Site.of(graph, node), first)
        frozen |= stuck
        for a, b in pairs:
            parent[_root(parent, a)] = _root(parent, b)
    members: dict[int, list[tuple[str, int]]] = {}
    for name, size in zip(names, sizes, strict=True):
        for channel in range(size):
            members.setdefault(_root(parent, first[name] + channel), []).append((name, channel))
    stuck_roots = {_root(parent, k) for k in frozen}
    return [Group(tuple(m)) for root, m in members.items() if root not in stuck_roots]


def _ties(site: Site, first: Mapping[str, int]) -> tuple[list[tuple[int, int]], set[int]]:
    """Channels, counted through the graph, that a node ties together, and those that it holds fast."""
    rule, result = channels_at(site), site.outputs[0]
    if rule is None:
        held = [t for t in (*site.inputs, *site.outputs) if not t.is_constant]
        return [], {first[t.name] + c for t in held for c in range(channels_of(t.type))}
    pairs, stuck = [], set()
    for tensor, link in zip(site.inputs, rule.links, strict=False):
        if tensor.is_constant:
            continue
        if link is None:
            stuck |= {first[tensor.name] + c for c in range(channels_of(tensor.type))}
            continue
        operand, made = first[tensor.name] + link.operand, first[result.name] + link.result
        pairs += list(zip(operand.tolist(), made.tolist(), strict=True))
    return pairs, stuck


def _root(parent: list[int], k: int) -> int:
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


def _shares(
    graph: Graph, layers: Mapping[str, Layer], samples: Samples | None
) -> dict[tuple[str, int], float]:
    """What part each channel has in the results of the layers that read it."""
    found: dict[tuple[str, int], float] = {}

    def note(layer: Layer, met: Met | None) -> Changed:
        columns = _channel_of_column(layer)
        energy = layer.rows.astype(np.float64) ** 2
        if met is not None:
            spread = np.diagonal(met.whole.centred().products, axis1=1, axis2=2)
            energy *= np.repeat(spread, len(energy) // len(spread), axis=0)
        total = max(float(energy.sum()), 1e-30)
        source = layer.site.inputs[0].name
        for channel in np.unique(columns[columns >= 0]).tolist():
            share = float(energy[columns == channel].sum()) / total
            found[source, channel] = found.get((source, channel), 0.0) + share
        return {}

    if samples is not None:
        changed_in_turn(graph, samples, layers, note)
        return found
    for layer in layers.values():
        if layer.rule.windows is not None:
            note(layer, None)
    return found


def _channel_of_column(layer: Layer) -> np.ndarray:
    """int [channels, columns]: the input channel that each weight is for, -1 where it only meets padding."""
    x = layer.site.x
    numbers = np.broadcast_to(1.0 + np.arange(channels_of(x)), x.shape).astype(np.float32)
    by_group = layer.met(numbers).max(axis=1).astype(int) - 1
    return np.repeat(by_group, len(layer.rows) // len(by_group), axis=0)


def _chosen(groups: list[Group], worth: list[float], ratio: float, scope: str) -> list[int]:
    """Numbers of the groups that go: the least worth of those made by the same nodes, or of all."""
    bundles: dict[frozenset[str], list[int]] = {}
    for k, group in enumerate(groups):
        bundles.setdefault(group.tensors, []).append(k)
    ranked = [sorted(bundle, key=lambda k: worth[k]) for bundle in bundles.values()]
    if scope == "tensor":
        return [
            k for bundle in ranked for k in bundle[: min(int(ratio * len(bundle)), len(bundle) - 1)]
        ]
    free = [k for bundle in ranked for k in bundle[: int((1 - _LEAST_KEPT) * len(bundle))]]
    return sorted(free, key=lambda k: worth[k])[: int(ratio * len(groups))]


def _masks(graph: Graph, groups: list[Group]) -> dict[str, np.ndarray]:
    masks = {n: np.zeros(channels_of(t.type), bool) for n, t in graph.tensors.items()}
    for group in groups:
        for tensor, channel in group.members:
            masks[tensor][channel] = True
    return masks


def _fitted_anew(
    graph: Graph, layers: Mapping[str, Layer], samples: Samples, going: Mapping[str, np.ndarray]
) -> Changed:
    def fit(layer: Layer, met: Met) -> Changed:
        columns = _channel_of_column(layer)
        gone = going[layer.site.inputs[0].name]
        kept = (columns < 0) | ~gone[columns]
        centred = met if layer.bias is None else met.centred()
        return with_bias(layer, met.whole, refitted(layer.rows, centred, kept))

    return changed_in_turn(graph, samples, layers, fit, going)
