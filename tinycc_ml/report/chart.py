"""The map of the arena as text: a line for each step, a column for some bytes, a letter for each block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_COLUMNS = 64
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def memory_chart(memory: Mapping[str, Any]) -> list[str]:
    """Lines of the chart with its legend; none for an empty arena."""
    blocks, size = memory["blocks"], memory["arena_bytes"]
    if not size:
        return []
    cell = -(-size // _COLUMNS)
    columns = -(-size // cell)
    letters = [_LETTERS[k % len(_LETTERS)] for k in range(len(blocks))]
    end = f"{size:,}"
    lines = [f"step  0{end.rjust(columns - 1)}" if columns > len(end) else f"step  0..{end}"]
    for step in range(memory["steps"]):
        peak = "  <- peak" if step == memory["peak_step"] else ""
        lines.append(f"{step:4d}  {_line(blocks, letters, step, cell, columns)}{peak}")
    lines += ["", f"one column is {cell:,} bytes"]
    return lines + [_legend(letter, block) for letter, block in zip(letters, blocks, strict=True)]


def _line(
    blocks: Sequence[Mapping[str, Any]], letters: Sequence[str], step: int, cell: int, columns: int
) -> str:
    line = ["."] * columns
    for letter, block in zip(letters, blocks, strict=True):
        if block["first_step"] <= step <= block["last_step"]:
            first = block["offset"] // cell
            after = max(-(-(block["offset"] + block["bytes"]) // cell), first + 1)
            line[first:after] = letter * (after - first)
    return "".join(line[:columns])


def _legend(letter: str, block: Mapping[str, Any]) -> str:
    name = "".join(c if c.isprintable() else "?" for c in block["name"])
    steps = f"steps {block['first_step']}..{block['last_step']}"
    return f"{letter}  at {block['offset']:,}, {block['bytes']:,} bytes, {steps}: {name}"
