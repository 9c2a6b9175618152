"""Reading ONNX models: what is open is bound, what is constant is folded, what can't be served is told."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from tinycc_ml import frontends
from tinycc_ml.errors import ModelError, UnsupportedError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.reference.run import outputs

from ..models import NETS, model, node, run_onnx, weights
from ..texts import assert_close, random_inputs

RELU = [node("Relu", "x", "y")]


def _ops(made: Graph) -> list[str]:
    return [n.op for n in made.nodes]


def _refused(proto: onnx.ModelProto) -> str:
    with pytest.raises(ModelError) as caught:
        load(proto)
    return str(caught.value)


# -- shapes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("leading", ["N", "batch size", None])
def test_an_open_leading_dimension_is_1_and_one_line_says_so(
    leading: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="tinycc_ml")
    made = load(model(RELU, {"x": (leading, 3)}, ["y"]))
    assert made.type("x").shape == (1, 3)
    (line,) = (r for r in caplog.records if r.levelno == logging.INFO)
    assert "leading dimension" in line.getMessage() and (leading or "unnamed") in line.getMessage()


def test_a_static_model_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tinycc_ml")
    load(model(RELU, {"x": (2, 3)}, ["y"]))
    assert caplog.records == []


def test_named_dimensions_are_bound() -> None:
    made = load(model(RELU, {"x": ("N", "T", 3)}, ["y"]), dims={"T": 5, "N": 2})
    assert made.type("y").shape == (2, 5, 3)


def test_open_dimensions_that_are_not_bound_are_refused_with_a_way_out() -> None:
    with pytest.raises(ModelError, match=r"dimension 1 \(T\) is open.*--dim T=SIZE"):
        load(model(RELU, {"x": ("N", "T")}, ["y"]))


def test_an_input_without_a_shape_is_refused() -> None:
    proto = model(RELU, {"x": (1,)}, ["y"])
    proto.graph.input[0].type.tensor_type.ClearField("shape")
    assert "has no shape" in _refused(proto)


def test_an_input_of_an_unknown_element_type_is_refused() -> None:
    proto = model(RELU, {"x": (1,)}, ["y"])
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING
    assert "'x'" in _refused(proto)


def test_a_declared_output_shape_that_is_wrong_is_worth_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proto = model(RELU, {"x": (1, 3)}, ["y"])
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4]))
    assert load(proto).type("y").shape == (1, 3)
    assert "declared as [1, 4]" in caplog.text


# -- inputs, outputs, constants ----------------------------------------------------------------


def test_initialisers_that_are_listed_as_inputs_are_constants() -> None:
    proto = model(
        [node("Add", "x k", "y")], {"x": (2,), "k": (2,)}, ["y"], {"k": np.float32([1, 2])}
    )
    assert load(proto).inputs == ("x",)


def test_inputs_that_nothing_reads_are_no_parameters() -> None:
    assert load(model(RELU, {"x": (2,), "spare": (5, "T")}, ["y"])).inputs == ("x",)
    dead = [*RELU, node("Neg", "spare", "unread")]
    assert load(model(dead, {"x": (2,), "spare": (5,)}, ["y"])).inputs == ("x",)


def test_an_output_that_is_an_input_or_a_constant_is_copied() -> None:
    made = load(model(RELU, {"x": (2,)}, ["y", "x", "k"], {"k": np.float32([5, 6])}))
    assert made.outputs == ("y", "x.out", "k.out")
    found = outputs(made, {"x": np.float32([-1, 3])})
    assert {n: v.tolist() for n, v in found.items()} == {
        "y": [0, 3],
        "x.out": [-1, 3],
        "k.out": [5, 6],
    }
    assert run_passes(made, FLOAT).outputs == made.outputs


@pytest.mark.parametrize("name", NETS)
def test_outputs_are_known_by_the_name_of_the_model(name: str) -> None:
    made = run_passes(load(NETS[name]()), FLOAT)
    assert [made.tensors[n].source_name for n in made.outputs] == list(made.outputs)


def test_names_that_importers_give_keep_away_from_the_models_own() -> None:
    nodes = [node("Hardmax", "x", "y"), node("Neg", "x", "steps"), node("Add", "y steps", "z")]
    made = load(model(nodes, {"x": (2, 3)}, ["z"]))
    assert made.producers["steps"].op == "neg"


def test_an_output_listed_twice_is_refused() -> None:
    for names in (["y", "y"], ["x", "x"]):
        assert "listed twice" in _refused(model(RELU, {"x": (2,)}, names))


def test_an_output_that_nothing_makes_is_refused() -> None:
    assert "'z' is made by no node" in _refused(model(RELU, {"x": (2,)}, ["z"]))


def test_a_model_without_outputs_is_refused() -> None:
    assert "no outputs" in _refused(model(RELU, {"x": (2,)}, []))


def test_names_that_are_made_twice_are_refused() -> None:
    again = [*RELU, node("Neg", "x", "y")]
    assert "'y' is defined twice" in _refused(model(again, {"x": (2,)}, ["y"]))
    over_input = [node("Neg", "x", "x")]
    assert "'x' is defined twice" in _refused(model(over_input, {"x": (2,)}, ["x"]))
    proto = model([node("Add", "x k", "y")], {"x": (2,)}, ["y"], {"k": np.float32([1, 2])})
    proto.graph.initializer.append(numpy_helper.from_array(np.float32([3, 4]), "k"))
    assert "'k' is defined twice" in _refused(proto)


def test_undefined_and_cyclic_names_are_refused_at_their_node() -> None:
    cycle = [node("Add", "x b", "a"), node("Neg", "a", "b"), node("Neg", "b", "y")]
    text = _refused(model(cycle, {"x": (2,)}, ["y"]))
    assert "node 'node_a'" in text and "reads 'b', which nothing makes before it" in text


def test_constant_nodes_and_unreadable_constants() -> None:
    constant = helper.make_node("Constant", [], ["k"], value_floats=[1.0, 2.0])
    made = load(model([constant, node("Add", "x k", "y")], {"x": (2,)}, ["y"]))
    assert made.tensors["k"].value.tolist() == [1, 2]
    proto = model([node("Add", "x k", "y")], {"x": (2,)}, ["y"], {"k": np.float32([1, 2])})
    proto.graph.initializer[0].raw_data = b"123"
    assert "constant 'k' can't be read" in _refused(proto)
    proto.graph.initializer[0].data_type = 99
    assert "constant 'k'" in _refused(proto)
    strings = helper.make_tensor("k", TensorProto.STRING, [1], [b"a"])
    proto.graph.initializer[0].CopyFrom(strings)
    assert "constant 'k'" in _refused(proto) and "STRING" in _refused(proto)


def test_arithmetic_on_eight_bit_floats_is_refused_by_name() -> None:
    k = np.asarray([1, 2], ml_dtypes.float8_e4m3fn)
    proto = model([node("Add", "x k", "y")], {"x": (2,)}, ["y"], {"k": k})
    assert "Add takes no e4m3fn" in _refused(proto)


# -- folding -----------------------------------------------------------------------------------


def test_shape_arithmetic_folds_away() -> None:
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "n"),
        node("Unsqueeze", "n axes", "n1"),
        node("Concat", "n1 minus", "to", axis=0),
        node("Reshape", "x to", "flat"),
        node("Gemm", "flat w", "y"),
    ]
    constants = {
        "zero": np.int64(0),
        "axes": np.int64([0]),
        "minus": np.int64([-1]),
        "w": weights(1, 12, 2),
    }
    made = run_passes(load(model(nodes, {"x": ("N", 3, 4)}, ["y"], constants)), FLOAT)
    assert _ops(made) == ["reshape", "dense"]
    assert made.type("flat").shape == (1, 12)


def test_the_size_of_a_tensor_and_a_part_of_its_shape_fold() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"], start=1, end=-1),
        node("Size", "x", "n"),
        node("Cast", "s", "sf", to=TensorProto.FLOAT),
        node("Cast", "n", "nf", to=TensorProto.FLOAT),
        node("Mul", "sf nf", "k"),
        node("Mul", "x k", "y"),
    ]
    made = load(model(nodes, {"x": (2, 3, 4)}, ["y"]))
    assert _ops(made) == ["mul"]
    assert made.tensors["k"].value.tolist() == [72]


def test_a_range_of_random_numbers_is_not_folded() -> None:
    nodes = [node("RandomNormal", "", "r", shape=[2]), node("Add", "x r", "y")]
    assert "RandomNormal" in _refused(model(nodes, {"x": (2,)}, ["y"]))


def test_constants_that_cannot_be_computed_are_told_by_node() -> None:
    nodes = [node("Add", "a b", "c"), node("Add", "x c", "y")]
    constants = {"a": np.float32([1, 2]), "b": np.float32([1, 2, 3])}
    text = _refused(model(nodes, {"x": (2,)}, ["y"], constants))
    assert "node 'node_c'" in text and "can't be computed" in text


def test_folding_does_not_blow_the_model_up() -> None:
    nodes = [node("Expand", "v shape", "k"), node("Add", "x k", "y")]
    constants = {"v": np.arange(4096, dtype=np.float32), "shape": np.int64([4096, 4096])}
    text = _refused(model(nodes, {"x": (1,)}, ["y"], constants))
    assert "16777216 values" in text


# -- what is not supported ---------------------------------------------------------------------


def test_all_nodes_that_are_not_supported_are_told_at_once_and_only_once() -> None:
    nodes = [
        node("Multinomial", "x", "a"),
        node("Relu", "a", "b"),
        node("StringSplit", "x", "c"),
        node("Add", "b c", "y"),
    ]
    with pytest.raises(UnsupportedError) as caught:
        load(model(nodes, {"x": (2,)}, ["y"]))
    assert len(caught.value.problems) == 2
    text = str(caught.value)
    assert "node 'node_a': operator Multinomial (opset 17)" in text
    assert "node 'node_c': operator StringSplit" in text


def test_an_operator_of_another_domain_is_told_with_it() -> None:
    odd = helper.make_node("Odd", ["x"], ["y"], name="odd", domain="my.company")
    assert "operator my.company.Odd" in _refused(model([odd], {"x": (2,)}, ["y"]))


def test_operands_that_do_not_fit_are_told_by_node() -> None:
    text = _refused(
        model([node("Gemm", "x w", "y")], {"x": (1, 4)}, ["y"], {"w": weights(1, 5, 2)})
    )
    assert text.startswith("1 node not supported") and "node 'node_y'" in text


def test_weights_may_be_made_at_run_time() -> None:
    nodes = [node("Conv", "x w", "y")]
    graph = load(model(nodes, {"x": (1, 2, 5, 5), "w": (3, 2, 3, 3)}, ["y"]))
    assert graph.inputs == ("x", "w") and graph.type("y").shape == (1, 3, 3, 3)


def test_a_value_that_decides_a_shape_is_asked_for_and_can_be_bound() -> None:
    asks = model([node("Expand", "x n", "y")], {"x": (1,), "n": (1,)}, ["y"])
    asks.graph.input[1].type.tensor_type.elem_type = onnx.TensorProto.INT64
    assert "bind it: --bind n=VALUE" in _refused(asks)
    graph = load(asks, bind={"n": np.asarray([3])})
    assert graph.inputs == ("x",) and graph.type("y").shape == (3,)


def test_what_a_value_is_made_from_is_found_through_any_number_of_ways() -> None:
    """Sixty doublings are 2^60 ways back to the input."""
    steps = [node("Add", f"a{k} a{k}", f"a{k + 1}") for k in range(60)]
    doubled = model([*steps, node("Expand", "x a60", "y")], {"x": (1,), "a0": (1,)}, ["y"])
    doubled.graph.input[1].type.tensor_type.elem_type = onnx.TensorProto.INT64
    assert "bind it: --bind a0=VALUE" in _refused(doubled)


@pytest.mark.parametrize("opset", [1, 7, 10])
def test_old_opsets_are_read(opset: int) -> None:
    assert load(model(RELU, {"x": (2,)}, ["y"], opset=opset)).outputs == ("y",)


@pytest.mark.parametrize("op", ["BatchNormalization", "Dropout"])
def test_what_trains_by_default_in_an_old_opset_is_refused(op: str) -> None:
    inputs = "x a b c d" if op == "BatchNormalization" else "x"
    constants = {name: np.ones(2, np.float32) for name in "abcd"}
    text = _refused(model([node(op, inputs, "y")], {"x": (1, 2)}, ["y"], constants, opset=6))
    assert "training mode" in text


def test_nodes_without_names_are_told_by_their_result() -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["found"])]
    assert "node 'found'" in _refused(model(nodes, {"x": (2,)}, ["found"]))


def _sparse(values: list[float], indices: object, shape: list[int]) -> onnx.SparseTensorProto:
    return helper.make_sparse_tensor(
        numpy_helper.from_array(np.float32(values), "s"),
        numpy_helper.from_array(np.int64(indices), "i"),
        shape,
    )


@pytest.mark.parametrize("indices", [[1, 5], [[0, 1], [1, 2]]])
def test_sparse_initialisers_are_dense(indices: object) -> None:
    proto = model([node("Add", "x s", "y")], {"x": (2, 3)}, ["y"])
    proto.graph.sparse_initializer.append(_sparse([4, -7], indices, [2, 3]))
    made = load(proto)
    assert made.inputs == ("x",)
    given = random_inputs(made)
    assert_close(run_onnx(proto, given), outputs(made, given), 0.0)


@pytest.mark.parametrize(
    ("indices", "shape"), [([6], [2, 3]), ([-1], [2, 3]), ([[0, 3]], [2, 3]), ([0], [1 << 20] * 3)]
)
def test_sparse_constants_that_do_not_fit_are_refused(indices: object, shape: list[int]) -> None:
    proto = model([node("Add", "x s", "y")], {"x": (2, 3)}, ["y"])
    proto.graph.sparse_initializer.append(_sparse([1], indices, shape))
    assert "sparse constant 's'" in _refused(proto)


def test_a_constant_node_may_be_sparse() -> None:
    nodes = [
        helper.make_node("Constant", [], ["k"], sparse_value=_sparse([2], [1], [3])),
        node("Mul", "x k", "y"),
    ]
    made = load(model(nodes, {"x": (3,)}, ["y"]))
    assert outputs(made, {"x": np.float32([5, 6, 7])})["y"].tolist() == [0, 12, 0]


# -- functions of the model --------------------------------------------------------------------


def _with_functions(nodes: list[onnx.NodeProto], *functions: onnx.FunctionProto) -> onnx.ModelProto:
    proto = model(nodes, {"x": (2, 3)}, ["y"])
    proto.functions.extend(functions)
    proto.opset_import.append(helper.make_opsetid("my", 1))
    return proto


def _function(name: str, inputs: str, outs: str, nodes: list, **more: object) -> onnx.FunctionProto:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
    return helper.make_function("my", name, inputs.split(), outs.split(), nodes, imports, **more)


def test_functions_of_a_model_are_written_out() -> None:
    """Twice the same one, names that are those of the caller, an attribute with a default, one within another."""
    leaky = helper.make_node("LeakyRelu", ["x"], ["y"])
    leaky.attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=1))
    inner = _function(
        "Inner", "x", "y", [leaky], attribute_protos=[helper.make_attribute("slope", 0.25)]
    )
    body = [
        helper.make_node("Inner", ["x"], ["t"], domain="my", slope=0.5),
        helper.make_node("Inner", ["x"], ["u"], domain="my"),
        node("Sub", "t u", "y"),
    ]
    calls = [
        helper.make_node("Outer", ["x"], ["t"], domain="my"),
        helper.make_node("Outer", ["t"], ["y"], domain="my"),
    ]
    proto = _with_functions(calls, inner, _function("Outer", "x", "y", body))
    made = load(proto)
    given = random_inputs(made)
    assert_close(run_onnx(proto, given), outputs(made, given), 1e-6)


def test_a_result_of_a_function_may_be_its_operand() -> None:
    both = _function("Both", "a", "a b", [node("Neg", "a", "b")])
    calls = [helper.make_node("Both", ["x"], ["p", "q"], domain="my"), node("Sub", "p q", "y")]
    made = load(_with_functions(calls, both))
    assert outputs(made, {"x": np.ones((2, 3), np.float32)})["y"].tolist() == [[2] * 3] * 2


def test_a_function_that_calls_itself_is_refused() -> None:
    again = helper.make_node("Again", ["x"], ["y"], domain="my")
    text = _refused(_with_functions([again], _function("Again", "x", "y", [again])))
    assert "operator my.Again" in text and "not supported" in text


def test_a_call_that_does_not_fit_its_function_is_refused() -> None:
    call = helper.make_node("One", ["x", "x"], ["y"], domain="my")
    one = _function("One", "x", "y", [node("Neg", "x", "y")])
    assert "function One takes 1 and makes 1 tensors, is given 2 for 1" in _refused(
        _with_functions([call], one)
    )


def test_what_a_function_cannot_do_is_told_by_node() -> None:
    bad = _function("Bad", "x", "y", [node("Einsum", "x", "y", equation="nonsense->")])
    call = helper.make_node("Bad", ["x"], ["y"], domain="my", name="caller")
    assert "1 node not supported" in _refused(_with_functions([call], bad))


# -- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"garbage", bytes(range(256)) * 4, b"\x08\x07"])
def test_a_file_that_is_no_model_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="net.onnx is no ONNX model"):
        frontends.load(path)


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(NETS["residual"]().SerializeToString()[:-700])
    with pytest.raises(ModelError):
        frontends.load(path)


def test_a_missing_file_or_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model"):
        frontends.load(tmp_path / "net.onnx")
    other = tmp_path / "net.tflite"
    other.write_bytes(b"x")
    with pytest.raises(ModelError, match="wanted a model in an .onnx file or a spec"):
        frontends.load(other)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(model(RELU, {"x": ("N", "T")}, ["y"]), path)
    with pytest.raises(ModelError, match="^net.onnx: input 'x'"):
        frontends.load(path)


def test_the_graph_is_named_after_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my net.onnx"
    onnx.save(model(RELU, {"x": (1, 2)}, ["y"]), path)
    assert frontends.load(path).name == "my net"


def test_external_data_outside_of_the_folder_of_the_model_is_refused(tmp_path: Path) -> None:
    folder, proto = tmp_path / "model", NETS["flattened"]()
    folder.mkdir()
    onnx.save(
        proto, folder / "net.onnx", save_as_external_data=True, location="w", size_threshold=0
    )
    (folder / "w").rename(tmp_path / "w")
    (folder / "link").symlink_to(tmp_path / "w")
    saved = onnx.load(folder / "net.onnx", load_external_data=False)
    for place in ("../w", str(tmp_path / "w"), "link"):
        for tensor in saved.graph.initializer:
            next(e for e in tensor.external_data if e.key == "location").value = place
        (folder / "net.onnx").write_bytes(saved.SerializeToString())
        with pytest.raises(ModelError, match="net.onnx"):
            frontends.load(folder / "net.onnx")


def test_external_data_is_read_and_its_absence_told(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    proto = NETS["flattened"]()
    onnx.save(proto, path, save_as_external_data=True, location="net.data", size_threshold=0)
    made, given = frontends.load(path), None
    given = random_inputs(made)
    assert_close(run_onnx(NETS["flattened"](), given), outputs(made, given), 1e-5)
    (tmp_path / "net.data").unlink()
    with pytest.raises(ModelError, match="net.data"):
        frontends.load(path)


@pytest.mark.parametrize("name", NETS)
def test_damaged_models_are_refused_and_nothing_else(name: str) -> None:
    """Bytes overwritten at random: what can still be parsed is imported or refused with a reason."""
    whole, rng = NETS[name]().SerializeToString(), np.random.default_rng(3)
    for _ in range(25):
        raw = bytearray(whole)
        for place in rng.integers(len(raw), size=2):
            raw[place] = rng.integers(256)
        proto = onnx.ModelProto()
        with contextlib.suppress(DecodeError, ModelError):
            proto.ParseFromString(bytes(raw))
            run_passes(load(proto), FLOAT)


@pytest.mark.parametrize(
    "broken",
    [
        node("Transpose", "x", "y", perm="ab"),
        node("MaxPool", "x", "y", kernel_shape=2.5),
        node("Conv", "x w", "y", group="one"),
        node("Conv", "x w", "y", strides=[1]),
        node("Conv", "x w", "y", strides=[0, 1]),
        node("Conv", "x w", "y", pads=[1, 2]),
        node("Split", "x", "y", axis=[1]),
        node("Softmax", "x", "y", axis=9),
        node("Concat", "x x", "y", axis=-5),
        node("Gemm", "x", "y"),
    ],
    ids=lambda n: f"{n.op_type}-{n.attribute[0].name if n.attribute else 'operands'}",
)
def test_attributes_that_make_no_sense_are_refused_by_node(broken: onnx.NodeProto) -> None:
    text = _refused(model([broken], {"x": (1, 2, 4, 4)}, ["y"], {"w": weights(1, 2, 2, 3, 3)}))
    assert "node 'node_y'" in text
