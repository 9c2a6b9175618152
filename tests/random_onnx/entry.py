"""What an entry of the table is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .writer import Writer


@dataclass(frozen=True)
class Entry:
    """How an operator is drawn: `draw` adds a node of it to a graph, or raises Skip. `since`, `until`: opsets."""

    op: str
    draw: Callable[[Writer], object]
    since: int = 11
    until: int = 99
