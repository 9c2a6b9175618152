"""Models quantised by ONNX Runtime, in both of its formats, become integer nets that agree with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from tinycc_ml.api import compile
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.accumulators import accumulator_bounds
from tinycc_ml.reference.run import outputs

from ..models import NETS, fused, model, node, run_onnx

FORMATS = {"qdq": QuantFormat.QDQ, "qoperator": QuantFormat.QOperator}
KINDS = {
    "i8": (QuantType.QInt8, QuantType.QInt8),
    "u8": (QuantType.QUInt8, QuantType.QUInt8),
    "u8i8": (QuantType.QUInt8, QuantType.QInt8),
}
SAMPLES = 24


def _saturates(kind: str, format_: str) -> bool:
    """ONNX Runtime's uint8 x int8 kernels saturate at 16 bits on machines without VNNI, unless weights
    have 7 bits; with scales per channel it makes int8 weights of uint8 ones, too."""
    return format_ == "qoperator" and kind != "i8"


class _Reader(CalibrationDataReader):
    def __init__(self, samples: list[dict[str, np.ndarray]]):
        self.left: Iterator[dict[str, np.ndarray]] = iter(samples)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.left, None)


def samples_of(proto: onnx.ModelProto) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(7)
    shapes = {
        i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in proto.graph.input
    }
    return [
        {n: rng.standard_normal(s).astype(np.float32) for n, s in shapes.items()}
        for _ in range(SAMPLES)
    ]


def _prepared(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Batch norms are folded before quantising: the quantiser takes their constants for activations."""
    return (
        fused(proto) if any(n.op_type == "BatchNormalization" for n in proto.graph.node) else proto
    )


@cache
def quantised(net: str, format_: str, kind: str, per_channel: bool) -> onnx.ModelProto:
    proto = _prepared(NETS[net]())
    activations, weights = KINDS[kind]
    with TemporaryDirectory() as folder:
        before, after = Path(folder) / "float.onnx", Path(folder) / "quantised.onnx"
        onnx.save(proto, before)
        logging.disable(logging.WARNING)
        quantize_static(
            before, after, _Reader(samples_of(proto)), FORMATS[format_], per_channel=per_channel,
            activation_type=activations, weight_type=weights, reduce_range=_saturates(kind, format_),
        )  # fmt: skip
        logging.disable(logging.NOTSET)
        return onnx.load(after)


def integer_graph(proto: onnx.ModelProto) -> Graph:
    graph = run_passes(load(proto), (*FLOAT, *integer_passes(io_type="float")))
    accumulator_bounds(graph)
    return graph


CASES = [
    pytest.param(
        net,
        format_,
        kind,
        per_channel,
        id=f"{net}-{format_}-{kind}-{'channel' if per_channel else 'tensor'}",
    )
    for net in NETS
    for format_ in FORMATS
    for kind in KINDS
    for per_channel in (False, True)
]


@pytest.mark.parametrize(("net", "format_", "kind", "per_channel"), CASES)
def test_quantised_model_is_integer_and_agrees_with_onnx_runtime(
    net: str, format_: str, kind: str, per_channel: bool
) -> None:
    proto = quantised(net, format_, kind, per_channel)
    graph = integer_graph(proto)
    floats = {n.op for n in graph.nodes if graph.type(n.outputs[0]).dtype.is_float}
    assert floats <= {"dequantize", "reshape", "transpose"}
    steps = []
    for sample in samples_of(proto)[:12]:
        want, got = run_onnx(proto, sample), outputs(graph, sample)
        steps += [np.abs(got[n] - want[n]).ravel() / _scale(graph, n) for n in graph.outputs]
    off = np.concatenate(steps)
    assert np.mean(off < 1.01) >= 0.99
    assert off.max() < 3.01


def _scale(graph: Graph, output: str) -> float:
    maker = graph.producers[output]
    while maker.op != "dequantize":
        maker = graph.producers[maker.inputs[0]]
    quant = graph.type(maker.inputs[0]).quant
    assert quant is not None
    return quant.scale0


def test_weights_of_nine_bits_are_exact_in_c(tmp_path: Path) -> None:
    """uint8 weights whose zero point is not 128; the C is compared with the reference, tensor by tensor."""
    proto = quantised("one_dimensional", "qdq", "u8", False)
    assert any(t.type.dtype.name == "i16" for t in integer_graph(proto).constants)
    onnx.save(proto, tmp_path / "net.onnx")
    done = compile(tmp_path / "net.onnx")
    assert done.report["unverified"] is None
    assert [entry["equal"] for entry in done.report["verified"]] == [True] * len(
        done.report["verified"]
    )


def test_a_quantised_model_has_integers_at_its_ends() -> None:
    graph = run_passes(load(quantised("residual", "qdq", "i8", True)), (*FLOAT, *integer_passes()))
    assert [graph.type(n).dtype.name for n in (*graph.inputs, *graph.outputs)] == ["i8", "i8"]
    assert not any(t.type.dtype.is_float for t in graph.tensors.values())


def test_weights_only_quantised_leave_a_float_net() -> None:
    """DequantizeLinear on weights, and activations that nobody quantises: dequantised now."""
    q = np.int8([[1, -2, 3], [4, -5, 6]])
    nodes = [node("DequantizeLinear", "q s", "w", axis=0), node("Gemm", "x w", "y", transB=1)]
    proto = model(nodes, {"x": (1, 3)}, ["y"], {"q": q, "s": np.float32([0.5, 0.25])})
    graph = run_passes(load(proto), (*FLOAT, *integer_passes()))
    assert [n.op for n in graph.nodes] == ["dense"]
    x = np.float32([[1, 2, 3]])
    np.testing.assert_allclose(
        outputs(graph, {"x": x})["y"], run_onnx(proto, {"x": x})["y"], rtol=1e-6
    )
