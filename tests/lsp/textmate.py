"""A TextMate grammar at work, as editors run it: line by line, the pattern that matches first, on Oniguruma."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import onigurumacffi

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Piece:
    """A text with the innermost name that the grammar gives it; None: it has none."""

    line: int
    column: int
    text: str
    name: str | None


@cache
def _compiled(pattern: str) -> Any:
    return onigurumacffi.compile(pattern)


class Grammar:
    def __init__(self, grammar: Rule):
        self.grammar = grammar

    def pieces(self, text: str) -> Iterator[Piece]:
        """All of a text, blanks left out."""
        stack: list[Rule] = []
        for number, line in enumerate(text.split("\n"), 1):
            at, line = 0, line + "\n"
            while at < len(line):
                rule, match = self._first(stack, line, at)
                end = match.start() if match else len(line)
                name = stack[-1].get("name") if stack else None
                yield from _piece(number, at, line[at:end], name)
                if match is None or rule is None:
                    break
                yield from self._matched(stack, rule, match, number)
                assert match.end() > at or rule.get("end"), f"{rule} takes nothing"
                at = match.end()

    def _first(self, stack: list[Rule], line: str, at: int) -> tuple[Rule | None, Any]:
        """The rule that matches next, and its match; the earlier of two at one place."""
        best: tuple[Rule | None, Any] = (None, None)
        if stack:
            match = _compiled(stack[-1]["end"]).search(line, at)
            best = ({"end": True}, match) if match else best
        patterns = stack[-1].get("patterns", ()) if stack else self.grammar["patterns"]
        for rule in self._flat(patterns):
            match = _compiled(rule.get("match") or rule["begin"]).search(line, at)
            if match and (best[1] is None or match.start() < best[1].start()):
                best = (rule, match)
        return best

    def _flat(self, patterns: Any) -> Iterator[Rule]:
        for rule in patterns:
            if "include" in rule:
                yield from self._flat([self.grammar["repository"][rule["include"][1:]]])
            elif "match" in rule or "begin" in rule:
                yield rule
            else:
                yield from self._flat(rule["patterns"])

    def _matched(self, stack: list[Rule], rule: Rule, match: Any, line: int) -> Iterator[Piece]:
        if rule.get("end") is True:
            closed = stack.pop()
            yield from _piece(line, match.start(), match[0].rstrip("\n"), closed.get("name"))
            return
        if "begin" in rule:
            stack.append(rule)
        yield from _captured(rule, match, line)


def _captured(rule: Rule, match: Any, line: int) -> Iterator[Piece]:
    """A match, taken apart at its captures."""
    at, name = match.start(), rule.get("name")
    for group, capture in sorted(rule.get("captures", {}).items(), key=lambda item: int(item[0])):
        start, end = match.span(int(group))
        if match[int(group)]:
            yield from _piece(line, at, match.string[at:start], name)
            yield from _piece(line, start, match.string[start:end], capture["name"])
            at = end
    yield from _piece(line, at, match.string[at : match.end()], name)


def _piece(line: int, start: int, text: str, name: str | None) -> Iterator[Piece]:
    if text.strip():
        lead = len(text) - len(text.lstrip())
        yield Piece(line, start + lead + 1, text.strip(), name)
