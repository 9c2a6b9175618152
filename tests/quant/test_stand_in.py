"""What batch norm knows of training: it reaches the tensors that layers make, and drawn values are made to fit it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tinycc_ml.compiler import Options, compile
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.statistics import Statistics
from tinycc_ml.ops.base import no_limits
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.passes.io_layout import io_layout
from tinycc_ml.passes.narrow import narrowed
from tinycc_ml.passes.widen_halves import widen_halves
from tinycc_ml.quant.choose import quantize_with_best, real_outputs
from tinycc_ml.quant.draw import InputRange
from tinycc_ml.quant.methods import Methods
from tinycc_ml.quant.propagate import REACH, TRAINED_REACH, Spread, propagate
from tinycc_ml.quant.scheme import Assignment
from tinycc_ml.quant.stand_in import stand_in, without_clamp
from tinycc_ml.quant.without_data import drawn_samples, quantize_without_data
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import evaluate, outputs

from ..norms import first_net, image_net, row_net, samples_of, trained
from ..texts import graph

NETS = {net.__name__: net for net in (image_net, row_net, first_net)}
# float32 sums of a few hundred terms
CLOSE = 1e-4


def _float_net(proto: onnx.ModelProto, layout: str = "model") -> Graph:
    return run_passes(io_layout(load(proto), layout) if layout != "model" else load(proto), FLOAT)


def _without_statistics(made: Graph) -> Graph:
    return replace(made, tensors={n: replace(t, statistics=None) for n, t in made.tensors.items()})


def _known(made: Graph) -> dict[str, Statistics]:
    return {n: t.statistics for n, t in made.tensors.items() if t.statistics is not None}


def _moments(made: Graph, samples: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and deviation of tensors with statistics, before a clamp."""
    seen: dict[str, list[np.ndarray]] = {}
    for sample in samples:
        values = {made.inputs[0]: sample.reshape(made.type(made.inputs[0]).shape)}
        for node in made.nodes:
            values.update(zip(node.outputs, evaluate(made, node, values), strict=True))
            known = made.tensors[node.outputs[0]].statistics
            if known is not None:
                (free,) = evaluate(made, without_clamp(node)[0], values)
                rows = np.moveaxis(free, known.axis, -1).reshape(-1, free.shape[known.axis])
                seen.setdefault(node.outputs[0], []).append(rows.astype(np.float64))
    stacked = {name: np.concatenate(rows) for name, rows in seen.items()}
    return {name: (rows.mean(axis=0), rows.std(axis=0)) for name, rows in stacked.items()}


def _assert_have(made: Graph, samples: np.ndarray) -> None:
    found = _moments(made, samples)
    for name, known in _known(made).items():
        scale = max(float(known.deviation.max()), float(np.abs(known.mean).max()))
        for got, want in zip(found[name], (known.mean, known.deviation), strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=CLOSE * scale, err_msg=name)


@pytest.mark.parametrize("layout", ["model", "nhwc"])
@pytest.mark.parametrize("net", NETS)
def test_statistics_go_through_folding_and_layouts_to_the_values_they_are_of(
    net: str, layout: str
) -> None:
    """The values are those of the samples that ONNX Runtime took mean and variance of."""
    proto = NETS[net]()
    samples = samples_of(proto)
    made = _float_net(trained(proto, samples), layout)
    norms = sum(n.op_type == "BatchNormalization" for n in proto.graph.node)
    # of two in a row, the second is what is left
    assert len(_known(made)) == norms - (net == "first_net")
    if layout == "nhwc" and made.type(made.inputs[0]).rank == 4:
        samples = np.moveaxis(samples, 2, -1)
    _assert_have(made, samples)


def test_statistics_of_a_float16_model_are_those_of_its_values() -> None:
    """1 %: ten times the rounding of a float16."""
    proto = image_net()
    wide = _known(_float_net(trained(proto, samples_of(proto))))
    for c in proto.graph.initializer:
        c.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(c).astype(np.float16), c.name))
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    half = _known(run_passes(load(proto), (widen_halves, *FLOAT)))
    assert len(half) == len(wide) == 5
    for one, other in zip(half.values(), wide.values(), strict=True):
        np.testing.assert_allclose(one.mean, other.mean, rtol=0.01, atol=0.01)
        np.testing.assert_allclose(one.deviation, other.deviation, rtol=0.01, atol=0.01)


@pytest.mark.parametrize("net", NETS)
def test_drawn_values_get_the_statistics(net: str) -> None:
    proto = NETS[net]()
    made = _float_net(trained(proto, samples_of(proto)))
    drawn, _ = drawn_samples(made, {"x": InputRange(-1.0, 7.0)})
    found = stand_in(made, drawn)
    assert found.known == set(_known(made))
    assert [(n.name, n.op, n.outputs) for n in found.graph.nodes] == [
        (n.name, n.op, n.outputs) for n in made.nodes
    ]
    _assert_have(found.graph, drawn["x"])


def test_a_range_has_six_deviations_of_training_and_four_of_what_is_propagated() -> None:
    proto = image_net()
    made = _float_net(trained(proto, samples_of(proto)))
    drawn, ends = drawn_samples(made, {"x": InputRange(-90.0, 70.0)})
    found = propagate(made, drawn, ends)
    free = {node.outputs[0] for node in made.nodes if no_limits(node.attrs)}
    reached = {"trained": 0, "propagated": 0}
    for name, tensor in made.tensors.items():
        if name not in free or tensor.is_constant:
            continue
        known = tensor.statistics
        spread = Spread(known.mean, known.deviation) if known else found.spreads[name]
        low, high = spread.range(TRAINED_REACH if known else REACH)
        least, most = found.limits[name].ends
        assert found.observed[name].low == pytest.approx(max(low, least), rel=CLOSE)
        assert found.observed[name].high == pytest.approx(min(high, most), rel=CLOSE)
        reached["trained" if known else "propagated"] += 1
    assert all(reached.values())


