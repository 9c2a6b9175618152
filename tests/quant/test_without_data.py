"""Integer nets without data: near the float net on inputs never seen, refused where a range is missing, never silent."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

import tinycc_ml
from tinycc_ml.compiler import Options, compile
from tinycc_ml.errors import DataError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.numerics.quantization import dequantize
from tinycc_ml.ops.base import Case
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.choose import real_outputs
from tinycc_ml.quant.draw import InputRange
from tinycc_ml.quant.scheme import Assignment
from tinycc_ml.quant.without_data import drawn_samples, quantize_without_data
from tinycc_ml.reference.compare import sqnr_db

from ..models import NETS, run_onnx
from ..ops.case_models import all_cases, model_of

UNIT = {"": InputRange(-3.0, 3.0)}


@pytest.mark.parametrize("name", NETS)
def test_a_net_without_data_comes_near_onnx_runtime(name: str) -> None:
    """20 dB: int8 by min-max of real samples gives 25 to 40 dB on these nets."""
    proto = NETS[name]()
    float_net = run_passes(load(proto), FLOAT)
    ranges = dict.fromkeys(float_net.inputs, InputRange(-3.0, 3.0))
    samples, ends = drawn_samples(float_net, ranges)
    found = quantize_without_data(float_net, samples, ends, integer_passes(), schemes=Assignment())
    rng, real, made = np.random.default_rng(7), [], []
    for _ in range(40):
        given = {
            n: np.clip(rng.standard_normal(float_net.type(n).shape), -3, 3).astype(np.float32)
            for n in float_net.inputs
        }
        wanted, got = run_onnx(proto, given), real_outputs(found.graph, given)
        real.append(np.concatenate([wanted[n].ravel() for n in found.graph.outputs]))
        made.append(np.concatenate([got[n].ravel() for n in found.graph.outputs]))
    assert sqnr_db(np.stack(real), np.stack(made)) > 20.0


@pytest.mark.parametrize(
    "case", [p.values[1] for p in all_cases(integer=True) if p.values[1].op_type in ("LSTM", "GRU")]
)
def test_recurrent_nodes_get_the_ranges_within_them_too(case: Case) -> None:
    made = run_passes(load(model_of(case)), FLOAT)
    ranges = dict.fromkeys(made.inputs, InputRange(case.low, case.high))
    samples, ends = drawn_samples(made, ranges)
    found = quantize_without_data(made, samples, ends, integer_passes(), schemes=Assignment())
    assert min(found.accuracy.sqnr_db.values()) > 15.0


@pytest.fixture
def residual(tmp_path: Path) -> Path:
    path = tmp_path / "residual.onnx"
    onnx.save(NETS["residual"](), path)
    return path


def test_the_report_names_the_risk_and_the_c_is_exact(residual: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = tinycc_ml.compile(residual, out, ranges="propagated", input_ranges={"x": (-3, 3)})
    report = json.loads((out / "report.json").read_text())
    assert report["verified"] and report["options"]["input_ranges"]["x"]["low"] == -3
    accuracy = report["accuracy"]
    assert accuracy["ranges"] == "propagated moments" and accuracy["rounding"] == "nearest"
    stored = {risk["tensor"]: risk for risk in accuracy["risks"]}
    assert {"x", "r0", "logits", "y"} <= set(stored)
    assert stored["y"]["at_most"] == [0.0, 1.0] and stored["y"]["cut_off_double"] == 0.0
    assert 0 <= stored["logits"]["cut_off"] < stored["logits"]["cut_off_double"] < 0.5
    for risk in stored.values():
        low, high = risk["at_most"]
        assert risk["low"] >= low - 1e-6 or risk["low"] <= 0, "never wider, but for a step"
        assert risk["high"] <= high + (high - low) / 100
    first, second = result.compiled.notes
    assert "no data were seen" in first and "dB or more" in first
    assert "cut off" in second and "--calibrate" in second
    markdown = (out / "report.md").read_text()
    assert "No data were seen." in markdown and "drawn inputs" in markdown


def test_the_input_keeps_its_whole_range(residual: Path) -> None:
    compiled = compile(residual, options=Options(ranges="propagated", input_ranges=UNIT))
    type_ = compiled.graph.type("x")
    ends = dequantize(np.array([-128, 127], np.int8), type_)
    assert ends[0] == pytest.approx(-3, abs=0.03) and ends[1] == pytest.approx(3, abs=0.03)


@pytest.mark.parametrize("scheme", ["int16x8", "int8-pow2", "int4"])
def test_other_schemes_do_without_data_too(residual: Path, scheme: str) -> None:
    asked = Options(quantize=scheme, ranges="propagated", input_ranges=UNIT)
    compiled = compile(residual, options=asked)
    assert compiled.accuracy is not None and compiled.accuracy.scheme == scheme
    least = {"int16x8": 30.0, "int8-pow2": 12.0, "int4": 8.0}[scheme]
    assert min(compiled.accuracy.sqnr_db.values()) > least


@pytest.mark.parametrize(
    ("asked", "calibrate", "message"),
    [
        ({}, False, "that of 'x' is not known"),
        ({"input_ranges": UNIT}, True, "--calibrate does not go with that"),
        ({"input_ranges": UNIT, "quantize": "float32"}, False, "--quantize float32 does not go"),
        ({"input_ranges": UNIT, "rounding": "second-order"}, False, "second-order does not go"),
        ({"input_ranges": UNIT, "equalize": True}, False, "--equalize does not go"),
        ({"input_ranges": UNIT, "bias_correction": True}, False, "--bias-correction does not go"),
        ({"input_ranges": UNIT, "sqnr": 20.0}, False, "--weights and --sqnr does not go"),
        ({"ranges": "min-max", "input_ranges": UNIT}, False, "say --ranges propagated too"),
        ({"ranges": "auto", "quantize": "int8"}, False, "do without data: --ranges propagated"),
    ],
)
def test_what_makes_no_sense_is_refused(
    residual: Path, asked: dict, calibrate: bool, message: str
) -> None:
    data = {"x": np.zeros((4, 1, 3, 6, 5), np.float32)} if calibrate else None
    with pytest.raises(DataError, match=message):
        compile(residual, calibrate=data, options=Options(**{"ranges": "propagated", **asked}))
