"""`tinyml decompile`: readable text, and the C that comes of it is that of the ONNX file, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tinycc_ml.compiler import compile
from tinycc_ml.errors import ModelError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.frontends.spec import Source, SpecError, read_spec
from tinycc_ml.frontends.spec.writing.decompile import Decompiled, decompile
from tinycc_ml.frontends.spec.writing.format import format_text
from tinycc_ml.ir.text import canonical_text
from tinycc_ml.ops.base import Case, Op

from ...models import NETS, model, node, weights
from ...nets.nets import compiled, own, shared
from ...ops.case_models import all_cases, model_of
from .texts import spec

# The lines of text that a net may take, empty ones included
LINES = {
    "kws_float": 16, "kws_int8qdq": 24, "kws_ortq": 24, "vww_float": 20, "vww_int8qdq": 30, "resnet8_float": 20,
    "resnet8_int8qdq": 30, "strww_float": 18, "strww_int8qdq": 22, "ad01_float": 17, "ad01_int8qdq": 20,
}  # fmt: skip


def _decompiled(proto: onnx.ModelProto, folder: Path) -> Decompiled:
    """`proto` as net.onnx, net.tml and net.npz of a folder."""
    onnx.save(proto, folder / "net.onnx")
    return decompile(folder / "net.onnx", folder / "net.tml")


@pytest.mark.parametrize("path", [*own(), *shared()])
def test_the_c_is_the_same_byte_for_byte(path: Path, tmp_path: Path) -> None:
    made = decompile(path, tmp_path / f"{path.stem}.tml")
    assert dict(compile(tmp_path / f"{path.stem}.tml").files) == dict(compiled(path).files)
    assert made.style == "blocks"
    assert made.text.count("\n") <= LINES.get(path.stem, 40)
    assert format_text(Source("net.tml", made.text)) == made.text


@pytest.mark.parametrize("name", NETS)
def test_small_nets_have_the_same_c(name: str, tmp_path: Path) -> None:
    made = _decompiled(NETS[name](), tmp_path)
    assert made.style == "blocks"
    files = [dict(compile(tmp_path / f"net.{kind}").files) for kind in ("onnx", "tml")]
    assert files[0] == files[1]


# Cases of old opsets that the language, which has the newest, can't say
REFUSED = {
    "flattened_opset_11": "of opset 11 goes over all axes from 1 on",
    "hardmax_opset_11": "of opset 11 goes over all axes from 1 on",
    "upsample": "the language has no operator Upsample",
}


@pytest.mark.parametrize(("op", "case"), all_cases())
def test_every_operator_can_be_written(op: Op, case: Case, tmp_path: Path) -> None:
    if case.name in REFUSED:
        with pytest.raises(ModelError, match=REFUSED[case.name]):
            _decompiled(model_of(case), tmp_path)
        return
    try:
        wanted = load(model_of(case), name="net")
    except ModelError:
        return  # only for the reference
    _decompiled(model_of(case), tmp_path)
    assert canonical_text(read_spec(tmp_path / "net.tml").graph) == canonical_text(wanted)


def _lines(nodes: list[onnx.NodeProto], folder: Path, **constants: np.ndarray) -> list[str]:
    """The text between input and weights of a net from x [1, 2, 6, 6] to y."""
    made = _decompiled(model(nodes, {"x": (1, 2, 6, 6)}, ["y"], constants), folder)
    return made.text.split("x: f32[1, 2, 6, 6]\n")[1].split("\n\nweights")[0].splitlines()


@pytest.mark.parametrize(
    ("attributes", "call"),
    [
        ({"pads": [1, 1, 1, 1]}, "conv(4)"), ({}, 'conv(4, pad="valid")'), ({"pads": [2, 2, 2, 2]}, "conv(4, pad=2)"),
        ({"pads": [1, 0, 1, 0]}, "conv(4, pad=[1, 0])"), ({"pads": [0, 1, 2, 0]}, "conv(4, pad=[0, 1, 2, 0])"),
        ({"auto_pad": "SAME_LOWER"}, 'conv(4, pad="same_lower")'), ({"pads": [0, 0, 1, 1], "strides": [2, 2]}, "conv(4, stride=2)"),
        ({"pads": [2, 1, 2, 1], "dilations": [2, 1]}, "conv(4, dilation=[2, 1])"),
    ],
)  # fmt: skip
def test_convolutions_are_friendly(attributes: dict, call: str, tmp_path: Path) -> None:
    nodes = [node("Conv", "x w b", "y", **attributes)]
    found = _lines(nodes, tmp_path, w=weights(1, 4, 2, 3, 3), b=weights(2, 4))
    assert found == [f"output y = x |> {call}"]


@pytest.mark.parametrize(
    ("nodes", "line"),
    [
        ([node("Add", "x x", "y")], "output y = x + x"), ([node("Flatten", "x", "y", axis=2)], "output y = x |> Flatten(axis=2)"),
        ([node("Concat", "x x", "y", axis=1)], "output y = concat([x, x])"),
        ([node("LeakyRelu", "x", "y", alpha=0.25)], "output y = x |> leaky_relu(alpha=0.25)"),
        ([node("LeakyRelu", "x", "y")], "output y = x |> LeakyRelu"), ([node("Mul", "x half", "y")], "output y = x |> Mul(0.5)"),
        ([node("Mul", "half x", "y")], "output y = Mul(0.5, x)"), ([node("Relu", "x", "h"), node("Exp", "h", "y")], "output y = x |> relu |> Exp"),
        ([node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[2, 2])], "output y = x |> max_pool"),
        ([node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[1, 1], ceil_mode=1)], "output y = x |> MaxPool(ceil_mode=1, kernel_shape=[3, 3], strides=[1, 1])"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_other_operators_are_friendly_where_they_say_the_same(
    nodes: list[onnx.NodeProto], line: str, tmp_path: Path
) -> None:
    used = {name for n in nodes for name in n.input}
    constants = {"half": np.float32(0.5)} if "half" in used else {}
    assert _lines(nodes, tmp_path, **constants) == [line]


def _stages(count: int, channels: Callable[[int], int]) -> list[onnx.NodeProto]:
    """Depthwise, Relu, 1 x 1, Relu, so many times."""
    found, last = [], "x"
    for k in range(count):
        sizes = 2 if k == 0 else channels(k - 1)
        found += [
            node("Conv", f"{last} dw{k}", f"d{k}", group=sizes, pads=[1, 1, 1, 1]),
            node("Relu", f"d{k}", f"e{k}"),
            node("Conv", f"e{k} pw{k} b{k}", f"f{k}"),
            node("Relu", f"f{k}", last := f"y{k}" if k + 1 < count else "y"),
        ]
    return found


@pytest.mark.parametrize(
    ("channels", "loop"),
    [
        (lambda k: 2, "for i in range(4) {"),
        (lambda k: 2 * k + 2, "for channels in [2, 4, 6, 8] {"),
    ],
)
def test_stages_are_a_block_in_a_loop(
    channels: Callable[[int], int], loop: str, tmp_path: Path
) -> None:
    constants = {}
    for k in range(4):
        before = 2 if k == 0 else channels(k - 1)
        constants |= {f"dw{k}": weights(k, before, 1, 3, 3), f"b{k}": weights(k, channels(k))}
        constants[f"pw{k}"] = weights(k, channels(k), before, 1, 1)
    nodes = _stages(4, channels)
    made = _decompiled(model(nodes, {"x": (1, 2, 6, 6)}, ["y"], constants), tmp_path)
    assert loop in made.text.splitlines()
    assert made.text.count("dw(bias=false) |> relu |> conv(") == 1


def test_weights_are_stored_by_readable_names(tmp_path: Path) -> None:
    nodes = [node("Conv", "x odd/name:0 b:0", "act/0"), node("Relu", "act/0", "y")]
    constants = {"odd/name:0": weights(1, 4, 2, 1, 1), "b:0": weights(2, 4)}
    made = _decompiled(model(nodes, {"x": (1, 2, 6, 6)}, ["y"], constants), tmp_path)
    arrays = np.load(tmp_path / "net.npz")
    assert np.array_equal(arrays["y.weight"], constants["odd/name:0"])
    assert "act/0" in read_spec(tmp_path / "net.tml").graph.tensors
    assert "act/0" not in made.text


def test_a_changed_text_still_compiles(tmp_path: Path) -> None:
    """Names are for tensors that are there; others are called after the text."""
    _decompiled(NETS["residual"](), tmp_path)
    text = (tmp_path / "net.tml").read_text().replace("|> softmax", "|> tanh |> softmax")
    made = spec(text, tmp_path)
    assert len(made.graph.nodes) == len(read_spec(tmp_path / "net.tml").graph.nodes) + 1
    with pytest.raises(SpecError, match="other.npz holds no names"):
        np.savez(tmp_path / "other.npz", a=np.zeros(1))
        spec('input x: f32[1, 4]\noutput y = x |> relu\nweights("other.npz", names=true)', tmp_path)


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        _decompiled(NETS["branches"](), tmp_path)
        found.append([(tmp_path / f"net.{kind}").read_bytes() for kind in ("tml", "npz")])
    assert found[0] == found[1]


@pytest.mark.parametrize("opset", [11, 13, 17, 20])
def test_opsets_are_written_in_that_of_the_language(opset: int, tmp_path: Path) -> None:
    axes = ("p axes", {}) if opset >= 13 else ("p", {"axes": [2, 3]})
    nodes = [
        node("GlobalAveragePool", "x", "p"),
        node("Squeeze", axes[0], "s", **axes[1]),
        node("Softmax", "s", "y"),
    ]
    constants = {"axes": np.int64([2, 3])} if opset >= 13 else {}
    _decompiled(model(nodes, {"x": (1, 2, 6, 6)}, ["y"], constants, opset), tmp_path)


def test_open_dimensions_are_bound(tmp_path: Path) -> None:
    onnx.save(model([node("Relu", "x", "y")], {"x": (1, "N")}, ["y"]), tmp_path / "net.onnx")
    made = decompile(tmp_path / "net.onnx", tmp_path / "net.tml", {"N": 7})
    assert "input x: f32[1, 7]" in made.text


def test_names_that_are_words_of_the_language(tmp_path: Path) -> None:
    inputs = {"for": (1, 4), "input": (1, 4), "7/a b": (1, 4)}
    nodes = [node("Add", "for input", "w"), node("Add", "w 7/a~b".replace("~", "\x00"), "block")]
    nodes[1].input[1] = "7/a b"
    made = _decompiled(model(nodes, inputs, ["w", "block"]), tmp_path)
    graph = read_spec(tmp_path / "net.tml").graph
    assert (graph.inputs, graph.outputs) == (tuple(inputs), ("w", "block"))
    assert 'input for_: f32[1, 4] as "for"' in made.text


def test_what_can_not_be_written_is_named(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "y")]
    nodes[0].attribute.append(onnx.helper.make_attribute("odd", 1))
    with pytest.raises(
        ModelError, match="node 'node_y': Relu: the attribute 'odd' can't be written"
    ):
        _decompiled(model(nodes, {"x": (1, 4)}, ["y"]), tmp_path)
