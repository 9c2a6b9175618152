"""The tree of a spec file. Every node knows its span, so that errors, the formatter and editors can point at it.

Nodes are immutable. Values are as written (a Number keeps its text), brackets are
kept as Group, comments stand beside the tree in File.comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import NamedTuple


class Span(NamedTuple):
    """Lines and columns count from 1; the end column is the one after the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class Name(NamedTuple):
    id: str
    span: Span


class Number(NamedTuple):
    text: str
    span: Span


class Text(NamedTuple):
    """A string; `raw` with its quotes, as written."""

    raw: str
    span: Span


class Truth(NamedTuple):
    value: bool
    span: Span


class Nothing(NamedTuple):
    span: Span


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """An expression in ( )."""

    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    value: Expr
    index: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    name: Name | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`bare`: a step of a pipe without brackets."""

    callee: Name
    arguments: tuple[Argument, ...]
    span: Span
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Pipe:
    first: Expr
    steps: tuple[Call, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    op: str
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Operation:
    """Operands with the operators between them, of one precedence, from left to right."""

    operands: tuple[Expr, ...]
    ops: tuple[Name, ...]
    span: Span


Expr = (
    Name | Number | Text | Truth | Nothing | List | Group | Index | Call | Pipe | Unary | Operation
)


@dataclass(frozen=True, slots=True)
class Body:
    statements: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Model:
    label: Name | Text
    span: Span


@dataclass(frozen=True, slots=True)
class Type:
    dtype: Name
    shape: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Input:
    """`label`: the tensor's name where it is not that of the variable."""

    name: Name
    type: Type
    label: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Output:
    name: Name
    value: Expr | None
    label: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Outputs:
    items: tuple[Output, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Import:
    path: Text
    span: Span


@dataclass(frozen=True, slots=True)
class Include:
    path: Text
    span: Span


@dataclass(frozen=True, slots=True)
class Recipe:
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    name: Name
    kind: Name | None
    default: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Loop:
    names: tuple[Name, ...]
    over: Expr
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Branch:
    """Conditions with their bodies, and what is done otherwise."""

    arms: tuple[tuple[Expr, Body], ...]
    otherwise: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class Give:
    """`return`."""

    values: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Assign:
    names: tuple[Name, ...]
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Command:
    """A call that stands alone: weights(...), and the calls of a recipe."""

    call: Call
    span: Span


Statement = (
    Model
    | Input
    | Outputs
    | Import
    | Include
    | Recipe
    | Block
    | Loop
    | Branch
    | Give
    | Assign
    | Command
)


class Source(NamedTuple):
    """A text with the name that messages give it, and where it lies (None: nowhere, an editor's buffer)."""

    name: str
    text: str
    path: Path | None = None

    def line(self, number: int) -> str:
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


class Comment(NamedTuple):
    """`own_line`: nothing stands before it on its line."""

    text: str
    line: int
    own_line: bool


@dataclass(frozen=True, slots=True)
class File:
    source: Source
    body: Body
    comments: tuple[Comment, ...]


def walk(node: object) -> Iterator[object]:
    """A node and all nodes in it, names and values included, spans left out."""
    todo: list[object] = [node]
    while todo:
        part = todo.pop()
        if is_dataclass(part):
            yield part
            todo += (getattr(part, field.name) for field in reversed(fields(part)))
        elif isinstance(part, (Name, Number, Text, Truth, Nothing)):
            yield part
        elif type(part) is tuple:
            todo += reversed(part)
