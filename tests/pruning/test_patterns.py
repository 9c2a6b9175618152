"""Patterns: which weights stay, given what each is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycc_ml.errors import ModelError
from tinycc_ml.pruning.patterns import pattern_of


@given(st.integers(1, 7), st.integers(1, 40), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_n_of_m_stay_in_every_whole_run(rows: int, columns: int, kept: int, seed: int) -> None:
    run = kept + 1 + seed % 4
    scores = np.random.default_rng(seed).random((rows, columns))
    mask = pattern_of(f"{kept}:{run}").mask(scores, 0.0)
    whole = columns // run * run
    assert (mask[:, :whole].reshape(rows, -1, run).sum(axis=2) == kept).all()
    assert mask[:, whole:].all()
    for stays, worth in zip(
        mask[:, :whole].reshape(-1, run), scores[:, :whole].reshape(-1, run), strict=True
    ):
        assert worth[stays].min() >= worth[~stays].max()


def test_blocks_go_together_and_the_least_first() -> None:
    scores = np.array([[1, 1, 9, 9, 1], [2, 2, 0, 0, 0.5]])
    mask = pattern_of("1x2").mask(scores, 0.5)
    assert mask.astype(int).tolist() == [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]


def test_single_weights_go_wherever_they_are() -> None:
    mask = pattern_of("single").mask(np.array([[3, 1], [2, 4]]), 0.5)
    assert mask.tolist() == [[True, False], [False, True]]


def test_n_of_m_says_itself_how_much_goes() -> None:
    assert pattern_of("1:4").ratio(0.1) == 0.75
    assert pattern_of("1x4").ratio(0.1) == 0.1


@pytest.mark.parametrize("name", ["", "4:2", "0:4", "2:2", "2x4", "1x1", "1:100", "N:M"])
def test_other_texts_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="no pruning pattern"):
        pattern_of(name)
