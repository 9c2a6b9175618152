"""Graphs written as text, and the check that a pass has not changed what a graph computes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.parse import parse_graph
from tinycc_ml.ops import verify
from tinycc_ml.reference.run import outputs


def graph(lines: str, **constants: np.ndarray) -> Graph:
    """A verified graph of the lines after `graph "net"`."""
    made = parse_graph(f"graph net\n{lines}", constants)
    verify(made)
    return made


def random_inputs(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Normal values for floats, all of the range for integers."""
    rng = np.random.default_rng(seed)
    made = {}
    for name in graph.inputs:
        type_ = graph.type(name)
        if type_.dtype.is_float:
            made[name] = rng.standard_normal(type_.shape).astype(type_.dtype.numpy)
        else:
            low, high = type_.dtype.range
            values = rng.integers(max(low, -1000), min(high, 1000), type_.shape, endpoint=True)
            made[name] = values.astype(type_.dtype.numpy)
    return made


def assert_same_values(
    before: Graph, after: Graph, *, relative: float = 0.0, runs: int = 3
) -> None:
    """The same inputs give the same outputs, floats within `relative` of the largest value."""
    verify(after)
    assert after.inputs == before.inputs
    assert after.outputs == before.outputs
    for seed in range(runs):
        given = random_inputs(before, seed)
        assert_close(outputs(before, given), outputs(after, given), relative)


def assert_close(
    want: Mapping[str, np.ndarray], got: Mapping[str, np.ndarray], relative: float
) -> None:
    for name, array in want.items():
        peak = float(np.abs(array).max(initial=0))
        np.testing.assert_allclose(got[name], array, rtol=0, atol=relative * peak, err_msg=name)
