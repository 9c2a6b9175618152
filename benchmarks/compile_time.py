"""Compile time of the command line without verification: whole process, best of five; and sizes of the C.

    python benchmarks/compile_time.py

Exits with 1 when a goal is missed. Times are of this machine; on a loaded one run it again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nets import DATA, MODELS, need_shared, table

from tinycc_ml.backend.choose import choose
from tinycc_ml.backend.target import load_target
from tinycc_ml.compiler import compile

# seconds, and bytes of the weights unit
GOALS = {
    "vww_int8qdq": (3.0, 1.2e6),
    "vww_float": (3.0, 3.5e6),
    "kws_int8qdq": (1.5, None),
    "kws_float": (1.5, None),
}
RUNS = 5
_TOOL = shutil.which("tinyml") or "tinyml"


def seconds(command: Sequence[str]) -> float:
    """Best of RUNS."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def compile_command(model: str, out: Path, *more: str) -> list[str]:
    tool = [_TOOL, "compile"]
    return [*tool, str(MODELS / f"{model}.onnx"), "-o", str(out), "--no-verify", "-q", *more]


def main() -> int:
    need_shared()
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for model, (goal, most) in GOALS.items():
            out = Path(scratch) / model
            taken = seconds(compile_command(model, out))
            unit = (out / f"{model}_weights.c").stat().st_size
            met = taken <= goal and (most is None or unit <= most)
            rows.append(
                (
                    model,
                    f"{taken:.2f}",
                    goal,
                    f"{unit / 1e6:.2f}",
                    most or "-",
                    "yes" if met else "NO",
                )
            )
        rows.append(_calibrated(Path(scratch)))
    rows.append(_choice())
    help_taken = seconds([_TOOL, "--help"])
    rows.append(
        ("tinyml --help", f"{help_taken:.2f}", 0.4, "-", "-", "yes" if help_taken <= 0.4 else "NO")
    )
    table("Compile time", ("what", "seconds", "goal", "weights unit MB", "goal", "met"), rows)
    return 0 if all(row[-1] == "yes" for row in rows) else 1


def _choice() -> tuple[object, ...]:
    """Planning and choice alone, for the net and core with the most candidates."""
    graph = compile(MODELS / "vww_int8qdq.onnx").graph
    target, best = load_target("cortex-m4"), float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        choose(graph, target, optimize="speed")
        best = min(best, time.perf_counter() - start)
    return ("vww: choice, cortex-m4", f"{best:.2f}", 2.0, "-", "-", "yes" if best <= 2 else "NO")


def _calibrated(scratch: Path) -> tuple[object, ...]:
    """vww_float with 100 photos as raw pixels."""
    data = scratch / "photos.npz"
    with np.load(DATA / "photos_96x96x3.npz") as file:
        np.savez(data, inputs=file["inputs"])
    more = ("--calibrate", str(data), "--input-scale", "0.00392156862745098")
    taken = seconds(compile_command("vww_float", scratch / "vww_calibrated", *more))
    return ("vww_float, 100 photos", f"{taken:.2f}", 15.0, "-", "-", "yes" if taken <= 15 else "NO")


if __name__ == "__main__":
    sys.exit(main())
