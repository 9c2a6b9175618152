"""The graph: what is computed. Named tensors, nodes in execution order, no target, no memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import InternalError
from .statistics import Statistics
from .types import TensorType

Attrs = Mapping[str, Any]
# So many values of a constant that are all alike are kept as one
_MANY = 256


@dataclass(frozen=True)
class Origin:
    """Where a tensor comes from in the user's model, in the model's own words.

    `permutation` turns this tensor into the source's axis order (np.transpose argument); None means
    the axes are the source's. `channels` lists the source's channels that are left, None for all.
    """

    name: str
    permutation: tuple[int, ...] | None = None
    channels: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value made once; its name is its identity. `data` is set for constants only, `statistics` where training has
    left some; no result depends on them."""

    name: str
    type: TensorType
    data: np.ndarray | None = None
    origin: Origin | None = None
    statistics: Statistics | None = None

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    @property
    def value(self) -> np.ndarray:
        """The data of a constant."""
        if self.data is None:
            raise InternalError(f"tensor {self.name!r} is no constant")
        return self.data

    @property
    def is_uniform(self) -> bool:
        """A constant of many values that are all alike, of which one is kept."""
        return self.data is not None and is_repeated(self.data)

    @property
    def source_name(self) -> str:
        return self.origin.name if self.origin else self.name


def constant(name: str, type_: TensorType, data: np.ndarray) -> Tensor:
    """A constant tensor; its data is made read-only. Many values that are all alike are kept as one, with strides
    of 0."""
    dtype = type_.dtype.numpy
    if is_repeated(data):
        one = np.asarray(data[(0,) * data.ndim], dtype)
        array = np.broadcast_to(one, type_.shape)
        array = array if array.size >= _MANY else array.copy()
    else:
        array = np.ascontiguousarray(data, dtype=dtype).reshape(type_.shape)
        if array.size >= _MANY and _has_one_value(array):
            array = np.broadcast_to(array.reshape(-1)[0], type_.shape)
    array.setflags(write=False)
    return Tensor(name, type_, array)


def is_repeated(data: np.ndarray) -> bool:
    """Several values that are one in memory."""
    sizes = zip(np.shape(data), np.asarray(data).strides, strict=True)
    return data.size > 1 and all(step == 0 for size, step in sizes if size > 1)


def _has_one_value(array: np.ndarray) -> bool:
    """Bit for bit."""
    bits = array.reshape(-1).view(f"u{array.itemsize}")
    return bool(bits[0] == bits[-1] and (bits == bits[0]).all())


@dataclass(frozen=True)
class Node:
    """One application of an operator. An absent optional input is the empty name."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Attrs = field(default_factory=dict)

    def __post_init__(self) -> None:
        frozen = MappingProxyType({k: _freeze(v) for k, v in sorted(self.attrs.items())})
        object.__setattr__(self, "attrs", frozen)


def _freeze(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_freeze(v) for v in value)
    if isinstance(value, np.generic):
        return value.item()
    return value


@dataclass(frozen=True, eq=False)
class Graph:
    """Inputs, outputs, nodes in an order that can be executed, and every tensor by name."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]

    @cached_property
    def producers(self) -> Mapping[str, Node]:
        """Tensor name to the node that makes it."""
        return {out: node for node in self.nodes for out in node.outputs}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Node, ...]]:
        """Tensor name to the nodes that read it, each once, in order."""
        found: dict[str, list[Node]] = {name: [] for name in self.tensors}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                if name:
                    found[name].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def constants(self) -> tuple[Tensor, ...]:
        return tuple(t for t in self.tensors.values() if t.is_constant)

    def tensor(self, name: str) -> Tensor:
        return self.tensors[name]

    def type(self, name: str) -> TensorType:
        return self.tensors[name].type

    def sole_consumer(self, name: str) -> Node | None:
        """The only node that reads a tensor that is no output of the graph, else None."""
        readers = self.consumers[name]
        return readers[0] if len(readers) == 1 and name not in self.outputs else None

    def __eq__(self, other: object) -> bool:
        from .text import canonical_text

        return isinstance(other, Graph) and canonical_text(self) == canonical_text(other)

    __hash__ = object.__hash__


def verify_structure(graph: Graph) -> None:
    """Raise InternalError unless every tensor is made once, before it is read, and nothing is left over."""
    known = set(graph.inputs) | {t.name for t in graph.constants}
    for name, tensor in graph.tensors.items():
        if name != tensor.name:
            raise InternalError(f"tensor {tensor.name!r} is filed under {name!r}")
        if tensor.statistics is not None and not tensor.statistics.fits(tensor.shape):
            raise InternalError(f"tensor {name!r} is {tensor.type}, its statistics are of others")
    for node in graph.nodes:
        _check_reads(node, known)
        for out in node.outputs:
            if out in known:
                raise InternalError(
                    f"tensor {out!r} is made twice, the second time by {node.name!r}"
                )
            known.add(out)
    _check_names("output", graph.outputs, known)
    _check_names("tensor", graph.tensors, known)
    _check_names("made tensor", known, set(graph.tensors))
    if len({node.name for node in graph.nodes}) != len(graph.nodes):
        raise InternalError("two nodes have one name")


def _check_reads(node: Node, known: set[str]) -> None:
    missing = [name for name in node.inputs if name and name not in known]
    if missing:
        raise InternalError(f"node {node.name!r} reads {missing[0]!r} before it is made")


def _check_names(what: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise InternalError(f"{what} {name!r} is made by no node")
