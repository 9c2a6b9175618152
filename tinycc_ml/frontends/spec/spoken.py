"""Words for tokens in messages about syntax."""

from __future__ import annotations

from collections.abc import Iterable

from lark import Token

_VALUE = {"NUMBER", "LSQB", "NAME"}
_STATEMENT = {"INPUT", "BLOCK"}
_WORDS = {
    "NAME": "a name", "STRING": "a text in quotes", "EQUAL": "'='", "COLON": "':'", "LPAR": "'('", "RPAR": "')'",
    "LSQB": "'['", "RSQB": "']'", "LBRACE": "'{'", "RBRACE": "'}'", "COMMA": "','", "IN": "'in'", "IF": "'if'",
    "_NL": "the end of the line", "$END": "the end of the file",
}  # fmt: skip
# Said only when there is little else: nearly everywhere a value may go on with them
_RARE = (
    "PIPE", "OR", "AND", "EQ", "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "AS", "ELSE", "NOT", "TRUE", "FALSE", "NONE",
)  # fmt: skip


def expected(types: Iterable[str]) -> str:
    """ "',' or ')'" of the types of tokens that would do."""
    left = set(types)
    words: list[str] = []
    if left >= _STATEMENT:
        words.append("a statement")
        left &= {"RBRACE"}
    elif left >= _VALUE:
        words.append("a value")
        left -= {*_VALUE, "LPAR", "STRING"}
    left -= set(_RARE)
    if left & {"_NL", "RPAR", "COMMA", "LBRACE"}:
        left -= {"LSQB", "LPAR"} if "EQUAL" not in left else {"LSQB"}
    if len(left) > 1:
        left -= {"$END"}
    words += [word for kind, word in _WORDS.items() if kind in left]
    return (
        words[0]
        if len(words) == 1
        else f"{', '.join(words[:-1])} or {words[-1]}"
        if words
        else "something else"
    )


def found(token: Token) -> str:
    """What a token is called."""
    if token.type in ("_NL", "$END"):
        return _WORDS[token.type]
    text = str(token)
    return f"{text[:40]!r}" if not text.startswith('"') else text[:40]
