"""Comparisons name the first tensor that differs, by the model's own name."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ir.graph import Origin
from tinycc_ml.reference.compare import difference, first_difference, sqnr_db
from tinycc_ml.reference.run import run

from ..texts import graph

NET = """
input x: f32[4]
a: f32[4] = neg(x)
b: f32[4] = abs(a)
output b
"""


def test_first_difference_in_order_of_execution_is_told() -> None:
    made = graph(NET)
    expected = run(made, {"x": np.float32([1, -2, 3, -4])})
    got = {name: array.copy() for name, array in expected.items()}
    assert first_difference(made, expected, got, 0) is None
    got["a"][2], got["b"][0], got["a"][3] = 7, 9, 8
    found = first_difference(made, expected, got, 0)
    assert str(found) == "tensor 'a' differs at [2]: expected -3.0, got 7.0 (2 of 4 values)"


def test_tensors_that_were_not_seen_are_passed_over() -> None:
    made = graph(NET)
    expected = run(made, {"x": np.float32([1, -2, 3, -4])})
    assert first_difference(made, expected, {"b": expected["b"] + 1}, 0).tensor == "b"  # type: ignore[union-attr]


def test_names_are_those_of_the_model() -> None:
    from dataclasses import replace

    made = graph(NET)
    tensors = {**made.tensors, "a": replace(made.tensors["a"], origin=Origin("model/a"))}
    made = replace(made, tensors=tensors)
    expected = run(made, {"x": np.float32([1, 2, 3, 4])})
    found = first_difference(made, expected, {"a": expected["a"] * 2}, 0)
    assert found is not None and found.tensor == "model/a"


def test_integers_must_be_equal_and_floats_within_a_part_of_their_range() -> None:
    assert difference("t", np.array([1, 2]), np.array([1, 3]), 1.0) is not None
    expected = np.float32([0, 10])
    assert difference("t", expected, np.float32([0.9, 10]), 0.1) is None
    assert difference("t", expected, np.float32([1.1, 10]), 0.1) is not None
    assert difference("t", np.zeros(2, np.float32), np.zeros(2, np.float32), 0.0) is None


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_differs(wrong: float) -> None:
    assert difference("t", np.float32([0, 1]), np.float32([0, wrong]), 1.0) is not None


def test_sqnr_is_pooled_over_all_values() -> None:
    real = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert sqnr_db(real, real + 0.5) == pytest.approx(10 * np.log10(25 / 1.0))
    assert sqnr_db(real, real) == float("inf")
