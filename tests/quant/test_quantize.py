"""From float to int8: ranges become scales, weights become integers, and what can't be is refused by name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tinycc_ml.errors import UnsupportedError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.types import I8, Quant, TensorType
from tinycc_ml.numerics.quantization import affine, dequantize
from tinycc_ml.numerics.quantization import quantize as to_integers
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.accumulators import accumulator_bounds
from tinycc_ml.quant.calibrate import Observed, calibrate
from tinycc_ml.quant.choose import measure, quantize_with_best, real_outputs
from tinycc_ml.quant.methods import Methods
from tinycc_ml.quant.quantize import quantize
from tinycc_ml.quant.ranges import RANGES, Ranges
from tinycc_ml.quant.scheme import assignment
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs, run

from ..models import NETS
from ..texts import graph, random_inputs

MIN_MAX = Ranges("min-max")
MIN_MAX_ONLY = Methods(ranges="min-max", rounding="nearest", bias_correction=False)


def _samples(made: Graph, count: int = 6) -> dict[str, np.ndarray]:
    runs = [random_inputs(made, seed) for seed in range(count)]
    return {n: np.stack([r[n] for r in runs]) for n in made.inputs}


def _marked(
    made: Graph, fixed: Mapping[str, Quant] | None = None, allow_float: bool = False
) -> Graph:
    observed, _ = calibrate(made, _samples(made))
    return quantize(made, observed, MIN_MAX, fixed=fixed, allow_float=allow_float)


def _quants(made: Graph) -> dict[str, Quant]:
    return {n.outputs[0]: made.type(n.outputs[0]).quant for n in made.nodes if n.op == "quantize"}  # type: ignore[misc]


# -- observing ---------------------------------------------------------------------------------


def test_extremes_and_outputs_are_observed_over_all_samples() -> None:
    made = graph("input x: f32[3]\nh: f32[3] = neg(x)\ny: f32[3] = exp(h)\noutput y")
    samples = {"x": np.float32([[1, 2, 3], [-4, 0, 1]])}
    observed, real = calibrate(made, samples)
    assert (observed["x"].low, observed["x"].high) == (-4, 3)
    assert (observed["h"].low, observed["h"].high) == (-3, 4)
    assert sorted(observed["x"].values.tolist()) == [-4, 0, 1, 1, 2, 3]
    np.testing.assert_allclose(real[1]["y"], np.exp(-samples["x"][1]), rtol=1e-6)


def test_progress_is_told_of_samples() -> None:
    made = graph("input x: f32[1000000]\ny: f32[1000000] = neg(x)\noutput y")
    told: list[tuple[int, int]] = []
    calibrate(
        made,
        {"x": np.zeros((3, 1000000), np.float32)},
        lambda done, count: told.append((done, count)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_large_tensors_keep_a_part_of_their_values_but_all_extremes() -> None:
    made = graph("input x: f32[100000]\ny: f32[100000] = neg(x)\noutput y")
    x = np.zeros((1, 100000), np.float32)
    x[0, 77777], x[0, 3] = 9, -9
    observed, _ = calibrate(made, {"x": x})
    assert (observed["x"].low, observed["x"].high) == (-9, 9)
    assert observed["x"].values.size < 10000


# -- ranges ------------------------------------------------------------------------------------


def _observed(values: np.ndarray) -> Observed:
    return Observed(float(values.min()), float(values.max()), values)


def test_min_max_keeps_outliers_and_percentile_drops_them() -> None:
    values = np.append(np.linspace(0, 1, 9999), 100).astype(np.float32)
    assert MIN_MAX.activation(_observed(values)) == affine(0, 100)
    part = Ranges("percentile", "percentile", 99.9).activation(_observed(values))
    assert 0.99 / 255 < part.scale0 < 1.01 / 255


def test_least_error_is_never_worse_than_min_max() -> None:
    rng = np.random.default_rng(0)
    for values in (
        rng.standard_normal(4000),
        rng.standard_normal(4000) ** 3,
        rng.uniform(0, 1, 4000),
    ):
        observed = _observed(values.astype(np.float32))

        def error(quant: Quant, observed: Observed = observed) -> float:
            q = np.clip(np.rint(observed.values / quant.scale0) + quant.zero, -128, 127)
            return float(np.sum(((q - quant.zero) * quant.scale0 - observed.values) ** 2))

        assert (
            error(Ranges("least", "least-error").activation(observed))
            <= error(MIN_MAX.activation(observed)) * 1.0001
        )


@pytest.mark.parametrize("ranges", RANGES, ids=lambda s: s.name)
@pytest.mark.parametrize("value", [0.0, 3.0, -3.0])
def test_a_tensor_that_never_changes_has_a_scale(ranges: Ranges, value: float) -> None:
    quant = ranges.activation(_observed(np.full(10, value, np.float32)))
    assert quant.scale0 > 0
    back = (
        np.clip(np.rint(value / quant.scale0) + quant.zero, -128, 127) - quant.zero
    ) * quant.scale0
    assert abs(back - value) <= 0.5 * quant.scale0 + 1e-6


@pytest.mark.parametrize("ranges", RANGES, ids=lambda s: s.name)
@pytest.mark.parametrize("ends", [(2.0, 3.0), (-3.0, -2.0), (1.0, 1.0000001), (0.0, 1e-42)])
def test_a_range_on_one_side_of_zero_or_hardly_any_has_a_scale(
    ranges: Ranges, ends: tuple[float, float]
) -> None:
    quant = ranges.activation(_observed(np.linspace(*ends, 500, dtype=np.float32)))
    assert quant.scale0 > 0
    q = np.clip(np.rint(np.asarray(ends) / quant.scale0) + quant.zero, -128, 127)
    # no method cuts off more than 0.7 of a range
    off = np.abs((q - quant.zero) * quant.scale0 - ends).max()
    assert off <= 0.7 * max(map(abs, ends)) + 0.5 * quant.scale0


# -- marking -----------------------------------------------------------------------------------


def test_a_pair_stands_at_every_activation_and_outputs_keep_their_names() -> None:
    made = _marked(
        graph(
            "input x: f32[1,3]\nconstant w: f32[2,3] = seed 1\nh: f32[1,2] = dense(x, w)\ny: f32[1,2] = softmax(h)\noutput y"
        )
    )
    assert list(_quants(made)) == ["x.q", "h.q", "y.q"]
    assert made.outputs == ("y",) and made.producers["y"].op == "dequantize"
    assert made.producers["w.dq"].op == "dequantize"
    assert made.type("w.q").quant is not None and made.type("w.q").quant.axis == 0  # type: ignore[union-attr]


UNIT_RANGES = graph(
    "input x: f32[1,3]\nh: f32[1,3] = softmax(x)\ny: f32[1,3] = tanh(h)\noutput y\noutput h"
)


def test_results_with_a_known_range_take_its_scale_and_reach_its_ends() -> None:
    quants = _quants(_marked(UNIT_RANGES))
    for name, ends in (("h.q", (0.0, 1.0)), ("y.q", (-1.0, 0.0, 1.0))):
        type_ = TensorType((len(ends),), I8, quants[name])
        assert dequantize(to_integers(np.float32(ends), type_), type_).tolist() == list(ends)
        assert quants[name].scale0 == np.float32(quants[name].scale0)


@pytest.mark.parametrize(
    ("scheme", "h", "y"),
    [
        ("int8-pow2", Quant.per_tensor(1 / 256, -128), Quant.per_tensor(1 / 128)),
        ("int16x8", Quant.per_tensor(1 / 32768), Quant.per_tensor(1 / 32768)),
    ],
)
def test_known_ranges_of_other_schemes_are_powers_of_two(scheme: str, h: Quant, y: Quant) -> None:
    observed, _ = calibrate(UNIT_RANGES, _samples(UNIT_RANGES))
    made = quantize(UNIT_RANGES, observed, MIN_MAX, assignment(UNIT_RANGES, scheme, {}))
    assert (_quants(made)["h.q"], _quants(made)["y.q"]) == (h, y)


@pytest.mark.parametrize("name", ["softmax", "sigmoid", "tanh"])
def test_what_saturates_is_exact(name: str) -> None:
    """Outputs of a sure classifier are 0 and 1 nearly everywhere: an error there would hide all others."""
    net = graph(f"input x: f32[1,3]\ny: f32[1,3] = {name}(x)\noutput y")
    samples = {"x": np.float32([[[60, -60, -60]], [[-60, 60, -60]], [[-60, -60, 60]]])}
    found = quantize_with_best(net, samples, integer_passes(), fixed={}, methods=MIN_MAX_ONLY)
    for x in samples["x"]:
        (exact,), (made,) = (
            outputs(net, {"x": x}).values(),
            real_outputs(found.graph, {"x": x}).values(),
        )
        np.testing.assert_allclose(made, exact, atol=1e-7)  # exact has 1e-27 where made has 0


def test_values_that_are_moved_keep_their_scale() -> None:
    made = _marked(
        graph(
            "input x: f32[2,3]\nt: f32[3,2] = transpose(x) perm=[1,0]\nr: f32[6] = reshape(t) shape=[6]\ny: f32[6] = exp(r)\noutput y"
        )
    )
    quants = _quants(made)
    assert quants["t.q"] == quants["r.q"] == quants["x.q"] != quants["y.q"]


def test_no_pair_stands_inside_a_chain_of_functions_of_one_value() -> None:
    made = graph(
        "input x: f32[4]\na: f32[4] = sigmoid(x)\nb: f32[4] = exp(a)\ny: f32[4] = tanh(b)\noutput y"
    )
    assert list(_quants(_marked(made))) == ["x.q", "y.q"]
    integer = run_passes(_marked(made), integer_passes())
    assert [n.op for n in integer.nodes] == ["lut"]


def test_a_value_inside_the_chain_that_others_need_is_stored() -> None:
    made = graph(
        "input x: f32[4]\nconstant w: f32[4,4] = seed 1\na: f32[4] = sigmoid(x)\ny: f32[4] = tanh(a)\nz: f32[4] = dense(a, w)\noutput y\noutput z"
    )
    assert list(_quants(_marked(made))) == ["x.q", "a.q", "y.q", "z.q"]


def test_a_gate_that_others_need_is_an_operand_of_its_own() -> None:
    """x * sigmoid(x), where the sigmoid is an output: a table can't hold the product any more."""
    made = graph(
        "input x: f32[4]\ns: f32[4] = sigmoid(x)\nm: f32[4] = mul(x, s)\ny: f32[4] = exp(m)\noutput y\noutput s"
    )
    assert list(_quants(_marked(made))) == ["x.q", "s.q", "m.q", "y.q"]
    assert [n.op for n in run_passes(_marked(made), integer_passes()).nodes] == [
        "lut",
        "mul",
        "lut",
    ]


