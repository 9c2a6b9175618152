"""Loop, Scan and a model's own functions against ONNX Runtime; and what is refused by name."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from tinycc_ml.errors import TinymlError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.frontends.onnx.control_flow import LARGEST_UNROLL
from tinycc_ml.reference.run import outputs

HEAD = '<ir_version: 8, opset_import: ["" : 17, "own" : 1]>'

# A loop that is left early, with a state, a scan output, a name from outside and an initialiser inside
LEFT_EARLY = """net (float[3] x, float[3] k) => (float[3] y, float[s, 3] z)
<int64 m = {9}, bool go = {1}, int64 most = {4}> {
    y, z = Loop (m, go, x) <body = step (int64 i, bool c, float[3] s) => (bool d, float[3] t, float[3] u)
    <float half = {0.5}> {
        d = Less(i, most)
        a = Mul(s, half)
        t = Add(a, k)
        f = Cast <to = 1> (i)
        u = Mul(t, f)
    }>
}"""

NESTED = """net (float[2] x) => (float[2] y) <int64 m = {3}, bool go = {1}> {
    y = Loop (m, go, x) <body = outer (int64 i, bool c, float[2] s) => (bool d, float[2] t) {
        d = Identity(c)
        n = Loop (m, c, s) <body = inner (int64 i, bool c, float[2] v) => (bool e, float[2] w) {
            e = Identity(c)
            f = Cast <to = 1> (i)
            g = Add(v, f)
            w = Add(g, x)
        }>
        big = Cast <to = 1> (i)
        t = Sub(n, big)
    }>
}"""

NO_TRIP_COUNT = """net (float[2] x) => (float[2] y, float[n, 2] z) <bool go = {1}, int64 last = {2}> {
    y, z = Loop ("", go, x) <body = step (int64 i, bool c, float[2] s) => (bool d, float[2] t, float[2] u) {
        d = Less(i, last)
        t = Add(s, s)
        u = Identity(x)
    }>
}"""

SCAN = """net (float[2] x, float[2, 5] a, float[5, 2] b) => (float[2] y, float[2, 5] z, float[5, 2] v) {
    y, z, v = Scan <num_scan_inputs = 2, scan_input_axes = [1, 0], scan_input_directions = [0, 1],
                    scan_output_axes = [-1, 0], scan_output_directions = [0, 1],
                    body = step (float[2] s, float[2] p, float[2] q) => (float[2] t, float[2] o, float[2] w) {
        h = Mul(p, q)
        t = Add(s, h)
        o = Identity(t)
        w = Sub(t, p)
    }> (x, a, b)
}"""

FUNCTION = """net (float[4] x) => (float[4] y) {
    h = own.twice <by = 3.0> (x)
    y = own.outer (h)
}
<domain: "own", opset_import: ["" : 17]> twice <by> (v) => (w) {
    f = Constant <value_float: float = @by> ()
    w = Mul(v, f)
}
<domain: "own", opset_import: ["" : 17, "own" : 1]> outer (v) => (w) {
    a = own.twice <by = 0.5> (v)
    w = Add(a, v)
}"""


def parsed(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"{HEAD} {text}")


@pytest.mark.parametrize(
    "text",
    [LEFT_EARLY, NESTED, NO_TRIP_COUNT, SCAN, FUNCTION],
    ids=["left_early", "nested", "no_trip_count", "scan", "function"],
)
def test_graph_computes_what_onnx_runtime_does(text: str) -> None:
    model, rng = parsed(text), np.random.default_rng(1)
    graph = load(model)
    shapes = {n: graph.type(n).shape for n in graph.inputs}
    inputs = {n: rng.standard_normal(s).astype(np.float32) for n, s in shapes.items()}
    session = onnxruntime.InferenceSession(model.SerializeToString())
    wanted = session.run(None, inputs)
    made = outputs(graph, inputs)
    for name, want in zip(graph.outputs, wanted, strict=True):
        assert made[name].shape == want.shape
        np.testing.assert_allclose(made[name], want, rtol=1e-6, atol=1e-6)


LONG = """net (float[2] x) => (float[2] y) <int64 m = {100000}, bool go = {1}> {
    y = Loop (m, go, x) <body = step (int64 i, bool c, float[2] s) => (bool d, float[2] t) {
        d = Identity(c)
        t = Add(s, x)
    }>
}"""
AT_RUN_TIME = """net (float[2] x) => (float[2] y) <int64 m = {3}, bool go = {1}, float top = {9}> {
    y = Loop (m, go, x) <body = step (int64 i, bool c, float[2] s) => (bool d, float[2] t) {
        t = Add(s, x)
        sum = ReduceSum <keepdims = 0> (t)
        d = Less(sum, top)
    }>
}"""
TRIPS_AT_RUN_TIME = LONG.replace("(float[2] x)", "(float[2] x, int64 m)").replace(
    "int64 m = {100000}, ", ""
)
NOTHING_STACKED = LEFT_EARLY.replace("int64 m = {9}", "int64 m = {0}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LONG, f"more than {LARGEST_UNROLL} nodes"),
        (AT_RUN_TIME, "Loop: its condition is computed at run time"),
        (TRIPS_AT_RUN_TIME, "Loop needs a constant trip count"),
        (NOTHING_STACKED, "Loop of no iterations: the shape of 'z' is not known"),
    ],
    ids=["long", "condition", "trips", "nothing"],
)  # fmt: skip
def test_what_is_not_known_when_compiling_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(TinymlError, match=said):
        load(parsed(text))
