"""Reading the canonical text of a graph back. For dumps and for tests, whose graphs are written as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

import numpy as np
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from ..errors import Location, ModelError
from ..resources import grammar_dir
from .graph import Graph, Node, Tensor, constant
from .text import digest
from .types import DTYPES, HALVES, Quant, TensorType


def parse_graph(text: str, constants: Mapping[str, np.ndarray] | None = None) -> Graph:
    """The graph that `text` is the canonical text of; a node gets the name of its first result.

    `constants`: values by name, for those that the text does not hold. ModelError with line and column.
    """
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        line = text.split("\n")[max(error.line, 1) - 1].strip()
        place = f": {line}" if line else ""
        raise ModelError(
            f"not a line of a graph{place}", loc=Location(None, error.line, error.column)
        ) from error
    return _Reader(constants or {}).graph(tree)


@cache
def _grammar() -> Lark:
    text = (grammar_dir() / "graph.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", maybe_placeholders=False)


class _Reader:
    """Collects what the lines say; every name must be made before it is read, and once."""

    def __init__(self, constants: Mapping[str, np.ndarray]):
        self.constants = constants
        self.tensors: dict[str, Tensor] = {}
        self.inputs: list[str] = []
        self.outputs: list[str] = []
        self.nodes: list[Node] = []

    def graph(self, tree: Tree) -> Graph:
        header, *lines = tree.children
        name = _name(header.children[0])  # type: ignore[union-attr]
        for line in lines:
            getattr(self, f"_{line.data}")(line.children)  # type: ignore[union-attr]
        return Graph(name, tuple(self.inputs), tuple(self.outputs), tuple(self.nodes), self.tensors)

    def _input(self, parts: Sequence[Tree]) -> None:
        self.inputs.append(self._make(parts[0]).name)

    def _output(self, parts: Sequence[Tree]) -> None:
        self.outputs.append(self._known(parts[0]))

    def _constant(self, parts: Sequence[Tree]) -> None:
        tensor = self._make(parts[0])
        data = self._data(tensor, parts[0], parts[1] if len(parts) > 1 else None)
        self.tensors[tensor.name] = constant(tensor.name, tensor.type, data)

    def _node(self, parts: Sequence[Tree | Token]) -> None:
        kinds = {
            kind: [p for p in parts if isinstance(p, Tree) and p.data == kind]
            for kind in ("typed", "attribute")
        }
        op = next(str(p) for p in parts if isinstance(p, Token))
        operands = [p for p in parts if isinstance(p, Tree) and p.data in ("operand", "absent")]
        read = tuple("" if p.data == "absent" else self._known(p.children[0]) for p in operands)  # type: ignore
        made = tuple(self._make(p).name for p in kinds["typed"])
        attrs = {str(p.children[0]): _attribute(p.children[1]) for p in kinds["attribute"]}  # type: ignore
        self.nodes.append(Node(made[0], op, read, made, attrs))

    def _make(self, typed: Tree) -> Tensor:
        """The tensor of `name: type`. ModelError when there is one of that name."""
        name = _name(typed.children[0])
        if name in self.tensors:
            _refuse(typed, f"tensor {name!r} is made twice")
        self.tensors[name] = Tensor(name, _type(typed))
        return self.tensors[name]

    def _known(self, tree: Any) -> str:
        name = _name(tree)
        if name not in self.tensors:
            _refuse(tree, f"{name!r} is made by no line before this one")
        return name

    def _data(self, tensor: Tensor, typed: Tree, value: Tree | None) -> np.ndarray:
        dtype, shape = tensor.type.dtype.numpy, tensor.shape
        if value is not None and value.data == "list":
            items = np.array([_attribute(v) for v in value.children], object).astype(dtype)
            return _shaped(items, tensor, typed)
        if value is not None and value.data == "seed":
            return _seeded(int(_attribute(value.children[0])), shape, dtype)
        if tensor.name not in self.constants:
            _refuse(typed, f"the value of constant {tensor.name!r} is not given")
        data = _shaped(np.asarray(self.constants[tensor.name], dtype), tensor, typed)
        if value is not None and digest(data) != str(value.children[0]):
            _refuse(typed, f"constant {tensor.name!r} has other values than the one of the text")
        return data


def _seeded(seed: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Small values, so that sums of products stay small: real ones near -1..1, integers in -100..100."""
    rng = np.random.default_rng(seed)
    if dtype.kind == "f" or dtype in HALVES:
        return rng.standard_normal(shape).astype(dtype)
    low, high = (0, 100) if dtype.kind in "ub" else (-100, 100)
    return rng.integers(low, high, shape, endpoint=True).astype(dtype)


def _shaped(data: np.ndarray, tensor: Tensor, typed: Tree) -> np.ndarray:
    if data.size != tensor.type.size:
        _refuse(typed, f"constant {tensor.name!r} is {tensor.type}, got {data.size} values")
    return data.reshape(tensor.shape)


def _type(typed: Tree) -> TensorType:
    _, dtype, *rest = typed.children
    if str(dtype) not in DTYPES:
        _refuse(dtype, f"no element type {str(dtype)!r}, there are {', '.join(DTYPES)}")
    shape = tuple(int(_attribute(p)) for p in rest if p.data == "number")  # type: ignore[union-attr]
    quants = [p for p in rest if p.data == "quant"]  # type: ignore[union-attr]
    return TensorType(shape, DTYPES[str(dtype)], _quant(quants[0], shape) if quants else None)  # type: ignore


def _quant(tree: Tree, shape: tuple[int, ...]) -> Quant:
    scales, zeros, *axis = (tuple(_attribute(p) for p in part.children) for part in _lists(tree))
    if not axis:
        if len(scales) != 1 or len(zeros) != 1:
            _refuse(tree, "several scales need an axis")
        return Quant.per_tensor(scales[0], zeros[0])
    at = int(axis[0][0])
    if not 0 <= at < len(shape) or len(scales) != shape[at] or len(zeros) not in (1, len(scales)):
        _refuse(
            tree,
            f"{len(scales)} scales and {len(zeros)} zero points for axis {at} of {list(shape)}",
        )
    zeros = zeros * len(scales) if len(zeros) == 1 else zeros
    return Quant(tuple(float(s) for s in scales), tuple(int(z) for z in zeros), at)


def _lists(tree: Tree) -> list[Tree]:
    """Scales, zero points and, as a list of one, the axis."""
    return [p if p.data == "numbers" else Tree("numbers", [p]) for p in tree.children]  # type: ignore


def _attribute(tree: Any) -> Any:
    """A Python value: a number, a truth value, a string or a tuple of those."""
    if tree.data == "list":
        return tuple(_attribute(child) for child in tree.children)
    token = str(tree.children[0])
    if tree.data == "truth":
        return token == "True"
    if tree.data == "string":
        return _unquoted(token)
    return int(token) if re.fullmatch(r"[-+]?\d+", token) else float(token)


def _name(tree: Any) -> str:
    part = tree.children[0]
    return str(part) if isinstance(part, Token) else _unquoted(str(part.children[0]))


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], token[1:-1])


def _refuse(where: Any, message: str) -> NoReturn:
    """ModelError at the first token of `where`."""
    token = (
        where
        if isinstance(where, Token)
        else next(where.scan_values(lambda v: isinstance(v, Token)))
    )
    raise ModelError(message, loc=Location(None, token.line, token.column))
