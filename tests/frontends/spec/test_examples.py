"""The MLPerf Tiny nets in the language are the nets of the ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinycc_ml import frontends
from tinycc_ml.frontends.spec import read_spec
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.reference.run import outputs

from ...nets.nets import SHARED_FOLDER
from ...texts import random_inputs
from .texts import EXAMPLES, ROOT

LINES = {"kws": 25, "vww": 40, "resnet8": 30, "ad01": 25, "strww": 25}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_are_understood(path: Path) -> None:
    made = read_spec(path)
    assert made.graph.name == path.stem


@pytest.mark.parametrize("name", LINES)
def test_the_nets_are_short(name: str) -> None:
    assert len((ROOT / "examples" / f"{name}.tml").read_text().splitlines()) <= LINES[name]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_FOLDER.is_dir(), reason="../shared/models is not here")
@pytest.mark.parametrize("name", LINES)
def test_the_outputs_are_those_of_the_onnx_file(name: str) -> None:
    """The same weights in the same order of operations: the same bits."""
    mine = run_passes(read_spec(ROOT / "examples" / f"{name}.tml").graph, FLOAT)
    other = run_passes(frontends.load(SHARED_FOLDER / f"{name}_float.onnx"), FLOAT)
    assert [n.op for n in mine.nodes] == [n.op for n in other.nodes]
    for seed in range(2):
        given = random_inputs(other, seed)
        want, got = outputs(other, given), outputs(mine, given)
        assert all(np.array_equal(got[k], want[k]) for k in want)
