"""Where what a word names is written: names, blocks, parameters, and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..frontends.spec import Source, parse
from ..frontends.spec import syntax as s
from ..frontends.spec.files import prelude
from ..frontends.spec.problems import SpecError
from ..frontends.spec.recipe import CALLS, beside
from ..frontends.spec.values import Block
from .analysis import Analysis
from .find import Position, Word, binders, bound_before, local_binders, word_at

Place = tuple[Source | Path, s.Span]
_TOP = s.Span(1, 1, 1, 1)
_TEXT_FILES = (".tml", ".toml")


def definition(analysis: Analysis, at: Position) -> Place | None:
    """The text, or the file, and the span in it."""
    word = word_at(analysis.file, at) if analysis.file else None
    if word is None:
        return None
    if isinstance(word.node, s.Text):
        return _of_path(analysis.source, word)
    return _of_name(analysis, word, word.node)


def _of_path(source: Source, word: Word) -> Place | None:
    """Texts that name files to read lead there."""
    path = beside(source, word.text[1:-1])
    try:
        known = path.suffix in _TEXT_FILES and path.is_file()
        return (path.resolve(), _TOP) if known else None
    except (OSError, ValueError):  # no path at all
        return None


def _of_name(analysis: Analysis, word: Word, name: s.Name) -> Place | None:
    if word.is_argument_name:
        return _of_argument(analysis, word, name)
    if word.is_callee and word.within(s.Recipe) and name.id in CALLS:
        return None
    local = bound_before(local_binders(word.block), name) if word.block else None
    if local is not None:
        return analysis.source, local.span
    return _of_file(analysis, name) or _of_block(prelude().get(name.id))


def _of_file(analysis: Analysis, name: s.Name) -> Place | None:
    """In this file, else in those that it includes."""
    assert analysis.file is not None
    found = bound_before(binders(analysis.file.body.statements), name)
    if found is not None:
        return analysis.source, found.span
    places = ((source, n) for source in analysis.included for n in _names(source))
    return next(((source, n.span) for source, n in places if n.id == name.id), None)


def _names(source: Source) -> Iterator[s.Name]:
    try:
        yield from binders(parse(source).body.statements)
    except SpecError:
        return


def _of_argument(analysis: Analysis, word: Word, name: s.Name) -> Place | None:
    """The parameter of the block."""
    call = word.within(s.Call)
    if not isinstance(call, s.Call):
        return None
    block = analysis.blocks.get(call.callee.id) or prelude().get(call.callee.id)
    parameters = block.node.parameters if block else ()
    found = next((p.name for p in parameters if p.name.id == name.id), None)
    return (block.source, found.span) if block and found else None


def _of_block(block: Block | None) -> Place | None:
    return (block.source, block.node.name.span) if block else None
