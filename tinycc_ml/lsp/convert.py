"""From our words to those of the protocol: positions, diagnostics, items. Lines and columns count from 0 there,
and columns in the units that the client wants."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types
from pygls.workspace import PositionCodec

from ..frontends.spec import Problem, Source
from ..frontends.spec.syntax import Span
from . import symbols as outline
from .complete import Item
from .find import Position
from .symbols import Symbol

_ITEM_KINDS = {
    "argument": types.CompletionItemKind.Field, "name": types.CompletionItemKind.Variable,
    "block": types.CompletionItemKind.Function, "function": types.CompletionItemKind.Function,
    "operator": types.CompletionItemKind.Class, "recipe": types.CompletionItemKind.Method,
    "keyword": types.CompletionItemKind.Keyword, "text": types.CompletionItemKind.Value,
}  # fmt: skip
_SYMBOL_KINDS = {
    outline.MODEL: types.SymbolKind.Module, outline.INPUT: types.SymbolKind.Interface,
    outline.OUTPUT: types.SymbolKind.Event, outline.BLOCK: types.SymbolKind.Function,
    outline.RECIPE: types.SymbolKind.Namespace, outline.NAME: types.SymbolKind.Variable,
}  # fmt: skip


class Lines:
    """The lines of a text, to turn positions around."""

    def __init__(self, text: str, codec: PositionCodec):
        self._lines, self._codec = text.split("\n"), codec

    def _line(self, number: int) -> str:
        return self._lines[number] if 0 <= number < len(self._lines) else ""

    def position(self, at: types.Position) -> Position:
        """Ours of the client's."""
        line, column = self._line(at.line), 0
        while column < len(line) and self._codec.client_num_units(line[:column]) < at.character:
            column += 1
        return at.line + 1, column + 1

    def range(self, span: Span) -> types.Range:
        return types.Range(
            self._of(span.line, span.column), self._of(span.end_line, span.end_column)
        )

    def _of(self, line: int, column: int) -> types.Position:
        units = self._codec.client_num_units(self._line(line - 1)[: column - 1])
        return types.Position(line - 1, units)

    def before(self, at: Position) -> str:
        """The text before a position."""
        line, column = at
        return "\n".join([*self._lines[: line - 1], self._line(line - 1)[: column - 1]])

    def whole(self) -> types.Range:
        return types.Range(types.Position(0, 0), types.Position(len(self._lines), 0))


def diagnostic(problem: Problem, lines: Lines) -> types.Diagnostic:
    hint = f" ({problem.hint})" if problem.hint else ""
    message = "\n".join([f"{problem.message}{hint}", *problem.notes])
    return types.Diagnostic(
        lines.range(problem.span), message, severity=types.DiagnosticSeverity.Error, source="tinyml"
    )


def by_source(problems: Iterable[Problem]) -> dict[Source, list[Problem]]:
    found: dict[Source, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.source, []).append(problem)
    return found


def completion(item: Item) -> types.CompletionItem:
    about = types.MarkupContent(types.MarkupKind.Markdown, item.about) if item.about else None
    return types.CompletionItem(
        item.label, kind=_ITEM_KINDS[item.kind], detail=item.detail or None, documentation=about,
        sort_text=f"{item.rank}{item.label}",
    )  # fmt: skip


def document_symbol(symbol: Symbol, lines: Lines) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        symbol.name, _SYMBOL_KINDS[symbol.kind], lines.range(symbol.span), lines.range(symbol.at),
        detail=symbol.detail or None, children=[document_symbol(s, lines) for s in symbol.inner],
    )  # fmt: skip
