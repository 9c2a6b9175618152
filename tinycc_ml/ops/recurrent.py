"""What the recurrent operators share: operands, activation functions, and the walk over time.

A node is one direction. Operands, those that are given by name in the attribute `operands`:
x [T, B, I], w [G*H, I], r [G*H, H], b [G*H] (bias of both products, or of the first where rb is given),
rb [G*H] (bias of the second), lens [B] (steps of each sequence; without it all T), h0 and c0 [B, H],
p [3*H] (peepholes). G gates of H units each, in ONNX's order. Outputs, by name in the attribute `outputs`:
y [T, B, H], h and c [B, H]. Beyond the end of a sequence y is 0; a sequence of no steps ends with h = c = 0.

Further attributes: reverse; activations, alpha, beta (one entry for each function); clip (of what goes
into the gates' activations; 0: none); flag (lstm: input_forget, gru: linear_before_reset).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Site
from .indexing import c_float
from .unary import FUNCTIONS

State = tuple[np.ndarray, ...]
Real = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Activation:
    """`numpy(v, alpha, beta)`; `c` is a C expression of the float {v}. `bounded`: |result| <= 1."""

    numpy: Callable[[np.ndarray, np.float32, np.float32], np.ndarray]
    c: str
    alpha: float | None = None  # defaults; None: it has no such parameter
    beta: float | None = None
    bounded: bool = False


def _unary(name: str, bounded: bool = False) -> Activation:
    """One of the operators of one value, with its defaults."""
    known = FUNCTIONS[name]
    fields = dict.fromkeys(known.attrs)
    c = re.sub(r"\bv\b", "{v}", known.c)

    def function(v: np.ndarray, alpha: np.float32, beta: np.float32) -> np.ndarray:
        given = {"alpha": alpha, "beta": beta}
        return known.numpy(v, **{n: given[n] for n in fields})

    return Activation(function, c, known.attrs.get("alpha"), known.attrs.get("beta"), bounded)


ACTIVATIONS: Mapping[str, Activation] = {
    "affine": Activation(lambda v, alpha, beta: alpha * v + beta, "{alpha} * {v} + {beta}", 1.0, 0.0),
    "elu": _unary("elu"),
    "hardsigmoid": _unary("hard_sigmoid", True),
    "leakyrelu": _unary("leaky_relu"),
    "relu": Activation(lambda v, alpha, beta: np.maximum(v, 0), "fmaxf({v}, 0.0F)"),
    "scaledtanh": Activation(lambda v, alpha, beta: alpha * np.tanh(beta * v), "{alpha} * tanhf({beta} * {v})", 1.0, 1.0),
    "sigmoid": _unary("sigmoid", True),
    "softplus": _unary("softplus"),
    "softsign": _unary("softsign", True),
    "tanh": _unary("tanh", True),
    "thresholdedrelu": _unary("thresholded_relu"),
}  # fmt: skip


def activations(attrs: Attrs) -> tuple[Real, ...]:
    """The functions of a node in NumPy."""

    def of(k: int) -> Real:
        function = ACTIVATIONS[attrs["activations"][k]].numpy
        alpha, beta = np.float32(attrs["alpha"][k]), np.float32(attrs["beta"][k])
        return lambda v: function(v, alpha, beta)

    return tuple(of(k) for k in range(len(attrs["activations"])))


def c_activation(attrs: Attrs, k: int, v: str) -> str:
    """Function k of a node as a C expression of the variable `v`."""
    alpha, beta = c_float(attrs["alpha"][k]), c_float(attrs["beta"][k])
    return ACTIVATIONS[attrs["activations"][k]].c.format(v=v, alpha=alpha, beta=beta)


@dataclass(frozen=True)
class Sizes:
    """steps T, batch B, inputs I, units H, rows G*H."""

    steps: int
    batch: int
    inputs: int
    units: int
    rows: int

    @staticmethod
    def of(site: Site) -> Sizes:
        rows, units = site.inputs[2].shape
        steps, batch, inputs = site.x.shape
        return Sizes(steps, batch, inputs, units, rows)


def index_of(site: Site, operand: str) -> int | None:
    """Where an operand stands, None where it is not given."""
    given = site.attrs["operands"]
    return given.index(operand) if operand in given else None


def infer_gates(gates: int) -> Callable[[Sequence[TensorType], Attrs], tuple[TensorType, ...]]:
    def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
        x, w, r = types[:3]
        if x.rank != 3 or w.rank != 2 or r.rank != 2 or w.shape[1] != x.shape[2]:
            raise ModelError(
                f"wanted x [T, B, I], w [{gates}*H, I], r [{gates}*H, H], got {x}, {w}, {r}"
            )
        (steps, batch, inputs), units = x.shape, r.shape[1]
        if not steps or not batch or not units or not inputs:
            raise ModelError(f"wanted at least one step, sequence, input and unit, got {x} and {r}")
        if w.shape[0] != gates * units or r.shape[0] != gates * units:
            raise ModelError(f"wanted {gates} gates of {units} units, got weights {w} and {r}")
        _check_operands(types, attrs, batch, units, gates)
        shapes = {"y": (steps, batch, units), "h": (batch, units), "c": (batch, units)}
        return tuple(TensorType(shapes[name], x.dtype) for name in attrs["outputs"])

    return infer


def _check_operands(
    types: Sequence[TensorType], attrs: Attrs, batch: int, units: int, gates: int
) -> None:
    wanted = {"lens": (batch,), "h0": (batch, units), "c0": (batch, units), "p": (3 * units,)}
    wanted |= {"b": (gates * units,), "rb": (gates * units,)}
    for name, type_ in zip(attrs["operands"], types, strict=True):
        if name in wanted and type_.shape != wanted[name]:
            raise ModelError(f"wanted {name} of shape {list(wanted[name])}, got {type_}")


@dataclass(frozen=True)
class Walk:
    """Over time: `step` makes a state of the inputs [B, I] of one step and the state before, `shown` is
    what y gets of a state, `rest` what it holds beyond the end of a sequence."""

    step: Callable[[np.ndarray, State], State]
    shown: Callable[[State], np.ndarray]
    rest: float = 0.0

    def run(
        self, x: np.ndarray, lens: np.ndarray | None, reverse: bool, state: State
    ) -> tuple[np.ndarray, State]:
        """y [T, B, H] and the last state. Each sequence is reversed within its own length."""
        steps, batch = x.shape[:2]
        count = np.full(batch, steps) if lens is None else np.clip(lens.astype(np.int64), 0, steps)
        rows, first = np.arange(batch), self.shown(state)
        y = np.full((steps, *first.shape), self.rest, first.dtype)
        for s in range(steps):
            live = s < count
            t = np.where(live, count - 1 - s if reverse else s, 0)
            made = self.step(x[t, rows], state)
            state = tuple(np.where(live[:, None], n, o) for n, o in zip(made, state, strict=True))
            y[t[live], live] = self.shown(state)[live]
        return y, state


def started(operands: Mapping[str, np.ndarray], name: str, like: np.ndarray) -> np.ndarray:
    """The state before the first step; of a sequence without steps it is the last one, too: 0."""
    start = operands.get(name, np.zeros_like(like)).astype(like.dtype)
    lens = operands.get("lens")
    return start if lens is None else np.where(lens[:, None] > 0, start, np.zeros_like(start))


def by_name(arrays: Arrays, attrs: Attrs) -> dict[str, np.ndarray]:
    return dict(zip(attrs["operands"], arrays, strict=True))


FloatStep = Callable[[Mapping[str, np.ndarray], Attrs, np.ndarray, State], State]


def walked(
    step: FloatStep,
    arrays: Arrays,
    attrs: Attrs,
    states: int,
    shown: Callable[[State], np.ndarray] = lambda state: state[0],
) -> tuple[np.ndarray, State]:
    """The float walk of a node with `states` states."""
    given = by_name(arrays, attrs)
    zero = np.zeros((arrays[0].shape[1], given["r"].shape[1]), np.float32)
    state = tuple(started(given, name, zero) for name in ("h0", "c0")[:states])
    walk = Walk(lambda x, s: step(given, attrs, x, s), shown)
    with np.errstate(over="ignore"):
        return walk.run(arrays[0], given.get("lens"), attrs["reverse"], state)


def float_reference(
    step: FloatStep, states: int
) -> Callable[[Arrays, Attrs], tuple[np.ndarray, ...]]:
    def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
        y, state = walked(step, arrays, attrs, states)
        found = {"y": y, "h": state[0], "c": state[-1]}
        return tuple(found[name].astype(np.float32) for name in attrs["outputs"])

    return reference


def observed(
    step: FloatStep, arrays: Arrays, attrs: Attrs, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """All values of the states, by these names, initial ones included."""
    given = by_name(arrays, attrs)
    every, _ = walked(step, arrays, attrs, len(names), lambda state: np.stack(state, axis=1))
    starts = (given.get(operand, np.zeros(1, np.float32)) for operand in ("h0", "c0"))
    return {
        name: np.append(every[:, :, k], start)
        for k, (name, start) in enumerate(zip(names, starts, strict=False))
    }


def clipped(v: np.ndarray, attrs: Attrs) -> np.ndarray:
    """What goes into a gate's activation."""
    return np.clip(v, -np.float32(attrs["clip"]), np.float32(attrs["clip"])) if attrs["clip"] else v


def product(given: Mapping[str, np.ndarray], x: np.ndarray, w: str, b: str) -> np.ndarray:
    """x @ w.T + b by gate: [B, G, H]. b may be absent."""
    units = given["r"].shape[1]
    rows = x @ given[w].T + given.get(b, np.float32(0))
    return rows.reshape(len(x), -1, units)


def macs(site: Site) -> int:
    n = Sizes.of(site)
    return n.steps * n.batch * n.rows * (n.inputs + n.units)
