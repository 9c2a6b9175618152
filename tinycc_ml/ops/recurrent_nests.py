"""The C around a recurrent step: sequences, steps of time, initial states and results; and the float gates."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ..ir.types import F32, DType
from .base import Loop, Nest, Site
from .contraction import packed_blocks
from .indexing import c_float, read
from .recurrent import Sizes, activations, c_activation, index_of, macs

Lines = tuple[Loop | str, ...]
ROWS_F32 = "recurrent/tml_recurrent_rows_f32.h"
# Modelled cycles of a multiplication, of a float activation and of all else for a unit and step
_MAC, _FUNCTION, _UNIT = 4.5, 120.0, 40.0


def walk_lines(
    site: Site, before: Lines, step: Lines, shown: str, rest: str, after: Lines
) -> Lines:
    """For each sequence `before`, then for each step of time `step` (`t` is the time, `b` the sequence) and
    `shown`, which is what y gets of unit `j`; then `after`."""
    n = Sizes.of(site)
    y = _output(site, "y")
    write: Lines = ()
    if y is not None:
        place = f"{y}[{n.batch * n.units}U * t + {n.units}U * b + j]"
        write = (Loop("j", n.units, (f"{place} = {shown};",)),)
    time = "const size_t t = " + ("steps - 1U - s;" if site.attrs["reverse"] else "s;")
    skip: Lines = ("if (s >= steps) { continue; }",) if index_of(site, "lens") is not None else ()
    clear: Lines = ()
    if y is not None and skip:
        every = f"{y}[{n.batch * n.units}U * s + {n.units}U * b + j] = {rest};"
        clear = (Loop("s", n.steps, (Loop("j", n.units, (every,)),)),)
    needs_t: Lines = () if "t" not in _words((*step, *write)) else (time,)
    walk = Loop("s", n.steps, (*skip, *needs_t, *step, *write))
    return (Loop("b", n.batch, (*_count(site), *clear, *before, walk, *after)),)


def _words(lines: Lines) -> set[str]:
    text = " ".join(
        line if isinstance(line, str) else " ".join(_words(line.body)) for line in lines
    )
    return set(re.findall(r"\w+", text))


def _count(site: Site) -> Lines:
    """The steps of sequence b, where they are looked at."""
    n, lens = Sizes.of(site), index_of(site, "lens")
    if lens is None:
        return (f"const size_t steps = {n.steps}U;",) if site.attrs["reverse"] else ()
    count = f"const int64_t given = (int64_t){read(site, lens, 'b')};"
    most = f"{n.steps}"
    return (
        count,
        f"const size_t steps = (size_t)(given < 0 ? 0 : given > {most} ? {most} : given);",
    )


def _output(site: Site, name: str) -> str | None:
    made = site.attrs["outputs"]
    return f"y{made.index(name)}" if name in made else None


def start_lines(site: Site, states: Sequence[tuple[str, str]], zero: str) -> Lines:
    """The states of sequence b before its first step: (array, operand) each."""
    n, lines = Sizes.of(site), []
    for array, operand in states:
        given = index_of(site, operand)
        value = zero if given is None else read(site, given, f"{n.units}U * b + j")
        if given is not None and index_of(site, "lens") is not None:
            value = f"steps > 0U ? {value} : {zero}"
        lines.append(f"{array}[j] = {value};")
    return (Loop("j", n.units, tuple(lines)),)


def end_lines(site: Site, values: dict[str, str]) -> Lines:
    """Results that are states: by output, the C expression for unit j."""
    n = Sizes.of(site)
    lines = tuple(
        f"{y}[{n.units}U * b + j] = {value};"
        for name, value in values.items()
        if (y := _output(site, name))
    )
    return (Loop("j", n.units, lines),) if lines else ()


def products(
    site: Site, gates: str, operand: str, vector: str, rows: range, name: str
) -> tuple[Lines, tuple[tuple[str, np.ndarray], ...]]:
    """gates[r] += sum of operand[rows[r]][i] * vector[i], and the packed weights when they are known."""
    index = index_of(site, operand)
    assert index is not None
    tensor = site.inputs[index]
    length, count = tensor.shape[1], len(rows)
    if tensor.data is not None:
        packed = packed_blocks(tensor.data[rows.start : rows.stop])
        return (f"tml_recurrent_rows_f32({length}U, {count}U, {name}, {vector}, {gates});",), (
            (name, packed),
        )
    place = f"{length}U * (r + {rows.start}U) + i"
    term = f"sum += {read(site, index, place)} * ({vector})[i];"
    body = (f"float sum = {gates}[r];", Loop("i", length, (term,)), f"{gates}[r] = sum;")
    return (Loop("r", count, body),), ()


def biases(site: Site, gates: str, first: range, second: range | None = None) -> Lines:
    """gates[r] = the bias of row r; `second`: rows of rb that belong to the same sum."""
    b, rb = index_of(site, "b"), index_of(site, "rb")
    assert b is not None
    lines: list[Loop | str] = [Loop("r", len(first), (f"{gates}[r] = {_at(site, b, first)};",))]
    if rb is not None and second is not None and len(second):
        lines.append(Loop("r", len(second), (f"{gates}[r] += {_at(site, rb, second)};",)))
    return tuple(lines)


def _at(site: Site, index: int, rows: range) -> str:
    return read(site, index, f"r + {rows.start}U" if rows.start else "r")


def applied(site: Site, k: int, name: str, value: str) -> Lines:
    """const float name = activation k of the clipped value."""
    clip = site.attrs["clip"]
    if clip:
        limit = c_float(clip)
        value = f"fminf(fmaxf({value}, -{limit}), {limit})"
    return (
        f"const float {name}_in = {value};",
        f"const float {name} = {c_activation(site.attrs, k, name + '_in')};",
    )


def float_nest(
    site: Site,
    lines: Lines,
    arrays: tuple[tuple[str, np.ndarray], ...],
    scratch: tuple[tuple[str, DType, int], ...],
) -> Nest:
    n = Sizes.of(site)
    functions = len(activations(site.attrs)) * _FUNCTION + _UNIT
    cycles = _MAC * macs(site) + functions * n.steps * n.batch * n.units
    includes = ("math.h", *((ROWS_F32,) if arrays else ()))
    return Nest(lines, arrays, includes, cycles=cycles, scratch=scratch)


def float_scratch(site: Site, **units: int) -> tuple[tuple[str, DType, int], ...]:
    """Float arrays of so many units each."""
    n = Sizes.of(site)
    return tuple((name, F32, count * n.units) for name, count in units.items())


def x_at(site: Site) -> str:
    """The inputs of sequence b at time t."""
    n = Sizes.of(site)
    return f"x0 + {n.batch * n.inputs}U * t + {n.inputs}U * b"
