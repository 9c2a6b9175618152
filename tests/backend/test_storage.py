"""Aliases, writing in place and placing together: on random graphs no value is lost before its last reader.

A plan is executed symbolically: every byte of the arena, and of each input and output, holds the name of
the value written last. A step must find its operands whole, and no step may touch an input or a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycc_ml.backend.arena import executed_nodes, plan_arena
from tinycc_ml.backend.choose import Plan, choose
from tinycc_ml.backend.target import load_target
from tinycc_ml.ir.graph import Graph, Node
from tinycc_ml.ops import op_of
from tinycc_ml.ops.base import Overlap
from tinycc_ml.passes import FLOAT, run_passes

from ..random_graphs import graphs
from ..texts import graph

HOST = load_target("host")
SCRATCH = "scratch"
Memory = dict[str, list[object]]


Content = list[object]


def contents_of(plan: Plan) -> Mapping[str, Content]:
    """What every byte of a tensor must hold: the value that some step makes, and the byte of that value. What
    comes without a step is worked out here from what concat and slice mean."""
    steps = {node.name for node in plan.steps}
    found: dict[str, Content] = {n: _own(plan, n) for n in plan.graph.inputs}
    for node in plan.graph.nodes:
        (result,) = node.outputs
        alias = op_of(node).alias
        if alias or node.name not in steps:
            found[result] = _passed_on(plan, node, found)
        else:
            found[result] = _own(plan, result)
    return found


def _own(plan: Plan, tensor: str) -> Content:
    return [(tensor, k) for k in range(plan.graph.type(tensor).bytes)]


def _passed_on(plan: Plan, node: Node, found: Mapping[str, Content]) -> Content:
    source = [found.get(n) or _own(plan, n) for n in node.inputs]
    if node.op == "concat":
        return [byte for part in source for byte in part]
    if node.op == "slice":
        x = plan.graph.type(node.inputs[0])
        index = np.arange(x.bytes).reshape(*x.shape, x.dtype.bytes)
        for axis, (start, count) in enumerate(
            zip(node.attrs["starts"], node.attrs["shape"], strict=True)
        ):
            index = np.take(index, range(start, start + count), axis)
        return [source[0][k] for k in index.ravel()]
    return source[0]


def execute(plan: Plan) -> None:
    """Raises AssertionError where a value is not there when it is read."""
    made, contents = plan.graph, contents_of(plan)
    memory: Memory = {"arena": [None] * plan.arena_bytes}
    for name in made.inputs:
        _write(plan, memory, name, contents[name])
    for node in plan.steps:
        scratch = plan.scratch_offset(node.name)
        size = plan.chosen[node.name].scratch_bytes if node.name in plan.chosen else 0
        if size:
            assert scratch is not None
            memory["arena"][scratch : scratch + size] = [SCRATCH] * size
        for name in node.outputs:
            assert plan.storage.external.get(plan.storage.buffer_of[name]) not in made.inputs, (
                f"{node.name} writes an input"
            )
        _run(plan, memory, node, contents)
        if size:
            assert memory["arena"][scratch : scratch + size] == [SCRATCH] * size, (
                f"{node.name} writes over its scratch"
            )
    for name in made.outputs:
        _expect(plan, memory, name, contents[name], f"output {name}")


def _run(plan: Plan, memory: Memory, node: Node, contents: Mapping[str, Content]) -> None:
    """The kernel that makes the most of what it may do: it writes its result from the first byte on, and
    reads a byte of an operand as late as the rule for that operand allows."""
    candidate = plan.chosen.get(node.name)
    rules = {o.input: o for o in candidate.overlaps} if candidate else {}
    (result,) = node.outputs
    store, first, last = _region(plan, memory, result)
    due: dict[int, list[tuple[list[object], int, object, str]]] = {}
    for index, name in enumerate(node.inputs):
        if not name or plan.graph.tensors[name].is_constant:
            continue
        source, start, stop = _region(plan, memory, name)
        content, what = contents[name], f"{node.name} reads {name}"
        for k in range(stop - start):
            when = _when(rules.get(index), k, start - first, last - first)
            due.setdefault(when, []).append((source, start + k, content[k], what))
    for step in range(last - first + 1):
        for source, at, value, what in due.get(step, ()):
            assert source[at] == value, what
        if step < last - first:
            store[first + step] = contents[result][step]


def _when(rule: Overlap | None, k: int, ahead: int, size: int) -> int:
    """Before which byte of the result, of `size`, byte k of an operand is read that lies `ahead` of it: with
    no rule before the first. An exact rule that is not kept to is one for operands that lie apart."""
    if rule is None:
        return 0
    if rule.exact and rule.lead != ahead:
        return size
    return min(max(rule.lead + k, 0), size)


def _region(plan: Plan, memory: Memory, tensor: str) -> tuple[list[object], int, int]:
    view = plan.view(tensor)
    buffer = plan.storage.buffer_of[tensor]
    size = len(memory["arena"])
    if buffer not in plan.placement.offsets:
        size = plan.graph.type(plan.storage.external[buffer]).bytes
    store = memory.setdefault(view.buffer, [None] * size)
    assert 0 <= view.offset <= size - view.format.bytes, f"{tensor} lies outside {view.buffer}"
    return store, view.offset, view.offset + view.format.bytes


def _write(plan: Plan, memory: Memory, tensor: str, content: Content) -> None:
    store, first, last = _region(plan, memory, tensor)
    store[first:last] = content


def _expect(plan: Plan, memory: Memory, tensor: str, content: Content, what: str) -> None:
    store, first, last = _region(plan, memory, tensor)
    assert store[first:last] == content, what


@given(graphs(), st.sampled_from(["caller", "arena"]), st.booleans())
@settings(max_examples=120, deadline=None)
def test_every_step_finds_its_operands(made: Graph, io: str, optimised: bool) -> None:
    execute(choose(run_passes(made, FLOAT) if optimised else made, HOST, io=io))


overlaps = st.builds(
    Overlap, st.just(0), st.sampled_from([0, 0, 4, 8, 20, 24, -4, -8]), st.booleans()
)


@given(graphs(), st.sampled_from(["caller", "arena"]), st.data())
@settings(max_examples=150, deadline=None)
def test_kernels_with_any_rule_find_their_operands(
    made: Graph, io: str, data: st.DataObject
) -> None:
    plan = choose(made, HOST, io=io)
    chosen = {}
    for name, candidate in plan.chosen.items():
        ruled = [k for k, n in enumerate(_node(made, name).inputs) if n]
        rules = [replace(data.draw(overlaps), input=k) for k in ruled if data.draw(st.booleans())]
        scratch = data.draw(st.sampled_from([0, 0, 12]))
        chosen[name] = replace(candidate, overlaps=tuple(rules), scratch_bytes=scratch)
    arena = plan_arena(made, executed_nodes(made)[0], chosen, io)
    execute(replace(plan, chosen=chosen, arena=arena))


def _node(made: Graph, name: str) -> Node:
    return next(n for n in made.nodes if n.name == name)


def _plan(lines: str, io: str = "caller") -> Plan:
    plan = choose(graph(lines), HOST, io=io)
    execute(plan)
    return plan


def test_a_sum_is_written_over_an_operand_that_dies() -> None:
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        b: f32[8] = exp(x)
        s: f32[8] = add(a, b)
        y: f32[8] = add(s, x)
        output y""")
    assert plan.view("s").offset in (plan.view("a").offset, plan.view("b").offset)
    assert plan.arena_bytes == 64


