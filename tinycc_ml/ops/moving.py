"""Loop nests that only move elements: runs are copied as a whole, single elements eight at a time."""

from __future__ import annotations

from math import prod

from ..ir.types import DType
from .base import Loop, Nest
from .indexing import affine, collapse, names, nested

Shape = tuple[int, ...]
# Loads behind each other take one cycle on Cortex-M, so they come before the stores
_STEP = 8


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
    wide = tuple((*s[:-1], _STEP * s[-1]) for s in (to, at))

    def element(pointer: str, stride: Shape, offset: int, k: int) -> str:
        return f"{pointer}[{affine(variables, stride, offset + k)}]"

    loads = [
        f"const {dtype.c} v{k} = {element(source, wide[1], x, k * at[-1])};" for k in range(_STEP)
    ]
    stores = [f"{element('y0', wide[0], y, k * to[-1])} = v{k};" for k in range(_STEP)]
    lines: list[Loop | str] = [Loop(inner, steps, (*loads, *stores))]
    if rest:
        done = steps * _STEP
        one = f"{element('y0', to, y, done * to[-1])} = {element(source, at, x, done * at[-1])};"
        lines.append(Loop(inner, rest, (one,)))
    return Nest(nested(variables[:-1], dims[:-1], lines), cycles=cycles)
