"""What the user sees: results on standard output, everything else on standard error, and exit codes."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

import click

from ..errors import InternalError, TinymlError, VerificationError

_LOG = logging.getLogger("tinycc_ml")
_OUR_FAULT = 70
_INTERRUPTED = 130
_REPORT = "this is our fault, please report it"


@dataclass
class Screen:
    """The streams of one run of a verb."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    lines: list[str] = field(default_factory=list)  # what was said on the way, for --json
    _bar: Any = None

    def out(self, text: str) -> None:
        """A result for people: not with --json, not with --quiet."""
        if not self.as_json and not self.quiet:
            click.echo(text, color=_colour(sys.stdout))

    def say(self, text: str) -> None:
        """A line on standard error, above the progress bar when there is one."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True, color=_colour(sys.stderr))

    def note(self, text: str) -> None:
        """A plain line worth reading, also kept for --json."""
        self.lines.append(text)
        if not self.quiet:
            self.say(text)

    def guard(self, body: Callable[[], dict[str, Any]]) -> int:
        """Run a verb; the exit code. Errors become one clear line, usage errors stay click's."""
        with self._logging():
            try:
                result = body()
            except (click.exceptions.ClickException, BrokenPipeError):
                raise
            except (KeyboardInterrupt, click.Abort):
                self.say("interrupted")
                return _INTERRUPTED
            except TinymlError as error:
                return self._failed(error, error.exit_code)
            except Exception as error:
                return self._failed(error, _OUR_FAULT)
        if self.as_json:
            click.echo(
                json.dumps(
                    {"ok": True, **result, "messages": self.lines}, ensure_ascii=False, default=str
                )
            )
        return 0

    def _failed(self, error: Exception, code: int) -> int:
        if self.verbose:
            _LOG.debug("traceback", exc_info=error)
        self.say(f"{click.style('error:', fg='red', bold=True)} {error_text(error)}")
        if self.as_json:
            click.echo(
                json.dumps(
                    {"ok": False, "exit_code": code, "error": _error_data(error)},
                    ensure_ascii=False,
                )
            )
        return code

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None] | None]:
        """Something to call with (what, done, all); None where no terminal would show it."""
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            tasks: dict[str, Any] = {}

            def show(what: str, done: int, count: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=count)
                bar.update(tasks[what], completed=done)

            self._bar = bar
            try:
                yield show
            finally:
                self._bar = None

    @contextmanager
    def _logging(self) -> Iterator[None]:
        handler = _Handler(self)
        level = logging.DEBUG if self.verbose else logging.WARNING if self.quiet else logging.INFO
        before = _LOG.level
        _LOG.addHandler(handler)
        _LOG.setLevel(level)
        try:
            yield
        finally:
            _LOG.removeHandler(handler)
            _LOG.setLevel(before)


class _Handler(logging.Handler):
    """What the library logs, as plain lines."""

    def __init__(self, screen: Screen):
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if record.levelno >= logging.WARNING:
            self._screen.lines.append(text)
            self._screen.say(f"{click.style('warning:', fg='yellow')} {text}")
        elif record.levelno >= logging.INFO:
            self._screen.note(text)
        else:
            self._screen.say(text)


def error_text(error: Exception) -> str:
    """One line (more for lists of nodes and for a tool's own words), ending in what to do."""
    if isinstance(error, VerificationError):
        return f"{error} ({_REPORT})"
    if isinstance(error, TinymlError):
        return str(error)
    kind = "" if isinstance(error, InternalError) else f"{type(error).__name__}: "
    first = (str(error).splitlines() or ["no message"])[0]
    return f"internal error: {kind}{first} ({_REPORT}; -v shows where)"


def _error_data(error: Exception) -> dict[str, Any]:
    loc = getattr(error, "loc", None)
    return {
        "kind": type(error).__name__,
        "message": getattr(error, "message", str(error)),
        "where": str(loc) if loc else None,
        "hint": getattr(error, "hint", None),
        **_problems(error),
    }


def _problems(error: Exception) -> dict[str, Any]:
    """All the mistakes of a spec, for editors: lines and columns count from 1."""
    problems = getattr(error, "problems", ())
    if not problems or not hasattr(problems[0], "span"):
        return {}
    return {
        "problems": [
            {
                "file": p.source.name,
                **p.span._asdict(),
                "message": p.message,
                "hint": p.hint,
                "notes": list(p.notes),
            }
            for p in problems
        ]
    }


def _colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")
