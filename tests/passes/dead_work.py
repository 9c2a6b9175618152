"""Checks of remove_dead_work on nets made by hand."""

from __future__ import annotations

import numpy as np

from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops import verify
from tinycc_ml.passes.remove_dead_work import (
    Removed,
    remove_dead_work,
    removed_channels,
    value_ranges,
)
from tinycc_ml.reference.run import outputs, run

from ..integer_nets import SATURATED

UP, DOWN = SATURATED, -SATURATED


def nonzero(*shape: int) -> np.ndarray:
    """No zeros."""
    made = np.random.default_rng(1).integers(1, 100, shape)
    return np.where(np.arange(made.size).reshape(shape) % 3 == 0, -made, made)


def some_inputs(graph: Graph, seed: int) -> dict[str, np.ndarray]:
    """Random values; every third sample has only the ends of the range, or a few values between."""
    rng = np.random.default_rng(seed)
    made = {}
    for name in graph.inputs:
        type_ = graph.type(name)
        low, high = type_.dtype.range
        values = rng.integers(low, high, type_.shape, endpoint=True)
        if seed % 3 == 1:
            values = rng.choice([low, high], type_.shape)
        elif seed % 3 == 2:
            values = np.full(type_.shape, rng.choice([low, 0, high]))
        made[name] = values.astype(type_.dtype.numpy)
    return made


def assert_exact(before: Graph, runs: int = 6) -> Graph:
    """The graph after the pass: legal, with the same ends and the same outputs; a second pass finds nothing."""
    after = remove_dead_work(before)
    verify(after)
    assert after.inputs == before.inputs and after.outputs == before.outputs
    for name in (*before.inputs, *before.outputs):
        assert after.type(name) == before.type(name)
    assert_same_outputs(before, after, runs)
    assert remove_dead_work(after) == after
    return after


def assert_same_outputs(before: Graph, after: Graph, runs: int) -> None:
    for seed in range(runs):
        given = some_inputs(before, seed)
        want, got = outputs(before, given), outputs(after, given)
        for name, array in want.items():
            np.testing.assert_array_equal(got[name], array)


def gone(graph: Graph, tensor: str) -> dict[int, Removed]:
    return {r.channel: r for r in removed_channels(graph) if r.tensor == tensor}


def width(graph: Graph, tensor: str) -> int:
    return graph.type(tensor).shape[-1]


def assert_in_ranges(graph: Graph, samples: list[dict[str, np.ndarray]]) -> None:
    ranges = value_ranges(graph)
    for sample in samples:
        for name, values in run(graph, sample).items():
            if graph.type(name).quant is not None:
                assert (values >= ranges[name].low).all() and (values <= ranges[name].high).all(), (
                    name
                )
