"""Canonical text is what graphs are compared and named by: it tells apart what differs, and only that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tinycc_ml.ir.graph import Graph, Origin
from tinycc_ml.ir.parse import parse_graph
from tinycc_ml.ir.text import canonical_text, graph_hash

TEXT = """graph net
input x: i8[1,2] scale 0.5 zero 3
constant w: i8[2,2] scale [0.1,0.2] zero 0 axis 0 = [1, 2, 3, 4]
constant v: f32[4,4] = seed 1
y: i8[1,2] scale 0.25 zero 0 = op(x, w, v) flag=1
output y
"""


def _graph(text: str = TEXT) -> Graph:
    return parse_graph(text)


@pytest.mark.parametrize(
    ("former", "changed"),
    [
        ("graph net", "graph ten"),
        ("0.5 zero 3", "0.5 zero 4"),
        ("[0.1,0.2]", "[0.1,0.3]"),
        ("zero 0 axis 0", "zero [0,1] axis 0"),
        ("axis 0", "axis 1"),
        ("seed 1", "seed 2"),
        ("3, 4]", "3, 5]"),
        ("flag=1", "flag=1.0"),
        ("flag=1", "flag=True"),
        ("op(x, w, v)", "op(x, v, w)"),
        ("op(x, w, v)", "op(x, w, v, _)"),
        ("output y", "output y\noutput x"),
    ],
)
def test_graphs_that_differ_have_different_texts(former: str, changed: str) -> None:
    assert former in TEXT
    assert _graph(TEXT.replace(former, changed)) != _graph()
    assert graph_hash(_graph(TEXT.replace(former, changed))) != graph_hash(_graph())


def test_node_names_and_origins_make_no_difference() -> None:
    made = _graph()
    nodes = tuple(replace(node, name=f"{node.name}.other") for node in made.nodes)
    tensors = {name: replace(t, origin=Origin("elsewhere")) for name, t in made.tensors.items()}
    assert replace(made, nodes=nodes, tensors=tensors) == made


def test_constants_that_nothing_reads_are_not_printed() -> None:
    assert _graph(TEXT.replace("output", "constant spare: f32[] = [1]\noutput")) == _graph()


def test_line_breaks_in_names_do_not_break_lines() -> None:
    text = canonical_text(_graph('graph "a\\nb"\ninput "x\\n\\"y": f32[]\noutput "x\\n\\"y"'))
    assert text == 'graph "a\\nb"\ninput "x\\n\\"y": f32[]\noutput "x\\n\\"y"\n'
