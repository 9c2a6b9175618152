"""Lines being written: where they are broken, and how comments get back to their places.

A comment ends its line, so it stands before the first token of a later line. The writer knows the source line
of each token it puts; comments of earlier lines go first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from ..syntax import Comment, Span

WIDTH = 100
INDENT = 4


class Layout:
    """Text in the making. `hang`: where a line goes on that a comment has ended."""

    def __init__(self, comments: Sequence[Comment]):
        self.comments = list(comments)
        self._at = [comment.line for comment in comments]
        self.lines: list[str] = []
        self.line = ""
        self.hang = 0
        self._next = 0
        self._break: int | None = 0
        self._space = False
        self._commented = False  # the line ends in a comment

    def put(self, text: str, source_line: int | None = None) -> None:
        """A token; `source_line` is where it stood, None when no comment can be before it."""
        if source_line is not None:
            self.flush(source_line)
        if self._break is not None:
            self._end_line()
            self.line, self._break = " " * self._break, None
        elif self._space and self.line.strip():
            self.line += " "
        self._space = False
        self.line += text

    def space(self) -> None:
        """A space before the next token, unless that starts a line."""
        self._space = True

    def newline(self, indent: int) -> None:
        """The next token starts a line."""
        self._break = indent

    def blank(self) -> None:
        """An empty line, here where a line starts."""
        self._end_line()
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def flush(self, source_line: int) -> None:
        """All comments of lines before `source_line`."""
        while self._next < len(self.comments) and self.comments[self._next].line < source_line:
            comment = self.comments[self._next]
            self._next += 1
            at = self.hang if self._break is None else self._break
            if comment.own_line or self._commented or not self.line.strip():
                self._end_line()
                self.line = " " * at
                self.line += comment.text
            else:
                self.line += f"  {comment.text}"
            self._break, self._commented = at, True

    def waiting(self, source_line: int) -> Comment | None:
        """The next comment, when it stands before `source_line`."""
        if self._next < len(self.comments) and self.comments[self._next].line < source_line:
            return self.comments[self._next]
        return None

    def inside(self, span: Span) -> bool:
        """A comment stands between the first token of a span and its last."""
        first = bisect_left(self._at, span.line, self._next)
        return first < len(self._at) and self._at[first] < span.end_line

    @property
    def indent(self) -> int:
        """Of the line that the next token goes on."""
        return self._break if self._break is not None else len(self.line) - len(self.line.lstrip())

    @property
    def column(self) -> int:
        return self._break if self._break is not None else len(self.line) + self._space

    def _end_line(self) -> None:
        if self.line.strip():
            self.lines.append(self.line.rstrip())
        self.line, self._commented = "", False

    def text(self) -> str:
        self.flush(1 << 60)
        self._end_line()
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "".join(f"{line}\n" for line in self.lines)
