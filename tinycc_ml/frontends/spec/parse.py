"""From a text to its tree, or to everything that is wrong with its syntax."""

from __future__ import annotations

import re
from functools import cache
from threading import Lock

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ...resources import grammar_dir
from .build import Build, span_of
from .limits import LIMITS, Limits
from .lines import Lines, TooDeep
from .problems import Problem, SpecError
from .spoken import expected, found
from .syntax import Body, Comment, File, Source, Span

# Each further mistake costs one more parse: long texts are parsed less often
_TEXT_PARSED = 80_000
_MOST_MISTAKES = 10
# The filter of line ends has the state of one parse; editors parse in threads
_ONE_AT_A_TIME = Lock()
_OUTSIDE_STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"?|#[^\n]*|[{}]')


def parse(source: Source, limits: Limits = LIMITS) -> File:
    """The tree of a text. SpecError with all mistakes that can be told apart."""
    file, problems = parse_partly(source, limits)
    if file is None or problems:
        raise SpecError(problems)
    return file


def parse_partly(source: Source, limits: Limits = LIMITS) -> tuple[File | None, list[Problem]]:
    """The tree of what can be understood, for editors, and what is wrong with the rest."""
    if len(source.text) > limits.text_bytes:
        message = f"the text is longer than {limits.text_bytes:,} characters"
        return None, [Problem(message, source, Span(1, 1, 1, 1))]
    text, problems = source.text + "\n", list[Problem]()
    for _ in range(1 + min(_MOST_MISTAKES, _TEXT_PARSED // len(text))):
        try:
            body = _parsed(text, source, limits)
        except _Mistake as mistake:
            problems.append(mistake.problem)
            text = _without(text, mistake)
        else:
            return File(source, body, comments(source.text)), problems
    return None, problems


class _Mistake(Exception):
    """A problem, and the lines that the parser must not see again."""

    def __init__(self, problem: Problem, first: int, last: int, stray: bool = False):
        super().__init__(problem)
        self.problem, self.first, self.last, self.stray = problem, first, last, stray


@cache
def _parser() -> tuple[Lark, Lines]:
    text = (grammar_dir() / "tinyml.lark").read_text(encoding="utf-8")
    lines = Lines(LIMITS.brackets)
    parser = Lark(
        text, parser="lalr", keep_all_tokens=True, maybe_placeholders=False, postlex=lines,
        transformer=Build(),
    )  # fmt: skip
    return parser, lines


def _parsed(text: str, source: Source, limits: Limits) -> Body:
    parser, lines = _parser()
    try:
        with _ONE_AT_A_TIME:
            lines.reset(limits.brackets)
            return parser.parse(text)  # type: ignore[return-value]
    except TooDeep as error:
        message = f"brackets are nested more than {limits.brackets} deep"
        problem = Problem(message, source, span_of(error.token))
        raise _Mistake(problem, lines.statement, error.token.line or 1) from None
    except UnexpectedToken as error:
        raise _unexpected_token(error, lines, source) from None
    except UnexpectedCharacters as error:
        raise _unexpected_character(error, lines, source) from None
    except UnexpectedInput as error:  # there is no other kind
        problem = Problem(str(error), source, Span(error.line, error.column, error.line, 1))
        raise _Mistake(problem, error.line, error.line) from None


def _unexpected_token(error: UnexpectedToken, lines: Lines, source: Source) -> _Mistake:
    token = error.token
    span, opened = _place(token, source), lines.unclosed()
    message = f"expected {expected(error.accepts or error.expected)}, got {found(token)}"
    hint, first, last = _hint(error, lines), lines.before(token), span.line
    if token.type == "RBRACE" and not lines.open:
        message = "no '{' is open that this could close"
    if (opened is not None and token.type in ("$END", "_NL")) or _starts_late(
        token, opened, source
    ):
        assert opened is not None
        message = f"the {str(opened)!r} that opens here is not closed"
        span, hint, last = span_of(opened), None, max(span.line - 1, first)
    elif token.type == "$END" and lines.open:
        message, span = "the '{' that opens here is not closed", span_of(lines.open[-1])
        first, last = 1, 1 << 30
    return _Mistake(Problem(message, source, span, hint), first, last, token.type == "RBRACE")


def _starts_late(token: Token, opened: Token | None, source: Source) -> bool:
    """A word that starts a line while a bracket of a line above is open: the bracket is to blame."""
    if opened is None or opened.line is None or token.line is None or token.line <= opened.line:
        return False
    return not source.line(token.line)[: (token.column or 1) - 1].strip()


def _hint(error: UnexpectedToken, lines: Lines) -> str | None:
    token, accepts = error.token, error.accepts or set()
    if token.type == "EQUAL" and "EQ" in accepts:
        return "two values are compared with =="
    if token.type == "PIPE":
        return "give the result a name: NAME = ..."
    if accepts >= {"LPAR", "EQUAL"}:
        return "a line is NAME = value, or a call"
    return None


def _place(token: Token, source: Source) -> Span:
    """Where to point: a line end is one column wide, after what stands before it."""
    if token.type not in ("_NL", "$END"):
        return span_of(token)
    lines = source.text.split("\n")
    number = len(lines) if token.type == "$END" else token.line or 1
    while token.type == "$END" and number > 1 and not lines[number - 1].strip():
        number -= 1
    column = token.column if token.type == "_NL" else len(lines[number - 1].rstrip()) + 1
    return Span(number, column or 1, number, (column or 1) + 1)


def _unexpected_character(error: UnexpectedCharacters, lines: Lines, source: Source) -> _Mistake:
    char, hint = error.char, None
    span = Span(error.line, error.column, error.line, error.column + 1)
    message = f"{char!r} has no meaning here"
    if char == '"':
        message = "the string that starts here is not closed"
        span = span._replace(end_column=len(source.line(error.line)) + 1)
    elif char == "'":
        hint = 'strings are written "so"'
    elif char == ";":
        hint = "each statement has a line of its own"
    elif char == "|":
        hint = "a pipe is |>"
    elif char == "=":
        hint = "two values are compared with =="
    return _Mistake(Problem(message, source, span, hint), lines.statement, error.line)


def _without(text: str, mistake: _Mistake) -> str:
    """The text without the statement that is wrong; the braces that it opens or closes stay balanced."""
    lines = text.split("\n")
    first, last = max(1, min(mistake.first, len(lines))), min(mistake.last, len(lines))
    wrong = "\n".join(lines[first - 1 : last])
    marks = [m[0] for m in _OUTSIDE_STRINGS.finditer(wrong)]
    more = 0 if last == len(lines) else marks.count("{") - marks.count("}")
    kept = "if a {" * more if more > 0 else "}" * -more
    lines[first - 1 : last] = ["" if mistake.stray else kept, *[""] * (last - first)]
    return "\n".join(lines)


def comments(text: str) -> tuple[Comment, ...]:
    """All comments of a text, in order."""
    if "#" not in text:
        return ()
    found: list[Comment] = []
    for number, line in enumerate(text.split("\n"), 1):
        start = next((m.start() for m in _OUTSIDE_STRINGS.finditer(line) if m[0][0] == "#"), None)
        if start is not None:
            found.append(Comment(line[start:].rstrip(), number, not line[:start].strip()))
    return tuple(found)
