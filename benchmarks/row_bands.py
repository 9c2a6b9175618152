"""Bands of rows: arena and modelled cycles with and without them, of the MLPerf Tiny nets and of nets nobody tuned for.

    python benchmarks/row_bands.py [--core cortex-m4] [NET ...]

`size` is what --optimize size takes; `least` as little memory as is found, as for a limit of 1 byte. No C
is made; tests/backend/test_planning.py runs that of such plans.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from time import process_time

from memory_plan import graphs
from nets import table

from tinycc_ml.backend.planning import Found, Layout, Task
from tinycc_ml.backend.search import Limits
from tinycc_ml.backend.target import Target, load_target
from tinycc_ml.ir.graph import Graph

HEAD = ("net", "plan", "arena", "of that", "cycles", "more", "steps", "in bands", "s")


def plans(graph: Graph, target: Target) -> Iterator[tuple[str, Found, float]]:
    """Without bands, with those of --optimize size, and with those that a limit of 1 byte asks for."""
    for name, limits in (("whole", None), ("size", Limits()), ("least", Limits(ram=1))):
        start = process_time()
        task = Task(target, "caller", "size", limits or Limits())
        found = task.best(graph) if limits else task.found(Layout(graph))
        yield name, found, process_time() - start


def rows(core: str, wanted: list[str]) -> Iterator[tuple[object, ...]]:
    target = load_target(core)
    target = replace(target, memories={**target.memories, "ram": None, "flash": None})
    for net, graph in graphs():
        if wanted and net not in wanted:
            continue
        whole = None
        for name, found, spent in plans(graph, target):
            choice = found.choice
            whole = whole or choice
            nodes = sum(len(b.chain.nodes) for b in found.layout.bands)
            yield (
                net, name, f"{choice.ram:,}", f"{100 * choice.ram / max(whole.ram, 1):.0f} %",
                f"{choice.cycles:,.0f}", f"{100 * (choice.cycles / whole.cycles - 1):+.1f} %",
                len(choice.arena.order), nodes, f"{spent:.1f}",
            )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("net", nargs="*", metavar="NET")
    parser.add_argument("--core", default="cortex-m4")
    args = parser.parse_args()
    table(f"Bands of rows on {args.core}", HEAD, list(rows(args.core, args.net)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
