"""Integer graphs made by hand or at random, with channels that are constant or never read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycc_ml.ir.graph import Graph

from .texts import graph

Shape = tuple[int, ...]
WINDOW = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
LIMITS = {"q_min": -128, "q_max": 127}
# Beyond what a sum of the small nets here can reach, at either end
SATURATED = 1 << 24


class Net:
    """The text of an int8 graph, node by node; `x` is its first tensor."""

    def __init__(self, shape: Shape, zero: int = 0):
        self.lines: list[str] = []
        self.constants: dict[str, np.ndarray] = {}
        self.types: dict[str, Shape] = {}
        self.zeros: dict[str, int] = {}
        self.x = self._named("x", "input ", shape, zero, "")

    def _named(self, name: str, before: str, shape: Shape, zero: int, after: str) -> str:
        sizes = ",".join(map(str, shape))
        self.lines.append(f'{before}"{name}": i8[{sizes}] scale 0.5 zero {zero}{after}')
        self.types[name], self.zeros[name] = shape, zero
        return name

    def constant(self, array: np.ndarray, dtype: str = "i8") -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        sizes = ",".join(map(str, np.shape(array)))
        self.lines.append(f'constant "{name}": {dtype}[{sizes}]')
        return name

    def node(
        self, op: str, inputs: Sequence[str], shape: Shape, zero: int = 0, /, **attrs: Any
    ) -> str:
        texts = "".join(f" {key}={_text(value)}" for key, value in attrs.items())
        read = ", ".join(f'"{name}"' for name in inputs)
        return self._named(f"t{len(self.types)}", "", shape, zero, f" = {op}({read}){texts}")

    def conv(
        self, x: str, weights: np.ndarray, bias: Sequence[int] | np.ndarray, *, zero: int = 0,
        multiplier: int = 1 << 24, **attrs: Any,
    ) -> str:  # fmt: skip
        """weights: [O, KH, KW, C]."""
        window = {**WINDOW, **attrs}
        constants = self._sums(weights, bias, multiplier)
        shape = (*_window_shape(self.types[x], weights.shape[1:3], window), len(weights))
        given = {"groups": 1, **window, "pre_shift": 0, **LIMITS}
        return self.node("conv2d", [x, *constants], shape, zero, **given)

    def depthwise(
        self, x: str, weights: np.ndarray, bias: Sequence[int] | np.ndarray, *, zero: int = 0,
        multiplier: int = 1 << 24, **attrs: Any,
    ) -> str:  # fmt: skip
        """weights: [KH, KW, C]."""
        window = {**WINDOW, **attrs}
        constants = self._sums(weights, bias, multiplier)
        shape = (*_window_shape(self.types[x], weights.shape[:2], window), weights.shape[2])
        given = {**window, "pre_shift": 0, **LIMITS}
        return self.node("depthwise_conv2d", [x, *constants], shape, zero, **given)

    def dense(
        self, x: str, weights: np.ndarray, bias: Sequence[int] | np.ndarray, zero: int = 0
    ) -> str:
        constants = self._sums(weights, bias, 1 << 24)
        shape = (*self.types[x][:-1], len(weights))
        return self.node("dense", [x, *constants], shape, zero, pre_shift=0, **LIMITS)

    def pool(self, op: str, x: str, kernel: tuple[int, int], zero: int = 0, **attrs: Any) -> str:
        window = {**WINDOW, **attrs}
        shape = (*_window_shape(self.types[x], kernel, window), self.types[x][3])
        operands, given = [x], {"kernel": kernel, **window, **LIMITS}
        if op == "average_pool2d":
            counts = np.arange(1, kernel[0] * kernel[1] + 1)
            operands.append(self.constant(((1 << 31) // counts - 1).astype(np.int32), "i32"))
            given |= {"first_count": 1, "pre_shift": 0}
        return self.node(op, operands, shape, zero, **given)

    def lut(self, x: str, table: np.ndarray, zero: int = 0) -> str:
        return self.node("lut", [x, self.constant(table)], self.types[x], zero)

    def add(
        self, x0: str, x1: str, zero: int = 0, multipliers: tuple[int, int] = (1 << 20, 1 << 20)
    ) -> str:
        shape = tuple(map(int, np.broadcast_shapes(self.types[x0], self.types[x1])))
        m0, m1 = multipliers
        attrs = {"multiplier0": m0, "multiplier1": m1, "offset": zero << 21, "shift": 21}
        return self.node("add", [x0, x1], shape, zero, **attrs, **LIMITS)

    def concat(self, operands: Sequence[str]) -> str:
        first = self.types[operands[0]]
        total = sum(
            self.types[name][-1] if name in self.types else self.constants[name].shape[-1]
            for name in operands
        )
        zero = self.zeros[operands[0]]
        return self.node("concat", operands, (*first[:-1], total), zero, axis=len(first) - 1)

    def reshape(self, x: str, shape: Shape) -> str:
        return self.node("reshape", [x], shape, self.zeros[x], shape=shape)

    def channels(self, x: str, start: int, count: int, step: int = 1) -> str:
        """A slice of the last axis."""
        shape = (*self.types[x][:-1], count)
        rank = len(shape)
        starts, steps = (*(0,) * (rank - 1), start), (*(1,) * (rank - 1), step)
        return self.node(
            "slice", [x], shape, self.zeros[x], starts=starts, steps=steps, shape=shape
        )

    def graph(self, *outputs: str) -> Graph:
        lines = [*self.lines, *(f'output "{name}"' for name in outputs)]
        return graph("\n".join(lines), **self.constants)

    def _sums(self, weights: np.ndarray, bias: Any, multiplier: int) -> list[str]:
        count = len(bias)
        return [
            self.constant(weights),
            self.constant(np.asarray(bias), "i32"),
            self.constant(np.full(count, multiplier), "i32"),
        ]


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _window_shape(x: Shape, kernel: Sequence[int], window: dict[str, Any]) -> Shape:
    (top, left, bottom, right), strides, dilations = (
        window[k] for k in ("pads", "strides", "dilations")
    )
    padded = (x[1] + top + bottom, x[2] + left + right)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    sizes = [(p - e) // s + 1 for p, e, s in zip(padded, spans, strides, strict=True)]
    return (x[0], *sizes)


ZEROS = (-128, -7, 0, 5, 127)


def random_net(seed: int) -> Graph:
    """Some convolutions, branches, pools and a dense layer, with weights of zero and biases that saturate."""
    rng = np.random.default_rng(seed)
    net = Net(
        (1, int(rng.integers(3, 8)), int(rng.integers(3, 8)), int(rng.integers(1, 4))), _zero(rng)
    )
    last = random_conv(rng, net, net.x)
    for _ in range(int(rng.integers(2, 6))):
        last = _STEPS[int(rng.integers(len(_STEPS)))](rng, net, last)
    if rng.random() < 0.5:
        flat = net.reshape(last, (1, int(np.prod(net.types[last]))))
        weights, bias = random_sums(rng, (3, net.types[flat][1]), 3)
        return net.graph(net.dense(flat, weights, bias, _zero(rng)))
    return net.graph(random_conv(rng, net, last))


def _zero(rng: np.random.Generator) -> int:
    return int(rng.choice(ZEROS))


def random_sums(
    rng: np.random.Generator, shape: Shape, outputs: int, axis: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Weights with outputs (and, for the last axis, inputs) of zeros, and biases of which some saturate."""
    weights = rng.integers(-128, 128, shape)
    dead = rng.random(outputs) < 0.15
    weights[(slice(None),) * axis + (dead,)] = 0
    if axis == 0:
        weights[..., rng.random(shape[-1]) < 0.3] = 0
    bias = rng.integers(-3000, 3000, outputs)
    ends = rng.choice([0, 1, -1], outputs, p=[0.6, 0.2, 0.2])
    return weights, np.where(ends != 0, ends * SATURATED, bias)


