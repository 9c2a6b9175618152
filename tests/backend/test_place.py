"""place: buffers that live at once never share a byte, and the arena is as small as the bound where it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinycc_ml.backend.blocks import Allowance, joint_bytes
from tinycc_ml.backend.place import Block, lower_bound, overlaps, place
from tinycc_ml.backend.place_windows import in_windows


def clashes(blocks: Sequence[Block], offsets: Mapping[str, int], size: int) -> list[str]:
    """Simulates memory: at its first step a buffer writes its name into all of its bytes, at every later
    step of its life it must still read it there."""
    memory = np.full(size, -1)
    found = []
    for step in range(max((b.last for b in blocks), default=-1) + 1):
        for tag, block in enumerate(blocks):
            if block.first == step:
                memory[offsets[block.name] : offsets[block.name] + block.bytes] = tag
        for tag, block in enumerate(blocks):
            own = memory[offsets[block.name] : offsets[block.name] + block.bytes]
            if block.first <= step <= block.last and (
                len(own) != block.bytes or np.any(own != tag)
            ):
                found.append(block.name)
    return found


blocks = st.lists(
    st.tuples(
        st.integers(1, 60), st.integers(0, 9), st.integers(0, 6), st.sampled_from([1, 2, 4, 8])
    ),
    max_size=12,
).map(
    lambda found: [
        Block(f"b{k}", n, first, first + more, align)
        for k, (n, first, more, align) in enumerate(found)
    ]
)


@given(blocks)
@settings(max_examples=120, deadline=None)
def test_no_byte_is_shared_by_two_that_live(found: list[Block]) -> None:
    made = place(found)
    assert clashes(found, made.offsets, made.bytes) == []
    assert overlaps(found, made.offsets) == []
    assert all(made.offsets[b.name] % b.align == 0 for b in found)
    assert made.bytes == max((made.offsets[b.name] + b.bytes for b in found), default=0)
    assert made.bytes >= made.lower_bound == lower_bound(found)


@given(st.lists(st.integers(1, 64).map(lambda n: 4 * n), min_size=1, max_size=24))
@example([20, 16, 12, 24, 20])
@settings(max_examples=150, deadline=None)
def test_chains_reach_the_lower_bound(sizes: list[int]) -> None:
    """Each buffer lives until the next one is written: two neighbours at most."""
    found = [Block(f"b{k}", n, k, k + 1) for k, n in enumerate(sizes)]
    made = place(found)
    assert (
        made.bytes
        == made.lower_bound
        == max(a + b for a, b in zip(sizes, [*sizes[1:], 0], strict=True))
    )
    assert clashes(found, made.offsets, made.bytes) == []


@given(
    st.lists(st.integers(1, 40).map(lambda n: 4 * n), min_size=2, max_size=8),
    st.integers(1, 100).map(lambda n: 4 * n),
)
@settings(max_examples=60, deadline=None)
def test_a_skip_connection_over_a_chain_reaches_the_lower_bound(
    sizes: list[int], skipped: int
) -> None:
    found = [Block(f"b{k}", n, k, k + 1) for k, n in enumerate(sizes)]
    found.append(Block("skip", skipped, 0, len(sizes)))
    made = place(found)
    assert made.bytes == made.lower_bound


@given(blocks)
@settings(max_examples=30, deadline=None)
def test_the_same_blocks_get_the_same_places(found: list[Block]) -> None:
    assert place(found) == place(found)


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (Block("a", 8, 0, 2), Block("b", 8, 2, 3), True),
        (Block("a", 8, 0, 1), Block("b", 8, 2, 3), False),
        (Block("a", 4, 0, 3), Block("b", 8, 1, 1), True),
    ],
)
def test_overlaps_tells_what_lives_at_once(first: Block, second: Block, shared: bool) -> None:
    assert bool(overlaps([first, second], {"a": 0, "b": 0})) == shared
    assert overlaps([first, second], {"a": 0, "b": first.bytes}) == []


def test_no_blocks_take_no_bytes() -> None:
    assert place([]).bytes == 0


def _pair(lead: int, exact: bool = False) -> tuple[list[Block], list[Allowance]]:
    """An operand of 16 bytes and a result of 24 that may lie over it."""
    return [Block("x", 16, 0, 1), Block("y", 24, 1, 2)], [Allowance("y", "x", lead, exact)]


@pytest.mark.parametrize(
    ("lead", "exact", "size"),
    [
        (0, False, 24),
        (8, False, 24),
        (12, False, 28),
        (13, False, 32),
        (24, False, 40),
        (100, False, 40),
        (-4, False, 24),
        (-100, False, 24),
        (0, True, 24),
        (12, True, 28),
        (13, True, 40),
        (-4, True, 28),
        (-100, True, 40),
    ],
)
def test_a_result_lies_over_its_operand_as_its_rule_says(lead: int, exact: bool, size: int) -> None:
    found, rules = _pair(lead, exact)
    made = place(found, rules)
    assert (made.bytes, made.lower_bound, made.proof) == (size, size, "bound")
    assert overlaps(found, made.offsets, rules) == []


@pytest.mark.parametrize(
    ("x", "y", "lead", "exact", "clash"),
    [
        (8, 0, 8, False, False),
        (8, 0, 9, False, True),
        (8, 0, 4, True, True),
        (8, 0, 8, True, False),
        (0, 4, -4, False, False),
        (0, 8, -4, False, True),
        (24, 0, 99, True, False),
    ],
)
def test_overlaps_knows_the_rules(x: int, y: int, lead: int, exact: bool, clash: bool) -> None:
    found, rules = _pair(lead, exact)
    assert bool(overlaps(found, {"x": x, "y": y}, rules)) == clash


def test_a_rule_does_not_hold_before_the_step_that_it_is_for() -> None:
    found = [Block("x", 16, 0, 2), Block("y", 24, 1, 2)]
    assert overlaps(found, {"x": 0, "y": 0}, [Allowance("y", "x")]) == [("x", "y")]


def test_a_result_over_two_operands_covers_no_less_than_both() -> None:
    assert joint_bytes(40, [(16, 0, False), (16, 0, False)]) == 40
    assert joint_bytes(24, [(16, 0, False), (16, 0, False)]) == 32
    assert joint_bytes(24, [(16, 4, False), (16, 8, False)]) == 36
    found = [Block("a", 16, 0, 1), Block("b", 16, 0, 1), Block("y", 24, 1, 2)]
    assert place(found, [Allowance("y", "a", 4), Allowance("y", "b", 8)]).bytes == 36


def test_what_first_fit_misses_is_found_and_proven() -> None:
    """From the literature's kind of instance: no order of first fit by size reaches the bound."""
    sizes = [(3, 0, 2), (5, 1, 3), (2, 3, 6), (4, 2, 5), (6, 4, 7), (3, 5, 8), (5, 6, 9), (2, 0, 9)]
    found = [Block(f"b{k}", 4 * n, first, last) for k, (n, first, last) in enumerate(sizes)]
    made = place(found)
    assert made.proof in ("bound", "optimal")
    assert overlaps(found, made.offsets) == []


