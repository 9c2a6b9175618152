"""A small convolutional net trained in plain NumPy: two 3x3 convolutions, fully connected.

Images are [N, H, W, C] here; `params` are in ONNX's order, for an ONNX model that takes [N, C, H, W].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Params = Mapping[str, np.ndarray]
Strides = tuple[int, int]
Augment = Callable[[np.ndarray], np.ndarray]
CHANNELS, CLASSES = (8, 16), 10
STRIDES: Strides = (1, 2)
EPOCHS, BATCH, RATE = 30, 32, 3e-3


def _columns(x: np.ndarray, stride: int) -> np.ndarray:
    """The 3x3 windows of an image padded by one pixel: [N, OH, OW, C * 9], in ONNX's order C, KH, KW."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[
        :, ::stride, ::stride
    ]
    return view.reshape(*view.shape[:3], -1)


def _scatter(columns: np.ndarray, shape: tuple[int, ...], stride: int) -> np.ndarray:
    """The gradient of `_columns`: windows added up into an image of `shape`."""
    n, h, w, c = shape
    padded = np.zeros((n, h + 2, w + 2, c), columns.dtype)
    taps = columns.reshape(*columns.shape[:3], c, 3, 3)
    oh, ow = columns.shape[1:3]
    for row, column in np.ndindex(3, 3):
        rows = slice(row, row + stride * oh, stride)
        padded[:, rows, column : column + stride * ow : stride] += taps[..., row, column]
    return padded[:, 1:-1, 1:-1]


def _conv(x: np.ndarray, params: Params, k: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    columns = _columns(x, stride)
    weights = params[f"w{k}"].reshape(len(params[f"w{k}"]), -1)
    return columns, np.maximum(columns @ weights.T + params[f"b{k}"], 0)


def _forward(x: np.ndarray, params: Params, strides: Strides) -> tuple[np.ndarray, ...]:
    columns0, y0 = _conv(x, params, 0, strides[0])
    columns1, y1 = _conv(y0, params, 1, strides[1])
    flat = y1.transpose(0, 3, 1, 2).reshape(len(x), -1)
    return columns0, y0, columns1, y1, flat, flat @ params["w2"] + params["b2"]


def predict(params: Params, x: np.ndarray, strides: Strides = STRIDES) -> np.ndarray:
    """The class of each image."""
    return _forward(x, params, strides)[-1].argmax(axis=1)


def _gradients(
    x: np.ndarray, labels: np.ndarray, params: Params, strides: Strides
) -> dict[str, np.ndarray]:
    """Of the cross entropy of a batch."""
    columns0, y0, columns1, y1, flat, logits = _forward(x, params, strides)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    slope = e / e.sum(axis=1, keepdims=True)
    slope[np.arange(len(x)), labels] -= 1
    slope /= len(x)
    grads = {"w2": flat.T @ slope, "b2": slope.sum(axis=0)}
    n, h, w, c = y1.shape
    slope1 = (slope @ params["w2"].T).reshape(n, c, h, w).transpose(0, 2, 3, 1) * (y1 > 0)
    back = slope1 @ params["w1"].reshape(c, -1)
    slope0 = _scatter(back, y0.shape, strides[1]) * (y0 > 0)
    for k, (s, columns) in enumerate(((slope0, columns0), (slope1, columns1))):
        flat_slope = s.reshape(-1, s.shape[-1])
        grads[f"w{k}"] = (flat_slope.T @ columns.reshape(len(flat_slope), -1)).reshape(
            params[f"w{k}"].shape
        )
        grads[f"b{k}"] = flat_slope.sum(axis=0)
    return grads


def _start(
    rng: np.random.Generator, size: tuple[int, int], strides: Strides
) -> dict[str, np.ndarray]:
    """size: height and width of an image."""
    first, second = CHANNELS
    height, width = (((n - 1) // strides[0]) // strides[1] + 1 for n in size)
    features = second * height * width
    shapes = {"w0": (first, 1, 3, 3), "w1": (second, first, 3, 3), "w2": (features, CLASSES)}
    fans = {"w0": 9, "w1": first * 9, "w2": features}
    params = {
        n: rng.normal(0, np.sqrt(2 / fans[n]), s).astype(np.float32) for n, s in shapes.items()
    }
    return {
        **params,
        **{f"b{k}": np.zeros(n, np.float32) for k, n in enumerate((first, second, CLASSES))},
    }


def train_cnn(
    x: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    strides: Strides = STRIDES,
    augment: Augment = np.asarray,
) -> dict[str, np.ndarray]:
    """Adam on shuffled batches; augment: what each batch of images becomes before it is seen."""
    params = _start(rng, (x.shape[1], x.shape[2]), strides)
    mean = {n: np.zeros_like(a) for n, a in params.items()}
    square = {n: np.zeros_like(a) for n, a in params.items()}
    step = 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            step += 1
            for name, slope in _gradients(
                augment(x[chosen]), labels[chosen], params, strides
            ).items():
                mean[name] = 0.9 * mean[name] + 0.1 * slope
                square[name] = 0.999 * square[name] + 0.001 * slope**2
                rate = RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
                params[name] = (
                    params[name] - rate * mean[name] / (np.sqrt(square[name]) + 1e-8)
                ).astype(np.float32)
    return params
