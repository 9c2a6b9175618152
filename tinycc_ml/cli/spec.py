"""The verbs for specs: fmt, check, decompile."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ..errors import ModelError
from .options import given_dims, verb
from .screen import Screen

_PATH = click.Path(path_type=Path)


def add_spec_verbs(group: click.Group) -> None:
    """Register them."""
    _add_fmt(group)
    _add_check(group)
    _add_decompile(group)


def _add_fmt(group: click.Group) -> None:
    @verb(group, "fmt")
    @click.argument("files", nargs=-1, type=_PATH, metavar="FILE...")
    @click.option(
        "--check", is_flag=True, help="Change nothing; exit code 1 when something would be."
    )
    @click.option("--stdin", is_flag=True, help="Format standard input to standard output.")
    def fmt_verb(
        screen: Screen, files: tuple[Path, ...], check: bool, stdin: bool
    ) -> dict[str, Any]:
        """Format specs in the one style of the language. A folder stands for all .tml files in it."""
        if bool(files) == stdin:
            raise click.UsageError("Give FILE..., or --stdin.")
        return _format_stdin(screen, check) if stdin else _format_files(screen, files, check)


def _add_check(group: click.Group) -> None:
    @verb(group, "check")
    @click.argument("path", type=_PATH, metavar="FILE")
    @click.option(
        "--dim", "dims", multiple=True, metavar="NAME=SIZE", help="Binds a dimension. Repeatable."
    )
    @click.option(
        "--allow-outside", "outside", is_flag=True, help="Includes from outside its folder."
    )
    def check_verb(
        screen: Screen, path: Path, dims: tuple[str, ...], outside: bool
    ) -> dict[str, Any]:
        """Say all mistakes of a spec or model without compiling it.

        With --json, `error.problems` has the place, message and hint of each.
        """
        return _check(screen, path, given_dims(dims), outside)


def _add_decompile(group: click.Group) -> None:
    @verb(group, "decompile")
    @click.argument("model", type=_PATH, metavar="MODEL.onnx")
    @click.option(
        "-o",
        "--out",
        type=_PATH,
        metavar="FILE.tml",
        help="Default: beside the model. Arrays go to FILE.npz.",
    )
    @click.option(
        "--dim", "dims", multiple=True, metavar="NAME=SIZE", help="Binds a dimension. Repeatable."
    )
    def decompile_verb(
        screen: Screen, model: Path, out: Path | None, dims: tuple[str, ...]
    ) -> dict[str, Any]:
        """Write an ONNX model as a readable spec. Compiling that gives the same C, byte for byte."""
        return _decompile(screen, model, out or model.with_suffix(".tml"), given_dims(dims))


def _format_stdin(screen: Screen, check: bool) -> dict[str, Any]:
    from ..frontends.spec import Source
    from ..frontends.spec.writing.format import format_text

    before = sys.stdin.buffer.read().decode("utf-8")
    after = format_text(Source("<stdin>", before))
    if check and after != before:
        raise ModelError("standard input is not formatted", hint="tinyml fmt does it")
    if not check and not screen.as_json:
        click.echo(after, nl=False)
    return {"changed": before != after, "text": after}


def _format_files(screen: Screen, paths: Sequence[Path], check: bool) -> dict[str, Any]:
    """All files that can be parsed are formatted, then the mistakes of the others are said."""
    from ..frontends.spec import Problem, SpecError
    from ..frontends.spec.writing.format import format_file

    changed: list[Path] = []
    problems: list[Problem] = []
    for path in _files(paths):
        try:
            if format_file(path, write=not check):
                changed.append(path)
                screen.out(f"{'would change' if check else 'formatted'} {path}")
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    if check and changed:
        files = "1 file is" if len(changed) == 1 else f"{len(changed)} files are"
        raise ModelError(
            f"{files} not formatted: {', '.join(map(str, changed))}", hint="tinyml fmt does it"
        )
    return {"changed": list(map(str, changed))}


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.tml")) if path.is_dir() else [path]


def _check(screen: Screen, path: Path, dims: dict[str, int], outside: bool) -> dict[str, Any]:
    from .. import frontends

    graph = frontends.open_model(path, dims, outside=outside).graph
    ends = {
        kind: {name: str(graph.type(name)) for name in names}
        for kind, names in (("inputs", graph.inputs), ("outputs", graph.outputs))
    }
    types = " -> ".join(", ".join(f"{n} {t}" for n, t in each.items()) for each in ends.values())
    screen.out(f"{path.name}: no mistakes; {types}")
    return {"model": graph.name, **ends}


def _decompile(screen: Screen, model: Path, out: Path, dims: dict[str, int]) -> dict[str, Any]:
    from ..frontends.spec.writing.decompile import decompile

    if out.suffix.lower() != ".tml":
        raise click.UsageError(f"-o names a .tml file, got {out}")
    made = decompile(model, out, dims)
    lines = made.text.count("\n")
    screen.out(
        f"{model.name}: {lines} lines in {out}, {len(made.arrays)} arrays in {out.with_suffix('.npz').name}"
    )
    return {
        "out": str(out),
        "arrays": str(out.with_suffix(".npz")),
        "lines": lines,
        "style": made.style,
    }
