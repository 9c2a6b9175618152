"""Small ONNX models made by hand, with seeded weights, and what ONNX Runtime makes of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None]


def node(op_type: str, inputs: str, outputs: str, **attrs: Any) -> onnx.NodeProto:
    """Operands in one string, `_` for an absent one; the node is named after its first output."""
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(
        op_type, names, outputs.split(), name=f"node_{outputs.split()[0]}", **attrs
    )


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Shape],
    outputs: Sequence[str],
    constants: Mapping[str, np.ndarray] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model with float32 inputs and outputs of whatever shape."""
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(s)) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def weights(seed: int, *shape: int) -> np.ndarray:
    """Normal values, scaled so that a sum over all but the first axis has a variance near 1."""
    terms = max(int(np.prod(shape[1:])), 1)
    return (np.random.default_rng(seed).standard_normal(shape) / np.sqrt(terms)).astype(np.float32)


def run_onnx(proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs by ONNX Runtime with graph optimisation off."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, ["CPUExecutionProvider"]
    )
    made = session.run(None, dict(inputs))
    return {o.name: np.asarray(a) for o, a in zip(session.get_outputs(), made, strict=True)}


def residual() -> onnx.ModelProto:
    """Conv, Relu, Conv, add of what was before, global average, Gemm, Softmax; NCHW."""
    nodes = [
        node("Conv", "x w0 b0", "c0", pads=[1, 1, 1, 1]),
        node("Relu", "c0", "r0"),
        node("Conv", "r0 w1 b1", "c1", pads=[1, 1, 1, 1]),
        node("Add", "c1 r0", "sum"),
        node("Relu", "sum", "r1"),
        node("GlobalAveragePool", "r1", "pooled"),
        node("Flatten", "pooled", "flat"),
        node("Gemm", "flat w2 b2", "logits", transB=1),
        node("Softmax", "logits", "y", axis=-1),
    ]
    constants = {
        "w0": weights(1, 6, 3, 3, 3), "b0": weights(2, 6), "w1": weights(3, 6, 6, 3, 3), "b1": weights(4, 6),
        "w2": weights(5, 4, 6), "b2": weights(6, 4),
    }  # fmt: skip
    return model(nodes, {"x": (1, 3, 6, 5)}, ["y"], constants)


def one_dimensional() -> onnx.ModelProto:
    """Conv, BatchNormalization, Relu, depthwise Conv, MaxPool over time, Flatten, Gemm."""
    nodes = [
        node("Conv", "x w0", "c0", strides=[2], pads=[1, 1]),
        node("BatchNormalization", "c0 scale bias mean var", "bn"),
        node("Relu", "bn", "r0"),
        node("Conv", "r0 w1 b1", "c1", group=4, pads=[1, 1]),
        node("Clip", "c1 low high", "r1"),
        node("MaxPool", "r1", "p", kernel_shape=[2], strides=[2]),
        node("Flatten", "p", "flat"),
        node("Gemm", "flat w2 b2", "y", transB=1),
    ]
    constants = {
        "w0": weights(1, 4, 2, 3), "scale": 1 + weights(2, 4) / 4, "bias": weights(3, 4), "mean": weights(4, 4),
        "var": 1 + weights(5, 4) ** 2, "w1": weights(6, 4, 1, 3), "b1": weights(7, 4), "low": np.float32(0),
        "high": np.float32(6), "w2": weights(8, 3, 12), "b2": weights(9, 3),
    }  # fmt: skip
    return model(nodes, {"x": (1, 2, 12)}, ["y"], constants)


def squeeze_and_excite() -> onnx.ModelProto:
    """A channel gate: x * sigmoid(conv(relu(conv(mean(x))))) between two convolutions."""
    nodes = [
        node("Conv", "x w0 b0", "c0", pads=[1, 1, 1, 1]),
        node("GlobalAveragePool", "c0", "mean"),
        node("Conv", "mean w1 b1", "squeezed"),
        node("Relu", "squeezed", "r"),
        node("Conv", "r w2 b2", "excited"),
        node("Sigmoid", "excited", "gate"),
        node("Mul", "c0 gate", "gated"),
        node("Conv", "gated w3", "y"),
    ]
    constants = {
        "w0": weights(1, 6, 2, 3, 3), "b0": weights(2, 6), "w1": weights(3, 3, 6, 1, 1), "b1": weights(4, 3),
        "w2": weights(5, 6, 3, 1, 1), "b2": weights(6, 6), "w3": weights(7, 2, 6, 1, 1),
    }  # fmt: skip
    return model(nodes, {"x": (1, 2, 5, 4)}, ["y"], constants)


