"""What a text may cost. A spec is a program, if a small one: without limits a typing error could take all memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The largest that is served; far above what a microcontroller can hold."""

    text_bytes: int = 400_000
    brackets: int = 40  # of one kind in another
    depth: int = 120  # of an expression while it is evaluated
    calls: int = 32  # of blocks in blocks
    steps: int = 400_000  # of evaluation
    nodes: int = 4_000
    includes: int = 16  # in a chain
    files: int = 64
    items: int = 20_000  # of a list, a range or a text
    elements: int = 1 << 24  # of a tensor, and of all weights together
    problems: int = 20


LIMITS = Limits()
