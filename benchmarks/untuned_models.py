"""Five nets that nobody tuned for, as ONNX models with seeded random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Builder:
    """Grows a model from its input to its output. Tensors are named; `channels` knows their depth."""

    rng: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    channels: dict[str, int] = field(default_factory=dict)

    def node(self, op: str, inputs: Sequence[str], **attributes: object) -> str:
        """Adds a node with one output, whose name it gives."""
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        self.channels[name] = self.channels.get(inputs[0], 0)
        return name

    def constant(self, array: np.ndarray) -> str:
        name = f"w_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape: int) -> str:
        """Scaled so that activations neither grow nor fade (He)."""
        spread = np.sqrt(2 / np.prod(shape[1:]))
        return self.constant(self.rng.normal(0, spread, shape).astype(np.float32))

    def conv(
        self,
        x: str,
        out: int,
        kernel: Sequence[int] = (3, 3),
        *,
        stride: int = 1,
        depthwise: bool = False,
    ) -> str:
        """Padded to the size of its input over the stride."""
        inner = self.channels[x]
        bias = self.constant(self.rng.normal(0, 0.1, out).astype(np.float32))
        pads = [(k - 1) // 2 for k in kernel] + [k // 2 for k in kernel]
        y = self.node(
            "Conv", [x, self.weight(out, 1 if depthwise else inner, *kernel), bias],
            kernel_shape=list(kernel), strides=[stride] * len(kernel), pads=pads,
            group=inner if depthwise else 1,
        )  # fmt: skip
        self.channels[y] = out
        return y

    def depthwise(self, x: str, kernel: Sequence[int] = (3, 3), *, stride: int = 1) -> str:
        return self.conv(x, self.channels[x], kernel, stride=stride, depthwise=True)

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def relu6(self, x: str) -> str:
        limits = [self.constant(np.array(v, np.float32)) for v in (0, 6)]
        return self.node("Clip", [x, *limits])

    def classes(self, x: str, count: int) -> str:
        """Mean over the positions, a dense layer, softmax."""
        flat = self.node("Flatten", [self.node("GlobalAveragePool", [x])])
        bias = self.constant(np.zeros(count, np.float32))
        logits = self.node("Gemm", [flat, self.weight(count, self.channels[x]), bias], transB=1)
        return self.node("Softmax", [logits], axis=-1)

    def model(
        self, shape: Sequence[int], *outputs: str, kind: int = TensorProto.FLOAT
    ) -> onnx.ModelProto:
        """kind: element type of the input."""
        names = ["output", *(f"output_{k}" for k in range(1, len(outputs)))]
        for name, made in zip(names, outputs, strict=True):
            end = name.replace("output", "end")
            self.nodes.append(helper.make_node("Identity", [made], [name], name=end))
        start = helper.make_tensor_value_info("input", kind, list(shape))
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
        graph = helper.make_graph(self.nodes, "net", [start], ends, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return onnx.shape_inference.infer_shapes(model)


def start(seed: int, channels: int) -> Builder:
    """A builder whose tensor `input` has so many channels."""
    builder = Builder(np.random.default_rng(seed))
    builder.channels["input"] = channels
    return builder


def mobilenet_v2() -> onnx.ModelProto:
    """MobileNetV2 0.35 at 96x96 with its 1000 classes; batch norms are folded as exporters do."""
    b = start(1, 3)
    x = b.relu6(b.conv("input", 16, stride=2))
    x = b.conv(b.relu6(b.depthwise(x)), 8, (1, 1))
    # channels at width 0.35, repeats, stride of the first
    for out, repeats, stride in (
        (8, 2, 2), (16, 3, 2), (24, 4, 2), (32, 3, 1), (56, 3, 2), (112, 1, 1),
    ):  # fmt: skip
        for k in range(repeats):
            wide = b.relu6(b.conv(x, 6 * b.channels[x], (1, 1)))
            y = b.relu6(b.depthwise(wide, stride=stride if k == 0 else 1))
            y = b.conv(y, out, (1, 1))
            x = b.node("Add", [x, y]) if k else y
    x = b.relu6(b.conv(x, 1280, (1, 1)))
    return b.model([1, 3, 96, 96], b.classes(x, 1000))


def odd_resnet() -> onnx.ModelProto:
    """3x3 convolutions with stride 2 and odd numbers of channels, on 33x33 pixels."""
    b = start(2, 3)
    x = b.relu(b.conv("input", 13))
    for out, stride in ((13, 1), (27, 2), (51, 2)):
        y = b.relu(b.conv(x, out, stride=stride))
        y = b.conv(y, out)
        x = b.conv(x, out, (1, 1), stride=stride) if stride > 1 else x
        x = b.relu(b.node("Add", [x, y]))
    return b.model([1, 3, 33, 33], b.classes(x, 7))


def sensors_1d() -> onnx.ModelProto:
    """1-D convolutions on 100 readings of 6 sensors; one of them depthwise."""
    b = start(3, 6)
    x = b.relu(b.conv("input", 24, (5,)))
    x = b.relu(b.conv(x, 32, (3,), stride=2))
    x = b.relu(b.conv(b.relu(b.depthwise(x, (5,))), 48, (1,)))
    x = b.node("MaxPool", [x], kernel_shape=[2], strides=[2])
    x = b.relu(b.conv(x, 64, (3,)))
    return b.model([1, 6, 100], b.classes(x, 5))


def small_unet() -> onnx.ModelProto:
    """Down by pools, up by resizing (nearest, then linear) and concatenation, on 48x48 pixels."""
    b = start(4, 3)
    levels, x = [], "input"
    for out in (8, 16):
        x = b.relu(b.conv(b.relu(b.conv(x, out)), out))
        levels.append(x)
        x = b.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = b.relu(b.conv(x, 32))
    for mode, out in (("nearest", 16), ("linear", 8)):
        scales = b.constant(np.array([1, 1, 2, 2], np.float32))
        up = b.node(
            "Resize", [x, "", scales], mode=mode,
            coordinate_transformation_mode="asymmetric" if mode == "nearest" else "half_pixel",
            nearest_mode="floor",
        )  # fmt: skip
        skipped = levels.pop()
        both = b.node("Concat", [up, skipped], axis=1)
        b.channels[both] = b.channels[x] + b.channels[skipped]
        x = b.relu(b.conv(both, out))
    return b.model([1, 3, 48, 48], b.node("Sigmoid", [b.conv(x, 1, (1, 1))]))


def depthwise_5x5() -> onnx.ModelProto:
    """Pairs of a 5x5 depthwise and a 1x1 convolution on 48x48 grey pixels."""
    b = start(5, 1)
    x = b.relu(b.conv("input", 16, stride=2))
    for out, stride in ((32, 1), (48, 2), (48, 1), (96, 2)):
        x = b.relu(b.depthwise(x, (5, 5), stride=stride))
        x = b.relu(b.conv(x, out, (1, 1)))
    return b.model([1, 1, 48, 48], b.classes(x, 10))


MODELS: Mapping[str, Callable[[], onnx.ModelProto]] = MappingProxyType(
    {
        "mobilenet_v2": mobilenet_v2,
        "odd_resnet": odd_resnet,
        "sensors_1d": sensors_1d,
        "small_unet": small_unet,
        "depthwise_5x5": depthwise_5x5,
    }
)


def written(name: str, folder: Path, count: int = 8) -> tuple[Path, dict[str, np.ndarray]]:
    """The model as a file, and seeded samples to make it int8."""
    model, path = MODELS[name](), folder / f"{name}.onnx"
    onnx.save(model, path)
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    samples = np.random.default_rng(9).uniform(-1, 1, (count, *shape[1:])).astype(np.float32)
    return path, {"input": samples}
