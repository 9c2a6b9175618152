"""What was removed, in report.json and in words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tinycc_ml.compiler import Compiled, Options, compile
from tinycc_ml.frontends.onnx import load
from tinycc_ml.passes.remove_dead_work import DeadWork, Removed, Work
from tinycc_ml.report.removed import removed_lines, removed_rows

from ..models import residual

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


def _pruned(**more: Any) -> Compiled:
    return compile(load(residual()), "cortex-m4", options=Options(prune=0.5, **more))


def test_a_pruned_net_is_told_beside_that_with_all_its_weights() -> None:
    whole, small = compile(load(residual()), "cortex-m4"), _pruned(prune_pattern="channels")
    row, *tensors = removed_rows(small)
    assert row["kind"] == "pruned net"
    for name in ("constants", "cycles"):
        was, now = row[name]
        choices = [round(getattr(made.plan.choice, name)) for made in (whole, small)]
        assert [was, now] == choices and was > now
    assert row["constants"] == [whole.program.weights_bytes, small.program.weights_bytes]
    assert any(tensor["channels"] for tensor in tensors)
    total, *each = removed_lines([row, *tensors], each_tensor=True)
    assert f"constants {row['constants'][0]:,} -> {row['constants'][1]:,} bytes" in total
    assert "weights pruned or zero; without channels" in each[0]
    assert removed_lines([row, *tensors], each_tensor=False) == [total]


def test_what_does_not_fit_with_all_its_weights_is_not_told_a_size() -> None:
    small = _pruned(prune_pattern="channels").plan.choice
    made = _pruned(prune_pattern="channels", flash=small.flash)
    row = removed_rows(made)[0]
    assert row["constants"] == [None, made.plan.choice.constants]
    assert "constants does not fit -> " in removed_lines([row], each_tensor=False)[0]


@pytest.mark.parametrize("name", ["0", "channels"])
def test_a_net_that_is_not_pruned_is_compared_with_nothing(name: str) -> None:
    pattern = {} if name == "0" else {"prune_pattern": name}
    assert compile(load(residual()), options=Options(**pattern)).unpruned is None
