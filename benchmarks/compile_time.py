"""Compile time of the command line without verification: whole process, best of five; and sizes of the C.

Processor seconds of the process and its children, so that what else runs on the machine counts little; Python's
bytecode is cached, as it is where the tool is installed.

    python benchmarks/compile_time.py

Exits with 1 when a goal is missed. Times are of this machine; on a loaded one run it again.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from mixed_graph import CHANNELS, SIZE, mixed_graph
from nets import DATA, MODELS, table

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
    """Processor time, best of RUNS."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    best = float("inf")
    for _ in range(RUNS):
        before = _processor_time()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        best = min(best, _processor_time() - before)
    return best


def _processor_time() -> float:
    """Of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compile_command(model: Path, out: Path, *more: str) -> list[str]:
    return [_TOOL, "compile", str(model), "-o", str(out), "--no-verify", "-q", *more]


def row(
    what: str, taken: float, goal: float, unit: int | None = None, most: float | None = None
) -> tuple[object, ...]:
    """unit: bytes of the weights unit, most: the goal for them."""
    met = taken <= goal and (unit is None or most is None or unit <= most)
    size = "-" if unit is None else f"{unit / 1e6:.2f}"
    return (what, f"{taken:.2f}", goal, size, most or "-", "yes" if met else "NO")


def main() -> int:
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        rows += _mixed(scratch)
        if MODELS.is_dir():
            rows += [_shared(scratch, model) for model in GOALS]
            rows += [_calibrated(scratch), _choice()]
    rows.append(row("tinyml --help", seconds([_TOOL, "--help"]), 0.4))
    table("Compile time", ("what", "seconds", "goal", "weights unit MB", "goal", "met"), rows)
    return 0 if all(entry[-1] == "yes" for entry in rows) else 1


def _mixed(scratch: Path) -> list[tuple[object, ...]]:
    """A graph of 300 nodes of all kinds, for a core with many candidates, as float and as int8."""
    model, data = scratch / "mixed.onnx", scratch / "mixed.npz"
    onnx.save(mixed_graph(300), model)
    np.savez(data, input=np.random.default_rng(1).normal(size=(16, 1, CHANNELS, SIZE, SIZE)))
    ways = {"float": (), "int8, 16 samples": ("--calibrate", str(data))}
    return [
        row(
            f"300 mixed nodes, {way}",
            seconds(compile_command(model, scratch / "mixed", "--target", "cortex-m4", *more)),
            5.0,
        )
        for way, more in ways.items()
    ]


def _shared(scratch: Path, model: str) -> tuple[object, ...]:
    (goal, most), out = GOALS[model], scratch / model
    taken = seconds(compile_command(MODELS / f"{model}.onnx", out))
    return row(model, taken, goal, (out / f"{model}_weights.c").stat().st_size, most)


def _choice() -> tuple[object, ...]:
    """Planning and choice alone, for the net and core with the most candidates."""
    graph = compile(MODELS / "vww_int8qdq.onnx").graph
    target, best = load_target("cortex-m4"), float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        choose(graph, target, optimize="speed")
        best = min(best, time.process_time() - start)
    return row("vww: choice, cortex-m4", best, 2.0)


def _calibrated(scratch: Path) -> tuple[object, ...]:
    """vww_float with 100 photos as raw pixels."""
    data = scratch / "photos.npz"
    with np.load(DATA / "photos_96x96x3.npz") as file:
        np.savez(data, inputs=file["inputs"])
    more = ("--calibrate", str(data), "--input-scale", "0.00392156862745098")
    command = compile_command(MODELS / "vww_float.onnx", scratch / "vww_calibrated", *more)
    return row("vww_float, 100 photos", seconds(command), 15.0)


if __name__ == "__main__":
    sys.exit(main())
