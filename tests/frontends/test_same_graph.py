"""Models that mean the same end in the same graph, however they were exported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.passes.io_layout import io_layout
from tinycc_ml.quant.calibrate import calibrate
from tinycc_ml.quant.quantize import quantize
from tinycc_ml.quant.ranges import Ranges
from tinycc_ml.reference.run import outputs

from ..models import NETS, fused, model, node, weights
from ..texts import assert_close, random_inputs


def finished(proto: onnx.ModelProto, layout: str = "") -> Graph:
    graph = load(proto)
    return run_passes(io_layout(graph, layout) if layout else graph, FLOAT)


def renamed(graph: Graph) -> Graph:
    """The same graph with tensors named in the order in which they are met."""
    met = [*graph.inputs, *(n for node in graph.nodes for n in (*node.inputs, *node.outputs) if n)]
    names = {name: f"t{k}" for k, name in enumerate(dict.fromkeys(met))}
    nodes = tuple(
        replace(
            n, inputs=tuple(names[i] for i in n.inputs), outputs=tuple(names[o] for o in n.outputs)
        )
        for n in graph.nodes
    )
    tensors = {new: replace(graph.tensors[old], name=new) for old, new in names.items()}
    ends = {"inputs": graph.inputs, "outputs": graph.outputs}
    return replace(
        graph,
        nodes=nodes,
        tensors=tensors,
        **{k: tuple(names[n] for n in v) for k, v in ends.items()},
    )


CONSTANTS = {
    "w0": weights(1, 4, 2, 3, 3),
    "b0": weights(2, 4),
    "w1": weights(3, 4, 1, 3, 3),
    "w2": weights(4, 3, 48),
}


def _channels_first(x: str = "x") -> list[onnx.NodeProto]:
    return [
        node("Conv", f"{x} w0 b0", "c0", pads=[1, 1, 1, 1]),
        node("Relu", "c0", "r0"),
        node("Conv", "r0 w1", "c1", group=4, pads=[1, 1, 1, 1]),
    ]


def test_a_channels_last_model_gives_the_graph_of_a_channels_first_one() -> None:
    first = model(
        [*_channels_first(), node("Relu", "c1", "y")], {"x": (1, 2, 4, 3)}, ["y"], CONSTANTS
    )
    last = model(
        [
            node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
            *_channels_first("t"),
            node("Relu", "c1", "r1"),
            node("Transpose", "r1", "y", perm=[0, 2, 3, 1]),
        ],
        {"x": (1, 4, 3, 2)},
        ["y"],
        CONSTANTS,
    )
    assert renamed(finished(last)) == renamed(finished(first, "nhwc"))
    assert [n.op for n in finished(last).nodes] == ["conv2d", "depthwise_conv2d"]


def test_flattening_in_either_layout_gives_the_same_dense() -> None:
    """The columns of the Gemm are in the order of the flattened image."""
    flat = [node("Flatten", "c1", "f"), node("Gemm", "f w2", "y", transB=1)]
    first = model([*_channels_first(), *flat], {"x": (1, 2, 4, 3)}, ["y"], CONSTANTS)
    columns = CONSTANTS["w2"].reshape(3, 4, 4, 3).transpose(0, 2, 3, 1).reshape(3, 48)
    back = [node("Transpose", "c1", "t1", perm=[0, 2, 3, 1]), node("Flatten", "t1", "f"), flat[1]]
    last = model(
        [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), *_channels_first("t"), *back],
        {"x": (1, 4, 3, 2)}, ["y"], {**CONSTANTS, "w2": columns},
    )  # fmt: skip
    assert renamed(finished(last)) == renamed(finished(first, "nhwc"))


def test_identities_dropouts_and_shape_arithmetic_make_no_difference() -> None:
    plain = model(
        [*_channels_first(), node("Flatten", "c1", "f"), node("Gemm", "f w2", "y", transB=1)],
        {"x": (1, 2, 4, 3)},
        ["y"],
        CONSTANTS,
    )
    nodes = [
        node("Identity", "x", "i"),
        *_channels_first("i"),
        node("Dropout", "c1", "d"),
        node("Shape", "d", "s"),
        node("Gather", "s zero", "n"),
        node("Concat", "n minus", "to", axis=0),
        node("Reshape", "d to", "f"),
        node("Gemm", "f w2", "h", transB=1),
        node("Identity", "h", "y"),
    ]
    constants = {**CONSTANTS, "zero": np.int64([0]), "minus": np.int64([-1])}
    wordy = model(nodes, {"x": (1, 2, 4, 3)}, ["y"], constants)
    assert renamed(finished(wordy)) == renamed(finished(plain))


@pytest.mark.parametrize("opset", [11, 13, 17, 21])
def test_opsets_say_the_same_in_their_own_ways(opset: int) -> None:
    """Axes, sizes and bounds were attributes once and are inputs now."""
    new = opset >= 13
    squeeze = node("Squeeze", "p axes", "s") if new else node("Squeeze", "p", "s", axes=[2, 3])
    proto = model(
        [*_channels_first(), node("GlobalAveragePool", "c1", "p"), squeeze, node("Clip", "s low high", "y")],
        {"x": (1, 2, 4, 3)}, ["y"],
        {**CONSTANTS, "low": np.float32(0), "high": np.float32(6), **({"axes": np.int64([2, 3])} if new else {})},
        opset,
    )  # fmt: skip
    reference = model(
        [*_channels_first(), node("GlobalAveragePool", "c1", "p"), node("Flatten", "p", "s"), node("Clip", "s low high", "y")],
        {"x": (1, 2, 4, 3)}, ["y"], {**CONSTANTS, "low": np.float32(0), "high": np.float32(6)},
    )  # fmt: skip
    assert renamed(finished(proto)) == renamed(finished(reference))


def test_matmul_and_add_are_a_gemm() -> None:
    x, constants = {"x": (1, 5)}, {"w": weights(1, 5, 3), "b": weights(2, 3)}
    parts = model([node("MatMul", "x w", "m"), node("Add", "b m", "y")], x, ["y"], constants)
    whole = model([node("Gemm", "x w b", "y")], x, ["y"], constants)
    assert renamed(finished(parts)) == renamed(finished(whole))


def test_a_batch_norm_is_folded_as_onnx_runtime_folds_it() -> None:
    apart, joined = finished(NETS["one_dimensional"]()), finished(fused(NETS["one_dimensional"]()))
    assert [n.op for n in apart.nodes] == [n.op for n in joined.nodes]
    given = random_inputs(apart)
    assert_close(outputs(joined, given), outputs(apart, given), 1e-5)


def test_a_batch_norm_written_as_mul_and_add_is_folded() -> None:
    channels = {"f": 1 + weights(5, 4).reshape(1, 4, 1, 1), "o": weights(6, 4).reshape(1, 4, 1, 1)}
    nodes = [*_channels_first(), node("Mul", "c1 f", "m"), node("Add", "o m", "y")]
    made = finished(model(nodes, {"x": (1, 2, 4, 3)}, ["y"], {**CONSTANTS, **channels}))
    assert [n.op for n in made.nodes] == ["transpose", "conv2d", "depthwise_conv2d", "transpose"]


def test_a_one_dimensional_net_is_a_net_of_height_1() -> None:
    made = finished(NETS["one_dimensional"]())
    assert [n.op for n in made.nodes if n.op not in ("reshape", "transpose")] == [
        "conv2d", "depthwise_conv2d", "max_pool2d", "dense",
    ]  # fmt: skip
    images = [made.type(n.outputs[0]) for n in made.nodes if "2d" in n.op]
    assert all(t.shape[:2] == (1, 1) for t in images)


def _quantised(proto: onnx.ModelProto) -> Graph:
    graph = finished(proto)
    runs = [random_inputs(graph, seed) for seed in range(4)]
    observed, _ = calibrate(graph, {n: np.stack([r[n] for r in runs]) for n in graph.inputs})
    return run_passes(quantize(graph, observed, Ranges("min-max")), integer_passes())


def test_swish_blocks_are_tables_after_quantisation() -> None:
    """x * sigmoid(x), HardSwish and its long form: one table each."""
    made = _quantised(NETS["gates"]())
    assert [n.op for n in made.nodes if n.op not in ("reshape", "transpose")] == [
        "conv2d",
        "lut",
    ] * 3


def test_squeeze_and_excite_multiplies_integers_by_channel() -> None:
    made = _quantised(NETS["squeeze_and_excite"]())
    (product,) = (n for n in made.nodes if n.op == "mul")
    assert [made.type(n).shape for n in product.inputs] == [(1, 5, 4, 6), (1, 1, 1, 6)]
    assert {made.type(n).dtype.name for n in (*product.inputs, *product.outputs)} == {"i8"}


def test_a_residual_add_keeps_its_clamp() -> None:
    made = _quantised(NETS["residual"]())
    (add,) = (n for n in made.nodes if n.op == "add")
    quant = made.type(add.outputs[0]).quant
    assert quant is not None and add.attrs["q_min"] == quant.zero
