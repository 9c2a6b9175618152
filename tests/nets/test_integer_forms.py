"""Operators between int8 tensors of a whole net: each is a head of its own on one convolution, integer throughout; the
C is the integer reference, and close to the float net."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest

import tinycc_ml
from tinycc_ml.api import Model
from tinycc_ml.compiler import Compiled
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import run

from ..models import model, node, run_onnx, weights

SHAPE = (1, 4, 6, 5)
SAMPLES = 24
SETTLED = {"ranges": "min-max", "rounding": "nearest", "bias_correction": False, "equalize": False}
CONSTANTS = {
    "half": np.float32(0.5),
    "each": np.linspace(-1, 1, 5).astype(np.float32),
    "image": np.asarray([2, 3]),
    "channel": np.asarray([1]),
    "epsilon": np.float32(1e-12),
    "zero": np.float32(0),
    "w": weights(1, 4, 4, 3, 3),
}
# Nodes from h [1, 4, 6, 5] to the output of that name, and the least SQNR in dB against the float net. That of a
# value of 8 bits is 30 or more; answers of yes and no that differ cost all they have
HEADS = {
    "log_softmax": ([node("LogSoftmax", "h", "log_softmax", axis=1)], 32),
    "log_softmax_last": ([node("LogSoftmax", "h", "log_softmax_last")], 32),
    "hardmax": ([node("Hardmax", "h", "hardmax", axis=1)], 16),
    "l1": ([node("ReduceL1", "h image", "l1", keepdims=0)], 32),
    "l2": ([node("ReduceL2", "h channel", "l2")], 32),
    "l2_all": ([node("ReduceL2", "h", "l2_all", keepdims=0)], 32),
    "log_sum": ([node("Exp", "h", "e"), node("ReduceLogSum", "e image", "log_sum")], 32),
    "log_sum_exp": ([node("ReduceLogSumExp", "h channel", "log_sum_exp")], 32),
    "unit": ([
        node("ReduceL2", "h channel", "norm"), node("Clip", "norm epsilon", "norm1"), node("Div", "h norm1", "unit"),
    ], 28),
    "lp_unit": ([node("LpNormalization", "h", "lp_unit", axis=1)], 32),
    "lp_unit_1": ([node("LpNormalization", "h", "lp_unit_1", axis=2, p=1)], 28),
    "lp_1": ([node("GlobalLpPool", "h", "lp_1", p=1)], 32),
    "lp_2": ([node("GlobalLpPool", "h", "lp_2")], 32),
    "pool_1": ([node("LpPool", "h", "pool_1", kernel_shape=[2, 3], p=1, pads=[1, 0, 0, 1])], 32),
    "pool_2": ([node("LpPool", "h", "pool_2", kernel_shape=[3, 2], strides=[2, 1])], 32),
    "response": ([node("LRN", "h", "response", size=3, alpha=0.5)], 30),
    "above": ([node("Greater", "h half", "is_above"), node("Where", "is_above h zero", "above")], 16),
    "below_each": ([node("LessOrEqual", "h each", "is_below"), node("Cast", "is_below", "below_each", to=1)], 16),
    "larger": ([
        node("Sigmoid", "h", "s"), node("Less", "h s", "is_less"), node("Cast", "is_less", "mask", to=1),
        node("Mul", "h mask", "larger"),
    ], 16),
    "place": ([node("ArgMax", "h", "at", axis=1), node("Cast", "at", "place", to=1)], 16),
    "whole": ([node("Cast", "h", "steps", to=6), node("Cast", "steps", "whole", to=1)], 16),
    "rest": ([node("Mod", "h half", "rest", fmod=1)], 12),
}  # fmt: skip


def _model() -> onnx.ModelProto:
    nodes = [node("Conv", "x w", "h", pads=[1, 1, 1, 1])]
    nodes += [made for made_by, _ in HEADS.values() for made in made_by]
    return model(nodes, {"x": SHAPE}, list(HEADS), CONSTANTS, opset=18)


def _samples() -> np.ndarray:
    return np.random.default_rng(5).standard_normal((SAMPLES, *SHAPE)).astype(np.float32)


@cache
def _compiled() -> tuple[Compiled, Model]:
    with TemporaryDirectory(prefix="tinycc_ml_") as folder:
        path = Path(folder) / "heads.onnx"
        onnx.save(_model(), path)
        out = Path(folder) / "out"
        result = tinycc_ml.compile(path, out, calibrate={"x": _samples()}, **SETTLED)
        return result.compiled, tinycc_ml.load(out)


def test_nothing_is_left_on_floats() -> None:
    graph = _compiled()[0].graph
    assert not [n.op for n in graph.nodes if any(graph.type(o).dtype.is_real for o in n.outputs)]


@pytest.mark.parametrize("head", HEADS)
def test_head_is_close_to_the_float_net(head: str) -> None:
    _, net = _compiled()
    samples = _samples()
    wanted = [run_onnx(_model(), {"x": x})[head] for x in samples]
    made = [net(x)[head].reshape(w.shape) for x, w in zip(samples, wanted, strict=True)]
    assert sqnr_db(np.stack(wanted), np.stack(made)) >= HEADS[head][1]


@pytest.mark.parametrize("fill", ["lowest", "highest", "both", "random"])
def test_c_is_the_integer_reference_on_all_integers(fill: str) -> None:
    compiled, net = _compiled()
    rng = np.random.default_rng(7)
    made = {
        "lowest": np.full(SHAPE, -128),
        "highest": np.full(SHAPE, 127),
        "both": rng.choice([-128, 127], SHAPE),
        "random": rng.integers(-128, 128, SHAPE),
    }[fill].astype(np.int8)
    wanted, got = run(compiled.graph, {"x": made}), net(made)
    for name in compiled.graph.outputs:
        np.testing.assert_array_equal(got[name].ravel(), wanted[name].ravel())


def test_operands_of_two_scales_are_compared_though_nothing_else_reads_them(tmp_path: Path) -> None:
    """Their int16 twins, twice as large, don't lie over them."""
    nodes = [node("Neg", "x", "n"), node("Tanh", "x", "t"), node("Less", "n t", "b"), node("Cast", "b", "y", to=1)]  # fmt: skip
    onnx.save(model(nodes, {"x": (1, 64)}, ["y"]), tmp_path / "less.onnx")
    samples = np.random.default_rng(1).uniform(-3, 3, (4, 1, 64)).astype(np.float32)
    result = tinycc_ml.compile(tmp_path / "less.onnx", tmp_path / "out", calibrate={"x": samples})
    made = np.arange(-128, 128).astype(np.int8).reshape(4, 1, 64)
    net = tinycc_ml.load(tmp_path / "out")
    for x in made:
        np.testing.assert_array_equal(net(x), run(result.compiled.graph, {"x": x})["y"])
