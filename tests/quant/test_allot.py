"""Mixed precision by budget, on nets small enough to know what should come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import tinycc_ml
from tinycc_ml.errors import DataError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.quant.calibrate import sample_count
from tinycc_ml.quant.judge import Judge
from tinycc_ml.quant.layers import layers, nearest
from tinycc_ml.quant.scheme import SCHEMES, Assignment
from tinycc_ml.quant.sensitivity import db_of, sensitivities
from tinycc_ml.quant.simulate import EXACT, Rounding, simulated

SCHEMA = json.loads((Path(tinycc_ml.__file__).parent / "report/schema.json").read_text())
WIDTH = 64
SIZES = 2 * WIDTH * WIDTH + 8 * WIDTH


def model() -> onnx.ModelProto:
    """Three dense layers, their weights `first`, `second` and `third`."""
    random = np.random.default_rng(0)
    shapes = {"first": (WIDTH, WIDTH), "second": (WIDTH, WIDTH), "third": (8, WIDTH)}
    weights = [
        onnx.numpy_helper.from_array(
            (random.normal(size=shape) / 8).astype(np.float32), f"{name}.w"
        )
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Gemm", ["x", "first.w"], ["a"], "first", transB=1),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "second.w"], ["c"], "second", transB=1),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "third.w"], ["y"], "third", transB=1),
    ]
    graph = helper.make_graph(
        nodes, "three",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8])], weights,
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("budget") / "three.onnx"
    onnx.save(model(), file)
    return file


SAMPLES = np.random.default_rng(1).normal(size=(24, 1, WIDTH)).astype(np.float32)


def compiled(path: Path, **options: Any) -> tinycc_ml.Result:
    ways = {"ranges": "min-max", "equalize": False, "verify": False}
    return tinycc_ml.compile(path, calibrate={"x": SAMPLES}, **{**ways, **options})


def budget(result: tinycc_ml.Result) -> dict[str, Any]:
    found = result.report["accuracy"]["budget"]
    assert result.report["accuracy"]["scheme"] == "mixed"
    jsonschema.validate(dict(result.report), SCHEMA)
    return dict(found)


def stored(result: tinycc_ml.Result) -> int:
    """Bytes of the weights in the C: what no bias and no multiplier is."""
    arrays = result.compiled.program.constants
    return sum(array.values.nbytes for array in arrays if array.ident.endswith("weights"))


def _graph() -> Graph:
    return run_passes(load(model()), FLOAT)


def test_noise_of_a_layer_is_that_of_the_net_with_it_alone_rounded() -> None:
    graph, samples = _graph(), {"x": SAMPLES}
    numbers = range(sample_count(samples))
    judge = Judge(graph, samples, simulated(graph, samples, numbers, EXACT))
    made = {
        layer.node.name: {
            name: nearest(layer, Assignment(SCHEMES[name]), {}) for name in ("int8", "int4", "int2")
        }
        for layer in layers(graph)
    }
    found = sensitivities(judge, numbers, made)
    assert set(found) == {layer.node.name for layer in layers(graph)}
    for node, noises in found.items():
        assert noises["int8"] < noises["int4"] < noises["int2"]
        for scheme, noise in noises.items():
            alone = Rounding({}, {node: made[node][scheme]})
            assert db_of(noise) == pytest.approx(judge.score((numbers, alone)), abs=1e-6)


def test_weights_keep_within_their_bytes(path: Path) -> None:
    found = compiled(path, weights=SIZES * 0.7)
    told = budget(found)
    assert told["measured"]["weights_bytes"] <= SIZES * 0.7
    assert told["measured"]["weights_bytes"] == sum(row["weights_bytes"] for row in told["layers"])
    assert told["measured"]["weights_bytes"] <= stored(found) <= SIZES * 0.7
    assert {row["scheme"] for row in told["layers"]} > {"int8"}


def test_more_bytes_are_no_worse(path: Path) -> None:
    expected = [
        budget(compiled(path, weights=SIZES * part))["expected"]["sqnr_db"]
        for part in (0.45, 0.7, 1.0)
    ]
    assert expected == sorted(expected) and expected[0] < expected[-1]


def test_the_fewest_bytes_with_so_many_db(path: Path) -> None:
    made = compiled(path, sqnr=18.0)
    found = budget(made)
    assert stored(made) == found["measured"]["weights_bytes"]
    assert found["measured"]["sqnr_db"] >= 18.0
    assert found["measured"]["weights_bytes"] < SIZES * 0.8
    assert found["sqnr_goal"] == 18.0 and found["weights_limit"] is None


def test_both_together(path: Path) -> None:
    found = budget(compiled(path, weights=SIZES * 0.7, sqnr=15.0))
    assert found["measured"]["weights_bytes"] <= SIZES * 0.7
    assert found["measured"]["sqnr_db"] >= 15.0


def test_a_node_keeps_the_scheme_it_was_given(path: Path) -> None:
    node = next(layers(_graph())).node.name
    found = budget(compiled(path, weights=SIZES * 0.9, quantize_nodes={node: "ternary"}))
    assert next(row for row in found["layers"] if row["node"] == node)["scheme"] == "ternary"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": 100.0}, r"no choice of schemes keeps --weights 100 bytes; the closest: the smallest is [\d,]+ bytes with"),
        ({"sqnr": 90.0}, r"keeps --sqnr 90 dB; the closest: expected [\d,]+ bytes with \d+\.\d dB"),
        ({"weights": SIZES / 2, "sqnr": 60.0}, r"--weights 4,352 bytes and --sqnr 60 dB; the closest: expected [\d,]+ bytes with"),
        ({"weights": 5e3, "quantize": "int4"}, "--weights gives each layer its scheme, and so does --quantize int4"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        compiled(path, **options)


def test_a_budget_needs_samples(path: Path) -> None:
    with pytest.raises(DataError, match="needs sample inputs"):
        tinycc_ml.compile(path, weights=5000.0, verify=False)


def test_the_report_draws_the_curve(path: Path) -> None:
    found = compiled(path, weights=SIZES * 0.7)
    text = next(text for name, text in found.files.items() if name.endswith("report.md"))
    told = budget(found)
    assert 2 <= len(told["trade_off"]) <= 10
    assert (
        f"{told['measured']['sqnr_db']:.1f} dB with {told['measured']['weights_bytes']:,} bytes"
        in text
    )
    assert all(
        f"| {p['weights_bytes']:,} | {p['sqnr_db']:.1f} dB" in text for p in told["trade_off"]
    )


def test_the_c_is_verified(path: Path) -> None:
    assert compiled(path, weights=SIZES * 0.5, verify=True).report["verified"]
