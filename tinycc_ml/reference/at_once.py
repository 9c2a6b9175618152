"""Many runs of a float graph at once: values are [runs, *shape].

What NumPy does with a small tensor costs little beside calling it. Nodes whose op says how (Op.runs) are computed for
all runs by one call of their reference, the others run by run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from ..ir.graph import Attrs, Graph, Node
from ..ops import op_of
from ..ops.base import Site
from .run import Results, Values, evaluator

# Of what the largest node reads and writes: more runs at once would not stay in the cache
_BYTES_AT_ONCE = 1 << 22


def at_once(graph: Graph, numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """The numbers of samples, in parts of as many as pay."""
    most = max(_BYTES_AT_ONCE // max(largest_bytes(graph), 1), 1)
    count = -(-len(numbers) // most)
    ends = [len(numbers) * k // count for k in range(count + 1)] if count else []
    return (numbers[first:end] for first, end in pairwise(ends))


@lru_cache(maxsize=4)
def largest_bytes(graph: Graph) -> int:
    """Of the run-time operands and results of one node, as float32, the most."""
    sites = (Site.of(graph, node) for node in graph.nodes)
    tensors = ((*site.inputs, *site.outputs) for site in sites)
    return max((sum(4 * t.type.size for t in ts if not t.is_constant) for ts in tensors), default=0)


def laid_out(graph: Graph, samples: Values, numbers: Sequence[int]) -> dict[str, np.ndarray]:
    """The inputs of these samples, of arrays [N, ...]."""
    picked = list(numbers)
    return {
        name: np.asarray(samples[name])[picked].reshape(len(picked), *graph.type(name).shape)
        for name in graph.inputs
    }


def one_by_one(values: Values) -> list[dict[str, np.ndarray]]:
    """The values of each run."""
    count = len(next(iter(values.values())))
    return [{name: array[k] for name, array in values.items()} for k in range(count)]


@lru_cache(maxsize=4)
def evaluators_at_once(graph: Graph) -> Mapping[str, Results]:
    """What gives the results of each node, by its name, from the float reference."""
    return {node.name: at_once_of(graph, node, partial(evaluator, graph)) for node in graph.nodes}


def at_once_of(graph: Graph, node: Node, results_of: Callable[[Node], Results]) -> Results:
    """What gives the results of many runs of a node. results_of: those of one run of a node like it."""
    site, found = Site.of(graph, node), dict[int, Results | None]()
    names = [tensor.name for tensor in site.inputs if not tensor.is_constant]

    def results(values: Values) -> tuple[np.ndarray, ...]:
        runs = len(next(iter(values.values())))
        if runs not in found:
            attrs = _attrs_of(site, runs)
            found[runs] = None if attrs is None else results_of(_with(node, attrs))
        whole = found[runs]
        if whole is None:
            return _one_after_another(results_of(node), {n: values[n] for n in names}, runs)
        made = whole({n: values[n].reshape(runs, *values[n].shape[2:]) for n in names})
        shapes = (tensor.shape for tensor in site.outputs)
        return tuple(y.reshape(runs, *shape) for y, shape in zip(made, shapes, strict=True))

    return results


def _with(node: Node, attrs: Attrs) -> Node:
    return node if attrs is node.attrs else replace(node, attrs=attrs)


def _one_after_another(results: Results, values: Values, runs: int) -> tuple[np.ndarray, ...]:
    """values: of the node's run-time operands, which may be none."""
    given = one_by_one(values) if values else [{}] * runs
    return tuple(np.stack(made) for made in zip(*map(results, given), strict=True))


def _attrs_of(site: Site, runs: int) -> Attrs | None:
    """The rule of the op, where every run-time tensor has a leading axis of 1 that can be that of runs."""
    given = [tensor for tensor in site.inputs if not tensor.is_constant]
    if not given or any(t.shape[:1] != (1,) for t in (*given, *site.outputs)):
        return None
    return op_of(site.node).runs(site, runs)
