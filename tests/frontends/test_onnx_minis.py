"""Types of 8 bits or less that are only stored and converted, against onnx's ReferenceEvaluator."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.ops.op_cast import cast_to

from tinycc_ml import backend
from tinycc_ml.compiler import Options
from tinycc_ml.compiler import compile as compile_model
from tinycc_ml.errors import ModelError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.parse import parse_graph
from tinycc_ml.ir.text import canonical_text
from tinycc_ml.ir.types import DTYPES, MINIS, SMALL, DType, TensorType
from tinycc_ml.ops import infer
from tinycc_ml.ops.cast import ONNX_TYPES
from tinycc_ml.toolchain.host import build_library

from ..models import node

CODES = {name: code for code, name in ONNX_TYPES.items()}
STORED = (*SMALL, *MINIS)
PLAIN = tuple(DTYPES[name] for name in ("f32", "f16", "bf16", "f64", "i8", "u8", "i32", "i64", "bool"))  # fmt: skip
QUANTISED = tuple(d for d in STORED if d.name != "e8m0")


def _model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, np.ndarray],
    constants: Mapping[str, np.ndarray] | None = None,
    outputs: Sequence[str] = ("y",),
) -> onnx.ModelProto:
    values = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in inputs.items()
    ]
    made = [helper.make_empty_tensor_value_info(n) for n in outputs]
    held = [onnx.numpy_helper.from_array(a, n) for n, a in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "net", values, made, held)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", onnx.defs.onnx_opset_version())]
    )


def _check(model: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Through C, compared with onnx: types, and values exactly."""
    with np.errstate(all="ignore"):
        wanted = ReferenceEvaluator(model).run(None, dict(inputs))
    made = backend.prepare(model).run(list(inputs.values()))
    for got, want in zip(made, wanted, strict=True):
        assert got.dtype == np.asarray(want).dtype
        np.testing.assert_array_equal(got.astype(np.float64), np.asarray(want).astype(np.float64))
    return list(made)


def _codes(dtype: DType) -> np.ndarray:
    """All values of a type."""
    codes = np.arange(1 << dtype.bits).astype(np.uint8)
    return codes.astype(np.int8).astype(dtype.numpy) if dtype.is_small else codes.view(dtype.numpy)


def _exact(x: np.ndarray, to: DType) -> np.ndarray:
    """What has a defined value in another type."""
    wide = x.astype(np.float64)
    low, high = to.range if to.is_integer else (-np.inf, np.inf)
    inside = np.isfinite(wide) & (np.trunc(wide) >= low) & (np.trunc(wide) < float(high + 1))
    return x[inside] if to.is_integer else x


@pytest.mark.parametrize("source", STORED, ids=str)
def test_every_value_casts_to_every_type(source: DType) -> None:
    """ONNX's own cast fails from some of these types to others: it is asked with their float32."""
    targets = [d for d in (*STORED, *PLAIN) if d != source]
    inputs = {f"x_{d}": _exact(_codes(source), d) for d in targets}
    nodes = [node("Cast", f"x_{d}", f"y_{d}", to=CODES[d.name]) for d in targets]
    prepared = backend.prepare(_model(nodes, inputs, outputs=[f"y_{d}" for d in targets]))
    for dtype, got in zip(targets, prepared.run(list(inputs.values())), strict=True):
        with np.errstate(all="ignore"):
            want = cast_to(inputs[f"x_{dtype}"].astype(np.float32), CODES[dtype.name], True)
        np.testing.assert_array_equal(got.astype(np.float64), want.astype(np.float64), f"{dtype}")


@pytest.mark.parametrize("source", PLAIN, ids=str)
def test_plain_types_cast_to_every_type(source: DType) -> None:
    rng = np.random.default_rng(1)
    drawn = np.concatenate([rng.uniform(-10, 10, 60), rng.uniform(0, 600, 60), [0, -0.0, 1e5]])
    x = _exact(drawn, source).astype(source.numpy)
    inputs = {f"x_{d}": _exact(x, d) for d in STORED}
    nodes = [node("Cast", f"x_{d}", f"y_{d}", to=CODES[d.name]) for d in STORED]
    _check(_model(nodes, inputs, outputs=[f"y_{d}" for d in STORED]), inputs)


@pytest.mark.parametrize("saturate", [0, 1])
def test_saturation_is_the_node_s(saturate: int) -> None:
    x = np.float32([1e9, -1e9, 3e38, np.nan, 448, 464, 464.1, 57344, 61440])
    targets = [d for d in MINIS if d.bits == 8 and d.name != "e8m0"]
    nodes = [node("Cast", "x", str(d), to=CODES[d.name], saturate=saturate) for d in targets]
    made = _check(_model(nodes, {"x": x}, outputs=[str(d) for d in targets]), {"x": x})
    assert np.isfinite(made[0][:2].astype(np.float32)).all() == bool(saturate)


