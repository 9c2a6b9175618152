"""A net as calls: what the decompiler finds in ONNX nodes, and what it groups and writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import onnx


@dataclass(frozen=True)
class Ref:
    """A tensor of the net."""

    name: str


@dataclass(frozen=True)
class Named:
    """A name of the text: the parameter of a block."""

    name: str


@dataclass(frozen=True)
class Param:
    """A weight of a raw operator: `label` is its name in a block, `weight` its name in the model."""

    label: str
    weight: str


@dataclass(frozen=True)
class Refs:
    """A list of tensors."""

    names: tuple[str, ...]


_REQUIRED = object()


@dataclass(frozen=True)
class Arg:
    """An argument. It is not written where it has the default; `positional`: written without its name."""

    name: str
    value: Any  # Ref, Refs, Named, Param, or a value of the language
    default: Any = _REQUIRED
    positional: bool = True

    @property
    def is_literal(self) -> bool:
        return not isinstance(self.value, (Ref, Refs, Param, Named))

    @property
    def left_out(self) -> bool:
        return self.is_literal and same_value(self.value, self.default)


@dataclass(frozen=True)
class Item:
    """A call. `nodes`: the ONNX nodes that it makes, in this order; `weights`: the constants that it takes from
    the weights' file, in the order in which it does; `infix`: the operator it is written as."""

    callee: str
    args: tuple[Arg, ...]
    results: tuple[str, ...]
    nodes: tuple[onnx.NodeProto, ...]
    weights: tuple[str, ...] = ()
    infix: str = ""
    body: Block | None = None

    @property
    def operands(self) -> Iterator[str]:
        """The tensors that it reads, those of lists too."""
        for arg in self.args:
            if isinstance(arg.value, Ref):
                yield arg.value.name
            elif isinstance(arg.value, Refs):
                yield from arg.value.names


@dataclass(frozen=True)
class Block:
    """A block to be declared: its tensors, its other parameters, and calls, of one occurrence."""

    name: str
    tensors: tuple[str, ...]
    parameters: tuple[str, ...]
    items: tuple[Item, ...]


def same_value(a: Any, b: Any) -> bool:
    """Values of the language are the same: true is not 1."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same_value, a, b))
    return type(a) is type(b) and bool(a == b)
