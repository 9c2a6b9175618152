"""Train two small nets on the 8x8 digits of scikit-learn and write them as ONNX, with a calibration file.

    python examples/digits/train.py [-o FOLDER]

writes digits_mlp.onnx, digits_cnn.onnx and digits_calibration.npz, and prints the accuracies. Seeded; takes seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from cnn import STRIDES, Params, Strides, predict, train_cnn
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

SEED = 7
CALIBRATION = 160
# The pixels are 0..16; the nets take 0..1
PIXEL_SCALE = 1 / 16


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pixels uint8 [N, 8, 8] and labels, for training and for testing."""
    digits = load_digits()
    pixels = digits.images.astype(np.uint8)
    return train_test_split(
        pixels, digits.target, test_size=0.25, stratify=digits.target, random_state=SEED
    )


def scaled(pixels: np.ndarray) -> np.ndarray:
    return (pixels * PIXEL_SCALE).astype(np.float32)


def mlp_model(net: MLPClassifier) -> onnx.ModelProto:
    """input [N, 1, 8, 8] -> Flatten -> Gemm -> Relu -> ... -> Softmax -> output [N, 10]."""
    nodes = [helper.make_node("Flatten", ["input"], ["pixels"])]
    constants: dict[str, np.ndarray] = {}
    x, last = "pixels", len(net.coefs_) - 1
    for k, (weights, bias) in enumerate(zip(net.coefs_, net.intercepts_, strict=True)):
        constants |= {f"weights{k}": weights, f"bias{k}": bias}
        y = f"hidden{k}" if k < last else "logits"
        nodes.append(helper.make_node("Gemm", [x, f"weights{k}", f"bias{k}"], [y]))
        if k < last:
            nodes.append(helper.make_node("Relu", [y], [f"{y}_relu"]))
        x = f"{y}_relu"
    nodes.append(helper.make_node("Softmax", ["logits"], ["output"], axis=1))
    return model("digits_mlp", nodes, constants)


def cnn_model(
    name: str, params: Params, size: int = 8, strides: Strides = STRIDES
) -> onnx.ModelProto:
    """input [N, 1, size, size] -> Conv 3x3 -> Relu -> Conv 3x3 -> Relu -> Gemm -> Softmax -> output [N, 10]."""
    first, second = (
        {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [s, s]} for s in strides
    )
    nodes = [
        helper.make_node("Conv", ["input", "w0", "b0"], ["conv0"], **first),
        helper.make_node("Relu", ["conv0"], ["relu0"]),
        helper.make_node("Conv", ["relu0", "w1", "b1"], ["conv1"], **second),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("Flatten", ["relu1"], ["features"]),
        helper.make_node("Gemm", ["features", "w2", "b2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["output"], axis=1),
    ]
    return model(name, nodes, dict(params), size)


def model(
    name: str, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], size: int = 8
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 1, size, size])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", 10])],
        [numpy_helper.from_array(a.astype(np.float32), n) for n, a in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> str:
    return f"{100 * np.mean(predicted == labels):.1f} % of {len(labels)} test images"


def trained(
    pixels: np.ndarray, labels: np.ndarray, test: np.ndarray, wanted: np.ndarray
) -> Iterator[onnx.ModelProto]:
    """Both nets, one after the other, with a line on each."""
    flat = [scaled(a).reshape(len(a), -1) for a in (pixels, test)]
    net = MLPClassifier((32,), max_iter=1000, random_state=SEED)
    net.fit(flat[0], labels)
    print(f"digits_mlp: {accuracy(net.predict(flat[1]), wanted)}")
    yield mlp_model(net)
    images = [scaled(a)[:, :, :, None] for a in (pixels, test)]
    params = train_cnn(images[0], labels, np.random.default_rng(SEED))
    print(f"digits_cnn: {accuracy(predict(params, images[1]), wanted)}")
    yield cnn_model("digits_cnn", params)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent)
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    pixels, test, labels, wanted = data()
    for made in trained(pixels, labels, test, wanted):
        onnx.save(made, folder / f"{made.graph.name}.onnx")
    # Raw pixels: `scale` says what they mean, so the C takes them as they come from the sensor
    np.savez_compressed(
        folder / "digits_calibration.npz",
        inputs=test[:CALIBRATION, None],
        labels=wanted[:CALIBRATION].astype(np.uint8),
        scale=np.float32(PIXEL_SCALE),
        zero_point=np.uint8(0),
    )


if __name__ == "__main__":
    main()
