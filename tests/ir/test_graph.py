"""Graphs are immutable, and a broken one is caught by verify_structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.errors import InternalError
from tinycc_ml.ir.graph import Graph, Node, constant, verify_structure
from tinycc_ml.ir.statistics import Statistics
from tinycc_ml.ir.types import F32, I8, Quant, TensorType

from ..texts import graph

CHAIN = """
input x: f32[2]
a: f32[2] = neg(x)
b: f32[2] = abs(a)
c: f32[2] = add(a, a)
output b
output a
"""


def _chain() -> Graph:
    return graph(CHAIN)


def test_consumers_are_listed_once_in_order() -> None:
    made = _chain()
    assert [n.name for n in made.consumers["a"]] == ["b", "c"]
    assert made.consumers["b"] == ()
    assert made.producers["c"].inputs == ("a", "a")


def test_an_output_has_no_sole_consumer() -> None:
    made = graph("input x: f32[2]\na: f32[2] = neg(x)\nb: f32[2] = abs(a)\noutput b\noutput a")
    assert made.sole_consumer("a") is None
    assert made.sole_consumer("x") == made.nodes[0]


def test_constants_and_attributes_cannot_be_changed() -> None:
    tensor = constant("c", TensorType((2,), F32), np.zeros(2))
    with pytest.raises(ValueError, match="read-only"):
        tensor.value[0] = 1
    node = Node("n", "op", (), (), {"pads": [1, [2, np.int64(3)]]})
    assert node.attrs == {"pads": (1, (2, 3))}
    with pytest.raises(TypeError):
        node.attrs["pads"] = ()  # type: ignore[index]


def test_value_of_a_run_time_tensor_is_refused() -> None:
    with pytest.raises(InternalError, match="no constant"):
        _ = _chain().tensors["a"].value


def _swapped(made: Graph) -> Graph:
    return replace(made, nodes=made.nodes[::-1])


def _doubled(made: Graph) -> Graph:
    return replace(made, nodes=(*made.nodes, replace(made.nodes[0], name="again")))


def _one_name(made: Graph) -> Graph:
    first, second, *rest = made.nodes
    return replace(made, nodes=(first, replace(second, name=first.name), *rest))


def _misfiled(made: Graph) -> Graph:
    return replace(made, tensors={**made.tensors, "b": made.tensors["a"]})


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (_swapped, "before it is made"),
        (_doubled, "made twice"),
        (_one_name, "two nodes have one name"),
        (_misfiled, "filed under"),
        (lambda made: replace(made, outputs=("z",)), "output 'z'"),
        (lambda made: replace(made, nodes=made.nodes[:2]), "tensor 'c'"),
        (
            lambda made: replace(made, tensors={k: t for k, t in made.tensors.items() if k != "c"}),
            "made tensor 'c'",
        ),
    ],
)
def test_broken_structure_is_caught(broken: object, message: str) -> None:
    with pytest.raises(InternalError, match=message):
        verify_structure(broken(_chain()))  # type: ignore[operator]


def test_quantisation_follows_its_axis_through_a_transpose() -> None:
    quant = Quant((0.1, 0.2), (0, 0), 1)
    assert quant.moved((0, 2, 3, 1)).axis == 3
    assert Quant.per_tensor(0.5).moved((1, 0)) == Quant.per_tensor(0.5)


def test_sizes_of_types() -> None:
    assert TensorType((2, 3), F32).bytes == 24
    assert TensorType((), I8).size == 1
    assert I8.range == (-128, 127)


def test_statistics_of_another_number_of_channels_are_refused() -> None:
    made = _chain()
    known = Statistics(np.zeros(3), np.ones(3), axis=0)
    tensors = {**made.tensors, "a": replace(made.tensors["a"], statistics=known)}
    with pytest.raises(InternalError, match="statistics are of others"):
        verify_structure(replace(made, tensors=tensors))