def gates() -> onnx.ModelProto:
    """SiLU written as Mul and Sigmoid, HardSwish as its own operator and written out."""
    nodes = [
        node("Conv", "x w0 b0", "c0"),
        node("Sigmoid", "c0", "s"),
        node("Mul", "c0 s", "silu"),
        node("Conv", "silu w1 b1", "c1"),
        node("HardSwish", "c1", "hs"),
        node("Conv", "hs w2 b2", "c2"),
        node("Add", "c2 three", "shifted"),
        node("Clip", "shifted zero six", "clipped"),
        node("Mul", "c2 clipped", "product"),
        node("Mul", "product sixth", "y"),
    ]
    constants = {
        "w0": weights(1, 4, 2, 3, 3), "b0": weights(2, 4), "w1": weights(3, 4, 4, 1, 1), "b1": weights(4, 4),
        "w2": weights(5, 3, 4, 1, 1), "b2": weights(6, 3), "zero": np.float32(0), "three": np.float32(3), "six": np.float32(6),
        "sixth": np.float32(1 / 6),
    }  # fmt: skip
    return model(nodes, {"x": (1, 2, 6, 5)}, ["y"], constants)


def flattened() -> onnx.ModelProto:
    """Conv, MaxPool, Relu, Flatten of a real image, Gemm: the columns of the Gemm are in NCHW order."""
    nodes = [
        node("Conv", "x w0 b0", "c0"),
        node("MaxPool", "c0", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Relu", "p", "r"),
        node("Flatten", "r", "flat"),
        node("Gemm", "flat w1 b1", "h"),
        node("Relu", "h", "hr"),
        node("MatMul", "hr w2", "m"),
        node("Add", "m b2", "y"),
    ]
    constants = {
        "w0": weights(1, 4, 2, 3, 3), "b0": weights(2, 4), "w1": weights(3, 24, 8), "b1": weights(4, 8),
        "w2": weights(5, 8, 3), "b2": weights(6, 3),
    }  # fmt: skip
    return model(nodes, {"x": (1, 2, 6, 8)}, ["y"], constants)


def branches() -> onnx.ModelProto:
    """Two inputs, Split, Concat, averages, a tensor that is read thrice, and an output inside the net."""
    nodes = [
        node("Split", "x", "left right", axis=1),
        node("Conv", "left w0 b0", "a", pads=[1, 1, 1, 1]),
        node(
            "AveragePool", "right", "b", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1
        ),
        node("Concat", "a b z", "all", axis=1),
        node("Sigmoid", "all", "t"),
        node("Conv", "all w1", "inner"),
        node("Mul", "all t", "m"),
        node("GlobalAveragePool", "m", "mean"),
        node("Flatten", "mean", "flat"),
        node("Gemm", "flat w2", "y", transB=1),
    ]
    constants = {
        "w0": weights(1, 3, 2, 3, 3),
        "b0": weights(2, 3),
        "w1": weights(3, 2, 6, 1, 1),
        "w2": weights(4, 2, 6),
    }
    inputs = {"x": (1, 4, 5, 4), "z": (1, 1, 5, 4)}
    return model(nodes, inputs, ["y", "inner"], constants)


def moves() -> onnx.ModelProto:
    """Values that change places only: Transpose, Resize, Pad, Slice, Squeeze, Reshape around a convolution."""
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w0 b0", "c"),
        node(
            "Resize",
            "c _ scales",
            "r",
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        node("Pad", "r pads", "p"),
        node("MaxPool", "p", "m", kernel_shape=[2, 2], strides=[2, 2]),
        node("Slice", "m starts ends axes", "s"),
        node("Transpose", "s", "u", perm=[0, 2, 3, 1]),
        node("Reshape", "u shape", "v"),
        node("Gemm", "v w1 b1", "y", transB=1),
    ]
    constants = {
        "w0": weights(1, 4, 2, 3, 3), "b0": weights(2, 4), "scales": np.float32([1, 1, 2, 2]),
        "pads": np.int64([0, 0, 1, 0, 0, 0, 1, 2]), "starts": np.int64([1]), "ends": np.int64([4]), "axes": np.int64([2]),
        "shape": np.int64([1, -1]), "w1": weights(3, 3, 48), "b1": weights(4, 3),
    }  # fmt: skip
    return model(nodes, {"x": (1, 5, 5, 2)}, ["y"], constants)


def fused(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its BatchNormalizations folded by ONNX Runtime, as one does before its quantiser."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "fused.onnx")
        onnxruntime.InferenceSession(proto.SerializeToString(), options, ["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


NETS: Mapping[str, Callable[[], onnx.ModelProto]] = {
    f.__name__: f
    for f in (residual, one_dimensional, squeeze_and_excite, gates, flattened, branches, moves)
}
