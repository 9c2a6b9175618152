"""Random graphs as C: no warning, no undefined behaviour, and the numbers of the reference."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinycc_ml.backend.choose import Plan, choose
from tinycc_ml.backend.emit import emit, write_files
from tinycc_ml.backend.spell import spell
from tinycc_ml.backend.target import load_target
from tinycc_ml.backend.vectors import make_vectors, seeded_samples
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.calibrate import calibrate
from tinycc_ml.quant.quantize import quantize
from tinycc_ml.quant.ranges import Ranges

from ..random_graphs import graphs
from ..texts import graph, random_inputs

FLAGS = (
    "-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
    "-ffp-contract=off", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
    "-DTML_SELFTEST_MAIN",
)  # fmt: skip


def _quantised(made: Graph) -> Graph:
    runs = [random_inputs(made, seed) for seed in range(3)]
    observed, _ = calibrate(made, {n: np.stack([r[n] for r in runs]) for n in made.inputs})
    return run_passes(quantize(made, observed, Ranges("min-max")), integer_passes())


def _files(plan: Plan) -> dict[str, str]:
    program = spell(plan)
    return emit(program, make_vectors(plan.graph, program, seeded_samples(plan.graph)))


def self_test(plan: Plan, scratch: Path) -> None:
    """Build the C of a plan with every check that gcc has, and run it."""
    folder, program = scratch / "out", scratch / "selftest"
    write_files(_files(plan), folder)
    sources = [str(p) for p in folder.glob("*.c")]
    command = ["gcc", *FLAGS, f"-I{folder}", *sources, "-o", str(program), "-lm"]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert " 0 wrong values" in done.stdout, done.stdout + done.stderr


def _plan(made: Graph, io: str) -> Plan:
    return choose(made, load_target("host"), io=io)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@given(graphs(), st.booleans(), st.sampled_from(["caller", "arena"]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_c_of_any_graph_passes_its_self_test(made: Graph, integer: bool, io: str) -> None:
    made = run_passes(made, FLOAT)
    with TemporaryDirectory() as scratch:
        self_test(_plan(_quantised(made) if integer else made, io), Path(scratch))


def test_a_parameter_that_no_step_reads_is_said_to_be_unused() -> None:
    made = graph("input x: f32[2]\ninput z: f32[2]\ny: f32[2] = neg(x)\noutput y")
    text = _files(_plan(made, "caller"))["net.c"]
    assert "    (void)z;\n" in text and "(void)x;" not in text
    assert "(void)z" not in _files(_plan(made, "arena"))["net.c"]