@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_powers_of_two_are_rounded_as_asked(mode: str) -> None:
    x = np.float32([0, 1, 1.1, 1.5, 1.9, 3e38, 1e-39, 2.0**-127, np.inf, np.nan])
    nodes = [
        node("Cast", "x", f"y{s}", to=CODES["e8m0"], round_mode=mode, saturate=s) for s in (0, 1)
    ]
    _check(_model(nodes, {"x": x}, outputs=["y0", "y1"]), {"x": x})


def test_integers_beyond_keep_their_low_bits() -> None:
    x = np.arange(-40, 40, dtype=np.int16)
    nodes = [node("Cast", "x", str(d), to=CODES[d.name]) for d in SMALL]
    _check(_model(nodes, {"x": x}, outputs=[str(d) for d in SMALL]), {"x": x})


@pytest.mark.parametrize("dtype", [DTYPES["i4"], DTYPES["e5m2"], DTYPES["e2m1"]], ids=str)
def test_what_only_moves_keeps_its_codes(dtype: DType) -> None:
    x = _codes(dtype).reshape(4, -1)
    held = {"s": np.int64([-1, 4]), "at": np.int64([2, 0])}
    nodes = [
        node("Reshape", "x s", "r"), node("Transpose", "r", "t"), node("Identity", "t", "still"),
        node("Gather", "t at", "g"), node("Concat", "g t", "y", axis=0),
    ]  # fmt: skip
    model = _model(nodes, {"x": x}, held, ("still", "y"))
    graph = load(model)
    assert [n.op for n in graph.nodes][:3] == ["reshape", "transpose", "identity"]
    still, y = backend.prepare(model).run([x])
    want = x.reshape(-1, 4).T
    for got, wanted in ((still, want), (y, np.concatenate([want[[2, 0]], want]))):
        assert got.dtype == dtype.numpy
        whole = wanted.astype(np.float32)
        np.testing.assert_array_equal(got.astype(np.float32), whole)


@pytest.mark.parametrize("dtype", STORED, ids=str)
def test_constants_are_held(dtype: DType) -> None:
    k = _codes(dtype)
    at = np.arange(k.size)[::-1].copy()
    model = _model([node("Identity", "k", "y"), node("Gather", "k at", "g")], {"at": at}, {"k": k}, ("y", "g"))  # fmt: skip
    y, g = backend.prepare(model).run([at])
    assert y.dtype == g.dtype == dtype.numpy
    np.testing.assert_array_equal(y.astype(np.float32), k.astype(np.float32))
    np.testing.assert_array_equal(g.astype(np.float32), k[::-1].astype(np.float32))


GRANULARITIES = {"tensor": ((), {}), "axis": ((3,), {"axis": 0}), "blocks": ((3, 3), {"axis": 1, "block_size": 3})}  # fmt: skip


@pytest.mark.parametrize("constant", [False, True], ids=["run_time", "constants"])
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("dtype", QUANTISED, ids=str)
def test_quantisation_by_tensor_by_axis_and_in_blocks(
    dtype: DType, granularity: str, constant: bool
) -> None:
    shape, attrs = GRANULARITIES[granularity]
    rng = np.random.default_rng(2)
    x = (rng.standard_normal((3, 8)) * 20).astype(np.float32)
    scale = rng.uniform(0.5, 2, shape).astype(np.float32)
    # ONNX's reference leaves the zero point of floats out, which must be 0
    zero = (rng.integers(0, 2, shape) if dtype.is_integer else np.zeros(shape)).astype(dtype.numpy)
    parameters = {"s": scale, "z": zero}
    nodes = [
        node("QuantizeLinear", "x s z", "q", **attrs),
        node("DequantizeLinear", "q s z", "y", **attrs),
    ]
    held = parameters if constant else {}
    inputs = {"x": x, **({} if constant else parameters)}
    _check(_model(nodes, inputs, held, ("q", "y")), inputs)


@pytest.mark.parametrize("dtype", [DTYPES["i4"], DTYPES["u2"], DTYPES["e4m3fn"]], ids=str)
def test_output_dtype_says_the_type(dtype: DType) -> None:
    inputs = {"x": np.float32([-3, 0.4, 0.6, 1.5, 2.5, 900])}
    nodes = [
        node("QuantizeLinear", "x s", "q", output_dtype=CODES[dtype.name]),
        node("DequantizeLinear", "q s", "y", output_dtype=TensorProto.FLOAT16),
    ]
    _, y = _check(_model(nodes, inputs, {"s": np.float32(0.5)}, ("q", "y")), inputs)
    assert y.dtype == np.float16