def _random_window(
    rng: np.random.Generator, shape: Shape
) -> tuple[tuple[int, int], dict[str, Any]]:
    pads = tuple(int(p) for p in rng.integers(0, 2, 4) * rng.integers(0, 2))
    kernel = tuple(min(int(rng.integers(1, 4)), shape[k + 1]) for k in range(2))
    strides = tuple(int(s) for s in rng.integers(1, 3, 2))
    return kernel, {"pads": pads, "strides": strides}  # type: ignore[return-value]


def random_conv(
    rng: np.random.Generator, net: Net, x: str, outputs: int | None = None, **window: Any
) -> str:
    shape = net.types[x]
    kernel, given = ((1, 1), {}) if window else _random_window(rng, shape)
    outputs = outputs or int(rng.integers(1, 7))
    weights, bias = random_sums(rng, (outputs, *kernel, shape[3]), outputs)
    return net.conv(x, weights, bias, zero=_zero(rng), **{**given, **window})


def _depthwise(rng: np.random.Generator, net: Net, x: str) -> str:
    shape = net.types[x]
    kernel, window = _random_window(rng, shape)
    weights, bias = random_sums(rng, (*kernel, shape[3]), shape[3], axis=2)
    return net.depthwise(x, weights, bias, zero=_zero(rng), **window)


