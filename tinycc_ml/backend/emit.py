"""From a program to files: templates rendered, runtime files copied, all written at once or not at all."""

from __future__ import annotations

import re
import shutil
import tempfile
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import jinja2
import numpy as np

from .. import __version__
from ..errors import TinymlError
from ..ops.indexing import c_float, c_values, to_f32_c
from ..resources import runtime_dir, template_dir
from .names import comment
from .program import Program
from .vectors import Vectors

_WIDTH = 100


def emit(program: Program, vectors: Vectors, *, single_file: bool = False) -> dict[str, str]:
    """The text of every file of out/, by path relative to it, but for the reports."""
    name = program.name
    context = {
        "program": program,
        "vectors": vectors,
        "version": __version__,
        "runtime_version": runtime_version(),
    }
    files = {
        f"{name}.h": render("model.h.j2", context),
        f"{name}.c": render("model.c.j2", context),
    }
    if vectors.count:
        files[f"{name}_test_vectors.h"] = render("test_vectors.h.j2", context)
        files[f"{name}_selftest.c"] = render("selftest.c.j2", context)
    if program.constants:
        files[f"{name}_weights.h"] = render("weights.h.j2", context)
        files[f"{name}_weights.c"] = render("weights.c.j2", context)
    context["sources"] = sources_of(files, program)
    files[f"{name}.mk"] = render("model.mk.j2", context)
    files["CMakeLists.txt"] = render("CMakeLists.txt.j2", context)
    runtime = runtime_files((*program.headers, _PORT))
    files.update({f"runtime/{path}": text for path, text in runtime.items()})
    return _joined(files, program) if single_file else files


_PORT = "common/tml_port.h"


def sources_of(files: Iterable[str], program: Program) -> tuple[str, ...]:
    """The C files that go into a firmware."""
    return tuple(f for f in (f"{program.name}.c", f"{program.name}_weights.c") if f in files)


@cache
def runtime_version() -> int:
    text = (runtime_dir() / _PORT).read_text(encoding="utf-8")
    found = re.search(r"#define TML_RUNTIME_VERSION (\d+)", text)
    assert found is not None
    return int(found.group(1))


def runtime_files(headers: Iterable[str]) -> dict[str, str]:
    """The runtime headers that are used, with all they include, by path."""
    found: dict[str, str] = {}
    todo = list(headers)
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found[path] = text = (runtime_dir() / path).read_text(encoding="utf-8")
        for include in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE):
            todo.append(_normal(f"{Path(path).parent}/{include}"))
    return dict(sorted(found.items()))


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _joined(files: Mapping[str, str], program: Program) -> dict[str, str]:
    """--single-file: the model's C file holds its constants and the runtime; the header stays apart."""
    name = program.name
    done: set[str] = set()

    def inlined(path: str) -> str:
        if path in done:
            return ""
        done.add(path)
        lines = []
        for line in files[path].splitlines():
            found = re.match(r'#include "([^"]+)"', line)
            target = _normal(f"{Path(path).parent}/{found.group(1)}") if found else ""
            if target == f"{name}.h" or target not in files:
                lines.append(line)
            else:
                lines.append(inlined(target))
        return "\n".join(lines)

    text = inlined(f"{name}.c")
    if program.constants:
        text += "\n" + inlined(f"{name}_weights.c")
    kept = {k: v for k, v in files.items() if k == f"{name}.h"}
    read = files.get(f"{name}_selftest.c", "")
    test = {
        k: v
        for k, v in files.items()
        if k.endswith(("_test_vectors.h", "_selftest.c"))
        or k == f"runtime/{_PORT}"
        or f'"{k}"' in read
    }
    return {**kept, f"{name}.c": text + "\n", **test}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_dir()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters.update(
        values=format_values, wrapped=_wrapped, comment=comment, c_float=c_float, to_f32_c=to_f32_c,
        field_lines=_field_lines, comment_lines=_comment_lines, statement=_statement,
    )  # fmt: skip
    return environment


def render(template: str, context: Mapping[str, object]) -> str:
    return _environment().get_template(template).render(context)


def format_values(values: np.ndarray) -> str:
    """Array elements as C initialisers, wrapped to the line width."""
    flat = np.ravel(values)
    texts = c_values(flat)
    per_line = max(1, (_WIDTH - 4) // (max(map(len, texts), default=1) + 2))
    lines = (", ".join(texts[k : k + per_line]) for k in range(0, len(texts), per_line))
    return ",\n".join(f"    {line}" for line in lines)


def _wrapped(text: str, indent: int) -> str:
    """An argument list over several lines, continued under its opening bracket; ");" follows it."""
    whole = re.sub(r"(?<!,) ", "\0", text)  # \0: a space that does not break
    lines = textwrap.wrap(
        whole, _WIDTH - indent - 2, break_long_words=False, break_on_hyphens=False
    )
    return ("\n" + " " * indent).join(lines).replace("\0", " ")


def _statement(text: str, indent: str) -> str:
    """A statement of a loop nest, continued four columns in where it is too long."""
    lines = textwrap.wrap(
        text, _WIDTH - len(indent) - 4, break_long_words=False, break_on_hyphens=False
    )
    return f"\n{indent}    ".join(lines)


def _comment_lines(text: str, continuation: str) -> str:
    lines = textwrap.wrap(text, _WIDTH - 10, break_long_words=True, break_on_hyphens=False)
    return f"\n{continuation}".join(lines)


def _field_lines(fields: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Designated initialisers, several a line."""
    text = " ".join(f".{name}\0=\0{value}," for name, value in fields)
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write all files or none: into a folder beside, then moved over; other files of `folder` stay."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
            for path, text in files.items():
                target = Path(scratch) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8", newline="\n")
            _move_over(Path(scratch), files, folder)
    except OSError as error:
        raise TinymlError(f"can't write {folder}: {error.strerror or error}") from error


def _move_over(scratch: Path, files: Mapping[str, str], folder: Path) -> None:
    if not folder.exists():
        shutil.copytree(scratch, folder)
        return
    for path in files:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (scratch / path).replace(target)