# One period of a net in bands of rows: buffers by letter with bytes, first and last step, and which result may lie over which
# operand, of how many periods before, from which lead on
PERIOD, KEPT_ALL_ALONG = 16, 4608
BAND = {
    "a": (2304, 0, 3), "b": (1536, 2, 5), "c": (768, 3, 16), "d": (3840, 4, 7), "e": (768, 6, 9),
    "f": (768, 7, 20), "g": (3072, 8, 11), "h": (1536, 10, 13), "i": (1536, 11, 24), "j": (2304, 12, 15),
    "k": (768, 15, 28), "l": (381, 1, 1), "m": (768, 2, 2), "n": (2064, 5, 5), "o": (900, 6, 6),
    "p": (1568, 9, 9), "q": (896, 10, 10), "r": (2112, 13, 13), "s": (900, 14, 14),
}  # fmt: skip
OVER = [
    ("a", "c", 1, 768), ("c", "a", 0, -768), ("d", "f", 1, 768), ("f", "d", 0, -2304),
    ("g", "i", 1, 1536), ("i", "g", 0, 0), ("j", "k", 1, 768), ("k", "j", 0, -768),
]  # fmt: skip


def _in_bands(periods: int) -> tuple[list[Block], list[Allowance]]:
    starts = [(p, p * PERIOD) for p in range(periods)]
    found = [
        Block(f"{name}{p}", size, start + first, start + last)
        for p, start in starts
        for name, (size, first, last) in BAND.items()
    ]
    rules = [
        Allowance(f"{over}{p}", f"{under}{p - before}", lead)
        for p, _ in starts
        for over, under, before, lead in OVER
        if p >= before
    ]
    return [Block("long", KEPT_ALL_ALONG, 0, periods * PERIOD), *found], rules


@pytest.mark.parametrize("periods", [3, 8])
def test_many_steps_are_searched_window_by_window(periods: int) -> None:
    found, rules = _in_bands(periods)
    placed = place(found, rules)
    assert placed.proof == "bound"
    assert not overlaps(found, placed.offsets, rules)
    assert in_windows(found, rules, placed.bytes - 4) is None


def test_windows_are_for_graphs_of_more_steps_than_one_holds() -> None:
    assert in_windows([Block("a", 4, 0, 9), Block("b", 4, 3, 5)], [], 8) is None
