"""What a file declares, as an editor's outline shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..frontends.spec import syntax as s
from .find import binders

INPUT, OUTPUT, BLOCK, NAME, MODEL, RECIPE = "input", "output", "block", "name", "model", "recipe"


@dataclass(frozen=True)
class Symbol:
    """`span`: all of it; `at`: its name."""

    name: str
    kind: str
    span: s.Span
    at: s.Span
    detail: str = ""
    inner: tuple[Symbol, ...] = ()


def symbols(file: s.File) -> Iterator[Symbol]:
    """In the order of the text; of a name that is given several values, the first."""
    known: set[str] = set()
    for node in file.body.statements:
        for symbol in _symbols(node):
            if symbol.kind != NAME or symbol.name not in known:
                known.add(symbol.name)
                yield symbol


def _symbols(node: s.Statement) -> Iterator[Symbol]:
    if isinstance(node, s.Model):
        label = node.label.id if isinstance(node.label, s.Name) else node.label.raw[1:-1]
        yield Symbol(label or "model", MODEL, node.span, node.label.span)
    elif isinstance(node, s.Input):
        yield Symbol(node.name.id, INPUT, node.span, node.name.span, node.type.dtype.id)
    elif isinstance(node, s.Outputs):
        yield from (Symbol(i.name.id, OUTPUT, i.span, i.name.span) for i in node.items)
    elif isinstance(node, s.Block):
        names = ", ".join(p.name.id for p in node.parameters)
        inner = tuple(dict.fromkeys(_names(node.body.statements)))
        yield Symbol(node.name.id, BLOCK, node.span, node.name.span, f"({names})", inner)
    elif isinstance(node, s.Recipe):
        commands = [n for n in node.body.statements if isinstance(n, s.Command)]
        calls = (Symbol(n.call.callee.id, RECIPE, n.span, n.call.callee.span) for n in commands)
        yield Symbol("recipe", RECIPE, node.span, node.span, "", tuple(calls))
    else:
        yield from _names((node,))


def _names(statements: tuple[s.Statement, ...]) -> Iterator[Symbol]:
    known: set[str] = set()
    for name in binders(statements):
        if name.id not in known:
            known.add(name.id)
            yield Symbol(name.id, NAME, name.span, name.span)
