"""Which line ends end a statement: the filter between lexer and parser."""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token
from lark.lark import PostLex

from .operators import PRECEDENCE

_OPENS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
# A line that ends in one of these goes on
_GOES_ON = {"|>", ",", "not", *PRECEDENCE}


class TooDeep(Exception):
    """Brackets in brackets beyond the limit; holds the token."""

    def __init__(self, token: Token):
        super().__init__(token)
        self.token = token


class Lines(PostLex):
    """Drops line ends within ( ) and [ ], and after an operator or a comma. `reset` before each parse."""

    always_accept = ("_NL",)

    def __init__(self, deepest: int) -> None:
        self.reset(deepest)

    def reset(self, deepest: int) -> None:
        self.deepest = deepest
        self.open: list[Token] = []
        self.last = ""
        self.last_word = ""
        self.statement = 1  # the line where the statement starts

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        for token in stream:
            if token.type == "_NL" and self._goes_on():
                continue
            self._note(token)
            if self.last in ("", "_NL", "LBRACE", "RBRACE"):
                self.statement = token.line or 1
            self.last, self.last_word = token.type, str(token)
            yield token

    def _goes_on(self) -> bool:
        inside = bool(self.open) and self.open[-1].type != "LBRACE"
        return inside or self.last_word in _GOES_ON

    def _note(self, token: Token) -> None:
        if token.type in _OPENS:
            self.open.append(token)
            if len(self.open) > self.deepest:
                raise TooDeep(token)
        elif self.open and token.type == _OPENS[self.open[-1].type]:
            self.open.pop()

    def before(self, token: Token) -> int:
        """The line where the statement starts that `token` spoils."""
        return min(self.statement, token.line or self.statement)

    def unclosed(self) -> Token | None:
        """The innermost ( or [ that is open."""
        return self.open[-1] if self.open and self.open[-1].type != "LBRACE" else None
