"""--tune: the cycles of every candidate measured on the target's emulator, and the choice made by them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from .backend.candidates import Candidate
from .backend.choose import Plan, choose_again, explore
from .backend.costs import Costs
from .backend.emit import write_files
from .compiler import Compiled, limits_of_options, replanned
from .errors import TargetError
from .report import Source, build_report, report_files
from .toolchain.profile import profile_dir

# Each round measures candidates that none before did; a node has a few
_ROUNDS = 12
Progress = Callable[[int, int], None]


def tuned(compiled: Compiled, source: Source, progress: Progress | None = None) -> Compiled:
    """The same graph by the plan that is best in measured cycles. TargetError when the target has no
    emulator that counts."""
    plan, options = compiled.plan, compiled.options
    if plan.target.emulator.kind == "host":
        raise TargetError(
            "--tune needs a target whose cycles are counted, not the host",
            hint="give --target, `tinyml targets` lists them",
        )
    costs = measured_costs(compiled, source, progress)
    best = choose_again(
        plan,
        optimize=options.optimize,
        limits=limits_of_options(options, compiled.accuracy),
        costs=costs,
    )
    return replanned(compiled, best)


def measured_costs(
    compiled: Compiled, source: Source, progress: Progress | None = None
) -> dict[tuple[str, int], float]:
    """Modelled cycles of candidates by node and index, from runs of the whole net."""
    costs = dict[tuple[str, int], float]()
    wanted = {c.key for given in compiled.plan.options.values() for c in given.candidates}
    for _, found in measured_plans(compiled, source):
        costs |= found
        if progress:
            progress(len(costs), len(wanted))
    return costs


def measured_plans(compiled: Compiled, source: Source) -> Iterator[tuple[Plan, Costs]]:
    """Plans that together have the candidates of all nodes, as far as they go together, and the cycles of what each has
    chosen."""
    known = set[tuple[str, int]]()
    for _ in range(_ROUNDS):
        tried, found = measured_plan(compiled, source, lambda c: float(c.key in known))
        if found.keys() <= known:
            return
        known.update(found)
        yield tried, found


def measured_plan(
    compiled: Compiled, source: Source, cost: Callable[[Candidate], float]
) -> tuple[Plan, Costs]:
    """The plan of candidates that cost the least together, and the modelled cycles of each."""
    tried = explore(compiled.plan, optimize=compiled.options.optimize, cost=cost)
    return tried, profiled(replanned(compiled, tried), source)


def profiled(compiled: Compiled, source: Source) -> Costs:
    """One run on the emulator: the cycles of the candidates that were chosen."""
    report = build_report(compiled, source, (), "its kernels are being measured")
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as folder:
        write_files({**compiled.files, **report_files(report)}, Path(folder) / "net")
        profile = profile_dir(Path(folder) / "net", compiled.plan.target)
    cycles = {node.probe: float(node.cycles) for node in profile.nodes}
    chosen = compiled.plan.chosen
    steps = (s for s in compiled.program.steps if s.node in chosen and s.probe.id in cycles)
    return {chosen[s.node].key: cycles[s.probe.id] for s in steps}
