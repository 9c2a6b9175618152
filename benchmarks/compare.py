"""Figures beside peers (peers.toml), goals (goals.toml) and the baseline, as cells of a table."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from measure import Case, Figures
from nets import family

_HERE = Path(__file__).parent
HEADER = (
    "net", "core", "optimize", "M cycles", "M instructions", "cycles/MAC", "code", "flash", "RAM", "arena",
    "stack", "vs TFLM", "vs board", "baseline", "goals missed",
)  # fmt: skip
TFLM, BOARD = "TFLM + CMSIS-NN", "best board"


@cache
def peers() -> Mapping[str, Mapping[str, Any]]:
    data = tomllib.loads((_HERE / "peers.toml").read_text(encoding="utf-8"))
    return {peer["name"]: peer for peer in data["peer"]}


@cache
def goals() -> Mapping[str, Any]:
    return tomllib.loads((_HERE / "goals.toml").read_text(encoding="utf-8"))


def peer_mcycles(peer: str, net: str, core: str) -> float | None:
    """What a peer takes for the int8 net on that core, if it is known."""
    if "float" in net:
        return None
    found: float | None = peers()[peer]["mcycles"].get(core, {}).get(family(net))
    return found


def peer_bytes(peer: str, kind: str, net: str, core: str) -> int | None:
    """The flash or ram of a peer's image of the int8 net, if it is known."""
    found: int | None = peers()[peer][kind].get(core, {}).get(family(net))
    return found


def missed_goals(case: Case, figures: Figures) -> list[str]:
    """Names of the limits that are exceeded."""
    mode = "portable" if case.portable else case.optimize
    limits = {
        "cycles": (figures.cycles / 1e6, _goal("cycles", mode, case)),
        "flash": (figures.flash, _goal("flash", mode, case)),
        "RAM": (figures.ram, _goal("ram", "arena" if case.io == "arena" else mode, case)),
        "arena": (figures.arena, _arena_limit(case)),
        "rest of RAM": (figures.ram, _ram_limit(case, figures)),
    }
    return [name for name, (is_, limit) in limits.items() if limit is not None and is_ > limit]


def _goal(kind: str, mode: str, case: Case) -> float | None:
    found: float | None = goals()[kind].get(mode, {}).get(case.core, {}).get(case.net.family)
    return found


def _arena_limit(case: Case) -> int | None:
    limit = goals()["arena"]["bytes"].get(case.net.family)
    if limit is None or case.io == "arena" or "float" in case.net.name:
        return None
    return int(limit + goals()["arena"]["scratch_bytes"])


def _ram_limit(case: Case, figures: Figures) -> int:
    ends = 0 if case.io == "arena" else figures.ends
    return int(figures.arena + ends + goals()["arena"]["rest_bytes"])


def cells(case: Case, figures: Figures, old: Mapping[str, Any] | None) -> tuple[object, ...]:
    """One row under HEADER."""
    kind = f"{case.optimize}{', portable' if case.portable else ''}"
    return (
        case.net.name, case.core, kind, f"{figures.cycles / 1e6:.3f}", f"{figures.instructions / 1e6:.3f}",
        f"{figures.cycles / figures.macs:.2f}", f"{figures.code:,}", f"{figures.flash:,}", f"{figures.ram:,}",
        f"{figures.arena:,}", figures.stack, *(times(peer, case.net.name, case.core, figures.cycles) for peer in (TFLM, BOARD)),
        _change(case, figures, old), ", ".join(missed_goals(case, figures)),
    )  # fmt: skip


def times(peer: str, net: str, core: str, cycles: int) -> str:
    """How many times as fast as a peer."""
    theirs = peer_mcycles(peer, net, core)
    return f"{theirs * 1e6 / cycles:.2f}x" if theirs else ""


def _change(case: Case, figures: Figures, old: Mapping[str, Any] | None) -> str:
    """Of the cycles, against the committed ones."""
    if old is None or case.portable or case.opt or case.io != "caller":
        return ""
    return f"{100 * (figures.cycles / old['cycles'] - 1):+.1f} %"
