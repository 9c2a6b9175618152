"""The search over whole choices: what each goal takes, what limits do, and which node an error names."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from tinycc_ml.backend.candidates import Candidate, Options
from tinycc_ml.backend.limits import check_limits
from tinycc_ml.backend.search import Choice, Limits, Search
from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import TargetError
from tinycc_ml.ops.base import Overlap

from ..texts import graph

NET = graph("""\
input "x": f32[1,4,4,8]
"a": f32[1,4,4,8] = abs("x")
"b": f32[1,4,4,8] = abs("a")
output "b"
""")
BYTES = 4 * 4 * 8 * 4


def search(*scratch_and_cycles: tuple[int, float], flash: tuple[int, ...] = ()) -> Search:
    """Both nodes have the same candidates."""
    options = {}
    for node in NET.nodes:
        made = [
            Candidate(node.name, None, scratch, (), cycles, index=k)
            for k, (scratch, cycles) in enumerate(scratch_and_cycles)
        ]
        made = [replace(c, flash_bytes=flash[k]) for k, c in enumerate(made)] if flash else made
        options[node.name] = Options(tuple(made), ())
    return Search(NET, NET.nodes, options, "caller")


def taken(choice: Choice) -> list[int]:
    return [choice.chosen[n.name].index for n in NET.nodes]


@pytest.mark.parametrize(
    ("optimize", "wanted"), [("speed", [0, 0]), ("balanced", [1, 1]), ("size", [2, 2])]
)
def test_a_goal_gives_some_speed_for_memory(optimize: str, wanted: list[int]) -> None:
    found = search((400, 1000.0), (200, 1040.0), (0, 1400.0))
    assert taken(found.best(optimize, Limits())) == wanted


def test_a_limit_of_memory_costs_what_it_must() -> None:
    offers = (400, 1000.0), (200, 1500.0), (0, 9000.0)
    choice = search(*offers).best("speed", Limits(ram=BYTES + 200))
    assert taken(choice) == [1, 1] and choice.ram == BYTES + 200
    assert taken(search(*offers).best("speed", Limits(ram=BYTES))) == [2, 2]


def test_constants_are_given_up_where_a_byte_saves_least() -> None:
    offers = search((0, 1000.0), (0, 1100.0), flash=(5000, 1000))
    choice = offers.best("speed", Limits(flash=6000))
    assert choice.flash <= 6000
    assert taken(search((0, 1000.0), (0, 1100.0), flash=(5000, 1000)).best("speed", Limits())) == [0, 0]  # fmt: skip


def test_only_the_nodes_at_the_peak_give_way() -> None:
    """b's scratch alone makes the peak; a keeps its fast candidate."""
    found = search((300, 1000.0), (0, 1010.0))
    first = NET.nodes[0].name
    found.options = {**found.options, first: Options((found.options[first].candidates[0],), ())}
    choice = found.best("speed", Limits())
    assert taken(choice)[0] == 0


def test_a_result_over_its_input_needs_no_bytes_of_its_own() -> None:
    found = search((0, 1.0))
    node = NET.nodes[1].name
    over = replace(found.options[node].candidates[0], overlaps=(Overlap(0, 64),))
    assert found.memory(over) == 64
    assert found.memory(replace(over, overlaps=())) == BYTES
    first = NET.nodes[0].name
    given = replace(over, node=first)
    assert found.memory(given) == BYTES, "x is the caller's"


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(ram=100), "the arena takes 512 bytes, 412 more than --ram (100); at the peak, in"),
        (Limits(flash=10), "constants take about 100 bytes, 90 more than --flash (10)"),
        (Limits(cycles=3), "takes about 20 cycles, --cycles allows 3; most of it: 'b' (10 cycles)"),
    ],
)
def test_a_limit_that_can_not_be_met_is_named(limits: Limits, words: str) -> None:
    choice = search((0, 10.0), flash=(50,)).best("speed", limits)
    with pytest.raises(TargetError) as error:
        check_limits(load_target("cortex-m4"), choice, limits)
    assert words in str(error.value)


def test_no_limit_is_no_error() -> None:
    check_limits(load_target("cortex-m4"), search((0, 10.0)).best("size", Limits()), Limits(inf))
