"""Integer schemes: SQNR at the output and accuracy by net. Calibrated on the first part of the data, measured on the rest.

    python benchmarks/schemes.py [--nets kws ad01] [--schemes int8 int16x8 ...]

`weights alone`: the same integer weights with float activations, what a scheme could reach. Exits with 1 when a
figure misses its goal: int16x8 within 1 dB of its weights alone, int16x16 65 dB, kws right at more than 90.5 %
with int8-pow2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from compression import SHARED_NETS, problem
from nets import OWN, has_data, table

from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import integer_passes, run_passes
from tinycc_ml.quant.choose import real_outputs
from tinycc_ml.quant.methods import Methods
from tinycc_ml.quant.quantize import marked
from tinycc_ml.quant.scheme import SCHEMES, assignment
from tinycc_ml.quant.trials import Best, best
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs

NETS = (*OWN, *filter(has_data, SHARED_NETS))
LEAST_SQNR = 65.0
NEAR = 1.0
LEAST_RIGHT = 90.5
# Without search, so that schemes differ by their integers alone
PLAIN = Methods("min-max", "nearest", False, False)


def evaluate(net: str, schemes: Sequence[str], most: int) -> tuple[list[tuple[object, ...]], bool]:
    """The rows of a net, and whether all goals are met."""
    given = problem(net)
    graph, name, first, shaped, labels = (
        given.graph,
        given.name,
        given.first,
        given.inputs,
        given.labels,
    )
    rest = slice(first, first + most)
    real = _outputs(graph, shaped[rest])
    rows, met = [], True
    for scheme in schemes:
        methods = PLAIN if "16" in scheme else Methods()
        made = best(graph, {name: shaped[:first]}, assignment(graph, scheme, {}), {}, methods)
        integer = run_passes(
            marked(made.judge.graph, made.rounding.types, made.rounding.layers), integer_passes()
        )
        found, exact = _real(integer, shaped[rest]), _outputs(_weights_alone(made), shaped[rest])
        sqnr, alone = sqnr_db(real, found), sqnr_db(real, exact)
        right = None if labels is None else _right(found, labels[rest])
        good = _goal(net, scheme, sqnr, alone, right)
        rows.append(
            (net, scheme, f"{sqnr:.1f}", f"{alone:.1f}", _percent(right), "yes" if good else "NO")
        )
        met &= good
    return rows, met


def _goal(net: str, scheme: str, sqnr: float, alone: float, right: float | None) -> bool:
    if scheme == "int16x8":
        return sqnr >= alone - NEAR
    if scheme == "int16x16":
        return sqnr >= LEAST_SQNR
    return not (scheme == "int8-pow2" and net == "kws") or (right or 0.0) > LEAST_RIGHT


def _weights_alone(made: Best) -> Graph:
    """The float graph with the constants that the integers stand for."""
    return run_passes(
        marked(made.judge.graph, {}, made.rounding.layers), integer_passes(io_type="float")
    )


def _outputs(graph: Graph, samples: np.ndarray) -> np.ndarray:
    (name,) = graph.inputs
    return np.stack([next(iter(outputs(graph, {name: x}).values())).ravel() for x in samples])


def _real(graph: Graph, samples: np.ndarray) -> np.ndarray:
    (name,) = graph.inputs
    return np.stack([_first(real_outputs(graph, {name: x})) for x in samples])


def _first(values: Mapping[str, np.ndarray]) -> np.ndarray:
    return next(iter(values.values())).ravel()


def _right(values: np.ndarray, labels: np.ndarray) -> float:
    return 100 * float(np.mean(values.argmax(1) == labels))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", nargs="*", default=NETS)
    parser.add_argument(
        "--schemes", nargs="*", default=("int8", "int8-pow2", "int16x8", "int16x16")
    )
    parser.add_argument("--samples", type=int, default=1000, help="how many at most to measure on")
    asked = parser.parse_args()
    unknown = set(asked.schemes) - set(SCHEMES)
    if unknown:
        parser.error(f"no scheme {', '.join(sorted(unknown))}; there are {', '.join(SCHEMES)}")
    rows, good = [], True
    for net in asked.nets:
        made, met = evaluate(net, asked.schemes, asked.samples)
        rows += made
        good &= met
    header = ("net", "scheme", "SQNR dB", "weights alone dB", "right %", "goal met")
    table("integer schemes from float", header, rows)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