def test_given_scales_of_inputs_are_taken() -> None:
    fixed = {"x": Quant.per_tensor(0.02, 11)}
    made = _marked(graph("input x: f32[4]\ny: f32[4] = exp(x)\noutput y"), fixed)
    assert _quants(made)["x.q"] == fixed["x"]
    assert run_passes(made, integer_passes()).type("x").quant == fixed["x"]


def test_weights_that_two_nodes_share_are_stored_once() -> None:
    made = graph(
        "input x: f32[1,3]\nconstant w: f32[3,3] = seed 1\nh: f32[1,3] = dense(x, w)\ny: f32[1,3] = dense(h, w)\noutput y"
    )
    integer = run_passes(_marked(made), integer_passes())
    assert len({n.inputs[1] for n in integer.nodes if n.op == "dense"}) == 1


def test_ops_without_an_integer_form_are_all_named_unless_allowed() -> None:
    made = graph(
        'input x: f32[2,3]\na: f32[3,2] = einsum(x) terms=["ab"] result="ba"\nb: f32[2,3] = einsum(a) terms=["ab"] result="ba"\noutput b'
    )
    with pytest.raises(UnsupportedError) as caught:
        _marked(made)
    assert [p.loc.node for p in caught.value.problems if p.loc] == ["a", "b"]
    integer = run_passes(_marked(made, allow_float=True), integer_passes(allow_float=True))
    assert [n.op for n in integer.nodes].count("einsum") == 2


