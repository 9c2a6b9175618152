"""What layers and tensors are called: after the names of the text, numbered where those are taken."""

from __future__ import annotations

from collections.abc import Callable, Container

from . import syntax as s
from .scope import Frame, Own, direct_calls

# The blocks of the prelude that operators stand for between tensors
ON_TENSORS = {"+": "plus", "-": "minus", "*": "times", "/": "over"}


class Naming:
    """The paths of layers that are taken, and how far names were numbered."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.results: set[str] = set()  # also those that are called something else in the net
        self._counts: dict[str, int] = {}

    def unique(self, path: str) -> str:
        """A path that no other layer has; it is taken with that."""
        name = self.numbered(path, self.paths)
        self.paths.add(name)
        return name

    def result(self, base: str, tensors: Container[str]) -> str:
        """A name for a tensor, near to `base`; it is taken with that."""
        name = self.numbered(base, tensors, self.results)
        self.results.add(name)
        return name

    def numbered(self, base: str, *taken: Container[str]) -> str:
        """`base`, or with a number what is not taken."""
        if not any(base in names for names in taken):
            return base
        count = self._counts.get(base, 1)
        while any(f"{base}_{count + 1}" in names for names in taken):
            count += 1
        self._counts[base] = count
        return f"{base}_{count + 1}"


def name_calls(
    bases: tuple[str, ...], value: s.Expr, frame: Frame, has_weights: Callable[[s.Call], bool]
) -> dict[int, Own]:  # fmt: skip
    """Names for the calls of a statement: its only layer is called as the value, several get the name of
    their operator too; the last tensor has the name, or each of several results has one."""
    calls = direct_calls(value)
    layers = [c for c in calls if isinstance(c, s.Call) and has_weights(c)]
    base = bases[0] if len(bases) == 1 else None
    results = tuple(frame.path + name for name in bases) or frame.result
    found: dict[int, Own] = {}
    for call in calls:
        short = (
            call.callee.id if isinstance(call, s.Call) else ON_TENSORS.get(call.ops[-1].id, "value")
        )
        full = frame.path + (short if base is None else f"{base}.{short}")
        path = frame.path + base if base is not None and layers == [call] else full
        found[id(call)] = Own(path, results if call is calls[-1] else full)
    return found
