"""`tinyml profile`: what each node takes on an emulated core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..backend.target import load_target
from ..report import update_folder
from ..report.profile import PROFILE_HEAD, profile_rows
from ..toolchain.profile import profile_dir
from ..toolchain.shipped import open_folder
from ..toolchain.verify_dir import verify_dir
from .screen import Screen
from .text import bold, columns


def profile_folder(screen: Screen, folder: Path, target_name: str | None) -> dict[str, Any]:
    """Verified first: what is wrong needs no profile."""
    shipped = open_folder(folder)
    target = load_target(target_name or shipped.report["target"]["name"])
    profile = profile_dir(folder, target)
    verified, measured = verify_dir(folder, target)
    report = update_folder(folder, verified, measured, profile)
    screen.out(f"{bold(shipped.name)} on {target.name}, {profile.flags}, modelled cycles")
    for line in columns(PROFILE_HEAD, profile_rows(report)):
        screen.out(line)
    return {
        "target": target.name,
        "profiled": report["profiled"],
        "measured": vars(measured),
        "nodes": report["nodes"],
    }