def test_a_dead_channel_gives_its_bias() -> None:
    made = graph(
        "input x: f32[1,4]\nconstant w: f32[3,4]\nconstant b: f32[3] = [1, -2, 0]\ny: f32[1,3] = dense(x, w, b)\noutput y",
        w=np.float32([[1, -1, 2, 0.5], [0, 0, 0, 0], [0, 0, 0, 0]]),
    )
    integer = run_passes(_marked(made), integer_passes())
    for seed in range(3):
        found = real_outputs(integer, random_inputs(made, seed))["y"]
        scale = integer.type("y").quant.scale0  # type: ignore[union-attr]
        np.testing.assert_allclose(found[0, 1:], [-2, 0], atol=0.51 * scale)


def test_a_nearly_dead_channel_cannot_blow_its_bias_up() -> None:
    """The bias in units of the accumulator stays an int32, however small the weights are."""
    made = graph(
        "input x: f32[1,2]\nconstant w: f32[2,2]\nconstant b: f32[2] = [5, -5]\ny: f32[1,2] = dense(x, w, b)\noutput y",
        w=np.float32([[1, 1], [1e-20, -1e-20]]),
    )
    integer = run_passes(_marked(made), integer_passes())
    bias = integer.tensors[integer.nodes[0].inputs[2]].value
    assert np.abs(bias.astype(np.int64)).max() < 2**24
    assert abs(real_outputs(integer, random_inputs(made))["y"][0, 1] + 5) < 0.1
    accumulator_bounds(integer)


