"""What is known of a text: its tree, everything that is wrong with it, and what its expressions are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import ModelError
from ..frontends.spec import Problem, Source, SpecError
from ..frontends.spec import syntax as s
from ..frontends.spec.parse import parse_partly
from ..frontends.spec.read import Evaluated, evaluate, spec_of
from ..frontends.spec.values import Block, Value
from .watch import Watcher

_START = s.Span(1, 1, 1, 1)
_OF_NETS = (s.Input, s.Outputs, s.Import)


@dataclass(frozen=True)
class Analysis:
    """`file`: what could be understood, None when that is nothing. `values`: of the names of the file at its
    end. `included`: other files that were read."""

    source: Source
    file: s.File | None
    problems: tuple[Problem, ...]
    values: Mapping[str, Value]
    watcher: Watcher | None = None
    included: tuple[Source, ...] = ()

    @property
    def blocks(self) -> dict[str, Block]:
        return {name: value for name, value in self.values.items() if isinstance(value, Block)}


def analyse(source: Source) -> Analysis:
    """Parse and check a text. Whatever it is, this comes back."""
    file, problems = parse_partly(source)
    if file is None:
        return Analysis(source, None, tuple(problems), {})
    found = evaluate(file, evaluator=partial(Watcher, source), library=_is_library(file))
    # After a line that can't be read, what others say of it would be noise
    wrong = tuple(problems) or found.problems or _at_the_end(found, file)
    watcher = found.statements.evaluator
    assert isinstance(watcher, Watcher)
    files = tuple(f for f in found.statements.files.read.values() if f is not source)
    return Analysis(source, file, wrong, found.frame.vars, watcher, files)


def source_of(text: str, path: Path | None, name: str) -> Source:
    """An editor's buffer as a source: lines end as ours do."""
    return Source(name, text.replace("\r\n", "\n"), path)


def _is_library(file: s.File) -> bool:
    """A file of blocks, for others to include, makes no net. Neither does one that is begun."""
    return not any(isinstance(node, _OF_NETS) for node in file.body.statements)


def _at_the_end(found: Evaluated, file: s.File) -> tuple[Problem, ...]:
    """What shows when the graph is made: nets that can't be imported, tensors that the recipe names."""
    if _is_library(file):
        return ()
    try:
        spec_of(found, file, {})
    except SpecError as error:
        return error.problems
    except ModelError as error:
        return (Problem(error.message, file.source, _START, error.hint),)
    return ()
