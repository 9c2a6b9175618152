"""plan_arena on random graphs: nothing lies over what is still needed, and small plans are the best there are.

What lives when and what a step allows is worked out here from the graph and the order alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from tinycc_ml.backend import arena as arena_module
from tinycc_ml.backend.arena import Arena, executed_nodes, plan_arena, scratch_name
from tinycc_ml.backend.candidates import Candidate
from tinycc_ml.ops.base import Overlap

from ..benchmarks import conftest  # noqa: F401  the path of benchmarks/
from ..texts import graph

from random_arenas import Case, random_case  # isort: skip

SEEDS = range(500)
Range = tuple[int, int]


def case_of(seed: int) -> Case:
    """Every third one is small enough to try all placements."""
    small = seed % 3 == 0
    return random_case(seed, steps=2 + seed % (3 if small else 24), largest=16 if small else 400)


def names_of(case: Case) -> Mapping[str, str]:
    """Tensor to the tensor that its bytes are copied from by no one."""
    first: dict[str, str] = {}
    _, copies = executed_nodes(case.graph)
    for node in case.graph.nodes:
        if node.op == "reshape" and node.name not in copies:
            first[node.outputs[0]] = first.get(node.inputs[0], node.inputs[0])
    return first


def lives(case: Case, order: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Bytes, first and last step of what needs room: values, and scratch under its own name."""
    first_of, nodes = names_of(case), {n.name: n for n in case.nodes}
    outside = {*case.graph.inputs, *case.graph.outputs} if case.io == "caller" else set()
    caller = {first_of.get(name, name) for name in outside}
    found: dict[str, list[int]] = {}
    for name in () if case.io == "caller" else case.graph.inputs:
        found[name] = [0, 0]
    for step, name in enumerate(order):
        for tensor in (*nodes[name].outputs, *nodes[name].inputs):
            value = first_of.get(tensor, tensor)
            if value not in caller:
                found.setdefault(value, [step, step])[1] = step
        if name in case.chosen and case.chosen[name].scratch_bytes:
            found[scratch_name(name)] = [step, step]
    for name in () if case.io == "caller" else case.graph.outputs:
        found[first_of.get(name, name)][1] = len(order)
    scratch = {scratch_name(n): c.scratch_bytes for n, c in case.chosen.items()}
    sizes = {v: scratch[v] if v in scratch else case.graph.type(v).bytes for v in found}
    return {value: (sizes[value], *steps) for value, steps in found.items()}


def may_lie(case: Case, order: Sequence[str], step: int, y: str, x: str, ahead: int) -> bool:
    """Whether the node of a step lets its result y start `ahead` bytes before its operand x."""
    if step >= len(order) or order[step] not in case.chosen:
        return False
    first_of, node = names_of(case), next(n for n in case.nodes if n.name == order[step])
    if first_of.get(node.outputs[0], node.outputs[0]) != y:
        return False
    operands = [k for k, name in enumerate(node.inputs) if first_of.get(name, name) == x]
    rules = {rule.input: rule for rule in case.chosen[node.name].overlaps}
    return bool(operands) and all(k in rules and _keeps(rules[k], ahead) for k in operands)


def _keeps(rule: Overlap, ahead: int) -> bool:
    return ahead == rule.lead if rule.exact else ahead >= rule.lead


def compatible(
    case: Case, order: Sequence[str], found: Mapping[str, tuple[int, int, int]],
    a: str, at_a: int, b: str, at_b: int,
) -> bool:  # fmt: skip
    (size_a, first_a, last_a), (size_b, first_b, last_b) = found[a], found[b]
    if last_a < first_b or last_b < first_a or at_a + size_a <= at_b or at_b + size_b <= at_a:
        return True
    if first_b == last_a and may_lie(case, order, last_a, b, a, at_a - at_b):
        return True
    return first_a == last_b and may_lie(case, order, last_b, a, b, at_b - at_a)


def places(case: Case, made: Arena) -> dict[str, int]:
    """Offsets by value or scratch."""
    first_of = names_of(case)
    buffers = {first_of.get(t, t): b for t, b in made.storage.buffer_of.items()}
    found = lives(case, [n.name for n in made.order])
    return {v: made.placement.offsets[buffers.get(v, v)] for v in found}


