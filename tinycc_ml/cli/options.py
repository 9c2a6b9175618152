"""Options: those that all verbs share, and NAME=VALUE texts as data."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from .screen import Screen

Number = TypeVar("Number", int, float)


def verb(
    group: click.Group, name: str
) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., Any]]:
    """A verb of `group`: the body gets a Screen, gives what --json prints, and its errors become exit codes."""

    def decorate(body: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
        @click.option(
            "--json", "as_json", is_flag=True, help="One JSON document on standard output."
        )
        @click.option("-q", "--quiet", is_flag=True, help="Only errors.")
        @click.option("-v", "--verbose", is_flag=True, help="All that is done, and tracebacks.")
        @functools.wraps(body)
        def command(as_json: bool, quiet: bool, verbose: bool, **given: Any) -> None:
            screen = Screen(as_json=as_json, quiet=quiet, verbose=verbose)
            raise SystemExit(screen.guard(lambda: body(screen, **given)))

        # -h also where the verb is a program of its own
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        return group.command(name, context_settings=settings)(command)

    return decorate


class Amount(click.ParamType):
    """A number with K, M or G behind it: thousands, or 1024s where bytes are counted."""

    def __init__(self, unit: int):
        self.name = "bytes" if unit == 1024 else "count"
        self.unit = unit

    def convert(self, value: Any, param: Any, context: Any) -> float:
        text = str(value).strip()
        power = "KMG".find(text[-1:].upper()) + 1 if text else 0
        try:
            amount = float(text[:-1] if power else text) * self.unit**power
        except ValueError:
            amount = -1.0
        if not 0 < amount < inf:
            self.fail(f"wants a number such as 4000, 64K or 1.5M, got {text!r}", param, context)
        return amount


def was_said(option: str) -> bool:
    """The user gave the option: what is a default does not override a spec."""
    source = click.get_current_context().get_parameter_source(option)
    return source not in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


def given_dims(texts: Sequence[str]) -> dict[str, int]:
    """--dim NAME=SIZE."""
    return _pairs("--dim", texts, int, named=True)


def given_schemes(texts: Sequence[str]) -> dict[str, str]:
    """--quantize-node NODE=SCHEME."""
    found: dict[str, str] = {}
    for text in texts:
        name, _, scheme = text.rpartition("=")
        if not name or not scheme or name in found:
            raise click.UsageError(
                f"--quantize-node wants NODE=SCHEME once for each node, got {text!r}"
            )
        found[name] = scheme
    return found


def given_values(texts: Sequence[str]) -> dict[str, list[float] | float]:
    """--bind NAME=VALUE: numbers with commas between them, or one."""
    found: dict[str, list[float] | float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            numbers = [
                float(part) if "." in part or "e" in part else int(part)
                for part in value.split(",")
            ]
        except ValueError:
            numbers = []
        if not name or not numbers or name in found:
            raise click.UsageError(
                f"--bind wants NAME=NUMBER,NUMBER,... once for each name, got {text!r}"
            )
        found[name] = numbers if "," in value else numbers[0]
    return found


def given_scales(scales: Sequence[str], offsets: Sequence[str]) -> dict[str, tuple[float, int]]:
    """--input-scale and --input-offset as (scale, offset) by input; "" is the only one."""
    by_name = _pairs("--input-scale", scales, float)
    moved = _pairs("--input-offset", offsets, int)
    alone = [name for name in moved if name not in by_name]
    if alone:
        of = f" of {alone[0]!r}" if alone[0] else ""
        raise click.UsageError(f"--input-offset{of} goes with --input-scale, which is missing")
    return {name: (scale, moved.get(name, 0)) for name, scale in by_name.items()}


def given_ranges(texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """--input-range [NAME=]LO..HI, [NAME=]MEAN+-DEVIATION or both with a comma: what InputRange takes, by input."""
    found: dict[str, dict[str, float]] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            said = dict(pair for part in value.split(",") for pair in _ends(part))
        except ValueError:
            said = {}
        if not said:
            raise click.UsageError(
                f"--input-range wants [NAME=]LO..HI or [NAME=]MEAN+-DEVIATION, got {text!r}"
            )
        if name in found:
            raise click.UsageError(f"--input-range {name or text} is given twice")
        found[name] = said
    return found


def _ends(text: str) -> Iterable[tuple[str, float]]:
    """ValueError for what is neither."""
    between, names = ("..", ("low", "high")) if ".." in text else ("+-", ("mean", "deviation"))
    first, second = text.split(between)
    return zip(names, (float(first), float(second)), strict=True)


def _pairs(
    option: str, texts: Sequence[str], kind: Callable[[str], Number], named: bool = False
) -> dict[str, Number]:
    found: dict[str, Number] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            number = kind(value)
        except ValueError:
            number = None
        if number is None or (named and not name):
            wanted = "NAME=" if named else "[NAME=]"
            raise click.UsageError(
                f"{option} wants {wanted}{'SIZE' if named else 'NUMBER'}, got {text!r}"
            )
        if name in found:
            raise click.UsageError(f"{option} {name or text} is given twice")
        found[name] = number
    return found
