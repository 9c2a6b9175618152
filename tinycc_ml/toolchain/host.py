"""The compiler of this machine: libraries to load and programs to run here."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ToolError
from .tools import run_tool

_SUFFIX = {"darwin": ".dylib", "win32": ".dll"}
# -ffp-contract=off: a fused multiply-add rounds once where the reference rounds twice
_ALWAYS = ("-std=c99", "-ffp-contract=off")


@dataclass(frozen=True)
class HostCompiler:
    """command: how to call it, without options: ("ccache", "gcc")."""

    command: tuple[str, ...]

    def version(self) -> str:
        """The first line of what it says about itself."""
        text = run_tool((*self.command, "--version"), doing="ask the C compiler's version").stdout
        return text.splitlines()[0].strip() if text else "unknown"


def find_compiler() -> HostCompiler:
    """$CC, cc, gcc, clang or the ziglang package, whichever comes first."""
    asked = tuple(shlex.split(os.environ.get("CC", "")))
    if asked and shutil.which(asked[0]) is None:
        raise ToolError(f"$CC names {asked[0]!r}, which is not installed or not on the PATH")
    if asked:
        return HostCompiler(asked)
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return HostCompiler((name,))
    if importlib.util.find_spec("ziglang"):
        return HostCompiler((sys.executable, "-m", "ziglang", "cc"))
    raise ToolError(
        "there is no C compiler on this machine (looked for $CC, cc, gcc, clang), "
        "so the result can't be verified",
        hint="pip install 'tinycc-ml[cc]' brings one",
    )


def build_library(
    sources: Sequence[Path],
    *,
    include_dirs: Iterable[Path] = (),
    defines: Iterable[str] = (),
    cflags: Iterable[str] = ("-O2",),
    workdir: Path,
    name: str = "model",
) -> Path:
    """A shared library with no interpreter in it, to be opened by cffi in ABI mode.

    Give each library of a process its own workdir or name: the loader keeps what it has opened.
    """
    output = workdir / (name + _SUFFIX.get(sys.platform, ".so"))
    options = ("-fPIC", "-shared", *_options(include_dirs, defines, cflags))
    return _compile(sources, options, output)


def build_program(
    sources: Sequence[Path],
    *,
    include_dirs: Iterable[Path] = (),
    defines: Iterable[str] = (),
    cflags: Iterable[str] = ("-O2",),
    libraries: Sequence[str] = (),
    workdir: Path,
    name: str = "program",
) -> Path:
    """An executable for this machine; sanitizers go into `cflags`, -lNAME into `libraries`."""
    output = workdir / (name + (".exe" if sys.platform == "win32" else ""))
    return _compile(sources, _options(include_dirs, defines, cflags), output, libraries)


def _options(
    include_dirs: Iterable[Path], defines: Iterable[str], cflags: Iterable[str]
) -> tuple[str, ...]:
    includes = (f"-I{folder}" for folder in include_dirs)
    return (*_ALWAYS, *cflags, *includes, *(f"-D{define}" for define in defines))


def _compile(
    sources: Sequence[Path], options: Sequence[str], output: Path, libraries: Sequence[str] = ()
) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    command = (*find_compiler().command, *options, *map(str, sources), "-o", str(output))
    doing = f"compile {', '.join(path.name for path in sources)}"
    run_tool((*command, *libraries, "-lm"), doing=doing)
    return output
