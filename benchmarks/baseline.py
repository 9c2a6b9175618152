"""The committed figures (baseline.json): compared with today's, and rewritten with a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measure import Figures

from tinycc_ml.backend.target import load_target
from tinycc_ml.errors import ToolError
from tinycc_ml.toolchain import find_tool
from tinycc_ml.toolchain.tools import run_tool

PATH = Path(__file__).with_name("baseline.json")
CHECKED = ("instructions", "cycles", "flash", "ram")
TOLERANCE = 0.01
Baseline = Mapping[str, Any]


def read() -> Baseline:
    """compilers: by prefix; figures: by Case.key, each with the reason of its last change."""
    if not PATH.is_file():
        return {"compilers": {}, "figures": {}}
    data: Baseline = json.loads(PATH.read_text(encoding="utf-8"))
    return data


def compiler_of(core: str) -> tuple[str, str]:
    """Prefix and version line of the core's compiler."""
    target = load_target(core)
    prefix = target.toolchain.prefix
    gcc = find_tool(prefix + "gcc", package=target.packages.compiler)
    text = run_tool((gcc, "--version"), doing="ask the compiler's version").stdout
    return prefix, text.splitlines()[0]


def why_not_compared(baseline: Baseline, core: str) -> str | None:
    """Figures of one compiler say nothing about those of another."""
    try:
        prefix, version = compiler_of(core)
    except ToolError as error:
        return str(error)
    wanted = baseline["compilers"].get(prefix)
    if wanted in (None, version):
        return None
    return f"the baseline was measured with {wanted}, here is {version}"


def worse(key: str, old: Mapping[str, Any], new: Figures) -> list[str]:
    """Each figure that grew by more than the tolerance, with old and new."""
    lines = []
    for name in CHECKED:
        before, now = old[name], getattr(new, name)
        if now > before * (1 + TOLERANCE):
            change = 100 * (now / before - 1)
            lines.append(f"{key}: {name} {before:,} -> {now:,} (+{change:.1f} %)")
    return lines


def updated(baseline: Baseline, found: Mapping[str, Figures], reason: str) -> Baseline:
    """The baseline with these figures; the reason stands beside those that changed."""
    figures = dict(baseline["figures"])
    for key, new in found.items():
        numbers = asdict(new)
        old = figures.get(key, {})
        if any(old.get(name) != value for name, value in numbers.items()):
            figures[key] = {**numbers, "reason": reason}
    compilers = dict(compiler_of(key.split("/")[0]) for key in found)
    return {
        "compilers": dict(sorted({**baseline["compilers"], **compilers}.items())),
        "figures": dict(sorted(figures.items())),
    }


def write(baseline: Baseline) -> None:
    """One figure a line, so that a diff reads well."""
    figures = [f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in baseline["figures"].items()]
    compilers = json.dumps(baseline["compilers"], indent=4).replace("\n}", "\n  }")
    body = ",\n".join(figures)
    text = f'{{\n  "compilers": {compilers},\n  "figures": {{\n{body}\n  }}\n}}\n'
    PATH.write_text(text, encoding="utf-8")
