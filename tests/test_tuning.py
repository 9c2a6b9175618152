"""--tune: what is measured is what the profile says, and the choice follows the measurement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinycc_ml
from tinycc_ml.api import Result
from tinycc_ml.backend.choose import choose
from tinycc_ml.backend.target import load_target
from tinycc_ml.ops.base import PLAIN
from tinycc_ml.report import Source
from tinycc_ml.toolchain.profile import profile_dir
from tinycc_ml.tuning import measured_costs

from .models import model, node
from .small_nets import saved
from .toolchain.programs import require

CORE = "cortex-m4"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Two convolutions that several kernels take, chosen by measured cycles."""
    require(load_target(CORE))
    work = tmp_path_factory.mktemp("tune")
    rng = np.random.default_rng(5)
    weights = {
        "w0": rng.normal(0, 0.3, (8, 4, 3, 3)).astype(np.float32),
        "w1": rng.normal(0, 0.3, (8, 8, 3, 3)).astype(np.float32),
    }
    same = {"pads": [1, 1, 1, 1]}
    nodes = [node("Conv", "x w0", "a", **same), node("Conv", "a w1", "y", **same)]
    path = saved(model(nodes, {"x": [1, 4, 10, 10]}, ["y"], weights), work / "net.onnx")
    samples = {"x": rng.uniform(-1, 1, (4, 4, 10, 10)).astype(np.float32)}
    return tinycc_ml.compile(
        path, work / "out", target=CORE, calibrate=samples, optimize="speed", tune=True
    )


def test_the_costs_of_the_choice_are_those_of_the_profile(tuned: Result) -> None:
    assert tuned.out is not None
    profile = profile_dir(tuned.out, load_target(CORE))
    counted = {node.probe: node.cycles for node in profile.nodes}
    rows = [row for row in tuned.report["nodes"] if row["step"] is not None]
    assert len(rows) >= 2
    for row in rows:
        # a step beside others may be some cycles off: what a neighbour leaves in registers differs
        assert row["expected_cycles"] == pytest.approx(counted[row["probe"]], rel=0.05)


def test_every_candidate_is_measured_and_the_fastest_one_wins(tuned: Result) -> None:
    plan = tuned.compiled.plan
    costs = measured_costs(tuned.compiled, Source("net.onnx", "", None))
    given = [c for options in plan.options.values() for c in options.candidates]
    plain = {c.key for c in given if c.x_format == c.y_format == PLAIN}
    # planes can't leave the net, so that not every candidate can be part of a choice
    assert plain <= costs.keys() <= {c.key for c in given} and len(costs) > len(plan.chosen)
    # the other way round, the slowest is taken
    slow = {c.key: 1e9 - costs.get(c.key, 0.0) for c in given}
    other = choose(plan.graph, plan.target, io=plan.io, optimize="speed", costs=slow)
    assert other.chosen.keys() == plan.chosen.keys()
    assert any(other.chosen[n].key != c.key for n, c in plan.chosen.items())


def test_a_tuned_folder_is_verified_like_any_other(tuned: Result, tmp_path: Path) -> None:
    assert tuned.report["options"]["tune"] is True
    assert tuned.report["verified"] and tuned.report["unverified"] is None
