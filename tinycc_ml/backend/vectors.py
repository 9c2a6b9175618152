"""Test vectors: a few samples, the outputs they must give, and a checksum of every tensor on the way."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph
from ..ir.types import DType, dtype_of, plain_values
from ..ops import op_of
from ..ops.base import Site
from ..ops.formulas import converted
from ..reference.compare import spread as range_of
from ..reference.run import run
from .program import ConstantArray, Probe, Program

SAMPLES = 4
# Largest difference of a float output, as a part of the output's range over the test vectors: the sum of
# products is taken in another order than NumPy's, and libm differs from host to board
FLOAT_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Vectors:
    """`inputs` and `outputs`: arrays [count, ...] by tensor. `sums`: [count, probes] CRC-32 of the
    tensors as bytes, 0 where floats make them differ; None for a float model."""

    count: int
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    sums: np.ndarray | None
    tolerances: Mapping[str, float]
    arrays: tuple[ConstantArray, ...]

    @property
    def probes(self) -> int:
        return 0 if self.sums is None else self.sums.shape[1]


NO_VECTORS = Vectors(0, {}, {}, None, {}, ())


def make_vectors(graph: Graph, program: Program, samples: Mapping[str, np.ndarray]) -> Vectors:
    """Run the reference on `samples` (arrays [N, ...] of the graph's own input types)."""
    count = len(next(iter(samples.values()), [0]))  # without inputs there is one result
    runs = [run(graph, {name: array[k] for name, array in samples.items()}) for k in range(count)]
    outputs = {name: np.stack([r[name] for r in runs]) for name in graph.outputs}
    exact = exact_tensors(graph)
    sums = np.array([[_sum(r, s.probe, exact) for s in program.steps] for r in runs], np.uint32)
    arrays = [
        _array(program, p.tensor, p.ident, "input", samples[p.tensor]) for p in program.inputs
    ]
    arrays += [
        _array(program, p.tensor, p.ident, "output", outputs[p.tensor]) for p in program.outputs
    ]
    tolerances = {name: _tolerance(outputs[name]) for name in graph.outputs}
    return Vectors(count, samples, outputs, sums if sums.any() else None, tolerances, tuple(arrays))


def exact_tensors(graph: Graph) -> frozenset[str]:
    """Integer tensors that no float arithmetic has touched on the way: equal on every machine."""
    exact = {name for name in graph.inputs if not graph.type(name).dtype.is_real}
    exact |= {t.name for t in graph.constants}
    for node in graph.nodes:
        whole = all(name in exact for name in node.inputs if name)
        if whole and not any(graph.type(out).dtype.is_real for out in node.outputs):
            exact.update(node.outputs)
    return frozenset(exact)


def _sum(values: Mapping[str, np.ndarray], probe: Probe, exact: frozenset[str]) -> int:
    """Of the bytes as the kernel stores them."""
    if probe.tensor not in exact:
        return 0
    array = np.ascontiguousarray(values[probe.tensor])
    array = array.astype(dtype_of(array).stored)
    return zlib.crc32(
        array.tobytes() if probe.view.format.is_plain else probe.view.format.encode(array)
    )


def relative_tolerance(dtype: DType) -> float:
    """Largest difference of a value of run time as a part of its tensor's range; 0 for integers."""
    if not dtype.is_real:
        return 0.0
    if dtype.is_half:  # what differs by little may be rounded to neighbours
        return 4 * dtype.step
    return FLOAT_TOLERANCE


def _tolerance(array: np.ndarray) -> float:
    relative = relative_tolerance(dtype_of(array))
    return relative and relative * max(range_of(plain_values(array)), 1e-30)


def _array(
    program: Program, tensor: str, ident: str, kind: str, values: np.ndarray
) -> ConstantArray:
    return ConstantArray(
        f"{program.name}_test_{ident}",
        dtype_of(values).c,
        np.ravel(values),
        f"{kind} {ident}, sample by sample",
    )


def seeded_samples(graph: Graph, seed: int = 0, count: int = SAMPLES) -> dict[str, np.ndarray]:
    """Uniform over the range of each input: -1..1 for a float input, all integers for another, as far as
    they are no indices: those lie inside of what they index."""
    rng = np.random.default_rng(seed)
    samples = {}
    for name in graph.inputs:
        type_ = graph.type(name)
        shape = (count, *type_.shape)
        if type_.dtype.is_real:
            samples[name] = converted(rng.uniform(-1, 1, shape), type_.dtype.numpy)
        else:
            drawn = rng.integers(*_integer_range(graph, name), shape, endpoint=True)
            samples[name] = drawn.astype(type_.dtype.numpy)
    return samples


def _integer_range(graph: Graph, tensor: str) -> tuple[int, int]:
    """All that its type holds (of 32 bits), or all that may be an index."""
    low, high = graph.type(tensor).dtype.range
    sizes = tuple(_index_sizes(graph, tensor))
    return (0, min(high, *sizes)) if sizes else (max(low, -(2**31)), min(high, 2**31 - 1))


def _index_sizes(graph: Graph, tensor: str) -> Iterator[int]:
    """The largest index for each node that indexes by this tensor, also through other shapes of it."""
    for node in graph.consumers[tensor]:
        op = op_of(node)
        sizes = op.indices(Site.of(graph, node))
        yield from (
            sizes[k] - 1 for k, name in enumerate(node.inputs) if name == tensor and k in sizes
        )
        if op.alias:
            yield from _index_sizes(graph, node.outputs[0])


def spread(samples: Mapping[str, np.ndarray], count: int = SAMPLES) -> dict[str, np.ndarray]:
    """`count` samples at equal distances over all that are given."""
    total = len(next(iter(samples.values())))
    chosen: Sequence[int] = sorted({int(k) for k in np.linspace(0, total - 1, min(count, total))})
    return {name: array[list(chosen)] for name, array in samples.items()}
