"""Second-order rounding moves the results of a layer less, on any grid, and its sums are the layer's own."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.quant.grids import INT8, Grid, Uniform, rounded
from tinycc_ml.quant.moments import moments
from tinycc_ml.quant.rounding import second_order

INT4 = Uniform("int4", 7)


def _inputs(groups: int, rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Columns that depend on each other, as neighbouring pixels do."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((columns, columns)) * rng.uniform(0.1, 1, columns)
    return rng.standard_normal((groups, rows, columns)) @ mixed


def _error(
    weights: np.ndarray, q: np.ndarray, grid: Grid, x: np.ndarray, groups: int
) -> np.ndarray:
    left = (weights - grid.fit(weights).scale[:, None] * q).reshape(groups, -1, x.shape[2])
    return np.sum((left @ x.transpose(0, 2, 1)) ** 2, axis=(1, 2))


@pytest.mark.parametrize("grid", [INT8, INT4], ids=lambda g: g.name)
@pytest.mark.parametrize(("groups", "channels", "columns"), [(1, 8, 100), (3, 6, 9), (5, 5, 4)])
def test_results_move_less_than_with_the_nearest_integers(
    grid: Grid, groups: int, channels: int, columns: int
) -> None:
    x = _inputs(groups, 400, columns)
    weights = np.random.default_rng(1).standard_normal((channels, columns))
    levels = grid.fit(weights)
    q = second_order(weights, levels, moments([(x, x)]).products)
    assert q.dtype == np.int8 and np.abs(q).max() <= grid.most  # type: ignore[attr-defined]
    fed = _error(weights, q, grid, x, groups).sum()
    plain = _error(weights, rounded(weights, levels), grid, x, groups).sum()
    # the more columns there are, the more of an error the others can make up for
    assert fed < (0.3 if columns == 100 else 0.9) * plain


def test_columns_that_do_not_depend_on_each_other_are_rounded_to_nearest() -> None:
    weights = np.random.default_rng(2).standard_normal((6, 30))
    levels = INT8.fit(weights)
    apart = np.eye(30)[None] * np.linspace(1, 5, 30)
    np.testing.assert_array_equal(second_order(weights, levels, apart), rounded(weights, levels))


def test_inputs_that_are_always_zero_do_no_harm() -> None:
    weights = np.random.default_rng(3).standard_normal((2, 5))
    levels = INT8.fit(weights)
    for hessian in (np.zeros((1, 5, 5)), np.diag([1.0, 0, 2.0, 0, 0])[None]):
        q = second_order(weights, levels, hessian)
        np.testing.assert_array_equal(q, rounded(weights, levels))


def test_the_best_of_all_integers_is_not_far() -> None:
    """Three columns on a small grid: every combination can be tried."""
    x = _inputs(1, 50, 3, seed=5)
    rng = np.random.default_rng(6)
    grid = Uniform("int3", 3)
    every = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), -1).reshape(-1, 3)
    found, least, plain = 0.0, 0.0, 0.0
    for _ in range(20):
        weights = rng.standard_normal((1, 3))
        levels = grid.fit(weights)
        q = second_order(weights, levels, moments([(x, x)]).products)
        found += _error(weights, q, grid, x, 1)[0]
        least += min(_error(weights, e[None], grid, x, 1)[0] for e in every)
        plain += _error(weights, rounded(weights, levels), grid, x, 1)[0]
    assert least <= found * 1.0001 and found < 1.5 * least and found < plain


def test_columns_beyond_a_part_are_rounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinycc_ml.quant.rounding._MOST_COLUMNS", 7)
    x = _inputs(1, 200, 16)
    weights = np.random.default_rng(7).standard_normal((3, 16))
    levels = INT8.fit(weights)
    q = second_order(weights, levels, moments([(x, x)]).products)
    assert (
        _error(weights, q, INT8, x, 1).sum()
        < _error(weights, rounded(weights, levels), INT8, x, 1).sum()
    )


def test_moments_are_those_of_all_rows() -> None:
    real, made = _inputs(2, 30, 4, seed=8), _inputs(2, 30, 4, seed=9)
    halves = [(real[:, :17], made[:, :17]), (real[:, 17:], made[:, 17:])]
    found = moments(halves)
    assert found.rows == 30
    np.testing.assert_allclose(found.real, real.sum(axis=1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        found.products, np.einsum("grk,grl->gkl", made, made), rtol=1e-5, atol=1e-4
    )
    apart = made - made.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        found.centred().products, np.einsum("grk,grl->gkl", apart, apart), rtol=1e-4, atol=1e-3
    )
