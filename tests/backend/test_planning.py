"""Bands of rows: who asks for them, what they save, and that plans and C with them are right."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tinycc_ml.backend.banding import in_order_of
from tinycc_ml.backend.choose import Plan, choose
from tinycc_ml.backend.limits import limits_of
from tinycc_ml.backend.planning import Layout, Task
from tinycc_ml.backend.search import Limits
from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import TargetError
from tinycc_ml.ir.graph import Graph

from ..image_chains import image_chains
from ..integer_nets import Net
from ..texts import assert_same_values
from .test_random_nets import self_test
from .test_storage import execute

HOST = load_target("host")
ROW = 32 * 8  # bytes of a row of the wide tensors


def net() -> Graph:
    """32 rows of 32 pixels of 2 channels, 8 channels in between, then 8 rows: the middle is the peak."""
    rng = np.random.default_rng(0)
    made = Net((1, 32, 32, 2))
    wide = made.conv(made.x, rng.integers(-127, 128, (8, 3, 3, 2)), [0] * 8, pads=(1, 1, 1, 1))
    same = made.depthwise(wide, rng.integers(-127, 128, (3, 3, 8)), [0] * 8, pads=(1, 1, 1, 1))
    pooled = made.pool("max_pool2d", same, (4, 4), strides=(4, 4))
    end = made.lut(pooled, rng.integers(-128, 128, 256).astype(np.int8))
    return made.graph(end)


NET = net()


def planned(optimize: str, ram: float = float("inf")) -> Plan:
    return choose(NET, HOST, optimize=optimize, limits=Limits(ram=ram))


@pytest.mark.parametrize("optimize", ["speed", "balanced"])
def test_nobody_who_does_not_ask_gets_bands(optimize: str) -> None:
    plan = planned(optimize)
    assert not plan.bands and plan.graph is NET
    assert plan.arena_bytes >= 32 * ROW


def test_size_takes_bands_where_they_save_much() -> None:
    plan = planned("size")
    (bands,) = plan.bands
    assert bands.arena_bytes[1] == plan.arena_bytes < 16 * ROW
    assert bands.arena_bytes[0] >= 32 * ROW
    assert_same_values(NET, plan.graph)
    execute(plan)


@pytest.mark.parametrize("optimize", ["speed", "balanced", "size"])
def test_a_limit_that_nothing_else_meets_makes_bands(optimize: str) -> None:
    plan = planned(optimize, 20 * ROW)
    assert plan.bands and plan.arena_bytes <= 20 * ROW
    execute(plan)


def test_of_bands_that_meet_a_limit_the_fastest_are_taken() -> None:
    loose, tight = planned("speed", 24 * ROW), planned("speed", 12 * ROW)
    cycles = [sum(c.cycles for c in plan.chosen.values()) for plan in (loose, tight)]
    assert cycles[0] < cycles[1]
    assert len(loose.steps) < len(tight.steps)


def test_a_limit_that_even_bands_miss_is_named() -> None:
    with pytest.raises(TargetError, match="more than --ram"):
        planned("size", 100)


def test_constants_of_bands_count_once() -> None:
    whole, banded = planned("speed"), planned("speed", 20 * ROW)
    task = Task(HOST, "caller", "speed", Limits())
    found = [task.found(Layout(p.graph, p.layout.copied, p.bands)) for p in (whole, banded)]
    assert found[1].choice.flash <= 2 * found[0].choice.flash


def test_a_graph_in_the_order_of_its_steps() -> None:
    plan = planned("size")
    nodes = in_order_of(plan.graph, plan.steps)
    assert [n for n in nodes if n in plan.steps] == list(plan.steps)
    assert {n.name for n in nodes} == {n.name for n in plan.graph.nodes}


def smallest(made: Graph, io: str = "caller") -> Plan:
    """With as little memory as can be found, whatever it costs."""
    task = Task(HOST, io, "size", limits_of(HOST, Limits(ram=1)))
    found = task.best(made)
    return Plan(found.layout, HOST, io, found.options, found.choice.chosen, found.choice.arena)


@given(image_chains())
@settings(max_examples=40, deadline=None)
def test_every_step_of_bands_finds_its_operands(made: Graph) -> None:
    plan = smallest(made, "arena" if made.type(made.outputs[0]).shape[1] % 2 else "caller")
    execute(plan)
    assert_same_values(made, plan.graph, runs=1)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_c_of_bands_passes_its_self_test() -> None:
    with TemporaryDirectory() as folder:
        self_test(smallest(NET), Path(folder))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@given(image_chains())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_c_of_any_chain_in_bands_passes_its_self_test(made: Graph) -> None:
    with TemporaryDirectory() as folder:
        self_test(smallest(made), Path(folder))
