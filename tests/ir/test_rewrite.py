"""Drafts keep producers and readers right while nodes come and go, and give sorted, live graphs."""

from __future__ import annotations

import numpy as np

from tinycc_ml.ir.rewrite import Draft

from ..texts import graph

FORK = """
input x: f32[2]
a: f32[2] = neg(x)
b: f32[2] = abs(a)
c: f32[2] = exp(a)
y: f32[2] = add(b, c)
output y
"""


def test_an_unchanged_draft_gives_the_same_graph() -> None:
    assert Draft(graph(FORK)).graph() == graph(FORK)


def test_nodes_that_no_output_needs_are_dropped() -> None:
    made = graph(f"{FORK}d: f32[2] = neg(c)\ne: f32[2] = neg(d)")
    assert Draft(made).graph() == graph(FORK)


def test_inputs_stay_when_nothing_reads_them() -> None:
    made = graph(f"input spare: f32[1]\n{FORK}")
    assert Draft(made).graph() == made


def test_a_replaced_node_keeps_its_place() -> None:
    draft = Draft(graph(FORK))
    draft.replace_node(draft.nodes["b"], op="neg")
    assert [n.name for n in draft.graph().nodes] == ["a", "b", "c", "y"]


def test_redirected_readers_leave_the_former_node_dead() -> None:
    draft = Draft(graph(FORK))
    assert draft.redirect("b", "c")
    assert [n.name for n in draft.graph().nodes] == ["a", "c", "y"]
    assert draft.readers("b") == ()
    assert draft.sole_reader("c") == draft.nodes["y"]


def test_redirecting_an_output_renames_what_replaces_it() -> None:
    draft = Draft(graph(FORK))
    assert draft.redirect("y", "c")
    after = draft.graph()
    assert after == graph("input x: f32[2]\na: f32[2] = neg(x)\ny: f32[2] = exp(a)\noutput y")


def test_an_output_cannot_become_an_input_a_constant_or_another_output() -> None:
    made = graph(f"{FORK}constant k: f32[2] = [1, 2]\noutput a")
    for new in ("x", "k", "a"):
        draft = Draft(made)
        assert not draft.redirect("y", new)
        assert draft.graph() == made


def test_fresh_names_are_free_for_tensors_and_nodes() -> None:
    draft = Draft(graph(FORK))
    assert draft.fresh("new") == "new"
    assert draft.fresh("a") == "a_1"
    assert draft.add_constant("a", np.zeros(1, np.float32)) == "a_1"
    assert draft.add_constant("a", np.zeros(1, np.float32)) == "a_2"


def test_a_restored_node_takes_the_place_of_what_makes_its_outputs() -> None:
    draft = Draft(graph(FORK))
    former = draft.nodes["b"]
    draft.remove_node(former)
    draft.add_node("exp", ["a"], ["b"], {}, "b")
    draft.restore_node(former)
    assert draft.graph().producers["b"] == former
    assert [n.op for n in draft.graph().nodes].count("exp") == 1
    assert draft.readers("a") == (draft.nodes["c"], former)


def test_nodes_are_sorted_however_they_were_added() -> None:
    draft = Draft(graph(FORK))
    node = draft.nodes["a"]
    draft.remove_node(node)
    draft.add_node("neg", ["x"], ["a"], {}, "late")
    assert [n.name for n in draft.graph().nodes] == ["late", "b", "c", "y"]
