"""int8 from float: how much the numbers change. Calibrated on the first part of the data, measured on the rest.

    python benchmarks/accuracy.py

Exits with 1 when a figure misses its goal.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from nets import DATASETS, MODELS, need_shared, real_inputs, table

from tinycc_ml import frontends
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.choose import quantize_with_best, real_outputs
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs


@dataclass(frozen=True)
class Goal:
    """The least SQNR in dB, argmax agreement in %, and accuracy in % that a net must keep."""

    sqnr: float | None = None
    agreement: float | None = None
    accuracy: float | None = None


GOALS = {
    "kws": Goal(accuracy=91.2),
    "strww": Goal(sqnr=40.0, accuracy=91.1),
    "resnet8": Goal(sqnr=20.0, agreement=97.0),
    "vww": Goal(sqnr=29.0, agreement=99.0),
    "ad01": Goal(sqnr=35.0),
}


def evaluate(net: str) -> tuple[tuple[object, ...], bool]:
    """One row of the table, and whether the goal is met."""
    graph = run_passes(frontends.load(MODELS / f"{net}_float.onnx"), FLOAT)
    inputs, labels = real_inputs(net)
    (name,) = graph.inputs
    first = DATASETS[net].first or len(inputs) // 2
    shaped = inputs.reshape(len(inputs), *graph.type(name).shape)
    made = quantize_with_best(graph, {name: shaped[:first]}, integer_passes(), fixed={})
    # strww has 45 samples: its accuracy is over all of them
    start = 0 if net == "strww" else first
    real = np.stack(
        [next(iter(outputs(graph, {name: x}).values())).ravel() for x in shaped[start:]]
    )
    integer = np.stack(
        [next(iter(real_outputs(made.graph, {name: x}).values())).ravel() for x in shaped[start:]]
    )
    return _row(
        net,
        made.accuracy.ranges,
        real,
        integer,
        first - start,
        None if labels is None else labels[start:],
    )


def _row(
    net: str,
    ranges: str,
    real: np.ndarray,
    integer: np.ndarray,
    rest: int,
    labels: np.ndarray | None,
) -> tuple[tuple[object, ...], bool]:
    goal = GOALS[net]
    sqnr = sqnr_db(real[rest:], integer[rest:])
    agreement = 100 * float(np.mean(real[rest:].argmax(1) == integer[rest:].argmax(1)))
    accuracy = right(real, labels), right(integer, labels)
    met = (
        (goal.sqnr is None or sqnr >= goal.sqnr)
        and (goal.agreement is None or agreement >= goal.agreement)
        and (goal.accuracy is None or round(accuracy[1] or 0, 1) >= goal.accuracy)
    )
    wanted = ", ".join(f"{k} {v}" for k, v in vars(goal).items() if v is not None)
    cells = (
        net,
        ranges,
        f"{sqnr:.1f}",
        f"{agreement:.1f}",
        *map(percent, accuracy),
        wanted,
        "yes" if met else "NO",
    )
    return cells, met


def right(values: np.ndarray, labels: np.ndarray | None) -> float | None:
    return None if labels is None else 100 * float(np.mean(values.argmax(1) == labels))


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> int:
    need_shared()
    found = [evaluate(net) for net in GOALS]
    header = (
        "net",
        "ranges",
        "SQNR dB",
        "argmax as float %",
        "float right %",
        "int8 right %",
        "goal",
        "met",
    )
    table("int8 from float, default settings", header, [row for row, _ in found])
    return 0 if all(met for _, met in found) else 1


if __name__ == "__main__":
    sys.exit(main())
