"""The tree of a spec file. Every node knows its span, so that errors, the formatter and editors can point at it.

Nodes are plain tuples: immutable, quick to make. Values are as written (a Number keeps its text), brackets are
kept as Group, comments stand beside the tree in File.comments.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Union


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


class List(NamedTuple):
    items: tuple[Expr, ...]
    span: Span


class Group(NamedTuple):
    """An expression in ( )."""

    value: Expr
    span: Span


class Index(NamedTuple):
    value: Expr
    index: Expr
    span: Span


class Argument(NamedTuple):
    name: Name | None
    value: Expr
    span: Span


class Call(NamedTuple):
    """`bare`: a step of a pipe without brackets."""

    callee: Name
    arguments: tuple[Argument, ...]
    span: Span
    bare: bool = False


class Pipe(NamedTuple):
    first: Expr
    steps: tuple[Call, ...]
    span: Span


class Unary(NamedTuple):
    """`-x` or `not x`."""

    op: str
    value: Expr
    span: Span


class Operation(NamedTuple):
    """Operands with the operators between them, of one precedence, from left to right."""

    operands: tuple[Expr, ...]
    ops: tuple[Name, ...]
    span: Span


Expr = Union[
    Name, Number, Text, Truth, Nothing, List, Group, Index, Call, Pipe, Unary, Operation
]  # fmt: skip


class Body(NamedTuple):
    statements: tuple[Statement, ...]
    span: Span


class Model(NamedTuple):
    label: Name | Text
    span: Span


class Type(NamedTuple):
    dtype: Name
    shape: tuple[Expr, ...]
    span: Span


class Input(NamedTuple):
    """`label`: the tensor's name where it is not that of the variable."""

    name: Name
    type: Type
    label: Text | None
    span: Span


class Output(NamedTuple):
    name: Name
    value: Expr | None
    label: Text | None
    span: Span


class Outputs(NamedTuple):
    items: tuple[Output, ...]
    span: Span


class Import(NamedTuple):
    path: Text
    span: Span


class Include(NamedTuple):
    path: Text
    span: Span


class Recipe(NamedTuple):
    body: Body
    span: Span


class Parameter(NamedTuple):
    name: Name
    kind: Name | None
    default: Expr | None
    span: Span


class Block(NamedTuple):
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


class Loop(NamedTuple):
    names: tuple[Name, ...]
    over: Expr
    body: Body
    span: Span


class Branch(NamedTuple):
    """Conditions with their bodies, and what is done otherwise."""

    arms: tuple[tuple[Expr, Body], ...]
    otherwise: Body | None
    span: Span


class Give(NamedTuple):
    """`return`."""

    values: tuple[Expr, ...]
    span: Span


class Assign(NamedTuple):
    names: tuple[Name, ...]
    value: Expr
    span: Span


class Command(NamedTuple):
    """A call that stands alone: weights(...), and the calls of a recipe."""

    call: Call
    span: Span


Statement = Union[
    Model, Input, Outputs, Import, Include, Recipe, Block, Loop, Branch, Give, Assign, Command
]  # fmt: skip


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


class File(NamedTuple):
    source: Source
    body: Body
    comments: tuple[Comment, ...]