def test_a_sum_is_not_written_over_an_operand_that_is_still_needed() -> None:
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        b: f32[8] = exp(a)
        c: f32[8] = add(a, b)
        y: f32[8] = add(c, a)
        output y""")
    assert abs(plan.view("b").offset - plan.view("a").offset) >= 32


def test_a_reader_through_a_reshape_keeps_the_buffer_alive() -> None:
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        r: f32[2,4] = reshape(a) shape=[2,4]
        b: f32[8] = exp(a)
        c: f32[8] = sigmoid(b)
        d: f32[2,4] = exp(r)
        e: f32[8] = reshape(d) shape=[8]
        y: f32[8] = add(c, e)
        output y""")
    assert plan.storage.buffer_of["r"] == plan.storage.buffer_of["a"]


def test_nothing_is_written_over_an_input_or_a_constant() -> None:
    plan = _plan(
        "input x: f32[8]\nconstant k: f32[8] = seed 1\ns: f32[8] = add(x, k)\nt: f32[8] = exp(s)\ny: f32[8] = neg(t)\noutput y"
    )
    assert {plan.storage.buffer_of[n] for n in "stky"}.isdisjoint({plan.storage.buffer_of["x"]})


def test_a_smaller_operand_is_not_written_over() -> None:
    _plan("""
        input x: f32[4]
        a: f32[4] = neg(x)
        c: f32[4,1] = reshape(a) shape=[4,1]
        m: f32[4,4] = mul(a, c)
        y: f32[4,4] = exp(m)
        output y""")


