"""Methods: names are checked, what is left open is tried, what is said is done."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.cli import compile_options as options
from tinycc_ml.errors import DataError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.frontends.spec.recipe import CALLS
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.choose import Accuracy, quantize_with_best
from tinycc_ml.quant.methods import RANGE_METHODS, ROUNDINGS, Methods

from ..models import NETS
from ..texts import random_inputs


def _found(methods: Methods | None = None, count: int = 12) -> Accuracy:
    made = run_passes(load(NETS["residual"]()), FLOAT)
    samples = _samples(made, count)
    return quantize_with_best(made, samples, integer_passes(), fixed={}, methods=methods).accuracy


def _samples(made: Graph, count: int) -> dict[str, np.ndarray]:
    runs = [random_inputs(made, seed) for seed in range(count)]
    return {n: np.stack([r[n] for r in runs]) for n in made.inputs}


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(DataError, match=r"no ranges 'widest'.*there are auto, min-max"):
        Methods(ranges="widest")
    with pytest.raises(DataError, match="no rounding 'up'"):
        Methods(rounding="up")


def test_command_line_recipe_and_quantiser_know_the_same_names() -> None:
    choices = CALLS["quantizer"].choices
    assert RANGE_METHODS == options.RANGE_METHODS == choices["ranges"]
    assert ROUNDINGS == options.ROUNDINGS == choices["rounding"]


def test_what_is_said_is_done_and_nothing_is_tried() -> None:
    found = _found(Methods("least-error", "second-order", bias_correction=True, equalize=False))
    assert (found.ranges, found.rounding, found.bias_correction) == (
        "least error",
        "second-order",
        True,
    )
    assert found.trials == () and not found.equalized


def test_what_is_open_is_tried_and_the_best_is_kept() -> None:
    found = _found()
    steps = {trial.step for trial in found.trials}
    assert {"ranges", "constants"} <= steps
    for step in steps:
        tried = [t for t in found.trials if t.step == step]
        (kept,) = [t for t in tried if t.kept]
        assert not kept.behind
        assert kept.sqnr_db >= max(t.sqnr_db for t in tried if not t.behind) - 0.1
    constants = next(t for t in found.trials if t.step == "constants" and t.kept)
    assert constants.what.startswith(found.rounding)
    assert ("bias correction" in constants.what) == found.bias_correction


def test_one_sample_is_enough() -> None:
    found = _found(count=1)
    assert found.samples == 1 and found.sqnr_db["y"] > 20


def test_progress_goes_up_to_all() -> None:
    made = run_passes(load(NETS["residual"]()), FLOAT)
    told: list[tuple[int, int]] = []
    quantize_with_best(
        made,
        _samples(made, 4),
        integer_passes(),
        fixed={},
        progress=lambda done, count: told.append((done, count)),
    )
    assert told == sorted(told) and len({count for _, count in told}) == 1
    assert told[-1][0] == told[-1][1]
