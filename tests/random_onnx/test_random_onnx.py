"""Random ONNX graphs through compiled C. A seed that fails: python benchmarks/random_onnx.py --first SEED --count 1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import onnx
import pytest

from benchmarks.pool import outcomes_of

from .graphs import ENTRIES, random_model
from .outcomes import Outcome, died, outcome_of

CHUNK = 20
GRAPHS = 200
INT8_GRAPHS = 100
TIMEOUT_S = 120.0


@pytest.mark.parametrize("first", range(0, GRAPHS, CHUNK))
def test_random_graphs_give_what_onnx_runtime_gives_or_are_refused(first: int) -> None:
    _check(list(outcomes_of(outcome_of, died, range(first, first + CHUNK), 1, TIMEOUT_S)))


def _check(found: Sequence[Outcome]) -> None:
    bad = [
        f"seed {o.seed}: {o.status}: {o.reason}"
        for o in found
        if o.status not in ("right", "refused")
    ]
    assert not bad, "\n".join(bad)
    assert sum(o.status == "right" for o in found) >= 0.8 * CHUNK


def test_a_seed_writes_the_same_valid_graph_every_time() -> None:
    for seed in range(24):
        first, second = random_model(seed), random_model(seed)
        assert first.model.SerializeToString() == second.model.SerializeToString()
        onnx.checker.check_model(first.model, full_check=True)


def test_every_entry_of_the_table_is_drawn() -> None:
    drawn = {op for seed in range(1000) for op in random_model(seed).ops}
    assert {entry.op for entry in ENTRIES} <= drawn
    assert len(drawn) >= 70


@pytest.mark.parametrize("first", range(0, INT8_GRAPHS, CHUNK))
def test_random_graphs_as_int8_are_what_the_integer_reference_says(first: int) -> None:
    work = partial(outcome_of, int8=True)
    _check(list(outcomes_of(work, died, range(first, first + CHUNK), 1, TIMEOUT_S)))
