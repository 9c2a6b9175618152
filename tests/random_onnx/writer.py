"""Writes a random ONNX graph node by node. ONNX Runtime runs each node at once, so that every tensor's value
is known: what is drawn next can ask for what it needs, and nothing that a runtime refuses stays.

Where float is ill-conditioned, a difference says nothing, so values keep away from there: entries ask for
operands in a range (no logarithm near 0), results beyond LARGEST are drawn again, and functions with jumps
(Floor, Less, ArgMax, ...) take only `exact` operands: made without any rounding, on a grid of 1/64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, prod
from random import Random
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

LARGEST = 4096.0
LARGEST_INTEGER = 1 << 20
MOST_ELEMENTS = 700
GRID = 64
MICROSOFT = "com.microsoft"
IR_VERSION = 10

OPTIONS = onnxruntime.SessionOptions()
OPTIONS.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
OPTIONS.intra_op_num_threads = 1
OPTIONS.inter_op_num_threads = 1
OPTIONS.log_severity_level = 4


class Skip(Exception):
    """This entry can't be drawn here; the graph stays as it was."""


@dataclass(frozen=True)
class Value:
    """A tensor and what it holds in the run at hand. `exact`: no rounding has gone into it."""

    name: str
    array: np.ndarray
    exact: bool = False
    constant: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def rank(self) -> int:
        return self.array.ndim

    @property
    def kind(self) -> np.dtype:
        return self.array.dtype

    def within(self, low: float, high: float, away: float = 0.0) -> bool:
        """All elements in low..high and none nearer to zero than `away`."""
        a = self.array
        if not a.size:
            return False
        return bool(a.min() >= low and a.max() <= high and np.abs(a).min() >= away)


