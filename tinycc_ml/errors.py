"""Errors, classed by who can put them right. Everything a user can cause derives from TinymlError."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """A place in what the user wrote: a file, a position in it, or a node of a model."""

    source: str | None = None
    line: int | None = None
    column: int | None = None
    node: str | None = None

    def __str__(self) -> str:
        position = [str(part) for part in (self.source, self.line, self.column) if part is not None]
        text = ":".join(position)
        if self.node is None:
            return text
        return f"{text}: node {self.node!r}" if text else f"node {self.node!r}"


class TinymlError(Exception):
    """Something the user can put right: message, where, and a hint when there is a way out."""

    exit_code = 1

    def __init__(self, message: str, *, loc: Location | None = None, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.loc = loc
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.loc}: " if self.loc else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"


class ModelError(TinymlError):
    """The model can't be read, or asks for what is not supported."""


class NeedsValue(ModelError):
    """A shape depends on a value of run time; `inputs`: the model's inputs that decide it."""

    def __init__(self, message: str, inputs: Sequence[str], *, loc: Location | None = None):
        hint = f"bind it: --bind {inputs[0]}=VALUE" if inputs else None
        super().__init__(message, loc=loc, hint=hint)
        self.inputs = tuple(inputs)


class DataError(TinymlError):
    """Calibration or input data that does not fit the model."""


class TargetError(TinymlError):
    """The target does not exist, or the model does not fit it."""


class ToolError(TinymlError):
    """A compiler or emulator is missing or refused its input."""


class VerificationError(TinymlError):
    """The C did not give the numbers of the reference. Never the user's fault."""

    exit_code = 70


class UnsupportedError(ModelError):
    """All the nodes that are not supported, reported at once."""

    def __init__(self, problems: Sequence[ModelError]):
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} node{'s' if count > 1 else ''} not supported:\n{lines}")


class InternalError(Exception):
    """A broken promise between our own rooms."""

    exit_code = 70
