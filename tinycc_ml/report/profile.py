"""The profile of a run, joined to the nodes: what each takes, and its share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..toolchain.profile import NetProfile

Row = Mapping[str, Any]
PROFILE_HEAD = (
    "step",
    "op",
    "kernel",
    "MACs",
    "cycles",
    "cycles/MAC",
    "share %",
    "instructions",
    "stack",
    "node",
)
UNPROFILED = {"instructions": None, "cycles": None, "stack_bytes": None}


def with_profile(report: Row, profile: NetProfile) -> dict[str, Any]:
    """The report with the figures of each node, in the place of those of an earlier profile."""
    costs = {cost.probe: cost for cost in profile.nodes}
    nodes = []
    for node in report["nodes"]:
        cost = costs.get(node["probe"])
        own = {key: getattr(cost, key) for key in UNPROFILED} if cost else UNPROFILED
        nodes.append({**node, **own})
    profiled = {
        "target": profile.target,
        "flags": profile.flags,
        "instructions": profile.instructions,
        "cycles": profile.cycles,
        "mark_cycles": profile.mark.cycles,
    }
    return {**report, "nodes": nodes, "profiled": profiled}


def profile_rows(report: Row) -> list[Sequence[str]]:
    """Cells under PROFILE_HEAD: the nodes in order of execution, then the whole run."""
    profiled = report["profiled"]
    if profiled is None:
        return []
    ran = [node for node in report["nodes"] if node["cycles"] is not None]
    whole = {
        "name": "",
        "step": "",
        "op": "whole run",
        "kernel": "",
        "macs": sum(node["macs"] for node in ran),
        "cycles": profiled["cycles"],
        "instructions": profiled["instructions"],
        "stack_bytes": max((node["stack_bytes"] for node in ran), default=0),
    }
    return [_cells(row, profiled["cycles"]) for row in (*ran, whole)]


def _cells(row: Row, all_cycles: int) -> Sequence[str]:
    macs, cycles = row["macs"], row["cycles"]
    return (
        str(row["step"]),
        row["op"],
        row["kernel"] or "",
        f"{macs:,}" if macs else "",
        f"{cycles:,}",
        f"{cycles / macs:.2f}" if macs else "",
        f"{100 * cycles / all_cycles:.1f}",
        f"{row['instructions']:,}",
        f"{row['stack_bytes']:,}",
        row["name"],
    )
