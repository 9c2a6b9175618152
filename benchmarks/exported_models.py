"""Convolutional nets as users export them, with seeded random weights: every node that an exporter leaves.

Weights are He's, batch norms have the statistics of what they see, so that activations stay in a sane range
and int8 means something.
"""

from __future__ import annotations

import numpy as np
import onnx
from untuned_models import Builder, start


def batch_norm(b: Builder, x: str) -> str:
    """Statistics near those of a He-initialised convolution's results."""
    count = b.channels[x]
    vectors = [
        b.rng.uniform(0.7, 1.3, count), b.rng.normal(0, 0.2, count),
        b.rng.normal(0, 0.3, count), b.rng.uniform(0.6, 1.6, count),
    ]  # fmt: skip
    constants = [b.constant(v.astype(np.float32)) for v in vectors]
    return b.node("BatchNormalization", [x, *constants], epsilon=1e-5)


def squeezenet() -> onnx.ModelProto:
    """SqueezeNet 1.1 at 64x64: fire modules, pools that round up, a convolution as the classifier."""
    b = start(11, 3)
    x = b.relu(b.conv("input", 64, stride=2))
    plan = (16, 16, 0, 32, 32, 0, 48, 48, 64, 64)  # squeezed channels; 0 is a pool
    x = _ceil_pool(b, x)
    for squeezed in plan:
        x = _fire(b, x, squeezed) if squeezed else _ceil_pool(b, x)
    x = b.relu(b.conv(x, 1000, (1, 1)))
    flat = b.node("Flatten", [b.node("GlobalAveragePool", [x])], axis=1)
    return b.model([1, 3, 64, 64], b.node("Softmax", [flat], axis=1))


def _ceil_pool(b: Builder, x: str) -> str:
    return b.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)


def _fire(b: Builder, x: str, squeezed: int) -> str:
    x = b.relu(b.conv(x, squeezed, (1, 1)))
    sides = [b.relu(b.conv(x, 4 * squeezed, kernel)) for kernel in ((1, 1), (3, 3))]
    both = b.node("Concat", sides, axis=1)
    b.channels[both] = 8 * squeezed
    return both


def tiny_yolo_v2() -> onnx.ModelProto:
    """Tiny YOLOv2 at 80x80 and an eighth of its channels, heads of 5 boxes and 20 classes (VOC) at two scales:
    finer features come in by reorg and concatenation, coarser ones by resizing and concatenation."""
    b = start(12, 3)
    x = "input"
    for out in (8, 16, 24, 32):  # a stage halves the image
        x = _darknet(b, x, out)
        if out == 32:
            x = fine = _darknet(b, x, 32, (1, 1))
        x = b.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    x = _darknet(b, x, 64)
    x = b.node("MaxPool", [x], kernel_shape=[2, 2], strides=[1, 1], auto_pad="SAME_UPPER")
    x = _darknet(b, x, 80)
    both = _joined(b, _reorg(b, _darknet(b, fine, 8, (1, 1)), 10), x)
    coarse = _darknet(b, both, 64)
    up = _up(b, _darknet(b, coarse, 24, (1, 1)))
    finer = _darknet(b, _joined(b, up, fine), 32)
    heads = [b.conv(x, 125, (1, 1)) for x in (coarse, finer)]
    return b.model([1, 3, 80, 80], *heads)


def _darknet(b: Builder, x: str, out: int, kernel: tuple[int, int] = (3, 3)) -> str:
    return b.node("LeakyRelu", [batch_norm(b, b.conv(x, out, kernel))], alpha=0.1)


def _joined(b: Builder, *parts: str) -> str:
    y = b.node("Concat", list(parts), axis=1)
    b.channels[y] = sum(b.channels[part] for part in parts)
    return y


def _reorg(b: Builder, x: str, size: int) -> str:
    """Blocks of 2x2 pixels to channels, written as PyTorch ports of Darknet write it."""
    count, half = b.channels[x], size // 2
    shapes = ([1, count, half, 2, half, 2], [1, 4 * count, half, half])
    first, last = (b.constant(np.array(shape, np.int64)) for shape in shapes)
    y = b.node("Transpose", [b.node("Reshape", [x, first])], perm=[0, 3, 5, 1, 2, 4])
    y = b.node("Reshape", [y, last])
    b.channels[y] = 4 * count
    return y


def _up(b: Builder, x: str) -> str:
    scales = b.constant(np.array([1, 1, 2, 2], np.float32))
    return b.node(
        "Resize", [x, "", scales], mode="nearest", nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )  # fmt: skip


def mobilenet_v3() -> onnx.ModelProto:
    """After MobileNetV3-Small at 64x64, narrow: squeeze and excite, hard swish in its two spellings."""
    b = start(13, 3)
    x = _hard_swish(b, batch_norm(b, b.conv("input", 8, stride=2)))
    # kernel, expanded channels, channels, squeeze and excite, hard swish, stride
    for kernel, wide, out, excite, hard, stride in (
        (3, 8, 8, True, False, 2), (3, 36, 16, False, False, 2), (3, 44, 16, False, False, 1),
        (5, 48, 24, True, True, 2), (5, 96, 24, True, True, 1), (5, 72, 32, True, True, 1),
    ):  # fmt: skip
        act = _hard_swish if hard else Builder.relu
        y = act(b, batch_norm(b, b.conv(x, wide, (1, 1))))
        y = act(b, batch_norm(b, b.depthwise(y, (kernel, kernel), stride=stride)))
        y = _excited(b, y) if excite else y
        y = batch_norm(b, b.conv(y, out, (1, 1)))
        x = b.node("Add", [x, y]) if stride == 1 and b.channels[x] == out else y
    x = _hard_swish(b, batch_norm(b, b.conv(x, 128, (1, 1))))
    x = b.node("GlobalAveragePool", [x])
    x = b.node("HardSwish", [b.conv(x, 192, (1, 1))])
    return b.model([1, 3, 64, 64], b.classes(x, 10))


def _hard_swish(b: Builder, x: str) -> str:
    """As exporters of opsets before 14 write it."""
    three, zero, six = (b.constant(np.array(v, np.float32)) for v in (3, 0, 6))
    gate = b.node("Clip", [b.node("Add", [x, three]), zero, six])
    return b.node("Div", [b.node("Mul", [x, gate]), six])


def _excited(b: Builder, x: str) -> str:
    count = b.channels[x]
    gate = b.relu(b.conv(b.node("GlobalAveragePool", [x]), max(8, count // 4), (1, 1)))
    gate = b.node("HardSigmoid", [b.conv(gate, count, (1, 1))], alpha=1 / 6, beta=0.5)
    return b.node("Mul", [x, gate])
