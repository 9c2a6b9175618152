"""Loop nests that only move elements: runs are copied as a whole, single elements six at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ..ir.types import DType
from .base import Loop, Nest
from .indexing import affine, collapse, names, nested

Shape = tuple[int, ...]
# Loads behind each other take one cycle on Cortex-M, so they come before the stores; as many as registers hold
_STEP = 6


def moved(
    shape: Shape, write: Shape, read: Shape, dtype: DType, *, y: int = 0, x: int = 0, source: str = "x0"
) -> Nest:  # fmt: skip
    """y0[y + i * write] = source[x + i * read] for all indices i of `shape`; strides and offsets in elements."""
    dims, (to, at) = collapse(shape, (write, read))
    if dims and to[-1] == at[-1] == 1:
        return _runs(dims, (to, at), dtype, y, x, source)
    longest = max(range(len(dims)), key=lambda axis: (dims[axis], axis), default=0)
    order = [axis for axis in range(len(dims)) if axis != longest] + [longest][: len(dims)]
    dims, to, at = (tuple(values[k] for k in order) for values in (dims, to, at))
    return _elements(dims, (to, at), dtype, y, x, source)


def copy_run(target: str, source: str, elements: int, dtype: DType) -> str:
    """The C statement that copies a run of elements."""
    return f"tml_copy_run(&{target}, &{source}, {elements * dtype.bytes}U);"


def run_cycles(elements: int, dtype: DType) -> float:
    """Of copying one run, its place found out."""
    return 6.0 + 0.5 * elements * dtype.bytes


def _runs(
    dims: Shape, strides: tuple[Shape, Shape], dtype: DType, y: int, x: int, source: str
) -> Nest:
    variables = names(len(dims) - 1)
    to, at = (affine(variables, s[:-1], o) for s, o in zip(strides, (y, x), strict=True))
    body = copy_run(f"y0[{to}]", f"{source}[{at}]", dims[-1], dtype)
    cycles = prod(dims[:-1]) * run_cycles(dims[-1], dtype)
    return Nest(nested(variables, dims[:-1], (body,)), cycles=cycles)


def _elements(
    dims: Shape, strides: tuple[Shape, Shape], dtype: DType, y: int, x: int, source: str
) -> Nest:
    """Along the last axis in steps, then the rest."""
    variables, (to, at) = names(len(dims)), strides
    cycles = 3.0 * prod(dims)
    if not dims or dims[-1] < _STEP:
        body = f"y0[{affine(variables, to, y)}] = {source}[{affine(variables, at, x)}];"
        return Nest(nested(variables, dims, (body,)), cycles=2.0 * cycles)
    steps, rest = divmod(dims[-1], _STEP)
    inner = variables[-1]
    # operands that are moved one behind the other share a scope
    own = "" if source == "x0" else f"_{source}"
    read = _run(f"run_x{own}", f"const {dtype.c}", source, variables, at, x)
    written = _run(f"run_y{own}", dtype.c, "y0", variables, to, y)
    loads = [f"const {dtype.c} v{k} = {read.at(k, _STEP)};" for k in range(_STEP)]
    stores = [f"{written.at(k, _STEP)} = v{k};" for k in range(_STEP)]
    lines: list[Loop | str] = [*read.begin, *written.begin]
    lines.append(Loop(inner, steps, (*loads, *stores)))
    if rest:
        done = steps * _STEP
        lines.append(Loop(inner, rest, (f"{written.at(done, 1)} = {read.at(done, 1)};",)))
    return Nest(nested(variables[:-1], dims[:-1], lines), cycles=cycles)


@dataclass(frozen=True)
class _Run:
    """Elements along the last axis: `pointer`[affine of `variables`]; `begin` declares the pointer."""

    begin: tuple[str, ...]
    pointer: str
    variables: Sequence[str]
    strides: Shape
    offset: int

    def at(self, element: int, step: int) -> str:
        """The C lvalue of an element, and of each `step` after it as the last variable counts."""
        *outer, stride = self.strides
        index = affine(self.variables, (*outer, step * stride), self.offset + element * stride)
        return f"{self.pointer}[{index}]"


def _run(
    name: str, type_: str, pointer: str, variables: Sequence[str], strides: Shape, offset: int
) -> _Run:
    """By a pointer to its first element, which leaves the inner loop enough registers; backwards by indices from the
    tensor's first, as an index before a pointer would have a sign."""
    if strides[-1] < 0:
        return _Run((), pointer, variables, strides, offset)
    first = f"{type_} *{name} = &{pointer}[{affine(variables[:-1], strides[:-1], offset)}];"
    return _Run((first,), name, variables[-1:], strides[-1:], 0)
