"""Where names mean something: frames of blocks, and what tensors and layers are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import syntax as s
from .values import Value

# What a result is called, or each of several
Names = str | tuple[str, ...]


@dataclass
class Frame:
    """The variables of a file or of one call of a block.

    `path`: what the names of tensors and weights made here begin with ("ds1."); `result`: what the
    tensor is to be called that the block gives. `arguments`: where each was written, for messages.
    `own`: names for the calls of the statement that is being evaluated, by the identity of their node.
    """

    source: s.Source
    path: str = ""
    result: Names | None = None
    outer: Frame | None = None  # the variables of the file
    caller: Frame | None = None
    call: s.Call | None = None
    prelude: bool = False
    depth: int = 0
    recipe: bool = False
    vars: dict[str, Value] = field(default_factory=dict)
    arguments: dict[str, s.Span] = field(default_factory=dict)
    own: dict[int, Own] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.vars or (self.outer is not None and name in self.outer.vars)

    def get(self, name: str) -> Value:
        return self.vars[name] if name in self.vars else self.outer.vars[name]  # type: ignore[union-attr]

    def names(self) -> Iterator[str]:
        yield from self.vars
        if self.outer is not None:
            yield from self.outer.vars

    def place(self) -> tuple[s.Source, s.Call | None, Frame]:
        """The text and call of the user's that all this is about: calls inside the prelude are nobody's."""
        frame, call = self, None
        while frame.prelude and frame.caller is not None:
            call, frame = frame.call, frame.caller
        return frame.source, call, frame


@dataclass(frozen=True)
class Own:
    """What a call of a statement is called: `path` its weights, `result` its tensor (None: as the path)."""

    path: str
    result: Names | None = None


def direct_calls(value: s.Expr) -> list[s.Call | s.Operation]:
    """The calls that a statement is made of: those of its pipe, not those in arguments."""
    while isinstance(value, s.Group):
        value = value.value
    if isinstance(value, (s.Call, s.Operation)):
        return [value]
    if isinstance(value, s.Pipe):
        return [*direct_calls(value.first), *value.steps]
    return []


def assigned(statements: tuple[s.Statement, ...]) -> Iterator[str]:
    """All names that statements give a value, bodies of loops and branches included."""
    todo = list(statements)
    while todo:
        node = todo.pop()
        if isinstance(node, s.Assign):
            yield from (name.id for name in node.names)
        elif isinstance(node, s.Outputs):
            yield from (item.name.id for item in node.items)
        elif isinstance(node, (s.Input, s.Block)):
            yield node.name.id
        elif isinstance(node, s.Loop):
            yield from (name.id for name in node.names)
            todo += node.body.statements
        elif isinstance(node, s.Branch):
            todo += [inner for _, body in node.arms for inner in body.statements]
            todo += node.otherwise.statements if node.otherwise else ()
