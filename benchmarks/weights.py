"""Weights of fewer levels: what a scheme saves in flash, costs in cycles, and does to the results.

    python benchmarks/weights.py [--net kws ...] [--scheme int4 ...] [--no-cycles]

Calibrated on the first part of the data, measured on the rest, as benchmarks/accuracy.py does. Bytes are all
constants of the net, as few as kernels can do with; cycles are those of a choice within a tenth of that
and the code it takes, verified on the core. Exits with 1 when int4 misses a goal: the least percentage of right answers or, where there
are no labels, of answers as the float net's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from accuracy import percent, right
from compression import SHARED_NETS, problem
from nets import OWN, Net, has_data, table

import tinycc_ml
from tinycc_ml.backend.candidates import code_bytes, options_of
from tinycc_ml.backend.choose import choose
from tinycc_ml.backend.search import Limits
from tinycc_ml.backend.target import load_target
from tinycc_ml.backend.weights import fewest_weights_bytes
from tinycc_ml.compiler import Compiled, Options, compile
from tinycc_ml.ir.graph import Graph
from tinycc_ml.quant.choose import real_outputs
from tinycc_ml.quant.scheme import SCHEMES
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs
from tinycc_ml.toolchain.verify_dir import verify_dir

NETS = (*OWN, *filter(has_data, SHARED_NETS))
CORES = ("cortex-m4", "cortex-m0plus")
GOALS = {"kws": 90.0, "strww": 90.0, "resnet8": 90.0, "vww": 96.0}
_SLACK = 1.1  # constants that a choice may take where cycles are counted, over the fewest


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", nargs="+", default=list(NETS), choices=NETS)
    parser.add_argument("--scheme", nargs="+", default=list(SCHEMES), choices=list(SCHEMES))
    parser.add_argument("--no-cycles", action="store_true")
    given = parser.parse_args()
    missed = []
    for net in given.net:
        header = (
            "scheme",
            "weights",
            *(f"cycles {c}" for c in CORES),
            "SQNR dB",
            "argmax as float %",
            "right %",
        )
        cores = () if given.no_cycles else CORES
        rows = rows_of(net, given.scheme, cores)
        table(net, header, rows)
        missed += [net for row in rows if row[0] == "int4" and _answers(row) < GOALS.get(net, 0.0)]
    print("\n" + (f"int4 misses its goal: {', '.join(missed)}" if missed else "all goals met"))
    return 1 if missed else 0


def _answers(row: tuple[object, ...]) -> float:
    """Right ones of a row in percent or, without labels, those as the float net's."""
    agreement, right = row[-2:]
    return float(str(agreement if right == "-" else right))


def rows_of(net: str, schemes: list[str], cores: tuple[str, ...]) -> list[tuple[object, ...]]:
    given = problem(net)
    rest, real = (
        given.rest,
        np.stack([_one(outputs(given.graph, {given.name: x})) for x in given.rest]),
    )
    truth = None if given.labels is None else given.labels[given.first :][: len(rest)]
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as folder:
        samples = Path(folder) / "samples.npz"
        np.savez(samples, **{given.name: given.inputs[: given.first]})
        made = Net(net, given.path, net, samples)
        return [_row(made, scheme, rest, real, truth, cores) for scheme in schemes]


def _row(
    net: Net, scheme: str, rest: np.ndarray, real: np.ndarray, truth: np.ndarray | None, cores: tuple[str, ...]
) -> tuple[object, ...]:  # fmt: skip
    made = compile(net.path, "host", net.calibrate, Options(quantize=scheme))
    integer = results(made.graph, rest)
    agreement = 100 * float(np.mean(real.argmax(1) == integer.argmax(1)))
    cycles = [f"{counted(net, scheme, made, core):,}" for core in cores]
    return (
        scheme,
        f"{least_bytes(made):,}",
        *(cycles or ["-"] * len(CORES)),
        f"{sqnr_db(real, integer):.1f}",
        f"{agreement:.1f}",
        percent(right(integer, truth)),
    )


def results(graph: Graph, samples: np.ndarray) -> np.ndarray:
    """Of an integer graph, as real numbers, flat."""
    (name,) = graph.inputs
    return np.stack([_one(real_outputs(graph, {name: x})) for x in samples])


def _one(made: dict[str, np.ndarray]) -> np.ndarray:
    return next(iter(made.values())).ravel()


def least_bytes(made: Compiled, core: str = "host") -> int:
    """The fewest bytes of constants that a choice for a core can do with, as far as kernels say."""
    target, graph = load_target(core), made.graph
    nodes = [n for n in graph.nodes if n.name in made.plan.options]
    given = (options_of(graph, n, target).candidates for n in nodes)
    return sum(min(c.flash_bytes for c in candidates) for candidates in given)


def _code_bytes(made: Compiled, core: str) -> int:
    """Of a choice whose weights take the fewest bytes."""
    target = load_target(core)
    fewest = sum(fewest_weights_bytes(made.graph, target, "balanced").values())
    return code_bytes(choose(made.graph, target, limits=Limits(weights=fewest)).chosen.values())


def counted(net: Net, scheme: str, made: Compiled, core: str) -> int:
    """Cycles of the shipped C with these constants, which is verified, too."""
    target = load_target(core)
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as folder:
        tinycc_ml.compile(
            net.path, Path(folder) / "out", target=core, calibrate=net.calibrate, quantize=scheme,
            flash=_SLACK * least_bytes(made, core) + _code_bytes(made, core), verify=False,
        )  # fmt: skip
        return verify_dir(Path(folder) / "out", target)[1].cycles or 0


if __name__ == "__main__":
    sys.exit(main())
