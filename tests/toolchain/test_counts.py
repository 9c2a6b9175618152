"""The record format of the counters, and the profile by function."""

from __future__ import annotations

from tinycc_ml.toolchain.counts import Profile, parse_counts, profile
from tinycc_ml.toolchain.sections import Symbol

TEXT = """\
U ffff0000 2
B 100 108 3 5 15 25
B 200 204 2 1 2 2
C ALU 12
C LDR 5
T 17 27 4 1 0
S 12 2000
"""


def test_records_are_read() -> None:
    counts = parse_counts(TEXT)
    assert (counts.instructions, counts.cycles, counts.entries) == (17, 27, 1)
    assert counts.returned
    assert counts.mix == (("ALU", 12), ("LDR", 5))
    assert counts.undecoded == (("ffff0000", 2),)
    assert (counts.stack_bytes, counts.lowest_stack_address) == (12, 2000)


def test_a_call_that_did_not_return_is_seen() -> None:
    counts = parse_counts("T 1 2 0 1 1\n")
    assert not counts.returned
    assert counts.stack_bytes is None


def test_blocks_are_summed_up_by_function() -> None:
    symbols = (
        Symbol("first", 0xF0, 0x20, "t"),
        Symbol("data", 0x180, 4, "d"),
        Symbol("second", 0x200, 8, "T"),
    )
    assert profile(parse_counts(TEXT).blocks, symbols) == (
        Profile("first", 25, 15),
        Profile("second", 2, 2),
    )