@pytest.mark.parametrize("net", NETS)
def test_statistics_change_no_result_and_nothing_where_samples_are_given(net: str) -> None:
    proto = NETS[net]()
    samples = samples_of(trained(proto, samples_of(proto)))
    loaded = load(proto)
    with_them, without = (run_passes(g, FLOAT) for g in (loaded, _without_statistics(loaded)))
    assert with_them == without and _known(with_them) and not _known(without)
    for sample in samples[:3]:
        want, got = (outputs(g, {"x": sample}) for g in (without, with_them))
        assert all(np.array_equal(want[name], got[name]) for name in want)
    few = Methods("min-max", "nearest", bias_correction=False, equalize=False)
    one, other = (
        quantize_with_best(g, {"x": samples}, integer_passes(), fixed={}, methods=few)
        for g in (with_them, without)
    )
    assert one.graph == other.graph and one.accuracy.sqnr_db == other.accuracy.sqnr_db


def test_without_statistics_the_stand_in_is_the_net() -> None:
    made = _without_statistics(_float_net(image_net()))
    drawn, ends = drawn_samples(made, {"x": InputRange(-1.0, 1.0)})
    assert stand_in(made, drawn).graph is made
    assert propagate(made, drawn, ends).known == frozenset()


@pytest.mark.parametrize("scale", [0.0, 0.7])
def test_channels_that_are_constant_are_moved_and_nothing_else(scale: float) -> None:
    """Channel 1 of the first layer has weights of 0, or a batch norm with scale 0."""
    proto = trained(image_net(), samples_of(image_net()))
    for constant in proto.graph.initializer:
        value = numpy_helper.to_array(constant).copy()
        if constant.name == ("n0.scale" if scale == 0.0 else "w0"):
            value[1] = 0.0
            constant.CopyFrom(numpy_helper.from_array(value, constant.name))
    made = _float_net(proto)
    drawn, ends = drawn_samples(made, {"x": InputRange(-1.0, 1.0)})
    found = stand_in(made, drawn)
    bias = next(numpy_helper.to_array(c) for c in proto.graph.initializer if c.name == "n0.bias")
    first = next(node.outputs[0] for node in made.nodes if node.op == "conv2d")
    assert first in found.known
    mean, deviation = _moments(found.graph, drawn["x"])[first]
    assert mean[1] == pytest.approx(bias[1], rel=1e-5) and deviation[1] == 0.0
    assert all(np.isfinite(t.value).all() for t in found.graph.constants)
    net = quantize_without_data(made, drawn, ends, integer_passes(), schemes=Assignment())
    assert min(net.accuracy.sqnr_db.values()) > 15.0


def test_a_result_whose_constants_serve_others_too_is_left_as_it_is() -> None:
    before = graph("""
        input x: f32[1,4]
        constant c: f32[4] = [1, 2, 3, 4]
        constant o: f32[4] = [4, 3, 2, 1]
        m: f32[1,4] = mul(x, c)
        y: f32[1,4] = add(m, o)
        z: f32[1,4] = neg(m)
        output y
        output z""")
    known = Statistics(np.zeros(4), np.ones(4), axis=1)
    tensors = {**before.tensors, "y": replace(before.tensors["y"], statistics=known)}
    found = stand_in(replace(before, tensors=tensors), {"x": np.ones((3, 1, 4), np.float32)})
    assert found.known == frozenset() and found.graph == before


def test_channels_that_go_take_their_statistics_along() -> None:
    proto = image_net()
    made = _float_net(trained(proto, samples_of(proto)))
    first = next(node.outputs[0] for node in made.nodes if node.op == "conv2d")
    known = made.tensors[first].statistics
    assert known is not None
    going = np.arange(len(known.mean)) == 2
    cut = narrowed(replace(made, nodes=(), outputs=(first,)), {first: going}, {})
    left = cut.tensors[first].statistics
    assert left is not None and left.mean.tolist() == np.delete(known.mean, 2).tolist()


def _db_without_data(made: Graph, samples: np.ndarray, known: InputRange) -> float:
    drawn, ends = drawn_samples(made, {"x": known})
    net = quantize_without_data(made, drawn, ends, integer_passes(), schemes=Assignment())
    pairs = [(outputs(made, {"x": s}), real_outputs(net.graph, {"x": s})) for s in samples]
    want, got = (np.stack([v[made.outputs[0]] for v in side]) for side in zip(*pairs, strict=True))
    return sqnr_db(want, got)


@pytest.mark.parametrize("net", NETS)
def test_statistics_make_up_for_inputs_that_are_not_as_drawn(net: str) -> None:
    """Values of a deviation of 0.8 where the range lets expect 15: int8 that is made for those has nothing left."""
    proto = NETS[net]()
    made = _float_net(trained(proto, samples_of(proto, 64)))
    fresh = samples_of(proto, 16, seed=9)
    loose = InputRange(-30.0, 30.0)
    with_them, without = (
        _db_without_data(g, fresh, loose) for g in (made, _without_statistics(made))
    )
    assert with_them > without + 6.0


def test_the_compiler_says_how_many_tensors_have_statistics() -> None:
    proto = image_net()
    trained(proto, samples_of(proto))
    found = compile(
        load(proto), options=Options(ranges="propagated", input_ranges={"": InputRange(-3.0, 3.0)})
    )
    assert found.accuracy is not None
    risks = found.accuracy.risks
    assert sum(risk.trained for risk in risks) == 5
    said = f"mean and deviation of 5 of {len(risks)} tensors are those of training"
    assert any(said in note for note in found.notes)
