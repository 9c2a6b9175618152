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
    values: list[s.Expr] = []
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
    return values[0]


def _first(before: tuple[int, str, s.Name], rank: int, op: str) -> bool:
    """The operator before is applied first: it binds tighter, or both go from left to right."""
    return before[0] > rank or (before[0] == rank and op != "**")


def _apply(values: list[s.Expr], operator: tuple[int, str, s.Name]) -> None:
    _, kind, op = operator
    right = values.pop()
    if kind == "prefix":
        values.append(s.Unary(op.id, right, _across(op.span, right.span)))
        return
    left = values.pop()
    span = _across(left.span, right.span)
    # One node for a + b + c, so that a long sum is no deep tree
    if isinstance(left, s.Operation) and PRECEDENCE[left.ops[-1].id] == PRECEDENCE[op.id] not in (4, 8):
        values.append(s.Operation((*left.operands, right), (*left.ops, op), span))
    else:
        values.append(s.Operation((left, right), (op,), span))


def _across(first: s.Span, last: s.Span) -> s.Span:
    return s.Span(first.line, first.column, last.end_line, last.end_column)
