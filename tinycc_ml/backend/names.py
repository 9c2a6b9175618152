"""C identifiers for the names of a model: legal, unique, stable."""

from __future__ import annotations

import re
from collections.abc import Iterable

_KEYWORDS = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "bool",
        "true",
        "false",
        "class",
        "namespace",
        "template",
        "new",
        "delete",
        "this",
        "private",
        "public",
        "protected",
        "virtual",
        "operator",
        "friend",
        "using",
        "try",
        "catch",
        "throw",
        "main",
        "arena",
        "size_t",
    ]
)
_LONGEST = 48
_ROWS = re.compile(r" \[[a-z ]*rows? [^\]]*\]$")  # as passes/row_bands.py says


def identifier(text: str) -> str:
    """Letters, digits and single underscores; never a keyword, never empty, no leading digit."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_") or "tensor"
    if name[0].isdigit():
        name = f"t{name}"
    return f"{name}_" if name in _KEYWORDS else name


def identifiers(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A distinct identifier for each name, in order: a collision gets a number. Long ones are cut."""
    used = {t.lower() for t in taken}
    found: dict[str, str] = {}
    for name in names:
        base = identifier(_first(name))[:_LONGEST].rstrip("_") or "tensor"
        unique, count = base, 1
        while unique.lower() in used:
            count += 1
            unique = f"{base}_{count}"
        used.add(unique.lower())
        found[name] = unique
    return found


def _first(name: str) -> str:
    """Converters join the names of what they fused with ";": the first one is enough to know it by."""
    return whole(name).split(";")[0] or name


def whole(name: str) -> str:
    """The tensor of which this is some rows: without the "[rows 0-7]" at the end."""
    return _ROWS.sub("", name)


def short(name: str) -> str:
    """A name for people, cut where `_first` cuts, but for the rows; the report has all of it."""
    first, rows = _first(name), _ROWS.search(name)
    cut = "" if first in (name, whole(name)) else ";..."
    return f"{first}{cut}{rows.group() if rows and first != name else ''}"


def comment(text: str) -> str:
    """Model text that is safe inside a C comment and on one line."""
    flat = re.sub(r"[^\x20-\x7e]", "?", text).replace("\\", "/")
    for start, follower, between in (("*", "/", "_"), ("/", "*", "_"), ("?", "?", " ")):
        flat = re.sub(rf"{re.escape(start)}(?={re.escape(follower)})", start + between, flat)
    return flat
