"""What is wrong with a spec, as people read it: place, message, the line, a caret under the token, what led there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ...errors import Location, ModelError
from .syntax import Source, Span


class Problem(ModelError):
    """One mistake, at a span of a source. `notes`: what led there, innermost first."""

    def __init__(
        self,
        message: str,
        source: Source,
        span: Span,
        hint: str | None = None,
        notes: Sequence[str] = (),
    ):
        super().__init__(message, loc=Location(source.name, span.line, span.column), hint=hint)
        self.source = source
        self.span = span
        self.notes = list(notes)

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        lines = [f"{self.loc}: {self.message}{hint}", *self._excerpt()]
        return "\n".join([*lines, *(f"    {note}" for note in self.notes)])

    def _excerpt(self) -> list[str]:
        """The source line and the caret line; long lines are cut around the token."""
        line, column = self.source.line(self.span.line), self.span.column
        if not line.strip() and column > len(line) + 1:
            return []
        end = self.span.end_column if self.span.end_line == self.span.line else len(line) + 1
        start = max(0, column - 70) if len(line) > 100 else 0
        shown = line[start : start + 100]
        lead = "".join(c if c == "\t" else " " for c in shown[: column - 1 - start])
        width = max(1, min(end - column, start + 100 - column + 1))
        return [f"    {shown}", f"    {lead}{'^' * width}"]


class Fail(Problem):
    """A problem that a block states itself, about one of its arguments."""

    def __init__(self, message: str, source: Source, span: Span, argument: str):
        message, _, hint = message.partition("; ")
        super().__init__(message, source, span, hint or None)
        self.argument = argument


class SpecError(ModelError):
    """All the mistakes found in a spec, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
        self.loc = self.problems[0].loc if self.problems else None

    def __str__(self) -> str:
        return self.message


def nearest(word: str, known: Iterable[str]) -> str | None:
    """ "did you mean 'stride'?" when something near to `word` is known."""
    names = list(dict.fromkeys(known))
    lower = {name.lower(): name for name in reversed(names)}
    found = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f"did you mean {lower[found[0]]!r}?" if found else None


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names for a hint, cut when there are many."""
    every = list(names)
    more = f", ... ({len(every) - most} more)" if len(every) > most else ""
    return ", ".join(every[:most]) + more
