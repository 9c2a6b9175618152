"""What was taken out of the net: zeros by pruning, and channels that no output can tell, with the proof of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from ..compiler import Compiled
from ..passes.remove_dead_work import DeadWork, Removed

DEAD = "dead work"


def removed_rows(compiled: Compiled) -> list[Any]:
    rows = [_plain(item) for item in compiled.pruned]
    if compiled.dead_work is None or not compiled.dead_work.removed:
        return rows
    return [*rows, _total(compiled.dead_work), *_by_tensor(compiled.dead_work.removed)]


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
    if row.get("kind") == DEAD:
        macs, weights = ("{:,} -> {:,}".format(*row[name]) for name in ("macs", "weights"))
        return f"{row['channels']:,} channels that change no output: MACs {macs}, weights {weights}"
    if "kind" not in row:
        return ", ".join(f"{key}: {value}" for key, value in row.items())
    return (
        f"{row['tensor']}: {len(row['channels']):,} channels {row['kind']}" if each_tensor else ""
    )


def _plain(item: object) -> Any:
    if is_dataclass(item) and not isinstance(item, type):
        return asdict(item)
    return dict(item) if isinstance(item, Mapping) else str(item)
