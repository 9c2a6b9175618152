"""What was taken out of the net: zeros by pruning, and channels that no output can tell, with the proof of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from ..backend.choose import Plan
from ..compiler import Compiled
from ..passes.remove_dead_work import DeadWork, Removed

DEAD = "dead work"
PRUNED = "pruned net"


def removed_rows(compiled: Compiled) -> list[Any]:
    rows = [_plain(item) for item in compiled.pruned]
    if rows:
        rows.insert(0, _before_and_after(compiled.unpruned, compiled.plan))
    if compiled.dead_work is None or not compiled.dead_work.removed:
        return rows
    return [*rows, _total(compiled.dead_work), *_by_tensor(compiled.dead_work.removed)]


def _before_and_after(before: Plan | None, after: Plan) -> dict[str, Any]:
    """Of the net with all its weights and of the pruned one; code and cycles by the cost model. Null: with all its
    weights the net doesn't fit."""
    figures = ("constants", "code", "cycles", "arena")
    was, now = (_figures(plan) if plan else dict.fromkeys(figures) for plan in (before, after))
    return {"kind": PRUNED} | {name: [was[name], now[name]] for name in figures}


def _figures(plan: Plan) -> dict[str, int | None]:
    choice = plan.choice
    return {
        "constants": choice.constants,
        "code": choice.code,
        "cycles": round(choice.cycles),
        "arena": choice.ram,
    }


def _total(dead: DeadWork) -> dict[str, Any]:
    return {
        "kind": DEAD,
        "channels": len(dead.removed),
        "macs": [dead.before.macs, dead.after.macs],
        "weights": [dead.before.weights, dead.after.weights],
    }


def _by_tensor(removed: Iterable[Removed]) -> list[dict[str, Any]]:
    """A row for each tensor and reason; `low` and `high` bound the sums that `values` are requantised from."""
    groups: dict[tuple[str, str, str], list[Removed]] = {}
    for item in removed:
        groups.setdefault((item.node, item.tensor, item.reason), []).append(item)
    rows = []
    for (node, tensor, reason), items in groups.items():
        row: dict[str, Any] = {"kind": reason, "node": node, "tensor": tensor}
        row["channels"] = [item.channel for item in items]
        if items[0].value is not None:
            row |= {"values": [item.value for item in items]}
            row |= {"low": [item.low for item in items], "high": [item.high for item in items]}
        rows.append(row)
    return rows


def removed_lines(rows: Sequence[Any], *, each_tensor: bool) -> list[str]:
    """In words; `each_tensor`: also what was removed of each."""
    return [line for row in rows if (line := _line(row, each_tensor))]


def _line(row: Any, each_tensor: bool) -> str:
    if not isinstance(row, Mapping):
        return str(row)
    if row.get("kind") == PRUNED:
        return _pruned_line(row)
    if row.get("kind") == DEAD:
        macs, weights = ("{:,} -> {:,}".format(*row[name]) for name in ("macs", "weights"))
        return f"{row['channels']:,} channels that change no output: MACs {macs}, weights {weights}"
    if "zeros_after" in row:
        return _weights_line(row) if each_tensor else ""
    return (
        f"{row['tensor']}: {len(row['channels']):,} channels {row['kind']}" if each_tensor else ""
    )


def _pruned_line(row: Mapping[str, Any]) -> str:
    def change(name: str) -> str:
        was, now = row[name]
        return f"{'does not fit' if was is None else format(was, ',')} -> {now:,}"

    return (
        f"by pruning: constants {change('constants')} bytes, arena {change('arena')}, "
        f"expected code {change('code')}, expected cycles {change('cycles')}"
    )


def _weights_line(row: Mapping[str, Any]) -> str:
    line = f"{row['tensor']}: {row['zeros_after']:,} of {row['size']:,} weights pruned or zero"
    line += f", {row['zeros_before']:,} before" if row["zeros_before"] else ""
    gone = ", ".join(str(channel) for channel in row["channels"])
    return f"{line}; without channels {gone}" if gone else line


def _plain(item: object) -> Any:
    if is_dataclass(item) and not isinstance(item, type):
        return asdict(item)
    return dict(item) if isinstance(item, Mapping) else str(item)
