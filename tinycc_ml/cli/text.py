"""Results in words: summaries of a few lines, and tables of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..report.markdown import accuracy_lines, count, verified_line
from ..report.removed import removed_lines
from ..toolchain.verified import Measured, Verified

Report = Mapping[str, Any]


def compile_summary(report: Report, out: Path) -> list[str]:
    """What it became, what it takes, and what verified it."""
    model, totals = report["model"], report["totals"]
    lines = [
        f"{bold(model['name'])}: {model['arithmetic']} C for {report['target']['name']} in {out}"
    ]
    lines += [_line("work", f"{count(totals['macs'])} multiply-accumulates")]
    lines += [
        _line(
            "flash",
            f"{count(totals['weights_bytes'])} bytes of constants; code is measured by tinyml verify",
        )
    ]
    lines += [_line("RAM", memory_text(report))]
    lines += [
        _line("removed", text) for text in removed_lines(report["removed"], each_tensor=False)
    ]
    lines += [_line("accuracy", text) for text in accuracy_lines(report["accuracy"])]
    lines += [_line("verified", good(verified_line(entry))) for entry in report["verified"]]
    if report["unverified"]:
        lines.append(_line("verified", bad(f"NO: {report['unverified']}")))
    return lines


def memory_text(report: Report) -> str:
    totals = report["totals"]
    scratch = (
        f" (of it scratch {count(totals['scratch_bytes'])})" if totals["scratch_bytes"] else ""
    )
    ends = {
        d: sum(p["bytes"] for p in report["io"] if p["direction"] == d) for d in ("input", "output")
    }
    where = "in it" if report["options"]["io"] == "arena" else "the caller's"
    return (
        f"arena {count(totals['arena_bytes'])} bytes{scratch}; "
        f"inputs {count(ends['input'])} and outputs {count(ends['output'])} bytes are {where}"
    )


def verify_summary(verified: Verified, measured: Measured) -> list[str]:
    lines = [_line("verified", good(verified_line(vars(verified))))]
    lines.append(
        _line("code", f"{count(measured.code_bytes)} bytes at {measured.flags}, without constants")
    )
    if measured.cycles is not None:
        lines.append(
            _line(
                "one run",
                f"{count(measured.instructions)} instructions, {count(measured.cycles)} modelled cycles",
            )
        )
    if measured.stack_bytes is not None:
        lines.append(_line("stack", f"{count(measured.stack_bytes)} bytes"))
    return lines


def _line(label: str, text: str) -> str:
    return f"  {label:<9} {text}"


def bold(text: str) -> str:
    return click.style(text, bold=True)


def good(text: str) -> str:
    return click.style(text, fg="green")


def bad(text: str) -> str:
    return click.style(text, fg="red", bold=True)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table: each column as wide as its longest cell, numbers to the right."""
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    right = [bool(rows) and all(_is_number(row[k]) for row in rows) for k in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = (
            c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)
        )
        return "  ".join(cells).rstrip()

    return [line(head), *(line(row) for row in rows)]


def _is_number(text: str) -> bool:
    return not text or text == "?" or text.replace(",", "").replace(".", "").isdigit()
