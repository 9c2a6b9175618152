"""remove_dead_work on any net: random ones, and those of ../shared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinycc_ml import frontends
from tinycc_ml.backend.choose import choose
from tinycc_ml.backend.emit import emit
from tinycc_ml.backend.spell import spell
from tinycc_ml.backend.target import load_target
from tinycc_ml.backend.vectors import make_vectors, seeded_samples
from tinycc_ml.compiler import Options, compile
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.passes.remove_dead_work import Work, remove_dead_work, removed_channels, work_of
from tinycc_ml.reference.compare import first_difference
from tinycc_ml.reference.run import outputs, run
from tinycc_ml.toolchain.trace import TracedModel

from ..integer_nets import random_net
from ..nets.nets import SHARED_FOLDER, shared
from .dead_work import assert_exact, assert_in_ranges, some_inputs


@pytest.mark.parametrize("seed", range(80))
def test_random_nets_give_the_same_outputs(seed: int) -> None:
    assert_exact(random_net(seed))


@pytest.mark.parametrize("seed", range(40))
def test_values_stay_in_their_ranges(seed: int) -> None:
    graph = random_net(seed)
    assert_in_ranges(graph, [some_inputs(graph, k) for k in range(6)])


def test_random_nets_have_dead_work_of_both_kinds() -> None:
    found = [r.reason for seed in range(80) for r in removed_channels(random_net(seed))]
    assert found.count("constant") > 100
    assert found.count("never read") > 50


def test_the_c_of_what_is_left_gives_every_tensor(tmp_path: Path) -> None:
    after = assert_exact(random_net(7))
    program = spell(choose(after, load_target("host")))
    files = emit(program, make_vectors(after, program, seeded_samples(after)))
    traced = TracedModel(program, files, tmp_path)
    for seed in range(6):
        given = some_inputs(after, seed)
        assert first_difference(after, run(after, given), traced.run(given), 0.0) is None


def _integer(path: Path) -> Graph:
    return run_passes(run_passes(frontends.load(path), FLOAT), integer_passes())


@pytest.mark.parametrize("path", shared(("vww_int8qdq",)))
def test_vww_loses_half_of_its_work_and_no_bit_of_its_output(path: Path) -> None:
    before = _integer(path)
    after = assert_exact(before, runs=3)
    assert work_of(before) == Work(7489664, 208112)
    assert work_of(after) == Work(3727313, 29066)
    with np.load(SHARED_FOLDER.parent / "data" / "photos_96x96x3.npz") as arrays:
        photos = next(arrays[k] for k in arrays.files if arrays[k].ndim == 4)
    for photo in photos[:: len(photos) // 20]:
        sample = {"input": (photo.astype(np.int16) - 128).astype(np.int8)}
        np.testing.assert_array_equal(
            outputs(after, sample)["output"], outputs(before, sample)["output"]
        )


@pytest.mark.parametrize(
    "path", shared(("kws_int8qdq", "kws_ortq", "resnet8_int8qdq", "strww_int8qdq", "ad01_int8qdq"))
)
def test_nothing_is_removed_without_a_proof(path: Path) -> None:
    before = _integer(path)
    assert removed_channels(before) == ()
    assert remove_dead_work(before) == before


@pytest.mark.parametrize("path", shared(("hello_world_int8qdq",)))
def test_the_compiler_can_be_told_to_keep_it(path: Path) -> None:
    without, kept = compile(path), compile(path, options=Options(keep_dead_work=True))
    assert kept.dead_work is None and without.dead_work is not None
    assert without.program.macs == without.dead_work.after.macs
    assert kept.program.macs == without.dead_work.before.macs
