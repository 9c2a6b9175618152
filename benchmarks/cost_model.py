"""The cost model against measurement: cycles that the compiler expects of each kernel, and those counted on an emulated core.

    python benchmarks/cost_model.py [--core cortex-m4 ...] [--optimize speed ...]
    python benchmarks/cost_model.py --fit     fits tinycc_ml/backend/costs.toml to the MLPerf Tiny nets first

Every candidate of every node is measured in its net. The formulas of the kernels are fitted, two numbers for
each, to the nets of ../shared/models; errors are those on the nets nobody tuned for (untuned_models.py).
Exits with 1 when their median is above 7 % or one node's above 25 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nets import own_nets, shared_nets, table
from untuned_models import MODELS, written

from tinycc_ml.backend.candidates import options_of
from tinycc_ml.backend.costs import fit_name, forget_fits
from tinycc_ml.backend.target import load_target
from tinycc_ml.compiler import Compiled, Options, compile
from tinycc_ml.report import Source
from tinycc_ml.tuning import measured_costs

COSTS = Path(__file__).resolve().parents[1] / "tinycc_ml" / "backend" / "costs.toml"
MEDIAN, WORST = 0.07, 0.25
GOALS = ("speed", "balanced", "size")
CORES = ("cortex-m4", "cortex-m33", "cortex-m7")
HEAD = ("net", "node", "kernel", "expected", "counted", "error %")
_SHOWN = 12


@dataclass(frozen=True)
class Sample:
    """A candidate of a node: what its formula says, what the fitted model expects, what was counted."""

    net: str
    node: str
    kernel: str
    formula: float
    expected: float
    counted: float

    @property
    def error(self) -> float:
        return self.expected / self.counted - 1.0


def samples_of(compiled: Compiled, net: str, optimize: str) -> list[Sample]:
    """All candidates of all nodes, each measured within the net."""
    plan, found = compiled.plan, []
    counted = measured_costs(compiled, Source(net, "", None))
    for node in plan.graph.nodes:
        if node.name in plan.options:
            raw = options_of(plan.graph, node, plan.target, optimize).candidates
            for given, formula in zip(plan.options[node.name].candidates, raw, strict=True):
                if given.key in counted:
                    name = fit_name(node, given)
                    found.append(
                        Sample(
                            net, node.name, name, formula.cycles, given.cycles, counted[given.key]
                        )
                    )
    return found


def tuned_nets(core: str, optimize: str) -> list[Sample]:
    """The nets that the model is fitted to."""
    found = []
    for net in (*own_nets(), *shared_nets()):
        made = compile(net.path, load_target(core), net.calibrate, Options(optimize=optimize))
        found += samples_of(made, net.name, optimize)
    return found


def untuned_nets(core: str, optimize: str) -> list[Sample]:
    """The nets that it is judged by, as int8 of seeded data."""
    found = []
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            path, samples = written(name, Path(folder))
            made = compile(path, load_target(core), samples, Options(optimize=optimize))
        found += samples_of(made, name, optimize)
    return found


def fitted(samples: Iterable[Sample]) -> dict[str, tuple[float, float]]:
    """By kernel: factor and constant, such that relative errors are small."""
    by_kernel: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_kernel[sample.kernel].append(sample)
    return {name: _fit(found) for name, found in sorted(by_kernel.items())}


def _fit(samples: Sequence[Sample]) -> tuple[float, float]:
    """Reweighted least squares of relative errors, close to least absolute ones. Few different sizes can
    tell the factor only."""
    formula = np.array([s.formula for s in samples])
    counted = np.array([s.counted for s in samples])
    columns = np.stack([formula, np.ones_like(formula)], axis=1) / counted[:, None]
    if len(np.unique(formula)) < 3:
        columns = columns[:, :1]
    weights = np.ones(len(samples))
    solution = np.zeros(columns.shape[1])
    for _ in range(50):
        root = np.sqrt(weights)
        solution = np.linalg.lstsq(columns * root[:, None], root, rcond=None)[0]
        weights = 1.0 / np.maximum(np.abs(columns @ solution - 1.0), 0.01)
    each = solution[1] if len(solution) > 1 else 0.0
    return float(solution[0]), float(each)


def to_toml(fits: Mapping[tuple[str, str], Mapping[str, tuple[float, float]]]) -> str:
    lines = [
        "# Cycles of a kernel on a core = factor * its formula (ops/) + each. Written by",
        "# benchmarks/cost_model.py --fit from runs of the MLPerf Tiny nets on emulated cores.",
    ]
    for (core, optimize), rows in fits.items():
        lines += ["", f'["{core}".{optimize}]']
        lines += [
            f'"{name}" = {{ factor = {factor:.4f}, each = {each:.1f} }}'
            for name, (factor, each) in rows.items()
        ]
    return "\n".join(lines) + "\n"


def judged(samples: Sequence[Sample], title: str) -> bool:
    """Prints the errors; whether they are small enough."""
    errors = np.array([abs(s.error) for s in samples])
    worst = sorted(samples, key=lambda s: -abs(s.error))[:_SHOWN]
    table(title, HEAD, [
        (s.net, s.node[:40], s.kernel, f"{s.expected:,.0f}", f"{s.counted:,.0f}", f"{100 * s.error:+.1f}")
        for s in worst
    ])  # fmt: skip
    good = bool(np.median(errors) <= MEDIAN and errors.max() <= WORST)
    print(
        f"{title}: {len(samples)} candidates, error median {100 * np.median(errors):.1f} % (at most 7), "
        f"worst {100 * errors.max():.1f} % (at most 25){'' if good else ' MISSED'}\n"
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--core", nargs="+", default=["cortex-m4"], choices=CORES)
    parser.add_argument("--optimize", nargs="+", default=["speed", "balanced"], choices=GOALS)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    pairs = [(core, goal) for core in given.core for goal in given.optimize]
    if given.fit:
        COSTS.unlink(missing_ok=True)
        fits = {pair: fitted(tuned_nets(*pair)) for pair in pairs}
        COSTS.write_text(to_toml(fits), "utf-8")
        forget_fits()
    verdicts = [judged(untuned_nets(*pair), " ".join(pair)) for pair in pairs]
    return int(not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
