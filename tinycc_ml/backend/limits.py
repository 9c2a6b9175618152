"""Limits: what a plan may take of a target, and the errors that name what breaks one."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from ..errors import TargetError
from .arena import peak_step
from .candidates import shared_code
from .names import short
from .search import Choice, Limits
from .target import Target

_NAMED = 4  # tensors or nodes that a message lists


def limits_of(target: Target, given: Limits) -> Limits:
    """The lower ones of what was given and what the target has."""
    ram, flash = target.memories["ram"], target.memories["flash"]
    return Limits(
        min(given.ram, inf if ram is None else ram),
        min(given.flash, inf if flash is None else flash),
        given.cycles,
        given.weights,
    )


def check_limits(target: Target, choice: Choice, limits: Limits) -> None:
    """TargetError for the first limit that even the best choice breaks."""
    if choice.ram > limits.ram:
        raise TargetError(_ram(target, choice, limits))
    if (choice.constants if _own(target, limits) else choice.flash) > limits.flash:
        raise TargetError(_flash(target, choice, limits))
    if choice.cycles > limits.cycles:
        raise TargetError(_cycles(choice, limits))
    if choice.weights > limits.weights:
        raise TargetError(_weights(choice, limits))


def _ram(target: Target, choice: Choice, limits: Limits) -> str:
    arena, step = choice.arena, peak_step(choice.arena)
    live = sorted((b for b in arena.blocks if b.first <= step <= b.last), key=lambda b: -b.bytes)
    names = ", ".join(f"{short(b.name)} ({b.bytes:,} bytes)" for b in live)
    own = target.memories["ram"] == limits.ram
    return (
        f"the arena takes {choice.ram:,} bytes, {choice.ram - int(limits.ram):,} more than "
        f"{f'the RAM of {target.name}' if own else '--ram'} ({int(limits.ram):,}); "
        f"at the peak, in {short(arena.order[step].name)!r}, live: {names}"
    )


def _flash(target: Target, choice: Choice, limits: Limits) -> str:
    own, most = _own(target, limits), int(limits.flash)
    have = choice.constants if own else choice.flash
    parts = "" if own else f" and code {choice.code:,}, in all {have:,}"
    sizes = [(c.flash_bytes, name) for name, c in choice.chosen.items()]
    return (
        f"constants take about {choice.constants:,} bytes{parts}, {have - most:,} more than "
        f"{f'the flash of {target.name}' if own else '--flash'} ({most:,}); "
        f"most of it: {_most(sizes if own else [*sizes, *_code(choice)], 'bytes')}"
    )


def _own(target: Target, limits: Limits) -> bool:
    """The limit of flash is that of the part. Of it only constants, which are certain, are refused here; whether
    code fits beside them the linker knows."""
    return target.memories["flash"] == limits.flash


def _code(choice: Choice) -> list[tuple[int, str]]:
    """Of each function that kernels share, and of what a node has of its own."""
    nodes = [(c.code_bytes, f"code of {name}") for name, c in choice.chosen.items()]
    shared = shared_code(choice.chosen.values())
    return [*nodes, *((size, name) for name, size in shared.items())]


def _cycles(choice: Choice, limits: Limits) -> str:
    costs = ((c.cycles, name) for name, c in choice.chosen.items())
    return (
        f"the fastest choice takes about {choice.cycles:,.0f} cycles, --cycles allows "
        f"{limits.cycles:,.0f}; most of it: {_most(costs, 'cycles')}"
    )


def _weights(choice: Choice, limits: Limits) -> str:
    sizes = ((c.weights_bytes, name) for name, c in choice.chosen.items())
    return (
        f"weights take {choice.weights:,} bytes, {choice.weights - int(limits.weights):,} more than --weights "
        f"({int(limits.weights):,}); most of it: {_most(sizes, 'bytes')}"
    )


def _most(costs: Iterable[tuple[float, str]], unit: str) -> str:
    largest = sorted(costs, reverse=True)[:_NAMED]
    return ", ".join(f"{short(name)!r} ({cost:,.0f} {unit})" for cost, name in largest)
