"""report.json and report.md: written from the data, and updated with what was measured later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..backend.emit import write_files
from ..toolchain.profile import NetProfile
from ..toolchain.shipped import open_folder
from ..toolchain.verified import Measured, Verified
from .markdown import to_markdown
from .profile import with_profile

# json.dumps would make one for each of some ten thousand values
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def to_json(data: Any) -> str:
    """Two spaces a level, lists of numbers on one line; the same data gives the same bytes."""
    return _text(data, "") + "\n"


def _text(data: Any, indent: str) -> str:
    inner = indent + "  "
    if isinstance(data, Mapping) and data:
        items = [f"{json.dumps(str(key))}: {_text(value, inner)}" for key, value in data.items()]
    elif isinstance(data, (list, tuple)) and any(
        isinstance(value, (Mapping, list, tuple)) for value in data
    ):
        items = [_text(value, inner) for value in data]
    else:
        return _ENCODER.encode(data)
    opening, closing = "{}" if isinstance(data, Mapping) else "[]"
    return opening + "\n" + ",\n".join(inner + item for item in items) + f"\n{indent}{closing}"


def report_files(report: Mapping[str, Any]) -> dict[str, str]:
    """The text of both files, by name."""
    return {"report.json": to_json(report), "report.md": to_markdown(report)}


def update_folder(
    folder: Path, verified: Verified, measured: Measured, profile: NetProfile | None = None
) -> dict[str, Any]:
    """Note in the reports of a folder what `tinyml verify` or `profile` found; the new report."""
    report = with_measurement(open_folder(folder).report, verified, measured)
    report = with_profile(report, profile) if profile else report
    write_files(report_files(report), folder)
    return report


def with_measurement(
    report: Mapping[str, Any], verified: Verified, measured: Measured
) -> dict[str, Any]:
    """The report with a later check, which takes the place of an earlier one of the same values on the
    same target. The totals are of the target that was compiled for: only its measurements fill them."""
    entry = asdict(verified) | {"tools": list(verified.tools)}
    checks = [
        v for v in report["verified"] if (v["where"], v["what"]) != (entry["where"], entry["what"])
    ]
    others = [m for m in report["measured"] if m["target"] != measured.target]
    totals = dict(report["totals"])
    if report["target"]["name"] == measured.target:
        totals |= {
            name: getattr(measured, name) for name in ("code_bytes", "stack_bytes", "cycles")
        }
    return {
        **report,
        "totals": totals,
        "verified": [*checks, entry],
        "unverified": None,
        "measured": sorted([*others, asdict(measured)], key=lambda m: m["target"]),
    }
