"""Grids of fewer levels: their integers, and that scales are fitted."""

from __future__ import annotations

import numpy as np
import pytest

from tests.texts import graph
from tinycc_ml.quant import levels
from tinycc_ml.quant.grids import INT8, rounded
from tinycc_ml.quant.scheme import assignment

ROWS = np.random.default_rng(1).standard_normal((6, 100)) * np.array([[1e-3, 1, 2, 3, 50, 0]]).T


def error(grid, rows: np.ndarray) -> np.ndarray:
    """Of each channel, as a part of its energy."""
    fitted = grid.fit(rows)
    lost = ((rounded(rows, fitted) * fitted.scale[:, None] - rows) ** 2).sum(1)
    return lost / np.maximum((rows**2).sum(1), 1e-30)


@pytest.mark.parametrize("grid", [levels.INT4_CHANNEL, levels.INT2, levels.TERNARY, levels.BINARY])
def test_values_are_those_of_the_scheme(grid) -> None:
    q = rounded(ROWS, grid.fit(ROWS))
    assert set(np.unique(q)) <= set(grid.values)
    assert len(np.unique(q[1])) > 1


def test_a_group_has_one_multiplier() -> None:
    fitted = levels.INT4.fit(ROWS)
    q = rounded(ROWS, fitted).astype(int)
    m = np.repeat(fitted.multiplier, levels.INT4.size, axis=1)[:, : ROWS.shape[1]]
    assert (q % m == 0).all() and (q // m).min() >= -8 and (q // m).max() <= 7
    assert m.max() <= levels.INT4.most


def test_a_palette_has_sixteen_values_in_the_tensor() -> None:
    assert len(np.unique(rounded(ROWS, levels.CODEBOOK4.fit(ROWS)))) <= 16


def test_more_levels_leave_less_error() -> None:
    """Gaussian weights: what is known of the best scalar quantisers of 1 to 4 bits, and int8."""
    rows = np.random.default_rng(2).standard_normal((4, 5000))
    assert error(levels.BINARY, rows) == pytest.approx(0.363, rel=0.03)  # 1 - 2 / pi
    assert error(levels.TERNARY, rows) == pytest.approx(0.190, rel=0.03)
    assert error(levels.INT4_CHANNEL, rows) == pytest.approx(0.0115, rel=0.1)
    assert (error(levels.INT4, rows) < error(levels.INT4_CHANNEL, rows)).all()
    assert (error(INT8, rows) < error(levels.INT4, rows) / 20).all()


def test_scales_are_better_than_those_that_reach_the_largest_weight() -> None:
    rows = np.random.default_rng(3).standard_t(3, (8, 400))
    scale = np.abs(rows).max(axis=1) / 8
    plain = np.clip(np.rint(rows / scale[:, None]), -8, 7) * scale[:, None]
    assert (
        error(levels.INT4_CHANNEL, rows) < ((plain - rows) ** 2).sum(1) / (rows**2).sum(1)
    ).all()


@pytest.mark.parametrize("grid", [levels.INT4, levels.INT4_CHANNEL, levels.CODEBOOK4])
def test_weights_that_are_all_zero_stay_zero(grid) -> None:
    rows = np.zeros((3, 40))
    fitted = grid.fit(rows)
    assert not (rounded(rows, fitted) * fitted.scale[:, None]).any() and (fitted.scale > 0).all()


def test_scales_do_not_go_below_the_smallest_allowed() -> None:
    for grid in (levels.INT4, levels.INT4_CHANNEL, levels.CODEBOOK4):
        assert (grid.fit(ROWS, np.full(6, 7.0)).scale >= 7.0).all()


def test_short_channels_and_small_ends_keep_int8() -> None:
    """First: a small end; then a long one, a short one, and an end that is half of the net."""
    net = graph(
        """input x: f32[1,40]
constant a: f32[40,40] = seed 1
constant b: f32[9,40] = seed 2
constant c: f32[400,9] = seed 3
constant d: f32[20,400] = seed 4
h0: f32[1,40] = dense(x, a)
h1: f32[1,9] = dense(h0, b)
h2: f32[1,400] = dense(h1, c)
y: f32[1,20] = dense(h2, d)
output y"""
    )
    first, second, *_ = net.nodes
    made = assignment(net, "int4", {})
    assert [made.of(n).name for n in net.nodes] == ["int8", "int4", "int8", "int4"]
    said = assignment(net, "int4", {first.name: "ternary", second.name: "int8"})
    assert [said.of(n).name for n in net.nodes] == ["ternary", "int8", "int8", "int4"]
    assert not assignment(net, "int8", {}).nodes
