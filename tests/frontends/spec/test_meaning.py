"""What specs mean: the graph is the one that the same ONNX model gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tinycc_ml import frontends
from tinycc_ml.frontends.onnx import load as load_onnx
from tinycc_ml.frontends.spec import SpecError
from tinycc_ml.frontends.spec.onnx_calls import operators
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ir.text import canonical_text
from tinycc_ml.ops import onnx_importers
from tinycc_ml.reference.run import outputs

from ...models import model, node, weights
from ...texts import random_inputs
from .texts import net, spec


def _ops(graph: Graph) -> list[str]:
    return [n.op for n in graph.nodes if n.op not in ("transpose", "reshape")]


def test_a_spec_gives_the_graph_of_the_same_onnx_model(tmp_path: Path) -> None:
    w, b = weights(1, 4, 2, 3, 3), weights(2, 4)
    np.savez(tmp_path / "w.npz", **{"c.weight": w, "c.bias": b})
    made = spec(
        'model net\ninput x: f32[1, 2, 6, 5]\nc = x |> conv(4, 3, pad=1)\noutput y = c |> relu\nweights("w.npz")',
        tmp_path,
    )
    nodes = [node("Conv", "x c.weight c.bias", "c", pads=[1, 1, 1, 1], kernel_shape=[3, 3]), node("Relu", "c", "y")]  # fmt: skip
    proto = model(nodes, {"x": (1, 2, 6, 5)}, ["y"], {"c.weight": w, "c.bias": b})
    for n in proto.graph.node:
        n.name = n.output[0]
    assert canonical_text(made.graph) == canonical_text(load_onnx(proto))


def test_the_spec_as_an_onnx_model_computes_the_same() -> None:
    made = net(
        "h = x |> conv(4) |> silu |> batch_norm\noutput y = h |> flatten |> dense(3) |> softmax"
    )
    proto = made.proto()
    assert proto is not None
    onnx.checker.check_model(proto)
    again = load_onnx(proto)
    given = random_inputs(again)
    np.testing.assert_array_equal(outputs(again, given)["y"], outputs(made.graph, given)["y"])


def test_every_onnx_operator_that_is_imported_can_be_called() -> None:
    names = {key.rpartition(".")[2] for key in onnx_importers()} - {"Upsample"}
    assert set(operators()) == names


@pytest.mark.parametrize(
    ("call", "op"),
    [
        ("Clip(0, 6)", "clip"), ("ReduceMax(axes=[2, 3])", "reduce_max"), ("Relu", "clip"), ("add(1)", "add"),
        ("x + 1", "add"), ("x * 2 - x", "sub"), ("dw", "depthwise_conv2d"), ("conv(4, groups=3, name=\"g\")", None),
        ("max_pool", "max_pool2d"), ("conv_transpose(4)", "conv_transpose2d"), ("resize(2)", "resize_nearest"),
    ],
)  # fmt: skip
def test_calls_become_operators(call: str, op: str | None) -> None:
    text = f"output y = {call}" if call.startswith("x ") else f"output y = x |> {call}"
    if op is None:
        with pytest.raises(SpecError, match="3 groups don't divide"):
            net(text)
    else:
        assert _ops(net(text).graph)[-1] == op


def test_names_of_tensors_follow_the_text() -> None:
    made = net(
        "block ds(x, c) {\n return x |> dw |> relu |> conv(c)\n}\n"
        "stem = x |> conv(4) |> relu\nfor i in range(2) {\n x = stem |> ds(4, name=\"ds{i}\")\n}\n"
        "two = x |> conv(2) |> conv(3)\noutput y = two |> relu"
    )  # fmt: skip
    names = set(made.graph.tensors)
    assert {"stem", "stem.conv", "ds1", "ds1.dw", "ds1.relu", "two.conv", "two", "y"} <= names
    assert {
        "stem.bias",
        "ds1.dw.bias",
        "ds1.conv.bias",
        "two.conv.bias",
        "two.conv_2.bias",
    } <= names


def test_names_can_be_any_text() -> None:
    made = spec(
        'input a: f32[1, 4] as "serving:0"\ns, t = Split(a, axis=1, tensor=["p/1", "p/2"])\noutput s as "out/1", t as "out:2"'
    )
    assert (made.graph.inputs, made.graph.outputs) == (("serving:0",), ("out/1", "out:2"))
    assert "p/1" in made.graph.tensors


def test_numbers_units_and_shapes() -> None:
    made = spec(
        "rate = 16kHz\nn = rate * 20ms\ninput x: f32[1, n, 2 ** 3 - 64K // 64K]\noutput y = x |> relu"
    )
    assert made.graph.type("x").shape == (1, 320, 7)


def test_a_size_can_be_bound_from_outside() -> None:
    text = "N = 8\ninput x: f32[N, 4]\noutput y = x |> relu"
    assert spec(text).graph.type("x").shape == (8, 4)
    assert spec(text, dims={"N": 2}).graph.type("x").shape == (2, 4)
    with pytest.raises(SpecError, match="--dim M: the file gives no number of that name"):
        spec(text, dims={"M": 2})


def test_blocks_have_defaults_branches_and_several_results() -> None:
    made = net(
        "block both(x, n: size = 2, wide = n > 1) {\n"
        "    if wide { return x |> relu, x |> sigmoid } else { return x, x }\n}\n"
        "a, b = both(x)\nc, d = both(x, 1)\noutput y = a + b + c + d"
    )
    assert {"clip", "lut", "sigmoid"} & set(_ops(made.graph)) and _ops(made.graph).count("add") == 3


def test_a_block_of_the_user_may_have_weights() -> None:
    made = net(
        'block gain(x) {\n    return Mul(x, param("gain", [1, dim(x, 1), 1, 1], none, "ones"))\n}\noutput y = x |> gain'
    )
    assert "y.gain" in made.graph.tensors


def test_weights_may_be_written_in_the_text() -> None:
    made = spec("input x: f32[1, 2]\noutput y = x |> dense(1, weight=[[1, 2]], bias_values=[0.5])")
    assert outputs(made.graph, {"x": np.float32([[3, 4]])})["y"].item() == 11.5


def test_including_a_file_gives_its_blocks(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "blocks.tml").write_text("block f(x) {\n    return x |> relu\n}\n")
    text = 'include "parts/blocks.tml"\ninclude "parts/blocks.tml"\ninput x: f32[1, 4]\noutput y = x |> f'
    assert _ops(spec(text, tmp_path).graph) == ["clip"]


def test_files_outside_the_folder_are_included_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "blocks.tml").write_text("block f(x) {\n    return x |> relu\n}\n")
    text = 'include "../blocks.tml"\ninput x: f32[1, 4]\noutput y = x |> f'
    (tmp_path / "net").mkdir()
    with pytest.raises(SpecError, match="lies outside the folder"):
        spec(text, tmp_path / "net")
    assert _ops(spec(text, tmp_path / "net", outside=True).graph) == ["clip"]


def test_mistakes_in_included_files_are_said_there(tmp_path: Path) -> None:
    (tmp_path / "blocks.tml").write_text("block f(x) {\n    return x |> rellu\n}\nz = =\n")
    with pytest.raises(SpecError, match=r"blocks.tml:4:5: expected a value"):
        spec('include "blocks.tml"\ninput x: f32[1, 4]\noutput y = x |> f', tmp_path)


def test_an_imported_net_is_the_model(tmp_path: Path) -> None:
    onnx.save(model([node("Relu", "x", "y")], {"x": (1, "N")}, ["y"]), tmp_path / "net.onnx")
    (tmp_path / "net.tml").write_text(
        'import "net.onnx"\nrecipe {\n    dims(N=4)\n    optimize("size")\n}\n'
    )
    opened = frontends.open_model(tmp_path / "net.tml")
    assert opened.graph.type("x").shape == (1, 4)
    assert opened.settings == {"dims": {"N": 4}, "optimize": "size"}
    with pytest.raises(SpecError, match="imports a net has no layers"):
        spec('import "net.onnx"\ninput z: f32[1, 4]\noutput y = z |> relu', tmp_path)
