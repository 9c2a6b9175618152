"""Costs: what a kernel takes on a core. Formulas in ops/ say how cycles grow on a Cortex-M4; costs.toml, fitted to
measured nets by benchmarks/cost_model.py, says how far off they are for each core and goal, and how many bytes
the functions are that a kernel consists of."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from ..ir.graph import Node
from .candidates import Candidate, Options
from .target import Target

_FILE = Path(__file__).resolve().parent / "costs.toml"
# Cores whose code is within 3 % of another's
_SAME_CODE = {"cortex-m7": "cortex-m4", "cortex-m33": "cortex-m4", "cortex-m55": "cortex-m4"}
# Measured cycles by node and index of the candidate
Costs = Mapping[tuple[str, int], float]


@dataclass(frozen=True)
class Fit:
    """cycles = factor * formula + each; `slow` instead of factor for what the formula says of the slower path. A
    kernel that one node alone calls takes `single` times as many, where the compiler makes it for that call."""

    factor: float = 1.0
    each: float = 0.0
    slow: float = 1.0
    single: float = 1.0

    def cycles(self, formula: float, slow: float = 0.0) -> float:
        """What a kernel takes that several nodes call. slow: of the formula's cycles, those of the slower path."""
        return max(self.factor * (formula - slow) + self.slow * slow + self.each, 1.0)

    def of(self, candidate: Candidate) -> Candidate:
        """The candidate with the cycles of a core."""
        cycles = self.cycles(candidate.cycles, candidate.slow_cycles)
        return replace(candidate, cycles=cycles, single_cycles=(1.0 - self.single) * cycles)


@dataclass(frozen=True)
class Code:
    """Bytes of C for a core and goal, by kernel: the functions it consists of, compiled by themselves. In a net
    they are as large, but for the kernel's own function where the compiler inlines or specialises it: at "every"
    call, at a "single" one, that or each of a "small" kernel, or "never". For the literal shapes of the call it is `factor` times as large. `each`: what a call
    takes, with its parameters; `nest`: a loop nest."""

    kernels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    inlined: str = "never"
    factor: float = 1.0
    each: float = 0.0
    nest: float = 0.0

    def is_made_for_one(self, candidate: Candidate) -> bool:
        """Whether the compiler makes the kernel for its call where no other node calls it, else one for all."""
        kernel = candidate.kernel
        return kernel is not None and (
            self.inlined == "single" or (self.inlined == "small" and not kernel.small)
        )

    def of(self, candidate: Candidate) -> Candidate:
        """The candidate with its code."""
        if candidate.kernel is None:
            return replace(candidate, code_bytes=round(self.nest))
        name = candidate.kernel.name
        sizes = dict(self.kernels.get(name, {}))
        own, call, single = sizes.get(name, 0), self.each, 0
        if self.inlined == "every" or (self.inlined == "small" and candidate.kernel.small):
            call += self.factor * sizes.pop(name, 0)
        elif self.is_made_for_one(candidate):
            single = round((1.0 - self.factor) * own)
        pieces = tuple(sorted(sizes.items()))
        return replace(candidate, code_bytes=round(call), pieces=pieces, single_bytes=single)


def fitted(node: Node, options: Options, target: Target, optimize: str) -> Options:
    """The candidates of a node with the cycles and the code of the target's core."""
    fits, code = _fits().get(f"{target.core}.{optimize}", {}), code_of(target.core, optimize)
    return _each(options, lambda c: code.of(fits.get(fit_name(node, c), Fit()).of(c)))


def code_of(core: str, optimize: str) -> Code:
    """No bytes for a core that nobody measured."""
    same = _SAME_CODE.get(core, core)
    return _codes().get(f"{same}.{optimize}", Code())


def measured(options: Options, costs: Costs) -> Options:
    """The candidates with cycles that were measured where there are any."""
    return _each(options, lambda c: _measured(c, costs.get(c.key)))


def _measured(candidate: Candidate, cycles: float | None) -> Candidate:
    return candidate if cycles is None else replace(candidate, cycles=cycles, single_cycles=0.0)


def fit_name(node: Node, candidate: Candidate) -> str:
    """A kernel's name; a loop nest goes by its op."""
    return candidate.kernel.name if candidate.kernel else f"nest of {node.op}"


def _each(options: Options, change: Callable[[Candidate], Candidate]) -> Options:
    return replace(options, candidates=tuple(change(c) for c in options.candidates))


def forget_fits() -> None:
    """The file has changed."""
    _tables.cache_clear()
    _fits.cache_clear()
    _codes.cache_clear()


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    """ "cycles" and "code": by core and goal."""
    if not _FILE.exists():
        return {}
    with _FILE.open("rb") as file:
        return tomllib.load(file)


@cache
def _fits() -> Mapping[str, Mapping[str, Fit]]:
    return {
        f"{core}.{goal}": {name: Fit(**row) for name, row in rows.items()}
        for core, goals in _tables().get("cycles", {}).items()
        for goal, rows in goals.items()
    }


@cache
def _codes() -> Mapping[str, Code]:
    return {
        f"{core}.{goal}": Code(**table)
        for core, goals in _tables().get("code", {}).items()
        for goal, table in goals.items()
    }
