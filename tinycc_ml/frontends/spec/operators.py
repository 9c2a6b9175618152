"""Operators between values: which bind tighter, and the tree that a flat list of them means."""

from __future__ import annotations

from collections.abc import Sequence

from . import syntax as s

PRECEDENCE = {
    "or": 1, "and": 2, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "**": 8,
}  # fmt: skip
_PREFIX = {"not": 3, "-": 7}
Part = s.Name | s.Expr


def arranged(parts: Sequence[tuple[str, Part]]) -> s.Expr:
    """The tree of a flat list of ("prefix" | "operator" | "value", node), by shunting yard: no recursion."""
    values: list[s.Expr | _Growing] = []
    waiting: list[tuple[int, str, s.Name]] = []  # precedence, kind, operator
    for kind, part in parts:
        if kind == "value":
            values.append(part)
            continue
        assert isinstance(part, s.Name)
        rank = _PREFIX[part.id] if kind == "prefix" else PRECEDENCE[part.id]
        while kind == "operator" and waiting and _first(waiting[-1], rank, part.id):
            _apply(values, waiting.pop())
        waiting.append((rank, kind, part))
    while waiting:
        _apply(values, waiting.pop())
    return _closed(values[0])


def _first(before: tuple[int, str, s.Name], rank: int, op: str) -> bool:
    """The operator before is applied first: it binds tighter, or both go from left to right."""
    return before[0] > rank or (before[0] == rank and op != "**")


class _Growing:
    """a + b + c while it is read: one node, so that a long sum is no deep tree."""

    def __init__(self, first: s.Expr, rank: int):
        self.operands, self.rank = [first], rank
        self.ops: list[s.Name] = []

    def closed(self) -> s.Operation:
        span = _across(self.operands[0].span, self.operands[-1].span)
        return s.Operation(tuple(self.operands), tuple(self.ops), span)


def _closed(value: s.Expr | _Growing) -> s.Expr:
    return value.closed() if isinstance(value, _Growing) else value


def _apply(values: list[s.Expr | _Growing], operator: tuple[int, str, s.Name]) -> None:
    rank, kind, op = operator
    right = _closed(values.pop())
    if kind == "prefix":
        values.append(s.Unary(op.id, right, _across(op.span, right.span)))
        return
    left = values.pop()
    # Comparisons and powers go by two
    if not isinstance(left, _Growing) or left.rank != rank or rank in (4, 8):
        left = _Growing(_closed(left), rank)
    left.operands.append(right)
    left.ops.append(op)
    values.append(left)


def _across(first: s.Span, last: s.Span) -> s.Span:
    return s.Span(first.line, first.column, last.end_line, last.end_column)
