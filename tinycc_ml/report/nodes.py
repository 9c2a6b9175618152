"""One row for each node: what it computes, which kernel does and why, what it costs, where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backend.candidates import Candidate, Options
from ..backend.choose import Plan
from ..backend.program import Program
from ..ir.graph import Node
from ..ops import op_of
from ..ops.base import Site
from .profile import UNPROFILED
from .tensors import lifetime, view_of

_MOVES = "moves bytes: its ends both lie outside the arena"
_ALIAS = "no code: its result is its inputs' bytes"


def node_rows(
    plan: Plan, bounds: Mapping[str, int], program: Program | None = None
) -> list[dict[str, Any]]:
    """Rows in order of execution, aliases where the graph has them. Without a program (nothing spelled
    yet) the bytes of weights are unknown."""
    steps = {node.name: index for index, node in enumerate(plan.steps)}
    aliases = [node for node in plan.graph.nodes if node.name not in steps]
    order = {node.name: index for index, node in enumerate(plan.graph.nodes)}
    rows = [_row(plan, node, steps.get(node.name), bounds, program) for node in plan.steps]
    for node in aliases:
        after = [index for index, row in enumerate(rows) if order[row["name"]] < order[node.name]]
        rows.insert(max(after, default=-1) + 1, _row(plan, node, None, bounds, program))
    return rows


def _row(
    plan: Plan, node: Node, step: int | None, bounds: Mapping[str, int], program: Program | None
) -> dict[str, Any]:
    site = Site.of(plan.graph, node)
    candidate, options = plan.chosen.get(node.name), plan.options.get(node.name)
    result = node.outputs[0]
    return {
        "name": node.name,
        "op": node.op,
        "inputs": [name for name in node.inputs if name],
        "outputs": list(node.outputs),
        "shape": list(site.y.shape),
        "dtype": site.y.dtype.name,
        "macs": int(op_of(node).macs(site)),
        "step": step,
        "probe": step,
        "kernel": candidate.name if candidate else None,
        "why": why(node, candidate, options, step),
        "refused": [
            {"kernel": name, "reason": reason}
            for name, reason in (options.refused if options else ())
        ],
        "expected_cycles": round(candidate.cycles) if candidate else None,
        "weights_bytes": _weights_bytes(program, node.name),
        "scratch_bytes": candidate.scratch_bytes if candidate else 0,
        "accumulator_bound": bounds.get(node.name),
        "view": view_of(plan, result),
        "lifetime": lifetime(plan, result),
        **UNPROFILED,
    }


def why(node: Node, candidate: Candidate | None, options: Options | None, step: int | None) -> str:
    """The reason for the choice, in plain words."""
    if candidate is None or options is None:
        return _ALIAS if step is None else _MOVES
    if candidate.kernel is None:
        return (
            "no kernel takes it: a loop nest"
            if options.refused
            else f"{node.op} is always a loop nest"
        )
    count = len(options.candidates)
    offered = (c for c in options.candidates if c.key == candidate.key)
    candidate = next(offered, candidate)  # before it was known how many nodes call its kernel
    if count > 1:
        fastest = min(options.candidates, key=lambda c: c.cycles)
        if candidate.cycles <= fastest.cycles:
            return f"fewest expected cycles of {count} candidates"
        return f"{_instead(candidate, fastest)} than the fastest of {count} candidates"
    return "the only kernel that takes it" if options.refused else "its only kernel"


def _instead(candidate: Candidate, fastest: Candidate) -> str:
    """What speaks for a candidate that is not the fastest of its node."""
    slower = f"{100 * (candidate.cycles / fastest.cycles - 1):.0f} % more cycles"
    if (candidate.x_format, candidate.y_format) != (fastest.x_format, fastest.y_format):
        return f"stores tensors as its neighbours do, {candidate.x_format} to {candidate.y_format}: {slower}"
    if candidate.flash_bytes < fastest.flash_bytes:
        return f"{fastest.flash_bytes - candidate.flash_bytes:,} bytes of constants fewer, {slower}"
    alike = (candidate.scratch_bytes, candidate.overlaps) == (
        fastest.scratch_bytes,
        fastest.overlaps,
    )
    return f"{'less code' if alike else 'less memory'}, {slower}"


def _weights_bytes(program: Program | None, node: str) -> int | None:
    """Of all constants that the node reads; one that two nodes share counts for both."""
    if program is None:
        return None
    sizes = {c.ident: c.values.nbytes for c in program.constants}
    return sum(sizes.get(ident.split(" ")[0], 0) for ident in set(program.arrays_of.get(node, ())))
