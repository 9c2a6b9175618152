"""Where things stand in a tree: the word at a position, what gives names a value, and the block around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..frontends.spec import syntax as s

Position = tuple[int, int]  # line and column, from 1


@dataclass(frozen=True)
class Word:
    """A name or text in a tree. `around`: the nodes that it stands in, innermost last."""

    node: s.Name | s.Text
    around: tuple[object, ...]

    @property
    def text(self) -> str:
        return self.node.id if isinstance(self.node, s.Name) else self.node.raw

    @property
    def parent(self) -> object:
        return self.around[-1] if self.around else None

    def within(self, kind: type) -> object | None:
        """The innermost node of a kind around the word."""
        return next((n for n in reversed(self.around) if isinstance(n, kind)), None)

    @property
    def block(self) -> s.Block | None:
        found = self.within(s.Block)
        return found if isinstance(found, s.Block) else None

    @property
    def is_callee(self) -> bool:
        return isinstance(self.parent, s.Call) and self.parent.callee is self.node

    @property
    def is_argument_name(self) -> bool:
        return isinstance(self.parent, s.Argument) and self.parent.name is self.node


def contains(span: s.Span, at: Position) -> bool:
    """The end counts: an editor's cursor stands behind the word."""
    return (span.line, span.column) <= at <= (span.end_line, span.end_column)


def word_at(file: s.File, at: Position) -> Word | None:
    """The name or text at a position; between two words, the one that starts there."""
    chain = [
        node
        for statement in file.body.statements
        if contains(statement.span, at)
        for node in s.walk(statement)
        if contains(node.span, at)  # type: ignore[attr-defined]
    ]
    words = [n for n in chain if isinstance(n, (s.Name, s.Text))]
    if not words:
        return None
    word = words[-1]
    around = (n for n in chain if not isinstance(n, (s.Name, s.Text)) and _holds(n, word))
    return Word(word, tuple(around))


def _holds(node: object, word: s.Name | s.Text) -> bool:
    return any(part is word for part in s.walk(node))


def block_at(file: s.File, at: Position) -> s.Block | None:
    """The block that a position stands in."""
    blocks = (n for n in file.body.statements if isinstance(n, s.Block))
    return next((b for b in blocks if contains(b.body.span, at)), None)


def binders(statements: Sequence[s.Statement]) -> Iterator[s.Name]:
    """All names that statements give a value, in the order of the text; what is in a block is its own."""
    for node in statements:
        if isinstance(node, s.Assign):
            yield from node.names
        elif isinstance(node, s.Outputs):
            yield from (item.name for item in node.items if item.value is not None)
        elif isinstance(node, (s.Input, s.Block)):
            yield node.name
        elif isinstance(node, s.Loop):
            yield from node.names
            yield from binders(node.body.statements)
        elif isinstance(node, s.Branch):
            for _, body in node.arms:
                yield from binders(body.statements)
            yield from binders(node.otherwise.statements if node.otherwise else ())
        elif isinstance(node, s.Recipe):
            yield from binders(node.body.statements)


def local_binders(block: s.Block) -> Iterator[s.Name]:
    """Parameters, and what the body gives a value."""
    yield from (p.name for p in block.parameters)
    yield from binders(block.body.statements)


def bound_before(names: Iterator[s.Name], word: s.Name) -> s.Name | None:
    """The last of the binders of a name that stands before or at it; the first when all stand behind."""
    same = [n for n in names if n.id == word.id]
    before = [n for n in same if n.span[:2] <= word.span[:2]]
    return before[-1] if before else same[0] if same else None
