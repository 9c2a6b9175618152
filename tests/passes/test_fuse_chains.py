"""fuse_chains: element-wise nodes that only each other read share a loop nest; no value moves, in NumPy or in C."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx.parser
import onnxruntime
import pytest

import tinycc_ml
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops.base import Site
from tinycc_ml.passes.fuse_chains import fuse_chains
from tinycc_ml.reference.run import run

from ..ops.c_functions import Call, build, nest_function, result_of
from ..texts import assert_same_values, graph, random_inputs

HEAD = "input x: f32[2,3,4]\ninput z: f32[2,3,4]\ninput row: f32[4]\n"


def _fused(lines: str, **constants: np.ndarray) -> tuple[Graph, Graph]:
    before = graph(HEAD + lines, **constants)
    after = fuse_chains(before)
    assert_same_values(before, after)
    return before, after


def _ops(lines: str) -> list[str]:
    return [node.op for node in _fused(lines)[1].nodes]


GATE = """a: f32[2,3,4] = sigmoid(x)
    b: f32[2,3,4] = mul(a, z)
    y: f32[2,3,4] = add(b, row) max=6.0 min=0.0
    output y"""


def test_a_chain_is_one_node_that_reads_each_operand_once() -> None:
    _, after = _fused(GATE)
    (node,) = after.nodes
    assert node.op == "chain"
    assert node.inputs == ("x", "z", "row")
    assert set(after.tensors) == {"x", "z", "row", "y"}


def test_two_branches_join() -> None:
    assert _ops("""a: f32[2,3,4] = exp(x)
        b: f32[2,3,4] = abs(z)
        y: f32[2,3,4] = div(a, b)
        output y""") == ["chain"]


def test_what_another_node_or_the_user_reads_is_written() -> None:
    shared = "a: f32[2,3,4] = exp(x)\nb: f32[2,3,4] = mul(a, z)\nc: f32[2,3,4] = sub(a, b)\n"
    assert _ops(shared + "y: f32[2,3,4] = abs(c)\noutput y") == ["exp", "chain"]
    assert _ops(shared + "y: f32[2,3,4] = abs(c)\noutput y\noutput c") == ["exp", "chain", "abs"]


def test_a_value_read_twice_by_one_node_is_computed_once() -> None:
    _, after = _fused("a: f32[2,3,4] = sub(x, z)\ny: f32[2,3,4] = mul(a, a)\noutput y")
    assert [node.op for node in after.nodes] == ["chain"]
    assert len(after.nodes[0].attrs["steps"]) == 2


def test_what_is_repeated_is_not_computed_again_and_again() -> None:
    assert _ops("a: f32[4] = exp(row)\ny: f32[2,3,4] = mul(x, a)\noutput y") == ["exp", "mul"]


def test_nodes_of_integers_with_scales_stay() -> None:
    lines = """input q: i8[4] scale 0.5 zero 3
        a: i8[4] scale 0.5 zero 3 = clip(q) q_max=15 q_min=3
        y: i8[4] scale 0.5 zero 3 = clip(a) q_max=9 q_min=3
        output y"""
    assert fuse_chains(graph(lines)) == graph(lines)


def test_operands_are_not_kept_for_what_is_made_later() -> None:
    """Of x * z one tensor would wait for the softmax; of x and z, two."""
    late = """a: f32[2,3,4] = mul(x, z)
        b: f32[2,3,4] = softmax(v) axis=2
        y: f32[2,3,4] = add(a, b)
        output y"""
    assert _ops("input v: f32[2,3,4]\n" + late) == ["mul", "softmax", "add"]
    assert _ops("input v: f32[2,3,4]\n" + late.replace("mul(x, z)", "abs(x)")) == [
        "softmax",
        "chain",
    ]


# Everything is exact in IEEE arithmetic, so that the C gives the reference's bits
EXACT = {
    "arithmetic": "a: f32[2,3,4] = sub(x, z)\nb: f32[2,3,4] = mul(a, a)\nc: f32[2,3,4] = sqrt(b)\ny: f32[2,3,4] = div(c, row)",
    "clamped": "a: f32[2,3,4] = add(x, z) min=0.0\nb: f32[2,3,4] = clip(a) max=1.0\ny: f32[2,3,4] = leaky_relu(b) alpha=0.25",
    "types": """a: bool[2,3,4] = elementwise(x, z) function="less"
        b: f32[2,3,4] = elementwise(a, x, row) function="where"
        c: i32[2,3,4] = cast(b) dtype="i32"
        d: i32[2,3,4] = elementwise(c, c) function="add"
        y: f32[2,3,4] = cast(d) dtype="f32\"""",
    "halves": 'a: f16[2,3,4] = cast(x) dtype="f16"\nb: f32[2,3,4] = cast(a) dtype="f32"\ny: f32[2,3,4] = mul(b, z)',
}


@pytest.mark.parametrize("name", EXACT)
def test_the_c_of_a_chain_gives_the_bits_of_its_nodes(name: str, tmp_path: Path) -> None:
    before, after = _fused(f"{EXACT[name]}\noutput y")
    (node,) = after.nodes
    inputs = random_inputs(before)
    call = Call(Site.of(after, node), node, {**run(before, inputs), **inputs})
    headers = {h for h in call.nest.includes if h != "math.h"} | {"common/tml_fixedpoint.h"}
    library = build([nest_function("chain", call)], headers, tmp_path)
    np.testing.assert_array_equal(result_of(library, "chain", call, call.operands), call.want)


MODEL = """<ir_version: 8, opset_import: ["" : 20]>
    net (float[1,6,8] x, float[1,6,8] z) => (float[1,6,8] y)
    <float two = {2.0}, float half = {0.5}, float[8] slope = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}> {
      s = Sigmoid(x)
      silu = Mul(x, s)
      t = Tanh(z)
      gate = Mul(silu, t)
      p = PRelu(gate, slope)
      q = Pow(p, two)
      r = Add(q, half)
      l = Log(r)
      y = Softplus(l)
    }"""


def test_a_compiled_model_gives_what_onnx_runtime_gives(tmp_path: Path) -> None:
    model = onnx.parser.parse_model(MODEL)
    onnx.save(model, tmp_path / "net.onnx")
    made = tinycc_ml.compile(tmp_path / "net.onnx", tmp_path / "out", verify=False)
    assert [node.op for node in made.compiled.graph.nodes] == ["chain"]
    session = onnxruntime.InferenceSession(model.SerializeToString())
    given = random_inputs(made.compiled.graph)
    got = tinycc_ml.load(tmp_path / "out")(*given.values())
    (want,) = session.run(None, given)
    # nine functions, each within a few units of the last place
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