@pytest.mark.parametrize("io", ["caller", "arena"])
def test_an_input_that_is_reshaped_to_an_output_is_copied(io: str) -> None:
    plan = _plan(
        "input x: f32[8]\ny: f32[2,4] = reshape(x) shape=[2,4]\nz: f32[8] = neg(x)\noutput y\noutput z",
        io,
    )
    assert plan.storage.copies == {"y"}


def test_two_outputs_of_one_value_are_copied_once() -> None:
    plan = _plan(
        "input x: f32[8]\na: f32[8] = neg(x)\ny: f32[8] = identity(a)\nz: f32[2,4] = reshape(a) shape=[2,4]\noutput y\noutput z"
    )
    assert len(plan.storage.copies) == 1


def test_an_output_that_is_read_inside_is_not_written_over() -> None:
    plan = _plan("""
        input x: f32[8]
        y: f32[8] = neg(x)
        a: f32[8] = exp(y)
        z: f32[8] = sigmoid(a)
        output y
        output z""")
    assert plan.storage.buffer_of["a"] != plan.storage.buffer_of["y"]


def test_inputs_and_outputs_in_the_arena_outlive_what_comes_between() -> None:
    plan = _plan(
        """
        input x: f32[8]
        input late: f32[8]
        a: f32[8] = neg(x)
        early: f32[8] = exp(a)
        b: f32[8] = sigmoid(a)
        y: f32[8] = add(b, late)
        output early
        output y""",
        io="arena",
    )
    blocks = {b.name: b for b in plan.blocks}
    assert blocks["late"].first == 0
    assert blocks["early"].last == len(plan.steps)


