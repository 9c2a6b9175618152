"""Chains in bands of rows: whatever the windows, the sizes and the bands, no value changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycc_ml.errors import InternalError
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops import verify
from tinycc_ml.ops.base import Site
from tinycc_ml.passes.row_bands import Banded, Chain, row_bands, stage_of, stages_of, work_of

from ..image_chains import image_chains
from ..integer_nets import Net
from ..texts import assert_same_values, graph


def longest_chain(made: Graph) -> list[str]:
    """The nodes that lead to the output, as far back as each result has one reader."""
    names: list[str] = []
    node = made.producers.get(made.outputs[0])
    while node is not None and stage_of(made, node) is not None:
        names.insert(0, node.name)
        x = node.inputs[0]
        if made.sole_consumer(x) != node:
            break
        node = made.producers.get(x)
    return names


def banded(made: Graph, names: list[str], rows: int, kept: bool) -> Banded | None:
    """None where no op has rows, or one can't make a band: it reads padding alone."""
    if not names:
        return None
    height = made.type(made.outputs[0]).shape[1]
    if work_of(stages_of(made, names), height, rows, kept) is None:
        return None
    found = row_bands(made, Chain(tuple(names), rows, kept))
    verify(found.graph)
    return found


@given(image_chains(), st.integers(1, 6), st.booleans())
@settings(max_examples=150, deadline=None)
def test_bands_of_any_chain_are_exact(made: Graph, rows: int, kept: bool) -> None:
    found = banded(made, longest_chain(made), rows, kept)
    if found is not None:
        assert_same_values(made, found.graph, runs=2)


@given(image_chains(), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_rows_that_are_kept_are_computed_once(made: Graph, rows: int) -> None:
    names = longest_chain(made)
    found = banded(made, names, rows, True)
    if found is None:
        return
    makes = {n.name: n for n in found.graph.nodes}
    outputs = {n.name: n.outputs[0] for n in made.nodes}
    for name, parts in found.parts.items():
        total = sum(found.graph.type(makes[p].outputs[0]).shape[1] for p in parts)
        assert total <= made.type(outputs[name]).shape[1]


FLOAT = """
    input x: f32[1,9,4,2]
    constant w: f32[3,3,3,2] = seed 1
    constant d: f32[3,3,3] = seed 2
    constant k: f32[3] = seed 3
    a: f32[1,9,4,3] = conv2d(x, w) dilations=[1,1] groups=1 pads=[1,1,1,1] strides=[1,1]
    b: f32[1,9,4,3] = sigmoid(a)
    c: f32[1,5,2,3] = depthwise_conv2d(b, d) dilations=[1,1] pads=[1,1,1,1] strides=[2,2]
    e: f32[1,5,2,3] = add(c, k)
    f: f32[1,4,1,3] = average_pool2d(e) counted_pads=[0,0,0,0] dilations=[1,1] kernel=[2,2] pads=[0,0,0,0] strides=[1,1]
    y: f32[1,4,1,3] = tanh(f)
    output y"""


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_float_chain_in_bands(rows: int, kept: bool) -> None:
    made = graph(FLOAT)
    names = longest_chain(made)
    assert len(names) == 6
    found = banded(made, names, rows, kept)
    assert found is not None
    # NumPy may sum a matrix product of other sizes in another order
    assert_same_values(made, found.graph, relative=1e-6)


def test_names_tell_tensor_and_rows() -> None:
    made = graph(FLOAT)
    found = banded(made, longest_chain(made), 2, True)
    assert found is not None
    tensors = found.graph.tensors
    sources = {t.source_name for t in tensors.values()}
    assert {"c [rows 0-2]", "c [rows 3-4]", "e [kept row 2]", "e [rows 2-4]"} <= sources
    assert [p for p in found.parts if p.startswith("y")] == ["y"]
    assert found.graph.producers["y"].op == "concat"


def test_weights_are_shared_by_all_bands() -> None:
    made = graph(FLOAT)
    found = banded(made, longest_chain(made), 1, True)
    assert found is not None
    assert {t.name for t in found.graph.constants} == {t.name for t in made.constants}


def test_a_window_that_sees_padding_alone_is_no_band() -> None:
    net = Net((1, 4, 3, 2))
    a = net.lut(net.x, np.arange(-128, 128).astype(np.int8))
    b = net.conv(a, np.ones((2, 2, 2, 2), int), [0, 0], pads=(4, 0, 0, 0))
    made = net.graph(b)
    names = longest_chain(made)
    assert banded(made, names, 1, False) is None
    with pytest.raises(InternalError, match="rows at a time"):
        row_bands(made, Chain(tuple(names), 1, False))


def test_what_reads_all_rows_is_no_stage() -> None:
    made = graph(
        "input x: f32[1,4,2,2]\nconstant k: f32[4,1,1] = seed 1\na: f32[1,4,2,2] = add(x, k)\n"
        "b: f32[1,2,4,2] = transpose(a) perm=[0,2,1,3]\ny: f32[1,1,2,2] = slice(a) starts=[0,1,0,0] steps=[1,1,1,1] shape=[1,1,2,2]\noutput b\noutput y"
    )
    assert [stage_of(made, node) for node in made.nodes] == [None, None, None]
    batch = graph("input x: f32[2,4,2,2]\ny: f32[2,4,2,2] = neg(x)\noutput y")
    assert stage_of(batch, batch.nodes[0]) is None


def test_a_row_of_numbers_broadcast_over_rows_is_read_whole() -> None:
    made = graph(
        "input x: f32[1,4,2,3]\ninput g: f32[1,1,1,3]\na: f32[1,4,2,3] = mul(x, g)\ny: f32[1,4,2,3] = mul(a, x)\noutput y"
    )
    found = banded(made, ["a", "y"], 3, False)
    assert found is not None
    assert_same_values(made, found.graph)
    stage = stage_of(made, made.nodes[0])
    assert stage is not None and stage.rows.operands == (0,)
    assert Site.of(made, made.nodes[0]).inputs[1].shape == (1, 1, 1, 3)
