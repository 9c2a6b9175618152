"""Int8 without data: SQNR and right answers with ranges propagated from that of the input, against calibrated ones.

    python benchmarks/ranges.py [NET ...]

Weights are rounded to nearest in both; `default` is what --calibrate alone gives. The range of the input is that of its
data type or of the whole data; `moments` adds mean and standard deviation of the part that calibrates the others, as a user
might know them. All are measured on the rest of the data. Exits with 1 where the
range alone gives less than 15 dB, or 5 points fewer right answers than the float net.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from compression import SHARED_NETS, Problem, ours, problem
from nets import OWN, has_data, table

from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import integer_passes
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


def ways(given: Problem) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """A name, and the outputs on the rest of the data."""
    first = given.inputs[: given.first]
    ends = float(given.inputs.min()), float(given.inputs.max())
    yield "range", partial(without_data, given, InputRange(*ends))
    known = InputRange(*ends, float(first.mean()), float(first.std()))
    yield "range and moments", partial(without_data, given, known)
    yield "calibrated, min-max", partial(ours, given, CALIBRATED)
    yield "calibrated, default", partial(ours, given, Methods())


def without_data(given: Problem, known: InputRange) -> np.ndarray:
    samples, ranges = drawn_samples(given.graph, {given.name: known})
    made = quantize_without_data(
        given.graph, samples, ranges, integer_passes(), schemes=Assignment()
    )
    return on_rest(given, real_outputs, made.graph)


def on_rest(
    given: Problem, run: Callable[[Graph, Mapping[str, np.ndarray]], Mapping], graph: Graph
) -> np.ndarray:
    return np.stack([next(iter(run(graph, {given.name: x}).values())).ravel() for x in given.rest])


def rows(given: Problem) -> Iterator[tuple[tuple[object, ...], bool]]:
    """The cells of each way, and whether they meet the goal."""
    real = on_rest(given, outputs, given.graph)
    labels = None if given.labels is None else given.labels[given.first :][: len(real)]
    best = _right(real, labels)
    for name, run in ways(given):
        values = run()
        sqnr, right = sqnr_db(real, values), _right(values, labels)
        agree = 100 * float(np.mean(values.argmax(1) == real.argmax(1)))
        shown = [f"{sqnr:.1f}", f"{agree:.1f}", *("-" if r is None else f"{r:.1f}" for r in (best, right))]  # fmt: skip
        met = sqnr >= LEAST_SQNR and (best is None or right is None or best - right <= MOST_LOST)
        yield (given.net, name, *shown), met


def _right(values: np.ndarray, labels: np.ndarray | None) -> float | None:
    return None if labels is None else 100 * float(np.mean(values.argmax(1) == labels))


def main(names: list[str]) -> int:
    nets = names or (*OWN, *filter(has_data, SHARED_NETS))
    header = ("net", "ranges from", "SQNR dB", "argmax as float %", "float right %", "int8 right %")
    missed = []
    for net in nets:
        found = list(rows(problem(net)))
        table(f"{net}: int8", header, [cells for cells, _ in found])
        missed += [net] if not found[0][1] else []
    print("\n" + (f"goal missed: {', '.join(missed)}" if missed else "all goals met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
