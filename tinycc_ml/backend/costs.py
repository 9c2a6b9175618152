"""Costs: what a kernel takes on a core. Formulas in ops/ say how cycles grow on a Cortex-M4; costs.toml, fitted to
measured nets by benchmarks/cost_model.py, says how far off they are for each core and goal."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ..ir.graph import Node
from .candidates import Candidate, Options
from .target import Target

_FILE = Path(__file__).resolve().parent / "costs.toml"
# Measured cycles by node and index of the candidate
Costs = Mapping[tuple[str, int], float]


@dataclass(frozen=True)
class Fit:
    """cycles = factor * formula + each"""

    factor: float = 1.0
    each: float = 0.0


def fitted(node: Node, options: Options, target: Target, optimize: str) -> Options:
    """The candidates of a node with the cycles of the target's core."""
    fits = _fits().get(f"{target.core}.{optimize}", {})
    return _each(options, lambda c: _with(c, fits.get(fit_name(node, c), Fit())))


def measured(options: Options, costs: Costs) -> Options:
    """The candidates with cycles that were measured where there are any."""
    return _each(options, lambda c: replace(c, cycles=costs.get(c.key, c.cycles)))


def fit_name(node: Node, candidate: Candidate) -> str:
    """A kernel's name; a loop nest goes by its op."""
    return candidate.kernel.name if candidate.kernel else f"nest of {node.op}"


def _each(options: Options, change: Callable[[Candidate], Candidate]) -> Options:
    return replace(options, candidates=tuple(change(c) for c in options.candidates))


def _with(candidate: Candidate, fit: Fit) -> Candidate:
    cycles = max(fit.factor * candidate.cycles + fit.each, 1.0)
    return replace(candidate, cycles=cycles)


def forget_fits() -> None:
    """The file has changed."""
    _fits.cache_clear()


@cache
def _fits() -> Mapping[str, Mapping[str, Fit]]:
    if not _FILE.exists():
        return {}
    with _FILE.open("rb") as file:
        tables = tomllib.load(file)
    return {
        f"{core}.{goal}": {name: Fit(**row) for name, row in rows.items()}
        for core, goals in tables.items()
        for goal, rows in goals.items()
    }
