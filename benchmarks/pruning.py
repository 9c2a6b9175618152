"""Pruning without retraining: every method on every net, pruned on some of the data, judged on others.

    python benchmarks/pruning.py [NET ...] [--figures]

Prints SQNR of the pruned float net's outputs, argmax agreement, and accuracy where there are labels. --figures:
instead, flash and cycles of the int8 net on cortex-m4 and cortex-m0plus, beside those of the net with all its weights.
Exits with 1 when a goal is missed: reconstruct nowhere more than 0.2 dB below Wanda, on all nets but two 5 dB above magnitude at its
best, and mnist_cnn with half of its weights within half a point of what it was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from measure import Case, measure
from nets import DATASETS, Net, family, has_data, known_inputs, path_of, table

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
# Samples to prune on, and to judge by, at most
SEEN = 150
OTHERS = 300
# For figures of flash and cycles
FEW = 16
# Goals, in dB and in points
BEHIND_WANDA = 0.2
AHEAD_OF_MAGNITUDE = 5.0
NETS_NOT_AHEAD = 2
LOST = 0.5
# Above, the outputs differ by the rounding of float32 alone
_SAME_DB = 100.0


@dataclass(frozen=True)
class Task:
    """A float net, inputs to prune on and others to judge by, and the labels of the latter."""

    name: str
    graph: Graph
    seen: dict[str, np.ndarray]
    others: dict[str, np.ndarray]
    labels: np.ndarray | None


def task(name: str) -> Task:
    """One half of the samples to prune on, the other to judge by; where the net is known to be trained on some
    of them, those to prune on, the rest to judge by."""
    graph = run_passes(frontends.load(path_of(name)), FLOAT)
    inputs, labels = known_inputs(name)
    (port,) = graph.inputs
    shaped = inputs.reshape(len(inputs), *graph.type(port).shape)
    order = np.random.default_rng(1).permutation(len(shaped))
    last = DATASETS[family(name)].last
    trained = order < len(shaped) - last if last else np.arange(len(order)) < len(order) / 2
    first, second = order[trained][:SEEN], order[~trained][:OTHERS]
    return Task(
        name, graph, {port: shaped[first]}, {port: shaped[second]}, None if labels is None else labels[second],
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """Of a pruned net's outputs; `right` in %."""

    net: str
    asked: Pruning
    sqnr: float
    agreement: float
    right: float | None
    seconds: float = 0.0

    @property
    def same_db(self) -> float:
        return min(self.sqnr, _SAME_DB)


def judged(of: Task, asked: Pruning, real: np.ndarray) -> Judged:
    start = time.perf_counter()
    made, _ = prune(of.graph, asked, of.seen)
    seconds = time.perf_counter() - start
    found = first_outputs(made, of.others)
    same = 100 * float(np.mean(real.argmax(1) == found.argmax(1)))
    return Judged(of.name, asked, sqnr_db(real, found), same, right_of(of, found), seconds)


def right_of(of: Task, found: np.ndarray) -> float | None:
    return None if of.labels is None else 100 * float(np.mean(found.argmax(1) == of.labels))


