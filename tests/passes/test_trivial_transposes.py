"""trivial_transposes: moving axes of size 1 moves no bytes."""

from __future__ import annotations

import pytest

from tinycc_ml.passes.trivial_transposes import trivial_transposes

from ..texts import assert_same_values, graph


def _lines(shape: str, perm: str) -> str:
    sizes = shape.split(",")
    made = ",".join(sizes[int(p)] for p in perm.split(","))
    return f"input x: f32[{shape}]\ny: f32[{made}] = transpose(x) perm=[{perm}]\noutput y"


@pytest.mark.parametrize(
    ("shape", "perm"),
    [
        ("1,1,3,4", "0,2,3,1"),
        ("1,3,1,1", "0,2,3,1"),
        ("1,5", "1,0"),
        ("1,1", "1,0"),
        ("2,1,3", "1,0,2"),
    ],
)
def test_a_transpose_of_size_1_axes_is_a_reshape(shape: str, perm: str) -> None:
    before = graph(_lines(shape, perm))
    after = trivial_transposes(before)
    assert [n.op for n in after.nodes] == ["reshape"]
    assert_same_values(before, after)


@pytest.mark.parametrize(
    ("shape", "perm"), [("1,2,3,4", "0,2,3,1"), ("2,2", "1,0"), ("2,1,3", "2,1,0")]
)
def test_a_transpose_that_moves_values_stays(shape: str, perm: str) -> None:
    before = graph(_lines(shape, perm))
    assert trivial_transposes(before) == before