def _lut(rng: np.random.Generator, net: Net, x: str) -> str:
    return net.lut(x, rng.integers(-128, 128, 256), _zero(rng))


def _residual(rng: np.random.Generator, net: Net, x: str) -> str:
    count = net.types[x][3]
    other = random_conv(rng, net, x, count, strides=(1, 1))
    return net.add(
        *((x, other) if rng.random() < 0.5 else (other, x)),
        zero=_zero(rng),
        multipliers=(1 << 20, -(1 << 19)),
    )


def _concat(rng: np.random.Generator, net: Net, x: str) -> str:
    shape = net.types[x]
    parts = [x, random_conv(rng, net, x, strides=(1, 1))]
    if rng.random() < 0.5:
        parts.append(net.constant(rng.integers(-128, 128, (*shape[:3], 2))))
    return net.concat(parts)


def _part(rng: np.random.Generator, net: Net, x: str) -> str:
    channels = net.types[x][3]
    start = int(rng.integers(channels))
    return net.channels(x, start, int(rng.integers(1, channels - start + 1)))


def _reversed(rng: np.random.Generator, net: Net, x: str) -> str:
    channels = net.types[x][3]
    return net.channels(x, channels - 1, channels, -1)


def _gather(rng: np.random.Generator, net: Net, x: str) -> str:
    shape = net.types[x]
    taken = tuple(int(i) for i in rng.integers(0, shape[3], 4))
    return net.node("gather", [x], (*shape[:3], 4), net.zeros[x], axis=3, indices=taken)


def _max_pool(rng: np.random.Generator, net: Net, x: str) -> str:
    kernel, window = _random_window(rng, net.types[x])
    return net.pool("max_pool2d", x, kernel, net.zeros[x], **window)


def _average_pool(rng: np.random.Generator, net: Net, x: str) -> str:
    kernel, window = _random_window(rng, net.types[x])
    return net.pool("average_pool2d", x, kernel, _zero(rng), **window)


def _pad(rng: np.random.Generator, net: Net, x: str) -> str:
    n, h, w, c = net.types[x]
    pads = (0, 1, 0, 0, 0, 0, 2, 0)
    return net.node(
        "pad", [x], (n, h + 1, w + 2, c), net.zeros[x], pads=pads, mode="constant", value=3
    )


def _rows(rng: np.random.Generator, net: Net, x: str) -> str:
    """Pixels in one row, and back to images of one column."""
    n, h, w, c = net.types[x]
    return net.reshape(net.reshape(x, (1, h * w * c)), (n, h * w, 1, c))


_STEPS = (
    random_conv, random_conv, _depthwise, _depthwise, _lut, _residual, _concat, _part, _reversed, _gather,
    _max_pool, _average_pool, _pad, _rows,
)  # fmt: skip
