"""How near int8 comes to the float net, by method: SQNR and right answers, calibrated on one part, measured on the rest.

    python benchmarks/compression.py [NET ...]

The nets of examples/digits are always here; the others need ../shared. Where onnxruntime's quantiser is installed,
it works on the same data in the same run (QDQ, per channel). Exits with 1 when the default misses a goal: where
onnxruntime gives a usable net, 3 dB above the best of its methods on resnet8 and vww, nowhere more than 0.5 dB below it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nets import DATASETS, DIGITS, OWN, family, has_data, path_of, real_inputs, table

from tinycc_ml import frontends
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.choose import quantize_with_best, real_outputs
from tinycc_ml.quant.methods import Methods
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs

SHARED_NETS = ("kws", "resnet8", "vww", "strww", "ad01", "mnist_cnn")
AHEAD = {"resnet8": 3.0, "vww": 3.0}
BEHIND = -0.5
# What is measured; more samples of kws would only take longer
MOST = 300

OFF = {"bias_correction": False, "equalize": False}
METHODS = {
    "min-max, nearest": Methods("min-max", "nearest", **OFF),
    "percentile, nearest": Methods("percentile", "nearest", **OFF),
    "least-error, nearest": Methods("least-error", "nearest", **OFF),
    "entropy, nearest": Methods("entropy", "nearest", **OFF),
    "auto, nearest": Methods("auto", "nearest", **OFF),
    "auto, nearest, bias": Methods("auto", "nearest", True, False),
    "auto, second-order": Methods("auto", "second-order", **OFF),
    "auto, second-order, bias": Methods("auto", "second-order", True, False),
    "auto, equalized": Methods("auto", "nearest", False, True),
    "default": Methods(),
}


@dataclass(frozen=True)
class Problem:
    """Samples [N, ...] in the graph's shape, the first of them to calibrate with."""

    net: str
    path: Path
    graph: Graph
    inputs: np.ndarray
    labels: np.ndarray | None
    first: int

    @property
    def name(self) -> str:
        return self.graph.inputs[0]

    @property
    def rest(self) -> np.ndarray:
        return self.inputs[self.first : self.first + MOST]


def problem(net: str) -> Problem:
    if net in OWN:
        path = DIGITS / f"{net}.onnx"
        with np.load(DIGITS / "digits_calibration.npz") as file:
            inputs = file["inputs"].astype(np.float32) * file["scale"]
            labels = file["labels"]
        first = len(inputs) // 2
    else:
        path = path_of(net)
        inputs, labels = real_inputs(net)
        first = DATASETS[family(net)].first or len(inputs) // 2
    graph = run_passes(frontends.load(path), FLOAT)
    shaped = inputs.reshape(len(inputs), *graph.type(graph.inputs[0]).shape)
    return Problem(net, path, graph, shaped, labels, first)


def ours(given: Problem, methods: Methods) -> np.ndarray:
    made = calibrated(given, methods)
    return _stacked(given, lambda x: real_outputs(made, x))


def calibrated(given: Problem, methods: Methods) -> Graph:
    """The integer graph."""
    samples = {given.name: given.inputs[: given.first]}
    return quantize_with_best(
        given.graph, samples, integer_passes(), fixed={}, methods=methods
    ).graph


def _stacked(given: Problem, run: Callable) -> np.ndarray:
    return np.stack([next(iter(run({given.name: x}).values())).ravel() for x in given.rest])


def theirs(given: Problem) -> Iterator[tuple[str, np.ndarray]]:
    """What onnxruntime's quantiser makes of the same samples; nothing where it is not installed."""
    try:
        from onnxruntime_quantizer import quantised
    except ImportError:
        return
    shape = _model_shape(given)
    calibration = given.inputs[: given.first].reshape(-1, *shape)
    rest = given.rest.reshape(-1, *shape)
    yield from quantised(given.path, calibration, rest)


def _model_shape(given: Problem) -> tuple[int, ...]:
    """Of one sample in the model's own axis order."""
    return given.graph.type(given.name).shape


def rows(given: Problem) -> tuple[list[tuple[object, ...]], str | None]:
    """The rows of a net, and what is wrong with them."""
    real = _stacked(given, lambda x: outputs(given.graph, x))
    found: dict[str, float] = {}
    lines = []
    for name, methods in METHODS.items():
        start = time.perf_counter()
        values = ours(given, methods)
        seconds = f"{time.perf_counter() - start:.1f}"
        found[name] = sqnr_db(real, values)
        lines.append(_cells(given, name, real, values, seconds))
    best = 0.0
    for name, values in theirs(given):
        best = max(best, sqnr_db(real, values))
        lines.append(_cells(given, f"onnxruntime {name}", real, values, ""))
    ahead = found["default"] - best
    missed = best > 0 and ahead < AHEAD.get(given.net, BEHIND)
    return lines, f"{given.net}: {ahead:+.1f} dB against onnxruntime" if missed else None


def _cells(
    given: Problem, name: str, real: np.ndarray, values: np.ndarray, seconds: str
) -> tuple[object, ...]:
    agreement = 100 * float(np.mean(real.argmax(1) == values.argmax(1)))
    labels = None if given.labels is None else given.labels[given.first :][: len(values)]
    right = "-" if labels is None else f"{100 * np.mean(values.argmax(1) == labels):.2f}"
    was = "-" if labels is None else f"{100 * np.mean(real.argmax(1) == labels):.2f}"
    return given.net, name, f"{sqnr_db(real, values):.1f}", f"{agreement:.1f}", was, right, seconds


def main(names: list[str]) -> int:
    present = filter(has_data, SHARED_NETS)
    header = ("net", "method", "SQNR dB", "argmax as float %", "float right %", "int8 right %", "s")
    problems = []
    for net in names or (*OWN, *present):
        lines, missed = rows(problem(net))
        table(f"{net}: int8 from float", header, lines)
        problems += [missed] if missed else []
    print("\n" + ("; ".join(problems) or "all goals met"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
