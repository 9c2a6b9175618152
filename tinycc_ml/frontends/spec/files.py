"""The files of a spec: the prelude, the main file, and what it includes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ...errors import Location, ModelError
from ...resources import grammar_dir
from .limits import LIMITS, Limits
from .parse import parse
from .problems import Problem
from .syntax import Block as BlockNode
from .syntax import Call, File, Include, Source, walk
from .values import Block


@cache
def prelude() -> dict[str, Block]:
    """The blocks of grammar/prelude.tml by name."""
    path = grammar_dir() / "prelude.tml"
    source = Source(path.name, path.read_text(encoding="utf-8"), path)
    nodes = [n for n in parse(source).body.statements if isinstance(n, BlockNode)]
    return {n.name.id: Block(n, source, True, _has_weights(n)) for n in nodes}


def _has_weights(node: BlockNode) -> bool:
    return any(isinstance(part, Call) and part.callee.id == "param" for part in walk(node))


def read_source(path: Path, name: str, limits: Limits = LIMITS) -> Source:
    """A text file. ModelError when it can't be read or is no text."""
    try:
        if path.stat().st_size > 4 * limits.text_bytes:
            raise ModelError(
                f"the text is longer than {limits.text_bytes:,} characters", loc=Location(name)
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelError(f"can't read {name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ModelError("this is no text in UTF-8", loc=Location(name)) from error
    return Source(name, text.replace("\r\n", "\n"), path)


class Files:
    """What was read so far, and the chain of includes that is open."""

    def __init__(self, main: Source, limits: Limits, outside: bool):
        self.root = (main.path or Path("main")).resolve().parent
        self.limits, self.outside = limits, outside
        self.read: dict[Path, Source] = {}
        self.open: list[Path] = []
        if main.path is not None:
            self.read[main.path.resolve()] = main
            self.open.append(main.path.resolve())

    def include(self, node: Include, text: str, source: Source) -> File | None:
        """The file of an include line; None when it was included before. Problem when it may not be."""
        folder = source.path.resolve().parent if source.path else self.root
        path = self._resolved(folder, text, node, source)
        if path in self.open:
            chain = [*(p.name for p in self.open[self.open.index(path) :]), path.name]
            raise Problem(
                "files include each other", source, node.path.span, " includes ".join(chain)
            )
        if path in self.read:
            return None
        if len(self.read) >= self.limits.files or len(self.open) >= self.limits.includes:
            what = f"more than {self.limits.includes} files deep, or {self.limits.files} in all"
            raise Problem(f"includes go {what}", source, node.path.span)
        try:
            self.read[path] = read_source(path, text, self.limits)
        except ModelError as error:
            raise Problem(error.message, source, node.path.span) from error
        return parse(self.read[path], self.limits)

    def _resolved(self, folder: Path, text: str, node: Include, source: Source) -> Path:
        try:
            path = (folder / text).resolve()
            known = path.is_file()
        except (OSError, ValueError, RuntimeError):
            known, path = False, folder
        if not self.outside and not path.is_relative_to(self.root):
            hint = "--allow-outside lets it"
            message = f"{text!r} lies outside the folder of the main file"
            raise Problem(message, source, node.path.span, hint)
        if not known:
            raise Problem(f"no such file: {text}", source, node.path.span)
        return path