@pytest.mark.parametrize("dtype", [DTYPES["i4"], DTYPES["e4m3fn"]], ids=str)
def test_weights_in_blocks_are_plain_when_compiled(dtype: DType) -> None:
    rng = np.random.default_rng(3)
    held = {
        "w": rng.integers(-8, 8, (8, 5)).astype(dtype.numpy),
        "s": rng.uniform(0.5, 2, (2, 5)).astype(np.float32),
    }
    nodes = [node("DequantizeLinear", "w s", "d", axis=0, block_size=4), node("MatMul", "x d", "y")]
    x = rng.standard_normal((2, 8)).astype(np.float32)
    model = _model(nodes, {"x": x}, held)
    assert not {"cast", "elementwise", "dequantize"} & {n.op for n in load(model).nodes}
    (y,) = backend.prepare(model).run([x])
    np.testing.assert_allclose(y, ReferenceEvaluator(model).run(None, {"x": x})[0], rtol=1e-5, atol=1e-5)  # fmt: skip


def _quantised_net(kind: np.dtype) -> onnx.ModelProto:
    rng = np.random.default_rng(4)
    held = {
        "w": rng.integers(-8, 8, (8, 5)).astype(kind),
        "ws": rng.uniform(0.1, 0.2, 5).astype(np.float32),
        "xs": np.float32(0.05), "ys": np.float32(0.1), "z": np.int8(0),
    }  # fmt: skip
    nodes = [
        node("QuantizeLinear", "x xs z", "xq"), node("DequantizeLinear", "xq xs z", "xd"),
        node("DequantizeLinear", "w ws", "wd", axis=1), node("MatMul", "xd wd", "m"),
        node("QuantizeLinear", "m ys z", "mq"), node("DequantizeLinear", "mq ys z", "y"),
    ]  # fmt: skip
    return _model(nodes, {"x": np.zeros((1, 8), np.float32)}, held)


def test_weights_of_4_bits_make_the_integer_net_of_int8_weights() -> None:
    made = [
        compile_model(load(_quantised_net(np.dtype(kind)), name="net"), "host", options=Options(name="net", self_test=False))
        for kind in (ml_dtypes.int4, np.int8)
    ]  # fmt: skip
    assert made[0].files["net_weights.c"] == made[1].files["net_weights.c"]
    assert "dense" in {n.op for n in made[0].graph.nodes}
    assert not any(t.type.dtype.is_storage for t in made[0].graph.tensors.values())


def test_ops_without_a_form_on_them_say_so() -> None:
    for dtype in (DTYPES["i4"], DTYPES["e5m2"]):
        with pytest.raises(ModelError, match=rf"add of {dtype}\[2\].* cast it to f32"):
            infer("add", [TensorType((2,), dtype)] * 2, {})


def test_operators_that_onnx_does_not_define_on_them_are_refused() -> None:
    x = _codes(DTYPES["e4m3fn"])
    for made in (node("Add", "x x", "y"), node("Relu", "x", "y"), node("ReduceMax", "x", "y")):
        with pytest.raises(ModelError, match=f"{made.op_type} takes no e4m3fn"):
            load(_model([made], {"x": x}))


def test_unknown_rounding_is_refused() -> None:
    made = node("Cast", "x", "y", to=CODES["e8m0"], round_mode="odd")
    with pytest.raises(ModelError, match="round_mode 'odd' is none of up, down, nearest"):
        load(_model([made], {"x": np.float32([1])}))


@pytest.mark.parametrize("dtype", STORED, ids=str)
def test_the_text_of_a_graph_holds_them(dtype: DType) -> None:
    finite = _codes(dtype)[:4]
    graph = load(_model([node("Identity", "k", "y")], {}, {"k": finite}))
    assert f"{dtype}[4] = [" in canonical_text(graph)
    assert parse_graph(canonical_text(graph)) == graph


@pytest.mark.parametrize("single", [False, True], ids=["folder", "single_file"])
def test_the_self_test_builds_and_passes(single: bool, tmp_path: Path) -> None:
    nodes = [node("Cast", "x", str(d), to=CODES[d.name]) for d in STORED]
    nodes += [node("Transpose", str(d), f"{d}_t") for d in STORED]
    x = np.zeros((3, 4), np.float32)
    model = _model(nodes, {"x": x}, outputs=[f"{d}_t" for d in STORED])
    options = Options(name="net", io_type="float", allow_float=True, single_file=single)
    compiled = compile_model(load(model), "host", options=options)
    for path, text in compiled.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    sources = [tmp_path / path for path in compiled.files if path.endswith(".c")]
    flags = ("-Wall", "-Wextra", "-Werror")
    library = build_library(sources, include_dirs=(tmp_path,), cflags=flags, workdir=tmp_path)
    assert ctypes.CDLL(str(library)).net_selftest() == 0
