"""Reconstruction: a layer's results are nearer than with the same weights left as they were."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.pruning.patterns import pattern_of
from tinycc_ml.pruning.prune import METHODS, Pruning, prune
from tinycc_ml.pruning.reconstruct import reconstructed
from tinycc_ml.quant.moments import moments
from tinycc_ml.quant.refit import Met, damped_by_halves, refitted
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import run_all

from ..models import NETS


def _inputs(groups: int = 1, columns: int = 12) -> np.ndarray:
    """[groups, rows, columns] that hang together, as neighbouring pixels do."""
    rng = np.random.default_rng(3)
    mixed = rng.standard_normal((groups, 3, columns))
    return rng.standard_normal((groups, 400, 3)) @ mixed + 0.1 * rng.standard_normal(
        (groups, 400, columns)
    )


def _met(x: np.ndarray) -> Met:
    halves = tuple(moments([(h, h)], cross=True) for h in (x[:, ::2], x[:, 1::2]))
    return Met(halves[0] + halves[1], halves)


def _error(rows: np.ndarray, new: np.ndarray, x: np.ndarray) -> float:
    share = len(rows) // len(x)
    return sum(
        float((((rows - new)[g * share : (g + 1) * share] @ x[g].T) ** 2).sum())
        for g in range(len(x))
    )


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("name", ["single", "2:4", "1x3"])
def test_what_stays_makes_up_for_what_goes(groups: int, name: str) -> None:
    x, pattern = _inputs(groups), pattern_of(name)
    rows = np.random.default_rng(4).standard_normal((6, 12)).astype(np.float32)
    new = reconstructed(rows, _met(x), pattern, 0.5)
    assert np.mean(new == 0) == pytest.approx(0.5, abs=0.01)
    left = np.where(pattern.mask(np.abs(rows), 0.5), rows, 0)
    assert _error(rows, new, x) < 0.2 * _error(rows, left, x)


def test_the_solution_is_that_of_least_squares() -> None:
    x = _inputs()
    rows = np.random.default_rng(5).standard_normal((4, 12))
    kept = np.random.default_rng(6).random((4, 12)) < 0.6
    new = refitted(rows, _met(x), kept)
    for row, mask, found in zip(rows, kept, new, strict=True):
        best = np.linalg.lstsq(x[0][:, mask], x[0] @ row, rcond=None)[0]
        error = np.linalg.norm(x[0] @ row - x[0][:, mask] @ found[mask])
        least = np.linalg.norm(x[0] @ row - x[0][:, mask] @ best)
        assert not found[~mask].any()
        assert error <= 1.05 * least + 0.02 * np.linalg.norm(x[0] @ row)  # the damping


def test_nothing_pruned_is_the_same_weights() -> None:
    x = _inputs()
    rows = np.random.default_rng(5).standard_normal((4, 12))
    np.testing.assert_allclose(
        reconstructed(rows, _met(x), pattern_of("single"), 0.0),
        rows,
        atol=1e-8,
    )


def test_the_fewer_the_samples_the_less_they_are_believed() -> None:
    rng = np.random.default_rng(7)
    rows, kept = rng.standard_normal((8, 40)), rng.random((8, 40)) < 0.5
    mixed = rng.standard_normal((400, 20)) @ rng.standard_normal((20, 40))
    inputs = (mixed + rng.standard_normal((400, 40)))[None]
    found = {
        count: damped_by_halves(rows, _met(inputs[:, :count]), lambda *_: kept)
        for count in (12, 400)
    }
    assert found[400] < 0.1 * found[12]


def test_what_is_right_already_stays_as_it_is() -> None:
    x = _inputs()
    x[..., 6:] = 0
    rows = np.random.default_rng(5).standard_normal((4, 12))
    kept = np.broadcast_to(np.arange(12) < 6, rows.shape)
    new = refitted(rows, _met(x), kept)
    # sums of float64 in another order
    np.testing.assert_allclose(new, np.where(kept, rows, 0), rtol=1e-12)


def _samples(graph: Graph, count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        n: rng.standard_normal((count, *graph.type(n).shape)).astype(np.float32)
        for n in graph.inputs
    }


def _sqnr(graph: Graph, after: Graph, samples: dict[str, np.ndarray]) -> float:
    made = [list(run_all(g, samples)) for g in (graph, after)]
    real, got = (np.concatenate([next(iter(o.values())).ravel() for o in each]) for each in made)
    return sqnr_db(real, got)


@pytest.mark.parametrize("name", ["residual", "one_dimensional"])
def test_reconstruction_is_better_than_the_other_methods(name: str) -> None:
    graph = run_passes(load(NETS[name]()), FLOAT)
    seen, others = _samples(graph, 24, 1), _samples(graph, 8, 2)
    found = {
        m: _sqnr(graph, prune(graph, Pruning(0.4, method=m), seen)[0], others) for m in METHODS
    }
    assert found["reconstruct"] >= max(found["magnitude"], found["wanda"])
