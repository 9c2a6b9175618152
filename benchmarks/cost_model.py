"""The cost model against measurement: cycles that the compiler expects of each kernel and those counted on an emulated
core, bytes of code that it expects of a net and those of the linked image.

    python benchmarks/cost_model.py [--core cortex-m4 ...] [--optimize speed ...]
    python benchmarks/cost_model.py --fit-cycles  fits tinycc_ml/backend/costs.toml to the MLPerf Tiny nets first
    python benchmarks/cost_model.py --fit-code    fits and judges the bytes of code only

Every candidate of every node is measured in its net. The formulas of the kernels are fitted, two to four
numbers for each, to the nets of ../shared/models; errors are those on the nets nobody tuned for (untuned_models.py).
Exits with 1 when their median is above 7 % or one node's above 25 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from code_model import code_lines, fitted_code, linked_net, measured_pieces
from nets import own_nets, shared_nets, table
from untuned_models import MODELS, written

from tinycc_ml.backend.candidates import Candidate, options_of, together
from tinycc_ml.backend.choose import Plan
from tinycc_ml.backend.costs import Code, Costs, Fit, code_of, fit_name, forget_fits
from tinycc_ml.backend.target import load_target
from tinycc_ml.compiler import Compiled, Options, compile
from tinycc_ml.report import Source
from tinycc_ml.tuning import measured_plan, measured_plans

COSTS = Path(__file__).resolve().parents[1] / "tinycc_ml" / "backend" / "costs.toml"
MEDIAN, WORST = 0.07, 0.25
GOALS = ("speed", "balanced", "size")
CORES = ("cortex-m4", "cortex-m33", "cortex-m7")
JUDGE = "cortex-m4"  # whose images are looked at
# Other cores of the same instructions have the same code within 3 %
CODE_CORES = ("cortex-m4", "cortex-m3", "cortex-m0plus", "rv32imc")
Pair = tuple[str, str]  # core and goal
HEAD = ("net", "node", "kernel", "expected", "counted", "error %")
_SHOWN = 12


@dataclass(frozen=True)
class Sample:
    """A candidate of a node: whether its kernel was made for it alone, what its formula says, and of its slower path,
    what the fitted model expects, what was counted."""

    net: str
    node: str
    kernel: str
    alone: bool
    formula: float
    slow: float
    expected: float
    counted: float

    @property
    def error(self) -> float:
        return self.expected / self.counted - 1.0


def samples_of(compiled: Compiled, net: str, optimize: str) -> list[Sample]:
    """All candidates of all nodes, each measured within the net, once where another node calls the same kernel and
    once where none does, if both come."""
    graph, target = compiled.plan.graph, compiled.plan.target
    code = code_of(target.core, optimize)
    nodes = {n.name: n for n in graph.nodes if n.name in compiled.plan.options}
    raw = {
        c.key: c for n in nodes.values() for c in options_of(graph, n, target, optimize).candidates
    }
    found: dict[tuple[tuple[str, int], bool], Sample] = {}
    for plan, counted in _every_plan(compiled, Source(net, "", None), code):
        calls = Counter(c.name for c in plan.chosen.values())
        for given in together(plan.chosen.values()):
            if given.key in counted:
                alone = calls[given.name] == 1 and code.is_made_for_one(given)
                name, cycles = fit_name(nodes[given.node], given), counted[given.key]
                said = raw[given.key].cycles, raw[given.key].slow_cycles
                sample = Sample(net, given.node, name, alone, *said, given.cycles, cycles)
                found[given.key, alone] = sample
    return list(found.values())


def _every_plan(compiled: Compiled, source: Source, code: Code) -> Iterator[tuple[Plan, Costs]]:
    """Plans with all candidates, then for each kernel that several nodes called one where its first node alone does."""
    several: dict[str, tuple[str, int]] = {}
    for plan, counted in measured_plans(compiled, source):
        yield plan, counted
        calls = Counter(c.name for c in plan.chosen.values())
        for given in plan.chosen.values():
            if given.key in counted and calls[given.name] > 1 and code.is_made_for_one(given):
                several.setdefault(given.name, given.key)
    for name, key in several.items():
        yield measured_plan(compiled, source, partial(_cost_alone, name, key))


def _cost_alone(name: str, key: tuple[str, int], candidate: Candidate) -> float:
    """The least for one candidate of a kernel, the most for all others of it."""
    return 0.0 if candidate.key == key else 1.0 + 100.0 * (candidate.name == name)


def tuned_nets(core: str, optimize: str) -> Iterator[tuple[str, Compiled]]:
    """The nets that the model is fitted to."""
    for net in (*own_nets(), *shared_nets()):
        options = Options(optimize=optimize)
        yield net.name, compile(net.path, load_target(core), net.calibrate, options)


def untuned_nets(core: str, optimize: str) -> Iterator[tuple[str, Compiled]]:
    """The nets that it is judged by, as int8 of seeded data."""
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            path, samples = written(name, Path(folder))
            yield name, compile(path, load_target(core), samples, Options(optimize=optimize))


def sampled(nets: Iterable[tuple[str, Compiled]], optimize: str) -> list[Sample]:
    return [sample for name, made in nets for sample in samples_of(made, name, optimize)]


def fitted(samples: Iterable[Sample]) -> dict[str, dict[str, float]]:
    """By kernel: the numbers of a Fit, such that relative errors are small."""
    by_kernel: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_kernel[sample.kernel].append(sample)
    return {name: _fit(found) for name, found in sorted(by_kernel.items())}


def _fit(samples: Sequence[Sample]) -> dict[str, float]:
    """Of a kernel that several nodes call, and how much faster one is that is made for a single call."""
    shared, alone = ([s for s in samples if s.alone == single] for single in (False, True))
    found = _fit_alike(shared or alone)
    if shared and alone:
        fit = Fit(**found)
        found["single"] = float(
            np.median([s.counted / fit.cycles(s.formula, s.slow) for s in alone])
        )
    return found


def _fit_alike(samples: Sequence[Sample]) -> dict[str, float]:
    """Factors and what a call takes whatever its size, where that is told by sizes that differ: else by factors alone."""
    formula, slow, counted = (
        np.array([getattr(s, k) for s in samples]) for k in ("formula", "slow", "counted")
    )
    wanted = {"factor": formula - slow, "slow": slow, "each": np.ones_like(formula)}
    columns = {name: column / counted for name, column in wanted.items() if column.any()}
    found = dict(zip(columns, _least(np.stack(list(columns.values()), axis=1)), strict=True))
    if len(np.unique(formula)) < 3 or abs(found["each"]) > counted.min() / 2:
        del columns["each"]
        found = dict(zip(columns, _least(np.stack(list(columns.values()), axis=1)), strict=True))
    return {"factor": 1.0, "each": 0.0} | {name: float(value) for name, value in found.items()}


def _least(columns: np.ndarray) -> np.ndarray:
    """The solution of columns @ solution = 1 with about the least absolute errors: reweighted least squares."""
    weights = np.ones(len(columns))
    for _ in range(50):
        root = np.sqrt(weights)
        solution = np.linalg.lstsq(columns * root[:, None], root, rcond=None)[0]
        weights = 1.0 / np.maximum(np.abs(columns @ solution - 1.0), 0.01)
    return solution


def to_toml(
    fits: Mapping[Pair, Mapping[str, Mapping[str, float]]], codes: Mapping[Pair, Code]
) -> str:
    lines = [
        "# Cycles of a kernel on a core = factor * its formula (ops/) + each, `slow` instead of factor for what the formula",
        "# says of the slower path; bytes of the functions it consists of. Written by benchmarks/cost_model.py --fit-cycles",
        "# and --fit-code from runs of the MLPerf Tiny nets on emulated cores, and from their images.",
    ]
    for (core, optimize), rows in fits.items():
        lines += ["", f'[cycles."{core}".{optimize}]']
        lines += [f'"{name}" = {{ {_row(row)} }}' for name, row in rows.items()]
    for (core, optimize), code in codes.items():
        lines += code_lines(core, optimize, code)
    return "\n".join(lines) + "\n"


def _row(row: Mapping[str, float]) -> str:
    more = "".join(f", {name} = {row[name]:.4f}" for name in ("slow", "single") if name in row)
    return f"factor = {row['factor']:.4f}, each = {row['each']:.1f}{more}"


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


def judged_code(pair: Pair) -> None:
    """Prints what is expected of images and what they take."""
    core, optimize = pair
    code, rows, errors = code_of(core, optimize), [], []
    for name, made in untuned_nets(core, optimize):
        net = linked_net(name, made, core, optimize)
        expected = net.expected(code)
        errors.append(abs(expected / net.bytes - 1.0))
        rows.append((name, expected, net.bytes, f"{100 * (expected / net.bytes - 1.0):+.1f}"))
    table(f"{core} {optimize}: bytes of code", ("net", "expected", "linked", "error %"), rows)
    print(f"code: error median {100 * np.median(errors):.1f} %, worst {100 * max(errors):.1f} %")


def fit_codes(goals: Iterable[str]) -> dict[Pair, Code]:
    """Functions of all cores; what a call and a loop nest take, from cortex-m4's images of the nets the model is
    fitted to, for all of them."""
    found = {}
    for goal in goals:
        nets = [linked_net(name, made, JUDGE, goal) for name, made in tuned_nets(JUDGE, goal)]
        found[JUDGE, goal] = code = fitted_code(JUDGE, goal, nets)
        for core in CODE_CORES:
            found[core, goal] = replace(code, kernels=measured_pieces(core, goal))
    return dict(sorted(found.items()))


def fit_cycles(pairs: Iterable[Pair]) -> dict[Pair, dict[str, dict[str, float]]]:
    return {pair: fitted(sampled(tuned_nets(*pair), pair[1])) for pair in pairs}


def kept(what: str) -> dict[Pair, Any]:
    """ "cycles" or "code" as they are in costs.toml."""
    found = tomllib.loads(COSTS.read_text("utf-8"))[what]
    return {(core, goal): rows for core, goals in found.items() for goal, rows in goals.items()}


def write_costs(pairs: Sequence[Pair], *, code: bool, cycles: bool) -> None:
    """Fits one or both; what is not fitted stays as it is."""
    rows = kept("cycles") | (fit_cycles(pairs) if cycles else {})
    known = {pair: Code(**table) for pair, table in kept("code").items()}
    COSTS.write_text(to_toml(rows, fit_codes(GOALS) if code else known), "utf-8")
    forget_fits()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--core", nargs="+", default=["cortex-m4"], choices=CORES)
    parser.add_argument("--optimize", nargs="+", default=["speed", "balanced"], choices=GOALS)
    parser.add_argument("--fit-cycles", action="store_true")
    parser.add_argument("--fit-code", action="store_true")
    given = parser.parse_args()
    pairs = [(core, goal) for core in given.core for goal in given.optimize]
    if given.fit_cycles or given.fit_code:
        write_costs(pairs, code=given.fit_code, cycles=given.fit_cycles)
    for pair in [(JUDGE, goal) for goal in given.optimize]:
        judged_code(pair)
    if given.fit_code:
        return 0
    verdicts = [judged(sampled(untuned_nets(*p), p[1]), " ".join(p)) for p in pairs]
    return int(not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
