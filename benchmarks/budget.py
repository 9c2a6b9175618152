"""Mixed precision by budget: nets into so many bytes of weights, each by one command, and what they still get right.

    python benchmarks/budget.py [NET ...]

Calibrated on one part of the data, measured on the rest with the C that was written, built for this machine. Needs
../shared. Exits with 1 when a goal is missed: weights above their budget, kws below 90 % right.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from nets import DATA, DATASETS, MODELS, need_shared, table

import tinycc_ml
from tinycc_ml import frontends
from tinycc_ml.cli import main as tinyml
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.reference.run import outputs


@dataclass(frozen=True)
class Task:
    """A net and what it is asked for. right: the least part of labels that are to be right."""

    net: str
    options: tuple[str, ...]
    right: float = 0.0

    @property
    def most_bytes(self) -> float:
        """Of weights."""
        asked = dict(zip(self.options[::2], self.options[1::2], strict=True))
        return (
            float(asked["--weights"].removesuffix("K")) * 1024 if "--weights" in asked else np.inf
        )


TASKS = (
    Task("kws", ("--weights", "20K"), 0.9),
    Task("kws", ("--weights", "14K"), 0.9),
    Task("kws", ("--sqnr", "25"), 0.9),
    Task("vww", ("--weights", "64K")),
    Task("vww", ("--weights", "16K")),
)


@dataclass(frozen=True)
class Data:
    """calibration: arrays of the file that calibrates; rest: real inputs [N, ...] to measure on."""

    calibration: dict[str, np.ndarray]
    rest: np.ndarray
    labels: np.ndarray | None


def data_of(net: str) -> Data:
    """The first samples of a net that has labels; of photos, which come in classes, every other one."""
    dataset = DATASETS[net]
    with np.load(DATA / f"{dataset.file}.npz") as file:
        arrays = {name: file[name] for name in file.files}
    inputs, count = arrays["inputs"], len(arrays["inputs"])
    first = range(dataset.first) if dataset.first else range(0, count, 2)
    rest = sorted(set(range(count)) - set(first))
    real = inputs.astype(np.float32)
    if "scale" in arrays:
        real = (real - float(arrays["zero_point"])) * np.float32(arrays["scale"])
        kept = {
            n: a[list(first)] if len(a.shape) and len(a) == count else a for n, a in arrays.items()
        }
        return Data(kept, real[rest], arrays["labels"].ravel()[rest])
    real = real * np.float32(dataset.factor)
    return Data({"inputs": real[list(first)]}, real[rest], None)


def row(
    task: Task, data: Data, real: np.ndarray, folder: Path
) -> tuple[tuple[object, ...], str | None]:
    """The cells of a task, and what it missed."""
    file, out = folder / f"{task.net}.npz", folder / f"{task.net}_{len(list(folder.iterdir()))}"
    np.savez(file, **data.calibration)  # type: ignore[arg-type]
    model = f"../shared/models/{task.net}_float.onnx"
    line = [model, "--calibrate", file.name, *task.options, "-o", out.name]
    print("tinyml-compile", " ".join(line), flush=True)
    start = time.perf_counter()
    full = [
        str(MODELS / f"{task.net}_float.onnx"),
        "--calibrate",
        str(file),
        *task.options,
        "-o",
        str(out),
    ]
    ran = CliRunner().invoke(tinyml, ["compile", *full], catch_exceptions=False)
    seconds = time.perf_counter() - start
    if ran.exit_code:
        sys.exit(ran.stderr)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    made = run_c(out, data.rest)
    found, budget = made.argmax(1), report["accuracy"]["budget"]
    stored = budget["measured"]["weights_bytes"]
    right = None if data.labels is None else float(np.mean(found == data.labels))
    was = None if data.labels is None else float(np.mean(real.argmax(1) == data.labels))
    missed = stored > task.most_bytes or (right is not None and right < task.right)
    cells = (
        task.net, " ".join(task.options), f"{stored:,}", f"{report['totals']['weights_bytes']:,}",
        f"{budget['expected']['sqnr_db']:.1f}", f"{budget['measured']['sqnr_db']:.1f}",
        f"{100 * np.mean(found == real.argmax(1)):.1f}", percent(was), percent(right), f"{seconds:.0f}",
    )  # fmt: skip
    return cells, f"{task.net} {' '.join(task.options)}" if missed else None


def percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:.1f}"


def run_c(folder: Path, inputs: np.ndarray) -> np.ndarray:
    """Real outputs [N, classes] of the C in a folder."""
    model = tinycc_ml.load(folder)
    return next(iter(model.run_all({model.inputs[0].tensor: inputs}).values())).reshape(
        len(inputs), -1
    )


def run_float(net: str, inputs: np.ndarray) -> np.ndarray:
    graph = run_passes(frontends.load(MODELS / f"{net}_float.onnx"), FLOAT)
    (name,) = graph.inputs
    shape = graph.type(name).shape
    made = [next(iter(outputs(graph, {name: x.reshape(shape)}).values())).ravel() for x in inputs]
    return np.stack(made)


def main(names: list[str]) -> int:
    need_shared()
    lines, missed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for net in dict.fromkeys(t.net for t in TASKS if not names or t.net in names):
            data = data_of(net)
            real = run_float(net, data.rest)
            for task in (t for t in TASKS if t.net == net):
                cells, problem = row(task, data, real, Path(folder))
                lines.append(cells)
                missed += [problem] if problem else []
    head = (
        "net", "asked", "weights", "all constants", "expected dB", "held-out dB", "argmax as float %",
        "float right %", "right %", "s",
    )  # fmt: skip
    table("mixed precision by budget; bytes", head, lines)
    print("\n" + (f"missed: {', '.join(missed)}" if missed else "all goals met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
