"""The planner of memory: arena, lower bound and proof for real nets and for random graphs. No C is made.

    python benchmarks/memory_plan.py [--core cortex-m4] [--random 500] [--io caller]

Exits with 1 when an arena is not proven to be the smallest one for its kernels and order.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from nets import shared_nets, table
from random_arenas import random_case
from untuned_models import MODELS, written

from tinycc_ml.backend.arena import Arena, plan_arena, settled
from tinycc_ml.backend.choose import choose
from tinycc_ml.backend.target import load_target
from tinycc_ml.compiler import compile as compile_model
from tinycc_ml.ir.graph import Graph

GOALS = ("speed", "balanced", "size")
HEAD = ("net", "optimize", "steps", "arena", "lower bound", "proof", "ms")


def graphs() -> Iterator[tuple[str, Graph]]:
    """Integer graphs of the nets that are here, and of those nobody tuned for."""
    for net in shared_nets():
        yield net.name, compile_model(net.path).graph
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            path, samples = written(name, Path(folder))
            yield name, compile_model(path, calibrate=samples).graph


def rows(core: str, io: str) -> Iterator[tuple[object, ...]]:
    target = load_target(core)
    # how little is possible is the question, not what fits
    target = replace(target, memories={**target.memories, "ram": None, "flash": None})
    for name, graph in graphs():
        for goal in GOALS:
            start = perf_counter()
            arena = settled(choose(graph, target, io=io, optimize=goal).arena)
            spent = 1000 * (perf_counter() - start)
            yield name, goal, len(arena.order), *_cells(arena), f"{spent:.0f}"


def _cells(arena: Arena) -> tuple[str, str, str]:
    placed = arena.placement
    return f"{placed.bytes:,}", f"{placed.lower_bound:,}", placed.proof


def random_rows(count: int) -> Iterator[tuple[object, ...]]:
    """By number of steps: how many are proven in which way, the excess over the bound, and the time."""
    for steps in (4, 8, 16, 24, 32):
        proofs: Counter[str] = Counter()
        arena_bytes, bound, start = 0, 0, perf_counter()
        for seed in range(count // 5):
            case = random_case(seed, steps, 400)
            placed = settled(plan_arena(case.graph, case.nodes, case.chosen, case.io)).placement
            proofs[placed.proof] += 1
            arena_bytes, bound = arena_bytes + placed.bytes, bound + placed.lower_bound
        spent = 1000 * (perf_counter() - start) / max(count // 5, 1)
        found = (proofs[kind] for kind in ("bound", "optimal", "heuristic"))
        excess = 100 * (arena_bytes / max(bound, 1) - 1)
        yield steps, count // 5, *found, f"{excess:.2f} %", f"{spent:.0f}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--core", default="cortex-m4")
    parser.add_argument("--random", type=int, default=500, metavar="N")
    parser.add_argument("--io", choices=("caller", "arena"), default="caller")
    args = parser.parse_args()
    found = list(rows(args.core, args.io))
    table(f"Arenas on {args.core}, io {args.io}", HEAD, found)
    head = ("steps", "graphs", "bound", "optimal", "heuristic", "over the bound", "ms each")
    table("Random graphs", head, list(random_rows(args.random)))
    return 1 if any(row[-2] == "heuristic" for row in found) else 0


if __name__ == "__main__":
    sys.exit(main())
