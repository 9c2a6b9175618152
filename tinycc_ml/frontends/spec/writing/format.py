"""`tinyml fmt`: a text in the one style of the language, with the same meaning and the same comments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ....errors import InternalError
from .. import syntax as s
from ..files import read_source
from ..limits import LIMITS, Limits
from ..parse import parse
from .layout import Layout
from .statements import write_file


def format_text(source: s.Source, limits: Limits = LIMITS) -> str:
    """The text as it should look. SpecError when its syntax is wrong.

    4 spaces, lines of 100; line breaks in pipes and single empty lines are the author's. What comes out
    is parsed again and compared, so that formatting can't change what a file says.
    """
    file = parse(source, limits)
    layout = Layout(file.comments)
    write_file(layout, file)
    text = layout.text()
    again = parse(s.Source(source.name, text, source.path), limits)
    if not same(file, again):
        raise InternalError(f"{source.name}: formatting would change what it says")
    return text


def format_file(path: Path, write: bool = True) -> bool:
    """Format a file in its place; whether it was, or would be, changed. ModelError when it can't be read."""
    source = read_source(path, str(path))
    text = format_text(source)
    if path.read_bytes() == text.encode():
        return False
    if write:
        path.write_text(text, encoding="utf-8", newline="\n")
    return True


def same(a: s.File, b: s.File) -> bool:
    """Two files say the same, comments included; where things stand makes no difference."""
    texts = [[c.text for c in file.comments] for file in (a, b)]
    return texts[0] == texts[1] and _tokens(a) == _tokens(b)


def _tokens(file: s.File) -> list[tuple[object, ...]]:
    """The nodes of a tree in order, each with what it says itself."""
    said: list[tuple[object, ...]] = []
    for node in s.walk(file.body):
        words = [v for v in _fields(node) if isinstance(v, (str, bool))]
        counts = [len(v) for v in _fields(node) if type(v) is tuple]
        said.append((type(node).__name__, *counts, *words))
    return said


def _fields(node: Any) -> list[object]:
    """What a node holds: of names and numbers too, which are tuples."""
    names = node.__dataclass_fields__ if hasattr(node, "__dataclass_fields__") else node._fields
    return [getattr(node, name) for name in names]
