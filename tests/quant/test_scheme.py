"""Schemes by name, for the net and for single nodes."""

from __future__ import annotations

import pytest

from tinycc_ml.errors import DataError
from tinycc_ml.frontends.spec.recipe import CALLS
from tinycc_ml.options import FLOATS
from tinycc_ml.quant.scheme import SCHEMES, assignment

from ..texts import graph

NET = graph("input x: f32[1,3]\nh: f32[1,3] = neg(x)\ny: f32[1,3] = neg(h)\noutput y")


def test_a_node_may_have_a_scheme_of_its_own() -> None:
    first, second = NET.nodes
    made = assignment(NET, "int8", {first.name: "int8"})
    assert made.of(first) is SCHEMES["int8"]
    assert made.of(second) is made.default


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="no scheme 'int3'"):
        assignment(NET, "int3", {})
    with pytest.raises(DataError, match="node 'conv'"):
        assignment(NET, "int8", {"conv": "int8"})


def test_a_recipe_knows_the_schemes() -> None:
    assert set(CALLS["quantize"].choices["scheme"]) == {*FLOATS, *SCHEMES}
