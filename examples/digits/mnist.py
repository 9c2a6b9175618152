"""Train a small convolutional net on 28x28 MNIST digits and write it as ONNX.

    python examples/digits/mnist.py [--data FILE.npz] [-o FOLDER]

FILE.npz has `inputs` uint8 [N, 28, 28, 1] and `labels` [N]; a thousand images are enough: each is seen shifted
and in another contrast every time. The last quarter is for testing. Writes mnist_cnn.onnx and prints the accuracy;
seeded, takes seconds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from cnn import Strides, predict, train_cnn
from train import SEED, accuracy, cnn_model

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist_1k.npz"
STRIDES: Strides = (2, 2)
# The nets take 0..1
PIXEL_SCALE = 1 / 255
# Pixels that an image is moved by at most
MOVED = 2


def data(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 28, 28, 1] in 0..1 and labels."""
    with np.load(path) as file:
        return (file["inputs"] * PIXEL_SCALE).astype(np.float32), file["labels"].astype(np.int64)


def moved(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each by its own few pixels, edges black, and a little brighter or darker."""
    shifts = rng.integers(-MOVED, MOVED + 1, (len(images), 2))
    padded = np.pad(images, ((0, 0), (MOVED, MOVED), (MOVED, MOVED), (0, 0)))
    height, width = images.shape[1:3]
    made = [
        image[MOVED + dy : MOVED + dy + height, MOVED + dx : MOVED + dx + width]
        for image, (dy, dx) in zip(padded, shifts, strict=True)
    ]
    contrast = rng.uniform(0.7, 1.0, (len(images), 1, 1, 1))
    return (np.stack(made) * contrast).astype(np.float32)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    if not asked.data.is_file():
        print(f"no {asked.data.name} here: say --data FILE.npz", file=sys.stderr)
        return 1
    images, labels = data(asked.data)
    seen = len(images) * 3 // 4
    rng = np.random.default_rng(SEED)
    params = train_cnn(images[:seen], labels[:seen], rng, STRIDES, lambda x: moved(x, rng))
    found = predict(params, images[seen:], STRIDES)
    print(f"mnist_cnn: {accuracy(found, labels[seen:])}")
    asked.output.mkdir(parents=True, exist_ok=True)
    made = cnn_model("mnist_cnn", params, images.shape[1], STRIDES)
    onnx.save(made, asked.output / "mnist_cnn.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
