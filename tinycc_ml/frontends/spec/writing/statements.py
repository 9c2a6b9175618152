"""Statements as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import syntax as s
from .expressions import fits, flat, flat_items, write, write_items
from .layout import INDENT, WIDTH, Layout


def write_file(layout: Layout, file: s.File) -> None:
    _write_statements(layout, file.body.statements, 0, 1 << 60)


def _write_statements(
    layout: Layout, statements: Sequence[s.Statement], indent: int, end_line: int
) -> None:
    """One after another, with an empty line where the author left some."""
    last = None
    for node in statements:
        last = _comments(layout, node.span.line, indent, last)
        _gap(layout, last, node.span.line)
        layout.hang = indent + INDENT
        layout.newline(indent)
        _WRITE[type(node)](layout, node)
        last = node.span.end_line
    layout.hang = indent
    layout.newline(indent)
    _comments(layout, end_line, indent, last)


def _comments(layout: Layout, before: int, indent: int, last: int | None) -> int | None:
    """The comments before a line; the line where the last of them stood, or `last`."""
    comment = layout.waiting(before)
    while comment is not None:
        if comment.own_line:
            _gap(layout, last, comment.line)
            layout.newline(indent)
        layout.flush(comment.line + 1)
        last = comment.line
        comment = layout.waiting(before)
    return last


def _gap(layout: Layout, last: int | None, line: int) -> None:
    if last is not None and line > last + 1:
        layout.blank()


def _write_plain(text: Callable[[Any], str]) -> Callable[[Layout, Any], None]:
    """Statements that can't be broken."""
    return lambda layout, node: layout.put(text(node), node.span.line)


def _write_input(layout: Layout, node: s.Input) -> None:
    layout.put(f"input {node.name.id}: ", node.span.line)
    label = f" as {node.label.raw}" if node.label else ""
    write(layout, node.type, len(label))
    layout.put(label)


def _write_listed(layout: Layout, word: str, items: Sequence[Any], line: int) -> None:
    """`output a, b = ...` and `return a, b`: a line may end after a comma."""
    base = layout.indent
    layout.put(word, line)
    layout.space()
    for index, item in enumerate(items):
        comma = index + 1 < len(items)
        if index and not fits(layout, item, comma):
            layout.newline(base + INDENT)
        layout.hang = base + INDENT
        write(layout, item, comma)
        if comma:
            layout.put(",")
            layout.space()


def _write_assign(layout: Layout, node: s.Assign) -> None:
    _write_names(layout, node.names)
    layout.put(" = ")
    write(layout, node.value)


def _write_names(layout: Layout, names: Sequence[s.Name]) -> None:
    layout.hang = layout.indent + INDENT
    for name in names[:-1]:
        layout.put(f"{name.id},", name.span.line)
        layout.space()
    layout.put(names[-1].id, names[-1].span.line)


def _write_block(layout: Layout, node: s.Block) -> None:
    head = f"block {node.name.id}("
    parameters = flat_items(node.parameters)
    one_line = _one_line(layout, f"{head}{parameters})", [node.body], node.span)
    if one_line is not None:
        layout.put(one_line, node.span.line)
        return
    base = layout.indent
    layout.put(head, node.span.line)
    ends = s.Span(node.span.line, node.span.column, node.body.span.line, node.body.span.column)
    if layout.inside(ends) or len(head + parameters) + 3 > WIDTH:
        write_items(layout, node.parameters, ")", node.body.span.line)
    else:
        layout.put(f"{parameters})")
    _write_body(layout, node.body, base)


def _write_recipe(layout: Layout, node: s.Recipe) -> None:
    base = layout.indent
    layout.put("recipe", node.span.line)
    _write_body(layout, node.body, base)


def _write_loop(layout: Layout, node: s.Loop) -> None:
    head = f"for {', '.join(name.id for name in node.names)} in "
    one_line = _one_line(layout, head + flat(node.over), [node.body], node.span)
    if one_line is not None:
        layout.put(one_line, node.span.line)
        return
    base = layout.indent
    layout.put("for ", node.span.line)
    _write_names(layout, node.names)
    layout.put(" in ")
    write(layout, node.over, 2)
    _write_body(layout, node.body, base)


def _write_branch(layout: Layout, node: s.Branch) -> None:
    bodies = [body for _, body in node.arms] + ([node.otherwise] if node.otherwise else [])
    heads = [f"if {flat(condition)}" for condition, _ in node.arms]
    one_line = _one_line(layout, " else ".join(heads), bodies, node.span) and _flat_branch(node)
    if one_line is not None and layout.column + len(one_line) <= WIDTH:
        layout.put(one_line, node.span.line)
        return
    base = layout.indent
    for index, (condition, body) in enumerate(node.arms):
        _write_else(layout, index > 0, condition.span.line, base)
        layout.put("if ", condition.span.line)
        write(layout, condition, 2)
        _write_body(layout, body, base)
    if node.otherwise is not None:
        _write_else(layout, True, node.otherwise.span.line, base)
        _write_body(layout, node.otherwise, base)


def _write_else(layout: Layout, needed: bool, line: int, base: int) -> None:
    if needed:
        layout.hang = base
        layout.space()
        layout.put("else", line)
        layout.space()


def _flat_branch(node: s.Branch) -> str:
    parts = [f"if {flat(condition)} {_flat_body(body)}" for condition, body in node.arms]
    if node.otherwise is not None:
        parts.append(_flat_body(node.otherwise))
    return " else ".join(parts)


def _write_body(layout: Layout, body: s.Body, base: int) -> None:
    """{ ... }, a statement on each line; `base`: where the statement stands that it belongs to."""
    layout.space()
    layout.put("{")
    if not body.statements and not layout.inside(body.span):
        layout.put("}")
        return
    layout.hang = base + INDENT
    layout.newline(base + INDENT)
    _write_statements(layout, body.statements, base + INDENT, body.span.end_line)
    layout.newline(base)
    layout.put("}")


def _one_line(layout: Layout, head: str, bodies: Sequence[s.Body], span: s.Span) -> str | None:
    """A statement with its bodies on one line, when it stands on one and fits."""
    simple = all(len(b.statements) == 1 and type(b.statements[0]) in _SIMPLE for b in bodies)
    if span.line != span.end_line or not simple:
        return None
    text = f"{head} {' '.join(map(_flat_body, bodies))}"
    return text if layout.column + len(text) <= WIDTH else None


def _flat_body(body: s.Body) -> str:
    (node,) = body.statements
    return f"{{ {_SIMPLE[type(node)](node)} }}"


_SIMPLE: dict[type, Callable[[Any], str]] = {
    s.Give: lambda n: f"return {flat_items(n.values)}",
    s.Assign: lambda n: f"{', '.join(name.id for name in n.names)} = {flat(n.value)}",
    s.Command: lambda n: flat(n.call),
}
_WRITE: dict[type, Callable[[Layout, Any], None]] = {
    s.Model: _write_plain(lambda n: f"model {flat(n.label)}"),
    s.Import: _write_plain(lambda n: f"import {n.path.raw}"),
    s.Include: _write_plain(lambda n: f"include {n.path.raw}"),
    s.Input: _write_input,
    s.Outputs: lambda layout, n: _write_listed(layout, "output", n.items, n.span.line),
    s.Give: lambda layout, n: _write_listed(layout, "return", n.values, n.span.line),
    s.Assign: _write_assign,
    s.Command: lambda layout, n: write(layout, n.call),
    s.Block: _write_block,
    s.Loop: _write_loop,
    s.Branch: _write_branch,
    s.Recipe: _write_recipe,
}
