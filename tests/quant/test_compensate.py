"""Constants that make up for errors: of weights, of what comes before, and never other arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.calibrate import calibrate
from tinycc_ml.quant.choose import real_outputs
from tinycc_ml.quant.compensate import compensated
from tinycc_ml.quant.quantize import marked
from tinycc_ml.quant.ranges import Ranges
from tinycc_ml.quant.scales import activation_types
from tinycc_ml.quant.scheme import SCHEMES, Assignment
from tinycc_ml.quant.simulate import EXACT, Rounding, simulated
from tinycc_ml.reference.run import outputs

from ..models import NETS
from ..texts import graph, random_inputs

DENSE = """
input x: f32[1,12]
constant w: f32[16,12] = seed 1
constant v: f32[5,16] = seed 2
h: f32[1,16] = dense(x, w) min=0
y: f32[1,5] = dense(h, v)
output y
"""


def _samples(made: Graph, count: int = 64) -> dict[str, np.ndarray]:
    runs = [random_inputs(made, seed) for seed in range(count)]
    return {n: np.stack([r[n] for r in runs]) for n in made.inputs}


def _rounding(made: Graph, samples: dict[str, np.ndarray], second: bool, bias: bool) -> Rounding:
    schemes = Assignment()
    types = activation_types(made, calibrate(made, samples)[0], Ranges("min-max"), schemes, {})
    numbers = range(len(next(iter(samples.values()))))
    return compensated(made, samples, numbers, types, schemes, second=second, bias=bias)


def _error(made: Graph, samples: dict[str, np.ndarray], rounding: Rounding) -> np.ndarray:
    integer = run_passes(marked(made, rounding.types, rounding.layers), integer_passes())
    (name,) = made.outputs
    return np.stack(
        [
            real_outputs(integer, {n: a[k] for n, a in samples.items()})[name]
            - outputs(made, {n: a[k] for n, a in samples.items()})[name]
            for k in range(len(next(iter(samples.values()))))
        ]
    )


def test_without_methods_the_integers_are_the_nearest() -> None:
    made = graph(DENSE)
    found = _rounding(made, _samples(made, 3), second=False, bias=False)
    for integers, name in ((found.layers["h"], "w"), (found.layers["y"], "v")):
        weights = made.tensors[name].value
        nearest = np.rint(weights / integers.scale[:, None])
        np.testing.assert_array_equal(integers.rows, nearest)
        assert integers.bias is None


def test_bias_correction_takes_the_mean_error_of_each_channel_away() -> None:
    made = graph(DENSE)
    samples = _samples(made)
    plain, corrected = (
        _error(made, samples, _rounding(made, samples, second=False, bias=bias))
        for bias in (False, True)
    )
    step = np.abs(plain).max()
    assert np.abs(corrected.mean(axis=0)).max() < 0.3 * np.abs(plain.mean(axis=0)).max() + 1e-3
    assert np.abs(corrected).max() < 2 * step


def test_each_method_lowers_the_error_of_the_integer_net() -> None:
    made = graph(DENSE)
    samples = _samples(made, 200)
    error = {
        (second, bias): np.sum(
            _error(made, samples, _rounding(made, samples, second=second, bias=bias)) ** 2
        )
        for second in (False, True)
        for bias in (False, True)
    }
    assert error[True, False] < error[False, False] and error[False, True] <= error[False, False]


@pytest.mark.parametrize("bias", [False, True])
def test_a_layer_is_fitted_to_the_results_of_the_float_net(
    bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where half of the range of what it reads is cut off, other weights than the model's come nearer."""
    made = graph(DENSE)
    samples = _samples(made)
    observed = calibrate(made, samples)[0]
    observed["h"] = replace(observed["h"], high=observed["h"].high / 2)
    schemes = Assignment(SCHEMES["int4-channel"])
    types = activation_types(made, observed, Ranges("min-max"), schemes, {})

    def error() -> float:
        given = made, samples, range(64), types, schemes
        rounding = compensated(*given, second=True, bias=bias)
        return float(np.square(_error(made, samples, rounding)).sum())

    fitted = error()
    monkeypatch.setattr("tinycc_ml.quant.compensate.improved", lambda rows, met: rows)
    assert fitted < 0.9 * error()


def test_a_layer_without_a_bias_gets_one() -> None:
    made = graph(DENSE)
    samples = _samples(made)
    rounding = _rounding(made, samples, second=True, bias=True)
    assert rounding.layers["y"].bias is not None
    dense = [n for n in marked(made, rounding.types, rounding.layers).nodes if n.op == "dense"]
    assert [len(node.inputs) for node in dense] == [3, 3]


def test_weights_that_nodes_share_stay_one_constant() -> None:
    made = graph(
        "input x: f32[1,6]\nconstant w: f32[6,6] = seed 1\nh: f32[1,6] = dense(x, w)\ny: f32[1,6] = dense(h, w)\noutput y"
    )
    samples = _samples(made)
    rounding = _rounding(made, samples, second=True, bias=True)
    integer = run_passes(marked(made, rounding.types, rounding.layers), integer_passes())
    assert len({n.inputs[1] for n in integer.nodes if n.op == "dense"}) == 1


@pytest.mark.parametrize("name", NETS)
def test_the_simulation_is_the_integer_net_up_to_a_few_steps(name: str) -> None:
    made = run_passes(load(NETS[name]()), FLOAT)
    samples = _samples(made, 6)
    rounding = _rounding(made, samples, second=True, bias=True)
    integer = run_passes(marked(made, rounding.types, rounding.layers), integer_passes())
    for k, values in enumerate(simulated(made, samples, range(6), rounding)):
        real = real_outputs(integer, {n: a[k] for n, a in samples.items()})
        for output, value in values.items():
            type_ = integer.type(output)
            assert type_.quant is not None
            # each of a few layers may round to the neighbouring integer
            np.testing.assert_allclose(real[output], value, atol=4.01 * type_.quant.scale0)


def test_exact_simulation_is_the_float_net() -> None:
    made = run_passes(load(NETS["residual"]()), FLOAT)
    samples = _samples(made, 2)
    for k, values in enumerate(simulated(made, samples, range(2), EXACT)):
        wanted = outputs(made, {n: a[k] for n, a in samples.items()})
        for name, value in wanted.items():
            np.testing.assert_array_equal(values[name], value)
