"""Seeded samples: over the range of each input, and inside of what an input indexes."""

from __future__ import annotations

import numpy as np

from tinycc_ml.backend.vectors import seeded_samples

from ..texts import graph


def test_indices_lie_inside_of_what_they_index() -> None:
    made = graph(
        """
        constant words: f32[7,3] = seed 1
        input ids: i64[2,50]
        input raw: i64[50]
        flat: i64[100] = reshape(ids) shape=[100]
        y: f32[100,3] = gather_at(words, flat) mode="axis" axis=0
        z: i64[50] = cast(raw) dtype="i64"
        output y
        output z"""
    )
    samples = seeded_samples(made)
    assert set(np.unique(samples["ids"])) == set(range(7))
    assert np.ptp(samples["raw"].astype(float)) > 1e9


def test_the_narrowest_of_several_tables_decides() -> None:
    made = graph(
        """
        constant long: f32[9] = seed 1
        constant short: f32[40] = seed 1
        input ids: u8[40]
        y: f32[40] = gather_at(long, ids) mode="axis" axis=0
        z: f32[40] = gather_at(short, ids) mode="elements" axis=0
        output y
        output z"""
    )
    assert seeded_samples(made)["ids"].max() == 8