def smaller_one_exists(case: Case, made: Arena) -> bool:
    """Tries every offset of every value."""
    order = [n.name for n in made.order]
    found = lives(case, order)
    names = sorted(found, key=lambda v: -found[v][0])

    def extend(offsets: dict[str, int]) -> Iterator[bool]:
        if len(offsets) == len(names):
            yield True
            return
        name = names[len(offsets)]
        for at in range(0, made.placement.bytes - found[name][0], 4):
            others = offsets.items()
            if all(compatible(case, order, found, name, at, v, o) for v, o in others):
                yield from extend({**offsets, name: at})

    return next(extend({}), False)


@pytest.mark.parametrize("part", range(10))
def test_plans_of_random_graphs_hold(part: int) -> None:
    for seed in SEEDS[part::10]:
        case = case_of(seed)
        made = plan_arena(case.graph, case.nodes, case.chosen, case.io)
        order, offsets = [n.name for n in made.order], places(case, made)
        found = lives(case, order)
        assert sorted(order) == sorted(n.name for n in case.nodes)
        assert set(offsets) == set(found) and len(made.blocks) == len(found)
        for k, a in enumerate(found):
            assert 0 <= offsets[a] <= made.placement.bytes - found[a][0]
            assert offsets[a] % 4 == 0
            for b in list(found)[:k]:
                assert compatible(case, order, found, a, offsets[a], b, offsets[b]), (seed, a, b)
        assert made.placement.lower_bound <= made.placement.bytes


def test_small_plans_are_the_best_there_are() -> None:
    tried = 0
    for seed in SEEDS[::3]:
        case = case_of(seed)
        made = plan_arena(case.graph, case.nodes, case.chosen, case.io)
        assert made.placement.proof != "heuristic"
        if 0 < len(made.blocks) <= 6:
            tried += 1
            assert not smaller_one_exists(case, made), seed
    assert tried > 100


def test_the_order_given_is_never_beaten(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case_of(seed) for seed in SEEDS[1::5]]
    made = [plan_arena(c.graph, c.nodes, c.chosen, c.io) for c in cases]
    as_given = lambda tasks, *_: tuple(t.name for t in tasks)  # noqa: E731
    monkeypatch.setattr(arena_module, "schedule", as_given)
    kept = [plan_arena(c.graph, c.nodes, c.chosen, c.io) for c in cases]
    assert all(a.placement.bytes <= b.placement.bytes for a, b in zip(made, kept, strict=True))
    assert any(a.placement.bytes < b.placement.bytes for a, b in zip(made, kept, strict=True))


def _chain(rules: Sequence[Overlap], lines: str, io: str = "caller") -> Arena:
    made = graph(lines)
    nodes, _ = executed_nodes(made)
    ruled = {n.name: tuple(r for r in rules if r.input < len(n.inputs)) for n in nodes}
    chosen = {name: Candidate(name, None, 0, found, 0.0) for name, found in ruled.items()}
    return plan_arena(made, nodes, chosen, io)


WIDEN = """
    input x: f32[2]
    a: f32[2] = neg(x)
    b: f32[4] = concat(a, a) axis=0
    y: f32[4] = neg(b)
    output y"""


def test_a_larger_result_lies_over_its_operand() -> None:
    made = _chain([Overlap(0, 8), Overlap(1, 8)], WIDEN)
    assert made.placement.bytes == made.placement.lower_bound == 16
    assert made.placement.offsets["a"] - made.placement.offsets["b"] >= 8


def test_an_operand_that_is_read_twice_needs_both_rules() -> None:
    assert _chain([Overlap(0, 8)], WIDEN).placement.bytes == 24
    assert _chain([Overlap(0, 8), Overlap(1, 0, exact=True)], WIDEN).placement.bytes == 24
    assert _chain([Overlap(0, 8), Overlap(1, 8, exact=True)], WIDEN).placement.bytes == 16


def test_an_exact_lead_that_is_no_multiple_of_the_alignment_is_of_no_use() -> None:
    rules = [Overlap(0, 6, exact=True), Overlap(1, 6, exact=True)]
    assert _chain(rules, WIDEN).placement.bytes == 24


@pytest.mark.parametrize(("io", "size"), [("caller", 0), ("arena", 32)])
def test_inputs_and_outputs_in_the_arena_lie_over_each_other(io: str, size: int) -> None:
    lines = "input x: f32[8]\ny: f32[8] = neg(x)\noutput y"
    assert _chain([Overlap()], lines, io).placement.bytes == size


def test_an_input_that_is_read_later_is_kept() -> None:
    lines = "input x: f32[8]\na: f32[8] = neg(x)\ny: f32[8] = add(a, x)\noutput y"
    made = _chain([Overlap()], lines, "arena")
    assert abs(made.placement.offsets["a"] - made.placement.offsets["x"]) >= 32
