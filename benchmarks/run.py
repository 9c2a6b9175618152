"""Whole nets on emulated cores: cycles, instructions, flash, RAM and stack, beside peers and the baseline.

    python benchmarks/run.py [--core cortex-m4 ...] [--net kws_int8qdq ...] [--optimize speed ...] [--chart FILE.png]
    python benchmarks/run.py --check          fails when a committed figure got worse by more than 1 %
    python benchmarks/run.py --update --reason "faster 1x1 convolutions"
    python benchmarks/run.py --goals          fails when a goal of goals.toml is missed

Without --core, --net or --optimize, --check and --update take the committed set, the others the nets that
are here on cortex-m4 for speed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path

import baseline as committed
import page
from compare import HEADER, cells, missed_goals
from measure import Case, Figures, measure
from nets import nets_called, own_nets, shared_nets, table

OPTIMIZE = ("speed", "balanced", "size")
OWN_CORES = ("cortex-m4", "cortex-m0plus", "rv32imc")
SHARED_CORES = ("cortex-m4", "cortex-m33", "cortex-m7", "cortex-m0plus", "rv32imc")


def committed_set() -> list[Case]:
    """What baseline.json holds: our nets each way, those of ../shared where the goals look."""
    own = [Case(n, core, o) for n in own_nets() for core in OWN_CORES for o in OPTIMIZE]
    shared = [Case(n, core, "speed") for n in shared_nets() for core in SHARED_CORES]
    more = [Case(n, "cortex-m4", o) for n in shared_nets() for o in ("balanced", "size")]
    return [*own, *shared, *more]


def chosen(args: argparse.Namespace) -> list[Case]:
    """The cases of the command line."""
    filtered = args.core or args.net or args.optimize
    if (args.check or args.update) and not filtered:
        return committed_set()
    nets = nets_called(tuple(args.net)) if args.net else (*own_nets(), *shared_nets())
    return [
        Case(net, core, optimize, args.portable, args.io, args.opt, args.ram, args.keep_dead_work)
        for core in args.core or ("cortex-m4",)
        for optimize in args.optimize or ("speed",)
        for net in nets
    ]


def measured(cases: Iterable[Case]) -> dict[Case, Figures]:
    found = {}
    for case in cases:
        found[case] = measure(case)
        print(f"{case.key}: {found[case].cycles:,} cycles", file=sys.stderr)
    return found


def check(found: Mapping[Case, Figures]) -> int:
    """Names every figure that got worse; 1 when there is one."""
    baseline = committed.read()
    bad = []
    for core in sorted({case.core for case in found}):
        if reason := committed.why_not_compared(baseline, core):
            print(f"NOT COMPARED on {core}: {reason}")
            continue
        for case in (case for case in found if case.core == core):
            old = baseline["figures"].get(case.key)
            bad += committed.worse(case.key, old, found[case]) if old else [f"{case.key}: new"]
    for line in bad:
        print(f"WORSE {line}")
    if bad:
        print('if it has to be: python benchmarks/run.py --update --reason "..."')
    return 1 if bad else 0


def update(found: Mapping[Case, Figures], reason: str) -> None:
    by_key = {case.key: figures for case, figures in found.items()}
    baseline = committed.updated(committed.read(), by_key, reason)
    committed.write(baseline)
    page.rewrite(baseline)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--core", nargs="+")
    parser.add_argument("--net", nargs="+")
    parser.add_argument("--optimize", nargs="+", choices=OPTIMIZE)
    parser.add_argument("--opt", help="flag of the C compiler; default -O2, for size -Os")
    parser.add_argument("--io", choices=["caller", "arena"], default="caller")
    parser.add_argument(
        "--portable", action="store_true", help="kernels without instruction-set extensions"
    )
    parser.add_argument("--ram", type=float, default=inf, metavar="BYTES", help="of the arena")
    parser.add_argument("--keep-dead-work", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--reason", help="goes with --update")
    parser.add_argument("--goals", action="store_true")
    parser.add_argument("--chart", type=Path, metavar="FILE.png", help="needs tinycc-ml[bench]")
    args = parser.parse_args()
    if args.update != bool(args.reason):
        parser.error("--update and --reason go together")
    other = args.portable or args.opt or args.io != "caller" or args.ram != inf
    if (args.check or args.update) and (other or args.keep_dead_work):
        parser.error("the baseline is of the default kernels, flags, memory and work")
    return args


def main() -> int:
    args = parsed()
    found = measured(chosen(args))
    baseline = committed.read()["figures"]
    rows = [cells(case, figures, baseline.get(case.key)) for case, figures in found.items()]
    table("Whole nets, modelled cycles of one inference", HEADER, rows)
    if args.chart:
        from chart import draw

        draw(found, args.chart)
    if args.update:
        update(found, args.reason)
    failed = check(found) if args.check else 0
    missed = args.goals and any(missed_goals(case, figures) for case, figures in found.items())
    return 1 if failed or missed else 0


if __name__ == "__main__":
    sys.exit(main())
