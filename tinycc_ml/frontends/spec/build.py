"""From what the grammar matches to the nodes of syntax.py. Called by the parser while it parses, with all tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lark import Token, Transformer

from . import syntax as s
from .operators import arranged

Parts = Sequence[Any]


def span_of(part: Any) -> s.Span:
    if isinstance(part, Token):
        return s.Span(part.line or 1, part.column or 1, part.end_line or 1, part.end_column or 1)
    return part.span


def _span(parts: Parts) -> s.Span:
    (line, column, _, _), (_, _, end_line, end_column) = span_of(parts[0]), span_of(parts[-1])
    return s.Span(line, column, end_line, end_column)


def _name(token: Token) -> s.Name:
    return s.Name(str(token), span_of(token))


def _text(token: Token) -> s.Text:
    return s.Text(str(token), span_of(token))


def _names(parts: Parts) -> tuple[s.Name, ...]:
    return tuple(_name(p) for p in parts if isinstance(p, Token) and p.type == "NAME")


def _nodes(parts: Parts) -> tuple[Any, ...]:
    """All but the tokens."""
    return tuple(p for p in parts if not isinstance(p, Token))


def _string(parts: Parts) -> s.Text | None:
    return next((_text(p) for p in parts if isinstance(p, Token) and p.type == "STRING"), None)


class Build(Transformer):
    """One method for each rule."""

    def start(self, parts: Parts) -> s.Body:
        return parts[0]

    def body_lines(self, parts: Parts) -> s.Body:
        nodes = _nodes(parts)
        return s.Body(nodes, _span(nodes) if nodes else s.Span(1, 1, 1, 1))

    def body(self, parts: Parts) -> s.Body:
        return s.Body(parts[1].statements, _span(parts))

    def else_body(self, parts: Parts) -> s.Body:
        return s.Body(parts[1].statements, _span(parts))

    def model(self, parts: Parts) -> s.Model:
        return s.Model(parts[1], _span(parts))

    def label(self, parts: Parts) -> s.Name | s.Text:
        return _name(parts[0]) if parts[0].type == "NAME" else _text(parts[0])

    def input(self, parts: Parts) -> s.Input:
        (type_,) = _nodes(parts)
        return s.Input(_name(parts[1]), type_, _string(parts), _span(parts))

    def type(self, parts: Parts) -> s.Type:
        return s.Type(_name(parts[0]), _nodes(parts), _span(parts))

    def outputs(self, parts: Parts) -> s.Outputs:
        return s.Outputs(_nodes(parts), _span(parts))

    def output(self, parts: Parts) -> s.Output:
        value = next(iter(_nodes(parts)), None)
        return s.Output(_name(parts[0]), value, _string(parts), _span(parts))

    def import_(self, parts: Parts) -> s.Import:
        return s.Import(_text(parts[1]), _span(parts))

    def include(self, parts: Parts) -> s.Include:
        return s.Include(_text(parts[1]), _span(parts))

    def recipe(self, parts: Parts) -> s.Recipe:
        return s.Recipe(parts[1], _span(parts))

    def block(self, parts: Parts) -> s.Block:
        *parameters, body = _nodes(parts)
        return s.Block(_name(parts[1]), tuple(parameters), body, _span(parts))

    def parameter(self, parts: Parts) -> s.Parameter:
        name, *kind = _names(parts)
        default = next(iter(_nodes(parts)), None)
        return s.Parameter(name, kind[0] if kind else None, default, _span(parts))

    def loop(self, parts: Parts) -> s.Loop:
        over, body = _nodes(parts)
        return s.Loop(_names(parts), over, body, _span(parts))

    def branch(self, parts: Parts) -> s.Branch:
        nodes = _nodes(parts)
        otherwise = nodes[-1] if len(nodes) % 2 else None
        arms = zip(nodes[::2], nodes[1::2], strict=False)
        return s.Branch(tuple(arms), otherwise, _span(parts))

    def give(self, parts: Parts) -> s.Give:
        return s.Give(_nodes(parts), _span(parts))

    def assign(self, parts: Parts) -> s.Assign:
        return s.Assign(_names(parts), parts[-1], _span(parts))

    def command(self, parts: Parts) -> s.Command:
        return s.Command(parts[0], parts[0].span)

    def pipe(self, parts: Parts) -> s.Pipe:
        return s.Pipe(parts[0], _nodes(parts)[1:], _span(parts))

    def step(self, parts: Parts) -> s.Call:
        return s.Call(_name(parts[0]), _nodes(parts), _span(parts), len(parts) == 1)

    def call(self, parts: Parts) -> s.Call:
        return s.Call(_name(parts[0]), _nodes(parts), _span(parts))

    def output_call(self, parts: Parts) -> s.Call:
        return self.call(parts)

    def argument(self, parts: Parts) -> s.Argument:
        return s.Argument(None, parts[0], parts[0].span)

    def named(self, parts: Parts) -> s.Argument:
        return s.Argument(_name(parts[0]), parts[2], _span(parts))

    def prefix(self, parts: Parts) -> tuple[str, s.Name]:
        return "prefix", _name(parts[0])

    def operator(self, parts: Parts) -> tuple[str, s.Name]:
        return "operator", _name(parts[0])

    def operation(self, parts: Parts) -> s.Expr:
        # Prefixes and operators are plain pairs, nodes have names for their fields
        return arranged([p if type(p) is tuple else ("value", p) for p in parts])

    def index(self, parts: Parts) -> s.Index:
        return s.Index(parts[0], parts[2], _span(parts))

    def number(self, parts: Parts) -> s.Number:
        return s.Number(str(parts[0]), span_of(parts[0]))

    def string(self, parts: Parts) -> s.Text:
        return _text(parts[0])

    def true(self, parts: Parts) -> s.Truth:
        return s.Truth(True, span_of(parts[0]))

    def false(self, parts: Parts) -> s.Truth:
        return s.Truth(False, span_of(parts[0]))

    def none(self, parts: Parts) -> s.Nothing:
        return s.Nothing(span_of(parts[0]))

    def name(self, parts: Parts) -> s.Name:
        return _name(parts[0])

    def list(self, parts: Parts) -> s.List:
        return s.List(_nodes(parts), _span(parts))

    def group(self, parts: Parts) -> s.Group:
        return s.Group(parts[1], _span(parts))
