"""Where a cursor stands in a text that is being written: found in its tokens, as there may be no tree yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*(?P<closed>")?)|(?P<pipe>\|>)'
    r"|(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)|(?P<line>\n)|(?P<other>[=!<>]=|\*\*|//|[^\s])"
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
# A line goes on after these
_GOES_ON = {",", "|>", "+", "-", "*", "/", "//", "%", "**", "=", "==", "!=", "<", ">", "<=", ">=", "and", "or", "not"}  # fmt: skip


@dataclass
class Open:
    """A bracket that is open: what is called, what is given so far, the argument that is being written."""

    mark: str
    callee: str | None = None
    piped: bool = False
    named: list[str] = field(default_factory=list)
    position: int = 0
    argument: str | None = None
    word: str = ""  # the statement that a brace belongs to


@dataclass(frozen=True)
class Context:
    """`place`: "nothing" (comments), "string", "pipe", "argument" (the start of one), "statement", "recipe" (a
    statement of it), "kind" of a parameter, "dtype" or "value". `call`: the innermost call around."""

    place: str
    call: Open | None = None
    in_recipe: bool = False


def context_at(before: str) -> Context:
    """The context of a cursor behind the text `before`; a word that is begun does not count."""
    tokens = list(_TOKEN.finditer(before))
    last = tokens[-1] if tokens else None
    if last is not None and last.end() == len(before):
        if last["comment"]:
            return Context("nothing")
        if last["name"] or (last["string"] and not last["closed"]):
            tokens.pop()
        elif last["number"]:
            return Context("nothing")
    stack, words, statement = _read(tokens)
    in_recipe = any(o.mark == "{" and o.word == "recipe" for o in stack)
    call = next((o for o in reversed(stack) if o.mark == "(" and o.callee), None)
    if last is not None and last["string"] and not last["closed"]:
        inside = stack[-1] if stack and stack[-1] is call else None
        return Context("string", inside, in_recipe)
    return Context(_place(stack, words, statement, in_recipe), call, in_recipe)


def _read(tokens: list[re.Match[str]]) -> tuple[list[Open], list[str], list[str]]:
    """The brackets that are open, all words, and those of the statement that is being written."""
    stack, words, statement = list[Open](), list[str](), list[str]()
    for token in tokens:
        text = token[0]
        if token["comment"]:
            continue
        inside = bool(stack) and stack[-1].mark != "{"
        if token["line"]:
            if not inside and not (words and words[-1] in _GOES_ON):
                statement = []
            continue
        _step(text, stack, words, statement)
        words.append(text)
        statement = [] if text in "{}" and not inside else [*statement, text]
    return stack, words, statement


def _step(text: str, stack: list[Open], words: list[str], statement: list[str]) -> None:
    """Follow brackets and arguments through one token."""
    if text in ("(", "[", "{"):
        called = words[-1] if text == "(" and words and words[-1].isidentifier() else None
        piped = called is not None and len(words) > 1 and words[-2] == "|>"
        stack.append(Open(text, called, piped, word=statement[0] if statement else ""))
    elif text in _CLOSES:
        if stack and stack[-1].mark == _CLOSES[text]:
            stack.pop()
    elif stack and text == ",":
        stack[-1].position += stack[-1].argument is None
        stack[-1].argument = None
    elif stack and text == "=" and words and words[-1].isidentifier():
        stack[-1].argument = words[-1]
        stack[-1].named.append(words[-1])


def _place(stack: list[Open], words: list[str], statement: list[str], in_recipe: bool) -> str:
    before = words[-1] if words else ""
    if statement and before == "|>":
        return "pipe"
    if not statement:
        inside = [o.word for o in stack if o.mark == "{"]
        return "recipe" if in_recipe and inside == ["recipe"] else "statement"
    if before == ":":
        return "dtype" if statement[0] == "input" else "kind"
    if stack and stack[-1].mark == "(" and stack[-1].callee and before in ("(", ","):
        return "argument" if statement[0] != "block" else "nothing"
    if len(statement) == 1 and before in ("input", "model", "block", "output", "for"):
        return "nothing"
    return "value"
