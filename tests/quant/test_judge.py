"""By which error a way to quantise is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.ir.types import I8, I16, DType
from tinycc_ml.numerics.quantization import affine
from tinycc_ml.quant.judge import Judge, Outputs, Score, output_sqnr, sample_db
from tinycc_ml.quant.simulate import EXACT, Rounding, simulated
from tinycc_ml.quant.trials import _winner

from ..texts import graph, random_inputs

STEP = 1 / 256


def _sure(count: int) -> np.ndarray:
    """Outputs of a softmax over three classes, all but one of them sure."""
    made = np.tile([0.998, 0.001, 0.001], (count, 1))
    made[0] = 0.4, 0.35, 0.25
    return made


def _scored(real: np.ndarray, by: np.ndarray) -> Score:
    """`by` goes from the first class to the second, sample by sample."""
    given, made = _outputs(real), _outputs(real + np.stack([-by, by, 0 * by], axis=1))
    return Score(output_sqnr(given, made, "y"), sample_db(given, made, "y", STEP))


def _outputs(values: np.ndarray) -> Outputs:
    return [{"y": row} for row in values]


def test_one_sample_between_classes_does_not_choose_for_all_others() -> None:
    steady, lucky = np.full(40, 0.002), np.full(40, 0.02)
    steady[0] = 0.2
    scores = {"steady": _scored(_sure(40), steady), "lucky": _scored(_sure(40), lucky)}
    assert scores["lucky"].sqnr_db > scores["steady"].sqnr_db
    assert scores["lucky"].is_behind(scores["steady"])
    chosen, trials = _winner("ranges", list(scores), lambda way: scores[way], str)
    assert chosen == "steady" and [t.kept for t in trials] == [True, False]


def test_where_samples_do_not_agree_the_sum_of_errors_decides() -> None:
    rng = np.random.default_rng(0)
    one, other = (10.0 ** rng.uniform(-4, -1, 40) for _ in range(2))
    one[0] = 0.3
    scores = {"one": _scored(_sure(40), one), "other": _scored(_sure(40), other)}
    chosen, _ = _winner("ranges", list(scores), lambda way: scores[way], str)
    assert chosen == "other" and scores["other"].sqnr_db > scores["one"].sqnr_db + 3


def test_errors_far_below_the_rounding_of_the_output_are_all_the_same() -> None:
    tiny, none = (_scored(_sure(20), np.full(20, by)) for by in (1e-6, 0.0))
    assert tiny.mean_db == pytest.approx(none.mean_db, abs=0.01)


NET = """
input x: f32[1,8]
constant w: f32[4,8] = seed 1
h: f32[1,4] = dense(x, w)
y: f32[1,4] = softmax(h) axis=1
output {name}
"""


@pytest.mark.parametrize(
    ("name", "dtype", "counts"), [("h", I8, False), ("y", I8, True), ("y", I16, False)]
)
def test_samples_count_where_an_int8_output_has_a_known_scale(
    name: str, dtype: DType, counts: bool
) -> None:
    """Of int16 what matters is what is cut off, on a few samples."""
    made = graph(NET.format(name=name))
    runs = [random_inputs(made, seed) for seed in range(8)]
    samples = {n: np.stack([r[n] for r in runs]) for n in made.inputs}
    judge = Judge(made, samples, simulated(made, samples, range(8), EXACT))
    rounding = Rounding(
        {name: replace(made.type(name), dtype=dtype, quant=affine(0.0, 1.0, dtype))}
    )
    found = judge.scores((range(8), rounding))
    assert (found.samples_db is not None) is counts
    assert not found.is_behind(found)
