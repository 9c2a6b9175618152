"""What was removed, in report.json and in words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tinycc_ml.passes.remove_dead_work import DeadWork, Removed, Work
from tinycc_ml.report.removed import removed_lines, removed_rows

DEAD = DeadWork(
    (
        Removed("n0", "a", 1, "constant", 127, 300, 900),
        Removed("n0", "a", 4, "constant", -128, -900, -300),
        Removed("n0", "a", 5, "never read"),
    ),
    Work(40000, 2000),
    Work(30000, 1500),
)


def _rows(dead_work: DeadWork | None) -> list[Any]:
    compiled: Any = SimpleNamespace(pruned=(), dead_work=dead_work)
    return removed_rows(compiled)


def test_each_channel_has_its_proof() -> None:
    total, constant, never_read = _rows(DEAD)
    assert total == {
        "kind": "dead work",
        "channels": 3,
        "macs": [40000, 30000],
        "weights": [2000, 1500],
    }
    assert constant == {
        "kind": "constant", "node": "n0", "tensor": "a", "channels": [1, 4], "values": [127, -128],
        "low": [300, -900], "high": [900, -300],
    }  # fmt: skip
    assert never_read == {"kind": "never read", "node": "n0", "tensor": "a", "channels": [5]}


def test_the_summary_is_one_line_and_the_report_has_one_for_each_tensor() -> None:
    total = "3 channels that change no output: MACs 40,000 -> 30,000, weights 2,000 -> 1,500"
    assert removed_lines(_rows(DEAD), each_tensor=False) == [total]
    each = ["a: 2 channels constant", "a: 1 channels never read"]
    assert removed_lines(_rows(DEAD), each_tensor=True) == [total, *each]


def test_nothing_removed_is_no_row() -> None:
    assert _rows(None) == []
    assert _rows(DeadWork((), DEAD.before, DEAD.before)) == []