def first_outputs(graph: Graph, samples: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([next(iter(out.values())).ravel() for out in run_all(graph, samples)])


def asked_of() -> Iterator[Pruning]:
    for pattern, ratio in ASKED:
        for method in METHODS:
            for scope in ("tensor", "global") if ":" not in pattern else ("tensor",):
                yield Pruning(ratio, scope, method, pattern)


def all_judged(of: Task) -> list[Judged]:
    """The net with all its weights first."""
    real = first_outputs(of.graph, of.others)
    whole = Judged(of.name, Pruning(), float("inf"), 100.0, right_of(of, real))
    return [whole, *(judged(of, asked, real) for asked in asked_of())]


def cells(got: Judged) -> tuple[object, ...]:
    asked, right = got.asked, "-" if got.right is None else f"{got.right:.1f}"
    if not asked.wanted:
        return got.net, "all weights", "", "", "", "", "", right, ""
    return (
        got.net, asked.pattern, f"{asked.ratio:.0%}", asked.method, asked.scope, f"{got.sqnr:.1f}",
        f"{got.agreement:.1f}", right, f"{got.seconds:.1f}",
    )  # fmt: skip


def missed(found: Sequence[Judged]) -> Iterator[str]:
    """Goals that a net, or too many of them, miss."""
    by_ask = {(got.net, got.asked): got for got in found}
    for got in found:
        if got.asked.method == "reconstruct":
            wanda = by_ask[got.net, replace(got.asked, method="wanda")]
            if got.same_db < wanda.same_db - BEHIND_WANDA:
                yield f"{_what(got)}: {got.sqnr:.1f} dB, wanda {wanda.sqnr:.1f}"
            yield from _lost(got, by_ask[got.net, Pruning()])
    for pattern, ratio in ASKED:
        behind = [
            n for n in dict.fromkeys(g.net for g in found) if not _ahead(found, n, pattern, ratio)
        ]
        if len(behind) > NETS_NOT_AHEAD:
            yield f"{pattern} {ratio:.0%}: not {AHEAD_OF_MAGNITUDE:.0f} dB above magnitude: {', '.join(behind)}"


def _lost(got: Judged, whole: Judged) -> Iterator[str]:
    if got.net != "mnist_cnn" or (got.asked.pattern, got.asked.ratio) != ("single", 0.5):
        return
    if (whole.right or 0.0) - (got.right or 0.0) > LOST:
        yield f"{_what(got)}: {got.right:.1f} % right, {whole.right:.1f} with all weights"


def _ahead(found: Sequence[Judged], net: str, pattern: str, ratio: float) -> bool:
    """Both methods in the better of their scopes."""
    best = {
        method: max(
            g.sqnr for g in found
            if (g.net, g.asked.pattern, g.asked.ratio, g.asked.method) == (net, pattern, ratio, method)
        )
        for method in ("reconstruct", "magnitude")
    }  # fmt: skip
    return best["reconstruct"] >= best["magnitude"] + AHEAD_OF_MAGNITUDE


def _what(got: Judged) -> str:
    return f"{got.net} {got.asked.pattern} {got.asked.ratio:.0%} {got.asked.scope}"


def figures_of(of: Task) -> Iterator[tuple[object, ...]]:
    """Flash and cycles of the int8 net, with all its weights and by the best method. Where the zeros are is found
    on a few samples, and ways to quantise are not tried: neither moves these figures much."""
    wanted = [
        Pruning(),
        *(a for a in asked_of() if a.method == "reconstruct" and a.scope == "tensor"),
    ]
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as scratch:
        data = Path(scratch) / "samples.npz"
        np.savez(data, **{name: array[:FEW] for name, array in of.seen.items()})  # type: ignore[arg-type]
        for asked in wanted:
            options = Options(
                prune=asked.ratio, prune_scope=asked.scope, prune_method=asked.method, prune_pattern=asked.pattern,
                ranges="min-max", rounding="nearest", bias_correction=False, equalize=False,
            )  # fmt: skip
            net = Net(of.name, path_of(of.name), of.name, data)
            got = [measure(Case(net, core, "size"), options) for core in CORES]
            what = asked.pattern if asked.wanted else "all weights"
            numbers = [
                c for f in got for c in (f"{f.flash:,}", f"{f.constants:,}", f"{f.cycles:,}")
            ]
            yield (of.name, what, f"{asked.ratio:.0%}" if asked.wanted else "", *numbers)


def print_figures(tasks: Sequence[Task]) -> None:
    sizes = [f"{core} {what}" for core in CORES for what in ("flash", "constants", "cycles")]
    for of in tasks:
        head = ("net", "pattern", "part", *sizes)
        table(f"{of.name}, int8, --optimize size", head, list(figures_of(of)))
        sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*", default=NETS)
    parser.add_argument("--figures", action="store_true")
    asked = parser.parse_args()
    tasks = [task(name) for name in asked.nets if has_data(name)]
    if asked.figures:
        print_figures(tasks)
        return 0
    head = ("net", "pattern", "part", "method", "scope", "SQNR dB", "argmax %", "right %", "s")
    found: list[Judged] = []
    for of in tasks:
        got = all_judged(of)
        table(f"{of.name}, pruned without retraining", head, [cells(one) for one in got])
        sys.stdout.flush()
        found += got
    problems = list(missed(found))
    print("\n" + ("\n".join(["missed:", *problems]) if problems else "all goals met"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
