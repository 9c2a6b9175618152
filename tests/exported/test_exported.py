"""Nets as exporters write them (the scripts beside this file say which): each compiles and computes what ONNX
Runtime makes of the file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

import tinycc_ml
from tinycc_ml import frontends
from tinycc_ml.backend.target import load_target
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.reference.run import outputs

from ..models import run_onnx
from ..toolchain.programs import require

FILES = {path.stem: path for path in sorted((Path(__file__).parent / "files").glob("*.onnx"))}
FLOATS = [name for name in FILES if not name.startswith("ort_")]
STATIC = [name for name in FILES if name.startswith("ort_") and not name.endswith("_dynamic")]
DYNAMIC = [name for name in FILES if name.endswith("_dynamic")]
TIME = {"torch_gru_time_ts": 5, "torch_attention_time_ts": 5, "torch_attention_time_dynamo": 5}
# Other orders of sums, and other libms; float16 results may be rounded to neighbours (at most two of 2^-11)
BOUND, HALF_BOUND = 1e-5, 2.0**-10
# SQNR in dB against the float net, on its own calibration samples: int8 of eight or so layers
LEAST_SQNR = 25.0


@cache
def loaded(name: str) -> Graph:
    dims = {"time": TIME[name]} if name in TIME else {}
    return frontends.load(FILES[name], dims)


def samples(graph: Graph, count: int) -> dict[str, np.ndarray]:
    """Seeded: normal values, tokens of the vocabulary."""
    rng = np.random.default_rng(5)
    made = {}
    for name in graph.inputs:
        type_, shape = graph.type(name), (count, *graph.type(name).shape)
        values = rng.integers(0, 40, shape) if type_.dtype.is_integer else rng.normal(size=shape)
        made[name] = values.astype(type_.dtype.numpy)
    return made


def largest_error(name: str, graph: Graph) -> float:
    """Of four samples, as a part of the range of the outputs."""
    proto, given = onnx.load(FILES[name]), samples(graph, 4)
    worst = 0.0
    for k in range(4):
        sample = {n: array[k] for n, array in given.items()}
        want, got = run_onnx(proto, sample), outputs(graph, sample)
        worst = max(worst, *(_error(want[n], got[n]) for n in graph.outputs))
    return worst


def _error(want: np.ndarray, got: np.ndarray) -> float:
    assert want.shape == got.shape
    off = np.abs(want.astype(np.float64) - got.astype(np.float64))
    return float(off.max() / np.abs(want).max())


@pytest.mark.parametrize("name", FLOATS)
def test_a_float_net_computes_what_onnx_runtime_does(name: str) -> None:
    graph = run_passes(loaded(name), FLOAT)
    assert largest_error(name, graph) <= (HALF_BOUND if "half" in name else BOUND)


@pytest.mark.parametrize("name", STATIC)
def test_a_quantised_net_is_integer_and_computes_what_onnx_runtime_does(name: str) -> None:
    graph = run_passes(loaded(name), (*FLOAT, *integer_passes(io_type="float")))
    inner = {n.op for n in graph.nodes if graph.type(n.outputs[0]).dtype.is_float}
    assert inner <= {"dequantize", "reshape", "transpose"}
    # a rounding here and there differs, by one step of 1/100 or so of the outputs' range
    assert largest_error(name, graph) <= 0.05


@pytest.mark.parametrize("name", DYNAMIC)
def test_a_dynamically_quantised_net_computes_what_onnx_runtime_does(name: str) -> None:
    """A value in the middle of two integers may be rounded to the other one."""
    assert largest_error(name, run_passes(loaded(name), FLOAT)) <= 0.01


def _compiled(name: str, out: Path, calibrate: Mapping[str, np.ndarray] | None = None) -> dict:
    dims = {"time": TIME[name]} if name in TIME else {}
    result = tinycc_ml.compile(FILES[name], out, dims=dims, calibrate=calibrate)
    assert result.report["unverified"] is None
    assert all(entry["equal"] for entry in result.report["verified"])
    return dict(result.report)


def _exact(name: str) -> object:
    """One of each kind always, the rest in the slow set."""
    quick = name in (
        "torch_classifier_dynamo",
        "torch_attention_time_ts",
        "ort_torch_residual_ts_qop_u8",
    )
    return pytest.param(name, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize("name", [_exact(name) for name in FILES])
def test_the_c_is_right(name: str, tmp_path: Path) -> None:
    require(load_target("host"))
    _compiled(name, tmp_path / "out")


@pytest.mark.parametrize("name", [_exact(name) for name in FLOATS])
def test_as_int8_the_c_is_exact_and_near_the_float_net(name: str, tmp_path: Path) -> None:
    require(load_target("host"))
    report = _compiled(name, tmp_path / "out", samples(loaded(name), 24))
    assert report["model"]["arithmetic"] == "int8"
    assert min(report["accuracy"]["sqnr_db"].values()) >= LEAST_SQNR