# -- accumulators ------------------------------------------------------------------------------


def _sum_of(terms: int, weight: int = 127, pre_shift: int = 0) -> Graph:
    q = "scale 0.1 zero 0"
    return graph(
        f"""
        input x: i8[1,{terms}] {q}
        constant w: i8[1,{terms}]
        constant b: i32[1] = [0]
        constant m: i32[1] = [1000]
        y: i8[1,1] {q} = dense(x, w, b, m) pre_shift={pre_shift} q_max=127 q_min=-128
        output y""",
        w=np.full(terms, weight, np.int8),
    )


def test_the_bound_of_an_accumulator_is_the_worst_input() -> None:
    made = _sum_of(7)
    assert accumulator_bounds(made) == {"y": 7 * 127 * 128}
    lowest = run(made, {"x": np.full((1, 7), -128, np.int8)})
    assert lowest["y"].shape == (1, 1)


def test_the_largest_sum_that_fits_is_allowed_and_the_next_is_refused() -> None:
    most = (2**31 - 1) // (127 * 128)
    assert accumulator_bounds(_sum_of(most))["y"] <= 2**31 - 1
    with pytest.raises(UnsupportedError, match=r"node 'y'.*more than int32 holds"):
        accumulator_bounds(_sum_of(most + 1))


def test_a_pre_shift_counts() -> None:
    with pytest.raises(UnsupportedError, match="more than int32"):
        accumulator_bounds(_sum_of(2**10, pre_shift=10))


def test_float_nodes_have_no_accumulator() -> None:
    assert (
        accumulator_bounds(
            graph(
                "input x: f32[1,3]\nconstant w: f32[2,3] = seed 1\ny: f32[1,2] = dense(x, w)\noutput y"
            )
        )
        == {}
    )


# -- the best ranges ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETS)
def test_the_best_ranges_is_near_the_float_net(name: str) -> None:
    made = run_passes(load(NETS[name]()), FLOAT)
    found = quantize_with_best(made, _samples(made, 12), integer_passes(), fixed={})
    assert found.accuracy.ranges in [*(r.name for r in RANGES), "by tensor"]
    assert all(db > 20 for db in found.accuracy.sqnr_db.values())
    assert set(found.accuracy.sqnr_db) == set(made.outputs)
    assert all(found.graph.type(n).dtype.name == "i8" for n in (*made.inputs, *made.outputs))


def test_measured_accuracy_is_what_comes_out() -> None:
    made = run_passes(load(NETS["residual"]()), FLOAT)
    samples = _samples(made, 8)
    labels = np.zeros(8, int)
    found = quantize_with_best(made, samples, integer_passes(), fixed={}, labels=labels)
    real = [outputs(made, {"x": x})["y"] for x in samples["x"]]
    got = [real_outputs(found.graph, {"x": x})["y"] for x in samples["x"]]
    assert found.accuracy.samples == 8
    assert found.accuracy.sqnr_db["y"] == pytest.approx(sqnr_db(np.stack(real), np.stack(got)))
    assert found.accuracy.argmax_agreement == np.mean(
        [r.argmax() == g.argmax() for r, g in zip(real, got, strict=True)]
    )
    assert found.accuracy.labels_float == np.mean([r.argmax() == 0 for r in real])
    assert found.accuracy.labels_quantized == np.mean([g.argmax() == 0 for g in got])


def test_a_single_output_value_has_no_argmax() -> None:
    made = graph(
        "input x: f32[1,3]\nconstant w: f32[1,3] = seed 1\ny: f32[1,1] = dense(x, w)\noutput y"
    )
    samples = _samples(made)
    real = [outputs(made, {"x": x}) for x in samples["x"]]
    assert measure(made, samples, real, "int8", range(3)).argmax_agreement is None


@pytest.mark.parametrize(
    ("io_type", "dtype"), [("quantized", "i8"), ("uint8", "u8"), ("float", "f32")]
)
def test_ends_are_of_the_type_that_was_asked_for(io_type: str, dtype: str) -> None:
    made = run_passes(load(NETS["gates"]()), FLOAT)
    samples, passes = _samples(made, 3), integer_passes(io_type=io_type)
    found = quantize_with_best(made, samples, passes, fixed={}, methods=MIN_MAX_ONLY)
    assert [found.graph.type(n).dtype.name for n in ("x", "y")] == [dtype, dtype]
    plain = quantize_with_best(made, samples, integer_passes(), fixed={}, methods=MIN_MAX_ONLY)
    assert found.accuracy.sqnr_db == plain.accuracy.sqnr_db
