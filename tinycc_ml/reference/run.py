"""Run a graph in NumPy, node by node: the float reference, or the integer reference, bit for bit the C."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import numpy as np

from ..errors import ModelError
from ..ir.graph import Graph, Node
from ..ops import op_of
from ..ops.base import Site

Values = Mapping[str, np.ndarray]
Results = Callable[[Values], tuple[np.ndarray, ...]]


def run(graph: Graph, inputs: Values) -> dict[str, np.ndarray]:
    """Every tensor of the graph by name, constants included. Inputs have the graph's shapes and types."""
    values: dict[str, np.ndarray] = {t.name: t.value for t in graph.constants}
    values.update(
        {name: np.asarray(inputs[name]).reshape(graph.type(name).shape) for name in graph.inputs}
    )
    for node in graph.nodes:
        values.update(zip(node.outputs, evaluate(graph, node, values), strict=True))
    return values


def outputs(graph: Graph, inputs: Values) -> dict[str, np.ndarray]:
    """The outputs of the graph by name. Tensors are dropped as soon as nothing reads them."""
    values: dict[str, np.ndarray] = {name: np.asarray(inputs[name]) for name in graph.inputs}
    values = {name: v.reshape(graph.type(name).shape) for name, v in values.items()}
    for node, results, dropped in _steps(graph):
        values.update(zip(node.outputs, results(values), strict=True))
        for name in dropped:
            values.pop(name, None)
    return {name: _value(graph, name, values) for name in graph.outputs}


@lru_cache(maxsize=4)
def _steps(graph: Graph) -> tuple[tuple[Node, Results, tuple[str, ...]], ...]:
    """Each node with what gives its results, and what nothing reads after it: the same for every sample."""
    last = {name: k for k, node in enumerate(graph.nodes) for name in node.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.nodes))
    return tuple(
        (node, evaluator(graph, node), tuple(n for n in {*node.inputs} if last[n] == k))
        for k, node in enumerate(graph.nodes)
    )


def run_all(graph: Graph, samples: Values) -> Iterator[dict[str, np.ndarray]]:
    """The outputs for each sample of arrays [N, ...]."""
    count = len(next(iter(samples.values())))
    for k in range(count):
        yield outputs(graph, {name: array[k] for name, array in samples.items()})


def evaluate(graph: Graph, node: Node, values: Values) -> tuple[np.ndarray, ...]:
    """The results of one node. ModelError when the op has no reference for these types."""
    return evaluator(graph, node)(values)


def evaluator(graph: Graph, node: Node) -> Results:
    """What gives the results of one node, for many runs of a graph. ModelError when the op has no reference
    for these types."""
    op, site = op_of(node), Site.of(graph, node)
    names = [name for name in node.inputs if name]
    quantised = any(t.type.quant for t in (*site.inputs, *site.outputs))
    integer, reference = op.integer, op.reference
    if integer is not None and (quantised or reference is None):
        return lambda values: integer(site, [_value(graph, name, values) for name in names])
    if reference is None:
        raise ModelError(f"{node.op} has no reference for {site.x}")
    dtypes = [t.type.dtype.numpy for t in site.outputs]

    def results(values: Values) -> tuple[np.ndarray, ...]:
        made = reference([_value(graph, name, values) for name in names], node.attrs)
        return tuple(np.asarray(a, dtype) for a, dtype in zip(made, dtypes, strict=True))

    return results


def _value(graph: Graph, name: str, values: Values) -> np.ndarray:
    if name in values:
        return values[name]
    return graph.tensors[name].value