class Writer:
    """The graph so far, and draws from it. The same seed writes the same graph."""

    def __init__(self, seed: int, opset: int):
        self.rng, self.numbers = Random(seed), np.random.default_rng(seed)
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.values: dict[str, Value] = {}
        self.inputs: dict[str, Value] = {}
        self.constants: dict[str, Value] = {}
        self.overridable: set[str] = set()  # initialisers that are inputs, too
        self.count = 0

    # draws

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def one_of(self, *choices: Any) -> Any:
        return self.rng.choice(choices)

    def whole(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)

    def shape(self, least: int = 0, most: int = 5) -> tuple[int, ...]:
        rank = self.rng.choice([r for r in (0, 1, 2, 2, 3, 3, 4, 4, 5) if least <= r <= most])
        sizes = (1, 2, 3, 4, 5, 7) if rank < 4 else (1, 2, 3, 4)
        return tuple(self.rng.choice(sizes) for _ in range(rank))

    def axis(self, rank: int) -> int:
        """One of -rank..rank-1."""
        return self.whole(-rank, rank - 1)

    def axes(self, rank: int, least: int = 1) -> list[int]:
        """Different axes, some counted from the end."""
        chosen = self.rng.sample(range(rank), self.whole(min(least, rank), rank))
        return [a - rank if self.chance(0.3) else a for a in chosen]

    def flag(self) -> int:
        return self.whole(0, 1)

    # operands

    def pick(self, fits: Callable[[Value], bool]) -> Value | None:
        """One of the run-time tensors that fit, a late one rather than an early one."""
        found = [v for v in self.values.values() if not v.constant and fits(v)]
        return found[-1 - min(int(self.rng.expovariate(0.5)), len(found) - 1)] if found else None

    def real(
        self, least: int = 0, most: int = 5, *, low: float = -inf, high: float = inf, away: float = 0.0,
        exact: bool = False, shape: tuple[int, ...] | None = None,
        fits: Callable[[Value], bool] = lambda v: True,
    ) -> Value:  # fmt: skip
        """A float32 tensor of rank least..most with values in low..high: one that is there, or a new input."""

        def usable(v: Value) -> bool:
            return (
                v.kind == np.float32 and least <= v.rank <= most and v.within(low, high, away)
                and (v.exact or not exact) and shape in (None, v.shape) and fits(v)
            )  # fmt: skip

        found = self.pick(usable) if self.chance(0.85) else None
        shape = self.shape(least, most) if shape is None else shape
        return found or self.input(self.floats(shape, low, high, away, exact), exact)

    def floats(
        self, shape: Sequence[int], low: float = -inf, high: float = inf, away: float = 0.0,
        grid: bool = False,
    ) -> np.ndarray:  # fmt: skip
        """Random values in the range, which is cut to -3..3 where that leaves something."""
        low, high = (max(low, -3.0), min(high, 3.0)) if low < 3.0 else (low, min(high, low + 3.0))
        a = self.numbers.uniform(low, high, tuple(shape))
        a = np.where(np.abs(a) < away, np.where(a < 0, -away, away) * 1.5, a)
        return (np.round(a * 8) / 8 if grid else a).astype(np.float32)

    def integer(
        self, *kinds: Any, least: int = 0, most: int = 5, low: int = -9, high: int = 9,
        fits: Callable[[Value], bool] = lambda v: True,
    ) -> Value:  # fmt: skip
        """A tensor of one of the kinds; a new one holds low..high."""
        kind = np.dtype(self.rng.choice(kinds))
        found = self.pick(lambda v: v.kind == kind and least <= v.rank <= most and fits(v))
        if found and self.chance(0.85):
            return found
        return self.input(self.integers(kind, self.shape(least, most), low, high))

    def integers(self, kind: Any, shape: Sequence[int], low: int = -9, high: int = 9) -> np.ndarray:
        least = 0 if np.dtype(kind).kind in "ub" else low
        return self.numbers.integers(least, high + 1, tuple(shape)).astype(kind)

    def any(self, least: int = 0, most: int = 5) -> Value:
        """A tensor of any element type, mostly float32."""
        if self.chance(0.6):
            return self.real(least, most)
        kind = self.one_of(np.int32, np.int64, np.uint8, np.int8, np.bool_)
        high = 1 if kind is np.bool_ else 9
        return self.integer(kind, least=least, most=most, high=high)

    def like(self, x: Value, **limits: Any) -> Value:
        """What x can be combined with: a tensor that is there, x itself, a constant, or a new input."""

        def fits(v: Value) -> bool:
            return v.kind == x.kind and _joint(v.shape, x.shape) and v.within(**_range(limits))

        found = self.pick(fits)
        if found and self.chance(0.5):
            return found
        shape = self.broadcast(x.shape)
        if x.kind.kind != "f":
            made = self.integers(x.kind, shape, 1 if limits.get("away") else -5, 5)
            made = np.maximum(made, 1) if limits.get("away") else made
            return self.constant(made) if self.chance(0.5) else self.input(made)
        made = self.floats(shape, grid=x.exact, **_range(limits))
        return self.constant(made) if self.chance(0.5) else self.input(made, exact=x.exact)

    def broadcast(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to `shape`."""
        cut = shape[self.whole(0, len(shape)) :] if self.chance(0.5) else shape
        return tuple(d if self.chance(0.7) else 1 for d in cut)

    # writing

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def input(self, array: np.ndarray, exact: bool | None = None) -> Value:
        """A new input of the graph. Floats are on the grid half of the time."""
        if array.size > MOST_ELEMENTS:
            raise Skip
        if exact is None or (not exact and array.dtype == np.float32 and self.chance(0.3)):
            exact = bool(np.all(array * GRID == np.round(array * GRID)))
        exact = exact or array.dtype != np.float32
        value = Value(self.fresh("x"), array, exact)
        self.values[value.name] = self.inputs[value.name] = value
        return value

    def constant(self, array: np.ndarray) -> Value:
        """An initialiser, one that may be overridden, or a Constant node."""
        array = np.asarray(array)
        exact = bool(array.dtype.kind != "f" or np.all(array * GRID == np.round(array * GRID)))
        value = Value(self.fresh("c"), array, exact, constant=True)
        way = self.one_of("initialiser", "initialiser", "input", "node")
        self.values[value.name] = self.constants[value.name] = value
        if way == "node":
            tensor = numpy_helper.from_array(array, value.name)
            self.nodes.append(helper.make_node("Constant", [], [value.name], value=tensor))
        elif way == "input":
            self.overridable.add(value.name)
        return value

    def node(
        self, op: str, inputs: Sequence[Value | None], outputs: int = 1, exact: bool = False,
        domain: str = "", **attrs: Any,
    ) -> Value:  # fmt: skip
        """Add a node; its first result. Skip when a runtime refuses it or its values are of no use."""
        names = [v.name if v else "" for v in inputs]
        while names and not names[-1]:
            names.pop()
        made = [self.fresh("t") for _ in range(outputs)]
        attrs = {k: v for k, v in attrs.items() if v is not None}
        node = helper.make_node(op, names, made, domain=domain, **attrs)
        arrays = self._run(node, [v for v in inputs if v])
        if not all(_usable(a) for a in arrays):
            raise Skip
        exact = exact and all(v.exact for v in inputs if v)
        self.nodes.append(node)
        for name, array in zip(made, arrays, strict=True):
            on_grid = array.dtype.kind != "f" or bool(
                np.all(array * GRID == np.round(array * GRID))
            )
            self.values[name] = Value(name, array, on_grid and (exact or array.dtype.kind != "f"))
        return self.values[made[0]]

    def _run(self, node: onnx.NodeProto, inputs: Sequence[Value]) -> list[np.ndarray]:
        fed = {v.name: v.array for v in inputs if not v.constant}
        fixed = {v.name: v.array for v in inputs if v.constant}
        made = [helper.make_empty_tensor_value_info(name) for name in node.output]
        graph = helper.make_graph([node], "node", _infos(fed), made, _tensors(fixed))
        try:
            return session(helper.make_model(graph, **self.version())).run(None, fed)
        except Exception as error:  # its errors are no public types
            raise Skip from error

    def version(self) -> dict[str, Any]:
        imports = [helper.make_opsetid("", self.opset), helper.make_opsetid(MICROSOFT, 1)]
        return {"opset_imports": imports, "ir_version": IR_VERSION}

    def mark(self) -> tuple[int, ...]:
        return tuple(len(part) for part in (self.nodes, self.values, self.inputs, self.constants))

    def rollback(self, mark: tuple[int, ...]) -> None:
        del self.nodes[mark[0] :]
        for part, size in zip((self.values, self.inputs, self.constants), mark[1:], strict=True):
            for name in list(part)[size:]:
                del part[name]
        self.overridable &= set(self.constants)

    def model(self) -> onnx.ModelProto:
        """All that nothing reads is an output, and now and then something that is read."""
        read = {name for node in self.nodes for name in node.input}
        made = [name for node in self.nodes if node.op_type != "Constant" for name in node.output]
        ends = [name for name in made if name not in read or self.chance(0.08)]
        used = {n: v.array for n, v in self.inputs.items() if n in read}
        in_nodes = {name for node in self.nodes for name in node.output}
        fixed = {n: v.array for n, v in self.constants.items() if n in read and n not in in_nodes}
        optional = {n: a for n, a in fixed.items() if n in self.overridable}
        graph = helper.make_graph(
            self.nodes, "random", _infos({**used, **optional}),
            _infos({n: self.values[n].array for n in ends}), _tensors(fixed),
        )  # fmt: skip
        model = helper.make_model(graph, **self.version())
        onnx.checker.check_model(model)
        return model


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), OPTIONS, ["CPUExecutionProvider"]
    )


def _infos(arrays: dict[str, np.ndarray]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in arrays.items()
    ]


def _tensors(arrays: dict[str, np.ndarray]) -> list[onnx.TensorProto]:
    return [numpy_helper.from_array(a, n) for n, a in arrays.items()]


def _range(limits: dict[str, Any]) -> dict[str, float]:
    return {"low": -inf, "high": inf, "away": 0.0, **limits}


def _joint(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        return prod(np.broadcast_shapes(a, b)) <= MOST_ELEMENTS
    except ValueError:
        return False


def _usable(a: np.ndarray) -> bool:
    """Not empty, not too large, all values finite and of a size that leaves room for what follows."""
    if not 0 < a.size <= MOST_ELEMENTS:
        return False
    if a.dtype.kind == "f":
        return bool(np.isfinite(a).all() and np.abs(a).max() <= LARGEST)
    return a.dtype.kind == "b" or int(np.abs(a.astype(np.int64)).max()) <= LARGEST_INTEGER
