"""A constant of many values that are all alike stays one value: in memory, in the text of a graph, in flash."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest

from tinycc_ml.compiler import Compiled, Options, compile
from tinycc_ml.errors import TinymlError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph, constant
from tinycc_ml.ir.parse import parse_graph
from tinycc_ml.ir.text import canonical_text
from tinycc_ml.ir.types import F32, TensorType
from tinycc_ml.passes.eliminate_common import eliminate_common
from tinycc_ml.toolchain.verify import verify_compiled

HEAD = '<ir_version: 8, opset_import: ["" : 17]>'
FILLED = "c = ConstantOfShape <value = float[1] {0.75}> (s)"

NETS = {
    "added": (f"(float[4, 100] x) => (float[4, 100] y) <int64[2] s = {{4, 100}}> {{ {FILLED} y = Add(x, c) }}", 4),
    "wider": (f"(float[1, 100] x) => (float[4, 100] y) <int64[2] s = {{4, 100}}> {{ {FILLED} y = Mul(x, c) }}", 4),
    "of_functions": (f"""(float[4, 100] x) => (float[4, 100] y) <int64[2] s = {{4, 100}}> {{
        {FILLED} e = Exp(c) d = Sub(e, c) y = Max(x, d) }}""", 4),
    "expanded": ("""(float[4, 100] x) => (float[4, 100] y) <int64[2] s = {4, 100}, float v = {0.75}> {
        c = Expand(v, s) y = Add(x, c) }""", 4),
    "where": (f"""(float[4, 100] x) => (float[4, 100] y) <int64[2] s = {{4, 100}}, float zero = {{0}}> {{
        {FILLED} b = Greater(x, zero) y = Where(b, c, x) }}""", 8),
    "concat": (f"(float[4, 100] x) => (float[4, 400] y) <int64[2] s = {{4, 300}}> {{ {FILLED} y = Concat <axis = 1> (x, c) }}", 4),
    "pad": (f"""(float[8, 102] x) => (float[8, 102] y)
        <int64[2] s = {{8, 100}}, int64[4] p = {{0, 1, 0, 1}}, float v = {{0.75}}> {{
        {FILLED} d = Pad(c, p, v) y = Sub(x, d) }}""", 4),
    "matmul": (f"(float[2, 64] x) => (float[2, 32] y) <int64[2] s = {{64, 32}}> {{ {FILLED} y = MatMul(x, c) }}", 4),
    "conv": (f"""(float[1, 8, 6, 6] x) => (float[1, 8, 4, 4] y) <int64[4] s = {{8, 8, 3, 3}}> {{ {FILLED} y = Conv(x, c) }}""", 4),
}  # fmt: skip
# Of int8: tables and multipliers stay
INT8 = {"added": 4, "of_functions": 257, "where": 261, "concat": 1, "pad": 4, "conv": 362}
# Elsewhere a kernel that unpacks weights may be worth their bytes
SMALL = Options(optimize="size")


def _model(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"{HEAD} net {text}")


def _samples(graph: Graph) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {n: rng.normal(size=(4, *graph.type(n).shape)).astype(np.float32) for n in graph.inputs}


def _checked(compiled: Compiled, most: int, model: Path | None = None) -> None:
    assert all(found.equal for found in verify_compiled(compiled, model))
    assert compiled.program.weights_bytes <= most


@pytest.mark.parametrize("name", NETS)
def test_one_value_in_flash(name: str, tmp_path: Path) -> None:
    text, most = NETS[name]
    onnx.save(_model(text), tmp_path / "net.onnx")
    _checked(compile(tmp_path / "net.onnx", options=SMALL), most, tmp_path / "net.onnx")


@pytest.mark.parametrize("name", INT8)
def test_one_value_in_flash_of_int8(name: str) -> None:
    graph = load(_model(NETS[name][0]), name="net")
    _checked(compile(graph, calibrate=_samples(graph), options=SMALL), INT8[name])


def test_an_output_may_be_one_value() -> None:
    text = f"(float[2] x) => (float[2] y, float[20, 20] c) <int64[2] s = {{20, 20}}> {{ {FILLED} y = Neg(x) }}"
    _checked(compile(load(_model(text), name="net")), 4)


def test_a_large_constant_takes_no_memory() -> None:
    text = f"""(float[1, 8] x) => (float[1, 8] y) <int64[3] s = {{1000, 1000, 1000}}, int64[3] t = {{0, 0, 0}},
        int64[3] u = {{1, 1, 8}}, int64[2] w = {{1, 8}}> {{
        {FILLED} d = Exp(c) e = Slice(d, t, u) f = Reshape(e, w) y = Add(x, f) }}"""
    tracemalloc.start()
    graph = load(_model(text), name="net")
    compile(graph)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert graph.constants[0].shape == (1, 8)


@pytest.mark.parametrize("shape", ["-1, 4", "3"])
def test_shapes_that_make_no_sense_are_refused(shape: str) -> None:
    count = len(shape.split(","))
    text = f"(float[2] x) => (float[2] y) <int64[{count}] s = {{{shape}}}> {{ {FILLED} y = Add(x, c) }}"
    with pytest.raises(TinymlError):
        load(_model(text))


def _constant(data: np.ndarray) -> np.ndarray:
    return constant("c", TensorType(data.shape, F32), data).value


def test_what_repeats_is_kept_once_whatever_it_is_made_from() -> None:
    whole = np.full((20, 20), -0.0, np.float32)
    nan = np.full((20, 20), np.nan, np.float32)
    for data in (whole, np.broadcast_to(np.float32(-0.0), (20, 20)), nan):
        kept = _constant(data)
        assert kept.strides == (0, 0)
        assert kept.tobytes() == data.tobytes()
    whole[3, 4] = 0.0  # another bit pattern
    assert _constant(whole).strides == (80, 4)
    assert _constant(np.broadcast_to(np.float32(1), (3, 5))).strides == (20, 4)


def test_the_text_is_that_of_the_whole_constant() -> None:
    text = 'graph "g"\ninput "x": f32[400]\nconstant "c": f32[400]\n"y": f32[400] = add("x", "c")\noutput "y"\n'
    graph = parse_graph(text, {"c": np.full(400, 2.5, np.float32)})
    assert graph.tensors["c"].is_uniform
    whole = np.full(400, 2.5, np.float32)
    whole[0] = 2.5000002
    other = parse_graph(text, {"c": whole})
    assert canonical_text(graph) != canonical_text(other)
    assert canonical_text(
        parse_graph(canonical_text(graph), {"c": graph.tensors["c"].value})
    ) == canonical_text(graph)


def test_equal_ones_are_one_constant() -> None:
    text = (
        'graph "g"\ninput "x": f32[400]\nconstant "c": f32[400]\nconstant "d": f32[400]\n'
        '"y": f32[400] = add("x", "c")\n"z": f32[400] = mul("y", "d")\noutput "z"\n'
    )
    for value, count in ((2.5, 1), (2.0, 2)):
        values = {"c": np.full(400, 2.5, np.float32), "d": np.full(400, value, np.float32)}
        assert len(eliminate_common(parse_graph(text, values)).constants) == count
