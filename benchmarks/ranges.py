"""Int8 without data: SQNR and right answers with ranges propagated from that of the input, against calibrated ones.

    python benchmarks/ranges.py [NET ...]

Weights are rounded to nearest in both; `default` is what --calibrate alone gives. The range of the input is that of its
data type or of the whole data; `moments` adds mean and standard deviation of the part that calibrates the others, as a user
might know them; `batch norm` puts back the batch norms that the exported nets have lost, with statistics of the same part,
as training leaves them (batch_norm.py); both also with a range that is said to be four times as wide. All are measured on
the rest of the data, SQNR at the output and in front of a last softmax, which hides errors or blows them up. Exits with 1 where the range alone gives less than 15 dB, or 5 points fewer
right answers than the float net, and where batch norm's statistics cost more than 3 dB in front of the softmax.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import onnx
from batch_norm import with_batch_norms
from compression import SHARED_NETS, Problem, calibrated, problem
from nets import OWN, has_data, table

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.choose import real_outputs
from tinycc_ml.quant.draw import InputRange
from tinycc_ml.quant.methods import Methods
from tinycc_ml.quant.scheme import Assignment
from tinycc_ml.quant.without_data import drawn_samples, quantize_without_data
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs

CALIBRATED = Methods("min-max", "nearest", bias_correction=False, equalize=False)
LEAST_SQNR = 15.0
MOST_LOST = 5.0
MOST_LOST_BY_STATISTICS = 3.0
# Where one knows no more than what a sensor could give at most
TIMES = 4
RANGE, DEFAULT = "range", "calibrated, default"
WITHOUT_DATA = RANGE, f"range, {TIMES} times too wide", "range and moments"


@dataclass(frozen=True)
class Values:
    """Outputs [samples, values], and what a last softmax reads; without one, the outputs."""

    outputs: np.ndarray
    logits: np.ndarray


def ways(given: Problem) -> Iterator[tuple[str, Callable[[], Graph]]]:
    """A name, and the integer graph."""
    first, trained = given.inputs[: given.first], with_statistics(given)
    ends = float(given.inputs.min()), float(given.inputs.max())
    alone = InputRange(*ends)
    loose = InputRange(*(TIMES * end for end in ends))
    known = InputRange(*ends, float(first.mean()), float(first.std()))
    for name, said in zip(WITHOUT_DATA, (alone, loose, known), strict=True):
        yield name, partial(without_data, given, said)
        yield trained_name(name), partial(without_data, trained, said)
    yield "calibrated, min-max", partial(calibrated, given, CALIBRATED)
    yield DEFAULT, partial(calibrated, given, Methods())


def trained_name(way: str) -> str:
    return f"{way}, batch norm"


def with_statistics(given: Problem) -> Problem:
    """The net with batch norms, which are folded again and leave their statistics."""
    proto = with_batch_norms(onnx.load(given.path), given.inputs[: given.first])
    return replace(given, graph=run_passes(load(proto), FLOAT))


def without_data(given: Problem, known: InputRange) -> Graph:
    samples, ranges = drawn_samples(given.graph, {given.name: known})
    return quantize_without_data(
        given.graph, samples, ranges, integer_passes(), schemes=Assignment()
    ).graph


def on_rest(
    given: Problem, run: Callable[[Graph, Mapping[str, np.ndarray]], Mapping], graph: Graph
) -> Values:
    """run: of outputs by name, for a sample."""
    names = graph.outputs[0], before_softmax(graph)
    shown = replace(graph, outputs=names)
    found = [run(shown, {given.name: x}) for x in given.rest]
    return Values(*(np.stack([values[name].ravel() for values in found]) for name in names))


def before_softmax(graph: Graph) -> str:
    maker = graph.producers[graph.outputs[0]]
    return maker.inputs[0] if maker.op == "softmax" else graph.outputs[0]


def rows(given: Problem) -> Iterator[tuple[tuple[object, ...], float, bool]]:
    """The cells of each way, SQNR in front of the softmax, and whether they meet the goal."""
    real = on_rest(given, outputs, given.graph)
    labels = None if given.labels is None else given.labels[given.first :][: len(real.outputs)]
    best = _right(real.outputs, labels)
    for name, made in ways(given):
        found = on_rest(given, real_outputs, made())
        right = _right(found.outputs, labels)
        sqnr, inner = sqnr_db(real.outputs, found.outputs), sqnr_db(real.logits, found.logits)
        agree = 100 * float(np.mean(found.outputs.argmax(1) == real.outputs.argmax(1)))
        # what is fitted to the softmax may cut off what that does not heed
        before = "-" if name == DEFAULT else f"{inner:.1f}"
        shown = [f"{sqnr:.1f}", before, f"{agree:.1f}", *("-" if r is None else f"{r:.1f}" for r in (best, right))]  # fmt: skip
        met = sqnr >= LEAST_SQNR and (best is None or right is None or best - right <= MOST_LOST)
        yield (given.net, name, *shown), inner, met


def _right(values: np.ndarray, labels: np.ndarray | None) -> float | None:
    return None if labels is None else 100 * float(np.mean(values.argmax(1) == labels))


def main(names: list[str]) -> int:
    nets = names or (*OWN, *filter(has_data, SHARED_NETS))
    header = ("net", "ranges from", "SQNR dB", "before softmax dB", "argmax as float %", "float right %", "int8 right %")  # fmt: skip
    missed: list[str] = []
    gained: dict[str, list[float]] = {name: [] for name in WITHOUT_DATA}
    for net in nets:
        found = list(rows(problem(net)))
        table(f"{net}: int8", header, [cells for cells, _, _ in found])
        inner = {cells[1]: db for cells, db, _ in found}
        for name, differences in gained.items():
            differences.append(inner[trained_name(name)] - inner[name])
        met = found[0][2] and gained[RANGE][-1] >= -MOST_LOST_BY_STATISTICS
        missed += [] if met else [net]
    lines = [(name, f"{np.mean(dbs):+.1f}", f"{min(dbs):+.1f}", f"{max(dbs):+.1f}") for name, dbs in gained.items()]  # fmt: skip
    table("batch norm's statistics: dB before softmax", ("ranges from", "mean", "least", "most"), lines)  # fmt: skip
    print("\n" + (f"goal missed: {', '.join(missed)}" if missed else "all goals met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
