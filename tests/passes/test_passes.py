"""All passes in their order on whole nets: each leaves what is computed as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycc_ml.errors import InternalError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.parse import parse_graph
from tinycc_ml.ops import verify
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.calibrate import calibrate
from tinycc_ml.quant.quantize import quantize
from tinycc_ml.quant.ranges import Ranges
from tinycc_ml.reference.run import outputs

from ..models import NETS, run_onnx
from ..random_graphs import graphs
from ..texts import assert_close, assert_same_values, graph, random_inputs

# Float sums in another order: a few units in the last place of the largest value
REORDERED = 2e-6


def _marked(name: str) -> Graph:
    """A net after the float passes, with quantize and dequantize around its float nodes."""
    float_graph = run_passes(load(NETS[name]()), FLOAT)
    runs = [random_inputs(float_graph, seed) for seed in range(4)]
    samples = {n: np.stack([r[n] for r in runs]) for n in float_graph.inputs}
    observed, _ = calibrate(float_graph, samples)
    return quantize(float_graph, observed, Ranges("min-max"))


@pytest.mark.parametrize("name", NETS)
def test_imported_net_computes_what_onnx_runtime_does(name: str) -> None:
    proto = NETS[name]()
    made = load(proto)
    given = random_inputs(made)
    assert_close(run_onnx(proto, given), outputs(made, given), 1e-5)


@pytest.mark.parametrize("name", NETS)
def test_each_float_pass_leaves_the_values(name: str) -> None:
    before = load(NETS[name]())
    for apply in FLOAT:
        after = apply(before)
        assert_same_values(before, after, relative=REORDERED)
        before = after


@pytest.mark.parametrize("name", NETS)
def test_a_second_round_of_float_passes_changes_nothing(name: str) -> None:
    once = run_passes(load(NETS[name]()), FLOAT)
    assert run_passes(once, FLOAT) == once


@pytest.mark.parametrize("name", [name for name in NETS if name != "branches"])
def test_transposes_are_left_at_the_ends_only(name: str) -> None:
    made = run_passes(load(NETS[name]()), FLOAT)
    ends = {*made.inputs, *made.outputs}
    ends |= {n.outputs[0] for n in made.nodes if n.op == "reshape" and n.inputs[0] in made.inputs}
    for node in made.nodes:
        assert node.op != "transpose" or ends & {*node.inputs, *node.outputs}


@pytest.mark.parametrize("name", NETS)
def test_each_integer_pass_after_absorbing_is_exact(name: str) -> None:
    graph_, absorbed = _marked(name), False
    for apply in integer_passes(io_type="float"):
        after = apply(graph_)
        if absorbed:
            assert_same_values(graph_, after)
        absorbed |= apply.__name__ == "absorb_qdq"
        graph_ = after
    assert absorbed


@pytest.mark.parametrize("name", NETS)
def test_integer_net_is_near_the_net_with_quantize_and_dequantize(name: str) -> None:
    marked = _marked(name)
    made = run_passes(marked, integer_passes(io_type="float"))
    given = random_inputs(marked, 2)
    # at each node the integers may fall on the other side of a tie: some steps of 1/256 after a few nodes
    assert_close(outputs(marked, given), outputs(made, given), 0.03)


@pytest.mark.parametrize("name", NETS)
def test_integer_net_has_no_float_tensor(name: str) -> None:
    made = run_passes(_marked(name), integer_passes())
    assert [t.name for t in made.tensors.values() if t.type.dtype.is_float] == []


@given(graphs(), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_any_graph_keeps_its_values_through_each_float_pass(made: Graph, seed: int) -> None:
    before = made
    for apply in FLOAT:
        after = apply(before)
        verify(after)
        given_ = random_inputs(made, seed)
        assert_close(outputs(before, given_), outputs(after, given_), 1e-5)
        before = after
    assert run_passes(before, FLOAT) == before


@given(graphs(largest=7), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_any_graph_that_is_quantised_is_integer_and_exact_after_absorbing(
    made: Graph, seed: int
) -> None:
    float_graph = run_passes(made, FLOAT)
    samples = {
        n: np.stack([random_inputs(made, seed + k)[n] for k in range(3)]) for n in made.inputs
    }
    observed, _ = calibrate(float_graph, samples)
    graph_, absorbed = quantize(float_graph, observed, Ranges("min-max")), False
    for apply in integer_passes():
        after = apply(graph_)
        verify(after)
        if absorbed:
            assert_same_values(graph_, after, runs=1)
        absorbed |= apply.__name__ == "absorb_qdq"
        graph_ = after
    floats = [n for n, t in graph_.tensors.items() if t.type.dtype.is_float and graph_.consumers[n]]
    assert floats == []
    assert [graph_.type(n).shape for n in graph_.outputs] == [
        made.type(n).shape for n in made.outputs
    ]


def test_passes_are_dumped_before_and_after(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path)) / "dump"
    made = graph("input x: f32[2]\na: f32[2] = identity(x)\ny: f32[2] = neg(a)\noutput y")
    after = run_passes(made, FLOAT[:1], dump_dir=folder, stage="float")
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["float_00_remove_no_ops.after.txt", "float_00_remove_no_ops.before.txt"]
    assert parse_graph((folder / names[1]).read_text()) == made
    assert parse_graph((folder / names[0]).read_text()) == after


def test_a_pass_that_breaks_the_graph_is_caught() -> None:
    made = graph("input x: f32[2]\ny: f32[2] = neg(x)\noutput y")

    def broken(_: Graph) -> Graph:
        return parse_graph("graph net\ninput x: f32[2]\ny: f32[3] = neg(x)\noutput y")

    with pytest.raises(InternalError, match="its shape rule says"):
        run_passes(made, (broken,))
