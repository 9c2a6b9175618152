"""What has been checked, and what was measured on the way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verified:
    """where: the target it ran on; cases: samples; what: which values, against what; tools: by version."""

    where: str
    cases: int
    equal: bool
    what: str
    tools: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """Of one run on a target; None is unknown. code_bytes: code and the tables it owns, without weights.

    cycles: modelled. stack_bytes: deepest stack below the caller of NAME_run.
    """

    target: str
    flags: str
    code_bytes: int | None = None
    stack_bytes: int | None = None
    instructions: int | None = None
    cycles: int | None = None
