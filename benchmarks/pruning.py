"""Pruning without retraining: every method on every net, pruned on one half of the data, judged on the other.

    python benchmarks/pruning.py [NET ...] [--figures]

Prints SQNR of the pruned float net's outputs, argmax agreement, and accuracy where there are labels. --figures: flash
and cycles of the int8 net on cortex-m4 and cortex-m0plus too, beside those of the net with all its weights.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import Case, measure
from nets import Net, has_data, path_of, real_inputs, table

from tinycc_ml import frontends
from tinycc_ml.compiler import Options
from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes import FLOAT, run_passes
from tinycc_ml.pruning.prune import METHODS, Pruning, prune
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import run_all

NETS = ("kws", "resnet8", "vww", "strww", "ad01", "digits_mlp", "digits_cnn", "mnist_cnn")
# Pattern and part
ASKED = (("single", 0.3), ("single", 0.5), ("2:4", 0.5), ("channels", 0.3))
CORES = ("cortex-m4", "cortex-m0plus")
# Samples that are looked at, of either half
_MOST = 150


@dataclass(frozen=True)
class Halves:
    """A float net, inputs to prune on and others to judge by, and the labels of the latter."""

    name: str
    graph: Graph
    seen: dict[str, np.ndarray]
    others: dict[str, np.ndarray]
    labels: np.ndarray | None


def halves(name: str) -> Halves:
    graph = run_passes(frontends.load(path_of(name)), FLOAT)
    inputs, labels = real_inputs(name)
    (port,) = graph.inputs
    shaped = inputs.reshape(len(inputs), *graph.type(port).shape)
    order = np.random.default_rng(1).permutation(len(shaped))
    first, second = np.array_split(order, 2)
    first, second = first[:_MOST], second[:_MOST]
    return Halves(
        name, graph, {port: shaped[first]}, {port: shaped[second]}, None if labels is None else labels[second],
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """Of a pruned net's outputs; `right` in %."""

    sqnr: float
    agreement: float
    right: float | None


def judged(of: Halves, made: Graph, real: np.ndarray) -> Judged:
    found = first_outputs(made, of.others)
    same = 100 * float(np.mean(real.argmax(1) == found.argmax(1)))
    right = None if of.labels is None else 100 * float(np.mean(found.argmax(1) == of.labels))
    return Judged(sqnr_db(real, found), same, right)


def first_outputs(graph: Graph, samples: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([next(iter(out.values())).ravel() for out in run_all(graph, samples)])


def asked_of() -> Iterator[Pruning]:
    for pattern, ratio in ASKED:
        for method in METHODS:
            for scope in ("tensor", "global") if ":" not in pattern else ("tensor",):
                yield Pruning(ratio, scope, method, pattern)


def rows_of(of: Halves) -> Iterator[tuple[object, ...]]:
    real = first_outputs(of.graph, of.others)
    for asked in asked_of():
        made, _ = prune(of.graph, asked, of.seen)
        got = judged(of, made, real)
        right = "-" if got.right is None else f"{got.right:.1f}"
        yield (
            of.name, asked.pattern, f"{asked.ratio:.0%}", asked.method, asked.scope,
            f"{got.sqnr:.1f}", f"{got.agreement:.1f}", right,
        )  # fmt: skip


def figures_of(of: Halves) -> Iterator[tuple[object, ...]]:
    """Flash and cycles of the int8 net, without pruning and with the best method, both scopes."""
    wanted = [
        Pruning(),
        *(a for a in asked_of() if a.method == "reconstruct" and a.scope == "tensor"),
    ]
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as scratch:
        data = Path(scratch) / "samples.npz"
        np.savez(data, **of.seen)  # type: ignore[arg-type]
        for asked in wanted:
            options = Options(
                prune=asked.ratio, prune_scope=asked.scope, prune_method=asked.method, prune_pattern=asked.pattern,
            )  # fmt: skip
            net = Net(of.name, path_of(of.name), of.name, data)
            got = [measure(Case(net, core, "size"), options) for core in CORES]
            what = asked.pattern if asked.wanted else "all weights"
            cells = [c for f in got for c in (f"{f.flash:,}", f"{f.constants:,}", f"{f.cycles:,}")]
            yield (of.name, what, f"{asked.ratio:.0%}" if asked.wanted else "", *cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*", default=NETS)
    parser.add_argument("--figures", action="store_true")
    asked = parser.parse_args()
    found = [halves(name) for name in asked.nets if has_data(name)]
    head = ("net", "pattern", "part", "method", "scope", "SQNR dB", "argmax %", "right %")
    for of in found:
        table(f"{of.name}, pruned without retraining", head, list(rows_of(of)))
    if asked.figures:
        sizes = [f"{core} {what}" for core in CORES for what in ("flash", "constants", "cycles")]
        rows = [row for of in found for row in figures_of(of)]
        table("int8, --optimize size", ("net", "pattern", "part", *sizes), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
