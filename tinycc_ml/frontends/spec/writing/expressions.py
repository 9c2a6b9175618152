"""Expressions as text: on one line where they fit, and broken where not, or where a comment stands inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import syntax as s
from .layout import INDENT, WIDTH, Layout


def flat(node: Any) -> str:
    """An expression, argument or parameter on one line."""
    return _FLAT[type(node)](node)


def flat_items(items: Sequence[Any]) -> str:
    return ", ".join(map(flat, items))


def _flat_call(node: s.Call) -> str:
    return node.callee.id if node.bare else f"{node.callee.id}({flat_items(node.arguments)})"


def _flat_operation(node: s.Operation) -> str:
    pairs = zip(node.ops, node.operands[1:], strict=True)
    return flat(node.operands[0]) + "".join(f" {op.id} {flat(value)}" for op, value in pairs)


def _flat_parameter(node: s.Parameter) -> str:
    kind = f": {node.kind.id}" if node.kind else ""
    return f"{node.name.id}{kind}{f' = {flat(node.default)}' if node.default is not None else ''}"


def _flat_output(node: s.Output) -> str:
    value = f" = {flat(node.value)}" if node.value is not None else ""
    return f"{node.name.id}{value}{f' as {node.label.raw}' if node.label else ''}"


_FLAT: dict[type, Callable[[Any], str]] = {
    s.Name: lambda n: n.id,
    s.Number: lambda n: n.text,
    s.Text: lambda n: n.raw,
    s.Truth: lambda n: "true" if n.value else "false",
    s.Nothing: lambda n: "none",
    s.List: lambda n: f"[{flat_items(n.items)}]",
    s.Group: lambda n: f"({flat(n.value)})",
    s.Index: lambda n: f"{flat(n.value)}[{flat(n.index)}]",
    s.Argument: lambda n: f"{n.name.id}={flat(n.value)}" if n.name else flat(n.value),
    s.Call: _flat_call,
    s.Pipe: lambda n: " |> ".join(map(flat, (n.first, *n.steps))),
    s.Unary: lambda n: f"{n.op}{' ' if n.op == 'not' else ''}{flat(n.value)}",
    s.Operation: _flat_operation,
    s.Parameter: _flat_parameter,
    s.Type: lambda n: f"{n.dtype.id}[{flat_items(n.shape)}]",
    s.Output: _flat_output,
}


def fits(layout: Layout, node: Any, after: int = 0) -> bool:
    """A node may go on the line as it is: no comment in it, no line that its author broke, room for it and
    for `after` columns more."""
    if layout.inside(node.span) or any(_broken(part) for part in s.walk(node)):
        return False
    return layout.column + len(flat(node)) + after <= WIDTH


def _broken(node: object) -> bool:
    return isinstance(node, s.Pipe) and any(
        _starts_line(before, step)
        for before, step in zip((node.first, *node.steps), node.steps, strict=False)
    )


def _starts_line(before: Any, step: s.Call) -> bool:
    """The author broke the pipe before this step; that is kept."""
    return bool(step.span.line > before.span.end_line)


def write(layout: Layout, node: Any, after: int = 0) -> None:
    """An expression; `after`: columns that its last line must leave free."""
    layout.flush(node.span.line)
    if fits(layout, node, after) or type(node) not in _BROKEN or _whole(layout, node):
        layout.put(flat(node), node.span.line)
        return
    hang, layout.hang = layout.hang, layout.indent + INDENT
    _BROKEN[type(node)](layout, node, after)
    layout.hang = hang


def _whole(layout: Layout, node: Any) -> bool:
    """w["a long name"] is not shorter on three lines."""
    simple = isinstance(node, s.Index) and isinstance(node.index, s.Text)
    return simple and isinstance(node.value, s.Name) and not layout.inside(node.span)


def write_items(layout: Layout, items: Sequence[Any], close: str, end_line: int) -> None:
    """What stands in brackets, from a line of its own on: as many items on a line as there is room for."""
    base = layout.indent
    layout.hang = base + INDENT
    for index, item in enumerate(items):
        comma = index + 1 < len(items)
        if index == 0 or not fits(layout, item, comma):
            layout.newline(base + INDENT)
        write(layout, item, comma)
        if comma:
            layout.put(",")
            layout.space()
    layout.flush(end_line)
    if items or layout.column == layout.indent:
        layout.newline(base)
    layout.put(close)


def _write_pipe(layout: Layout, node: s.Pipe, after: int) -> None:
    base = layout.indent
    count = len(layout.lines)
    write(layout, node.first)
    for before, step in zip((node.first, *node.steps), node.steps, strict=False):
        last = after if step is node.steps[-1] else 0
        layout.space()
        room = layout.column + len(flat(step)) + 3 + last <= WIDTH
        # After a step of several lines the next one does not hide behind its bracket
        if _starts_line(before, step) or not room or len(layout.lines) > count:
            layout.newline(base + INDENT)
        layout.hang = base + INDENT
        layout.put("|> ", step.span.line)
        count = len(layout.lines)
        write(layout, step, last)


def _write_call(layout: Layout, node: s.Call, after: int) -> None:
    layout.put(node.callee.id, node.span.line)
    if node.bare:
        return
    layout.put("(")
    write_items(layout, node.arguments, ")", node.span.end_line)


def _write_list(layout: Layout, node: s.List, after: int) -> None:
    layout.put("[", node.span.line)
    write_items(layout, node.items, "]", node.span.end_line)


def _write_group(layout: Layout, node: s.Group, after: int) -> None:
    layout.put("(", node.span.line)
    write_items(layout, (node.value,), ")", node.span.end_line)


def _write_index(layout: Layout, node: s.Index, after: int) -> None:
    write(layout, node.value)
    layout.put("[")
    write_items(layout, (node.index,), "]", node.span.end_line)


def _write_named(layout: Layout, node: s.Argument, after: int) -> None:
    if node.name is not None:
        layout.put(f"{node.name.id}=", node.span.line)
    write(layout, node.value, after)


def _write_unary(layout: Layout, node: s.Unary, after: int) -> None:
    layout.put(node.op, node.span.line)
    if node.op == "not":
        layout.space()
    write(layout, node.value, after)


def _write_operation(layout: Layout, node: s.Operation, after: int) -> None:
    base = layout.indent
    write(layout, node.operands[0], 3)
    for op, value in zip(node.ops, node.operands[1:], strict=True):
        layout.space()
        layout.put(op.id, op.span.line)
        layout.space()
        last = after if value is node.operands[-1] else 3
        if not fits(layout, value, last):
            layout.newline(base + INDENT)
        layout.hang = base + INDENT
        write(layout, value, last)


def _write_parameter(layout: Layout, node: s.Parameter, after: int) -> None:
    kind = f": {node.kind.id}" if node.kind else ""
    layout.put(f"{node.name.id}{kind}", node.span.line)
    if node.default is not None:
        layout.put(" = ")
        write(layout, node.default, after)


def _write_type(layout: Layout, node: s.Type, after: int) -> None:
    layout.put(f"{node.dtype.id}[", node.span.line)
    write_items(layout, node.shape, "]", node.span.end_line)


def _write_output(layout: Layout, node: s.Output, after: int) -> None:
    layout.put(node.name.id, node.span.line)
    label = f" as {node.label.raw}" if node.label else ""
    if node.value is not None:
        layout.put(" = ")
        write(layout, node.value, after + len(label))
    layout.put(label)


_BROKEN: dict[type, Callable[[Layout, Any, int], None]] = {
    s.Pipe: _write_pipe,
    s.Call: _write_call,
    s.List: _write_list,
    s.Group: _write_group,
    s.Index: _write_index,
    s.Argument: _write_named,
    s.Unary: _write_unary,
    s.Operation: _write_operation,
    s.Parameter: _write_parameter,
    s.Type: _write_type,
    s.Output: _write_output,
}
