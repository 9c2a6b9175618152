"""Grids: the integers of weights, and their scales."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.quant.grids import INT8, as_rows, from_rows, rounded


def test_weights_use_all_of_minus_127_to_127_in_every_channel() -> None:
    data = np.random.default_rng(1).standard_normal((3, 4, 5))
    for axis in range(3):
        rows = as_rows(data, axis)
        levels = INT8.fit(rows)
        q = rounded(rows, levels)
        assert np.abs(q.astype(int)).max(axis=1).tolist() == [127] * data.shape[axis]
        back = from_rows(q * levels.scale[:, None], data.shape, axis)
        assert np.abs(back - data).max() <= 0.501 * max(levels.scale)


def test_rows_go_back_to_where_they_came_from() -> None:
    data = np.arange(24).reshape(2, 3, 4)
    for axis in range(3):
        np.testing.assert_array_equal(from_rows(as_rows(data, axis), data.shape, axis), data)


def test_a_dead_channel_takes_a_typical_scale() -> None:
    rows = np.array([[127.0, 0], [0, 0], [12.7, 1]])
    levels = INT8.fit(rows)
    assert rounded(rows, levels)[1].tolist() == [0, 0]
    assert levels.scale[1] == pytest.approx(np.median([1.0, 0.1]))


def test_weights_that_are_all_zero_have_scales() -> None:
    levels = INT8.fit(np.zeros((2, 3)))
    assert not rounded(np.zeros((2, 3)), levels).any()
    assert levels.scale.tolist() == [1.0, 1.0]


def test_scales_do_not_go_below_the_smallest_allowed() -> None:
    levels = INT8.fit(np.array([[1e-6], [127.0]]), np.array([0.5, 0.5]))
    assert levels.scale.tolist() == [0.5, 1.0]


def test_no_columns_are_no_weights() -> None:
    rows = np.zeros((2, 0))
    assert rounded(rows, INT8.fit(rows)).shape == (2, 0)
