"""place: buffers that live at once never share a byte, and the arena is as small as the bound where it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinycc_ml.backend.place import Block, lower_bound, overlaps, place


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
