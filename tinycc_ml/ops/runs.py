"""Many runs of a node at once, laid along the leading axis: what trials of a net are made of in NumPy.

A rule gives the attributes with which the node's float reference, given [runs, ...] for every run-time operand
[1, ...], gives [runs, ...] for every result [1, ...], each run as if it were alone; None: it can't. It is asked
only where all those tensors have a leading axis of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Site

Runs = Callable[["Site", int], Mapping[str, Any] | None]


def of_first(site: Site, runs: int) -> Mapping[str, Any] | None:
    """The leading axis of the first operand is a batch's, all others are constants."""
    given = [k for k, tensor in enumerate(site.inputs) if not tensor.is_constant]
    return site.attrs if given == [0] else None


def aligned(site: Site, runs: int) -> Mapping[str, Any] | None:
    """Of operands that are broadcast, none lacks leading axes that the result has."""
    given = [tensor.type.rank for tensor in site.inputs if not tensor.is_constant]
    return site.attrs if set(given) == {site.y.rank} else None


def beside(key: str) -> Runs:
    """Nothing happens along the leading axis: it is not among the axes, one or several, of the attribute `key`."""

    def rule(site: Site, runs: int) -> Mapping[str, Any] | None:
        axes = site.attrs[key]
        if 0 in (axes if isinstance(axes, tuple) else (axes,)):
            return None
        return of_first(site, runs)

    return rule


def along_last(site: Site, runs: int) -> Mapping[str, Any] | None:
    """What happens along the last axis."""
    return of_first(site, runs) if site.x.rank > 1 else None


def shaped(site: Site, runs: int) -> Mapping[str, Any]:
    """The attribute `shape` is the result's."""
    return {**site.attrs, "shape": (runs, *site.y.shape[1:])}