def test_the_checker_sees_a_value_that_is_lost() -> None:
    """The judge is judged: two buffers moved onto each other are found."""
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        b: f32[8] = exp(x)
        y: f32[8] = add(a, b)
        output y""")
    broken = dict.fromkeys(plan.placement.offsets, 0)
    with pytest.raises(AssertionError, match="y reads"):
        placement = replace(plan.placement, offsets=broken)
        execute(replace(plan, arena=replace(plan.arena, placement=placement)))


def test_the_checker_sees_an_operand_that_is_written_too_early() -> None:
    """The judge is judged: a result 8 bytes before its operand is right for that lead, not for 12."""
    plan = _plan(
        "input x: f32[8]\na: f32[8] = neg(x)\nb: f32[8] = exp(a)\ny: f32[8] = neg(b)\noutput y"
    )
    placement = replace(plan.placement, offsets={"a": 8, "b": 0}, bytes=40)
    arena = replace(plan.arena, placement=placement)
    for lead, fits in ((8, True), (12, False)):
        ruled = replace(plan.chosen["b"], overlaps=(Overlap(0, lead),))
        moved = replace(plan, arena=arena, chosen={**plan.chosen, "b": ruled})
        if fits:
            execute(moved)
        else:
            with pytest.raises(AssertionError, match="b reads"):
                execute(moved)


def _steps(plan: Plan) -> list[str]:
    return [node.name for node in plan.steps]


def test_operands_of_a_concat_are_written_into_its_result() -> None:
    plan = _plan("""
        input x: f32[2,4]
        a: f32[2,4] = neg(x)
        b: f32[2,4] = exp(a)
        c: f32[4,4] = concat(a, b) axis=0
        y: f32[4,4] = neg(c)
        output y""")
    assert _steps(plan) == ["a", "b", "y"]
    assert [plan.view(n).offset - plan.view("c").offset for n in "ab"] == [0, 32]
    assert plan.arena_bytes == 64


def test_leading_axes_of_size_1_do_not_count() -> None:
    lines = "input x: f32[1,1,3]\na: f32[1,1,3] = neg(x)\nb: f32[1,1,3] = exp(x)\ny: f32[1,{h},{w}] = concat(a, b) axis={axis}\noutput y"
    assert _steps(_plan(lines.format(h=2, w=3, axis=1))) == ["a", "b"]
    assert _steps(_plan(lines.format(h=1, w=6, axis=2))) == ["a", "b"]
    two = lines.replace("1,1,3", "1,2,3")
    assert _steps(_plan(two.format(h=2, w=6, axis=2))) == ["a", "b", "y"]


@pytest.mark.parametrize("io", ["caller", "arena"])
def test_parts_of_an_output_are_written_where_the_caller_wants_them(io: str) -> None:
    plan = _plan(
        "input x: f32[4]\na: f32[4] = neg(x)\nb: f32[4] = exp(x)\ny: f32[8] = concat(a, b) axis=0\noutput y",
        io,
    )
    assert _steps(plan) == ["a", "b"]
    assert plan.view("b").offset - plan.view("y").offset == 16
    assert plan.arena_bytes == (0 if io == "caller" else 48)


@pytest.mark.parametrize("io", ["caller", "arena"])
@pytest.mark.parametrize(
    ("parts", "size"), [("a, a", 8), ("a, x", 8), ("x", 4), ("a, k", 8), ("x, a", 8)]
)
def test_a_concat_of_what_can_not_move_is_a_copy(parts: str, size: int, io: str) -> None:
    """An operand that comes twice, an input, a constant."""
    plan = _plan(
        f"input x: f32[4]\nconstant k: f32[4] = seed 1\na: f32[4] = neg(x)\n"
        f"y: f32[{size}] = concat({parts}) axis=0\nz: f32[{size}] = exp(y)\ns: f32[4] = sub(a, k)\noutput z\noutput s",
        io,
    )
    assert ("y" in _steps(plan)) == (parts != "x")


def test_of_two_concats_of_one_tensor_the_second_is_a_copy() -> None:
    plan = _plan("""
        input x: f32[4]
        a: f32[4] = neg(x)
        b: f32[4] = exp(x)
        c: f32[8] = concat(a, b) axis=0
        d: f32[8] = concat(b, a) axis=0
        y: f32[8] = add(c, d)
        output y""")
    assert _steps(plan) == ["a", "b", "d", "y"]


def test_a_slice_of_an_input_is_read_in_place() -> None:
    plan = _plan("""
        input x: f32[1,4,3]
        s: f32[1,2,3] = slice(x) starts=[0,1,0] steps=[1,1,1] shape=[1,2,3]
        y: f32[1,2,3] = neg(s)
        output y""")
    assert _steps(plan) == ["y"]
    assert (plan.view("s").buffer, plan.view("s").offset) == ("x", 12)


@pytest.mark.parametrize(
    ("starts", "steps", "shape"),
    [("0,1", "1,1", "2,2"), ("1,0", "-1,1", "2,4"), ("0,3", "1,-1", "2,4"), ("1,0", "2,1", "2,4")],
)
def test_a_slice_of_what_is_not_one_run_is_a_copy(starts: str, steps: str, shape: str) -> None:
    plan = _plan(f"""
        input x: f32[4,4]
        a: f32[4,4] = neg(x)
        s: f32[{shape}] = slice(a) starts=[{starts}] steps=[{steps}] shape=[{shape}]
        y: f32[{shape}] = exp(s)
        output y""")
    assert "s" in _steps(plan)


def test_halves_that_are_swapped_are_copied() -> None:
    """Both may not lie where the other one was; one may stay."""
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        s: f32[4] = slice(a) starts=[0] steps=[1] shape=[4]
        t: f32[4] = slice(a) starts=[4] steps=[1] shape=[4]
        c: f32[8] = concat(t, s) axis=0
        y: f32[8] = exp(c)
        output y""")
    assert _steps(plan) == ["a", "s", "y"]
    assert plan.view("c").offset == plan.view("t").offset == plan.view("a").offset + 16


def test_halves_put_together_again_are_the_whole() -> None:
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        s: f32[4] = slice(a) starts=[0] steps=[1] shape=[4]
        t: f32[4] = slice(a) starts=[4] steps=[1] shape=[4]
        c: f32[8] = concat(s, t) axis=0
        y: f32[8] = exp(c)
        output y""")
    assert _steps(plan) == ["a", "y"]


def test_a_part_that_is_an_output_does_not_take_the_rest_along() -> None:
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        s: f32[4] = slice(a) starts=[0] steps=[1] shape=[4]
        y: f32[8] = exp(a)
        output s
        output y""")
    assert plan.storage.external.get(plan.storage.buffer_of["a"]) != "s"
    assert "s" in _steps(plan)


def test_a_result_lies_over_the_part_of_its_operand_that_it_may() -> None:
    """neg may write its result over its operand, the second half of a buffer, but only just there."""
    plan = _plan("""
        input x: f32[8]
        a: f32[8] = neg(x)
        t: f32[4] = slice(a) starts=[4] steps=[1] shape=[4]
        b: f32[4] = neg(t)
        c: f32[4] = exp(b)
        y: f32[4] = neg(c)
        output y""")
    assert _steps(plan) == ["a", "b", "c", "y"]
    assert plan.arena_bytes == 32
    assert plan.view("b").offset <= plan.view("t").offset
