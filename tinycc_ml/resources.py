"""Where the files live that are not Python: the only module that knows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def _root() -> Path:
    """The wheel carries the folders under _data; a checkout has them at its top."""
    shipped = _PACKAGE / "_data"
    return shipped if shipped.is_dir() else _PACKAGE.parent


def template_dir() -> Path:
    return _root() / "templates"


def runtime_dir() -> Path:
    return _root() / "runtime_c"


def grammar_dir() -> Path:
    return _root() / "grammar"
