"""Weights as float16: half the flash, exact between reference and C, float32 where float16 would not do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import tinycc_ml
from tinycc_ml.compiler import Options, compile
from tinycc_ml.errors import ModelError
from tinycc_ml.ir.types import F16, F32
from tinycc_ml.passes.store_halves import store_halves
from tinycc_ml.reference.compare import sqnr_db

from ..models import NETS, model, node, run_onnx, weights
from ..texts import graph, random_inputs

DENSE = "input x: f32[1,8]\nconstant w: f32[4,8]\ny: f32[1,4] = dense(x, w)\noutput y"


def _with(w: np.ndarray) -> np.ndarray:
    made = store_halves(graph(DENSE, w=w.astype(np.float32)))
    return made.tensors["w"].value


def test_weights_are_rounded_to_the_nearest_half() -> None:
    w = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    made = _with(w)
    assert made.dtype == np.float16
    step = np.exp2(np.floor(np.log2(np.abs(w))) - 10)
    assert (np.abs(made.astype(np.float64) - w) <= step / 2).all()


@pytest.mark.parametrize("factor", [1e5, 1e-7])
def test_weights_that_float16_can_not_hold_stay_float32(factor: float) -> None:
    w = factor * (1 + np.random.default_rng(0).random((4, 8)))
    assert _with(w).dtype == np.float32


def test_a_constant_that_something_else_reads_too_stays_float32() -> None:
    made = graph(
        "input x: f32[1,8]\nconstant w: f32[4,8] = seed 1\nd: f32[1,4] = dense(x, w)\n"
        "y: f32[4,8] = add(w, x)\noutput d\noutput y"
    )
    assert store_halves(made).tensors["w"].type.dtype == F32


def test_c_with_halves_gives_what_float32_of_the_same_values_gives(tmp_path: Path) -> None:
    """On a net whose weights are halves already nothing is rounded, so the outputs are equal, bit for bit."""
    proto = NETS["residual"]()
    for tensor in proto.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.ndim > 1:
            exact = array.astype(np.float16).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(exact, tensor.name))
    path = tmp_path / "net.onnx"
    onnx.save(proto, path)
    halves = tinycc_ml.compile(path, tmp_path / "f16", quantize="float16")
    plain = tinycc_ml.compile(path, tmp_path / "f32", quantize="float32")
    stored = [t for t in halves.compiled.graph.constants if t.type.dtype == F16]
    assert len(stored) == 3
    saved = sum(t.type.bytes for t in stored)
    bytes_ = [r.report["totals"]["weights_bytes"] for r in (plain, halves)]
    assert bytes_[0] - bytes_[1] == saved
    nets = [tinycc_ml.load(tmp_path / name) for name in ("f16", "f32")]
    for seed in range(5):
        given = random_inputs(halves.compiled.graph, seed)["x"]
        np.testing.assert_array_equal(nets[0](given), nets[1](given))


@pytest.mark.parametrize("name", ["residual", "one_dimensional", "squeeze_and_excite", "branches"])
def test_nets_come_near_onnx_runtime_and_are_verified(name: str, tmp_path: Path) -> None:
    """Halves are off by 2^-11 at most: 60 dB and more for sums of many."""
    proto = NETS[name]()
    path = tmp_path / "net.onnx"
    onnx.save(proto, path)
    result = tinycc_ml.compile(path, tmp_path / "out", quantize="float16")
    assert result.report["verified"]
    (note,) = result.compiled.notes
    assert "as float16" in note and "bytes of flash less" in note
    net = tinycc_ml.load(tmp_path / "out")
    given = random_inputs(result.compiled.graph, 3)
    wanted = run_onnx(proto, given)
    made = net(*given.values())
    for output, values in made.items() if isinstance(made, dict) else [(next(iter(wanted)), made)]:
        assert sqnr_db(wanted[output].ravel(), values.ravel()) > 50.0


def test_a_quantised_model_is_refused(tmp_path: Path) -> None:
    proto = model(
        [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")],
        {"x": (1, 4)},
        ["y"],
        {"s": np.float32(0.1), "z": np.int8(0), "unused": weights(1, 2)},
    )
    path = tmp_path / "q.onnx"
    onnx.save(proto, path)
    with pytest.raises(ModelError, match="quantised already; it can't become float16"):
        compile(path, options=Options(quantize="float16"))
