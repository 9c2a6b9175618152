"""The C of the recurrent operators on int8: products by the shared rows, functions by tables."""

from __future__ import annotations

import numpy as np

from ..ir.types import I8, I16
from .base import Loop, Nest, Site
from .contraction import packed_blocks
from .recurrent import Sizes, index_of, macs
from .recurrent_nests import Lines, end_lines, walk_lines, x_at

ROWS = "recurrent/tml_recurrent_rows_i8.h"
TABLE = "recurrent/tml_recurrent_table_i16.h"
Arrays = tuple[tuple[str, np.ndarray], ...]
# Modelled cycles: a multiplication, and the work on a unit
_MAC, _UNIT = 3.6, 170.0


def rows_lines(
    site: Site, side: str, vector: str, rows: range, gates: str, *, add: bool, name: str
) -> tuple[Lines, Arrays]:
    """One product of the gates: rows of w or r; its weights are packed under `name`."""
    weights = site.const(_index(site, side))[rows.start : rows.stop]
    fields = f"{weights.shape[1]}U, {len(rows)}U, {site.attrs[side + '_shift']}, {str(add).lower()}"
    skip = f" + {rows.start}U" if rows.start else ""
    bias, multiplier = (f"x{_index(site, f'{side}_{n}')}{skip}" for n in ("bias", "multiplier"))
    lines = (
        f"const struct tml_recurrent_rows {name}_rows = {{{fields}}};",
        f"tml_recurrent_rows_i8(&{name}_rows, {vector}, {name}, {bias},",
        f"                      {multiplier}, {gates});",
    )
    return lines, ((name, packed_blocks(weights)),)


def _index(site: Site, operand: str) -> int:
    index = index_of(site, operand)
    assert index is not None
    return index


def function(site: Site, k: int, value: str, limited: bool = True) -> str:
    """Function k of a value in Q3.12 as C."""
    limit, table = site.attrs["limit"], site.attrs["functions"][k]
    if limited and limit < 32767:
        value = f"tml_clamp_i32({value}, -{limit}, {limit})"
    place = f"x{_index(site, 'tables')}" + (f" + {257 * table}U" if table else "")
    return f"tml_recurrent_table_i16({place}, {value})"


def shifted(value: str, bits: int) -> str:
    """floor(value / 2^bits + 1/2)."""
    return value if bits == 0 else f"tml_rounding_shift({value}, {bits})"


def hidden(site: Site, value: str) -> str:
    """A state as the int8 that goes into the products."""
    attrs = site.attrs
    return f"tml_output_i8({value}, {attrs['hidden_multiplier']}, {attrs['hidden_shift']}, {attrs['hidden_zero']}, -128, 127)"


def result(site: Site, name: str, value: str) -> str:
    """A state as the result of that name."""
    attrs = site.attrs
    if name not in attrs["outputs"]:
        return value
    k = attrs["outputs"].index(name)
    zero = site.outputs[k].type.quant.zero  # type: ignore[union-attr]
    return f"tml_output_i8({value}, {attrs['multipliers'][k]}, {attrs['shifts'][k]}, {zero}, -128, 127)"


def integer_nest(
    site: Site, before: Lines, step: Lines, arrays: Arrays, scratch: dict[str, int], cell: str = ""
) -> Nest:
    """The walk over time: `out` [H] is what y and h show, `hidden` [H] its int8; scratch: int16 arrays of so
    many units beside them; cell: what c shows."""
    n = Sizes.of(site)
    zero = str(site.y.quant.zero)  # type: ignore[union-attr]
    shown = result(site, "y", "out[j]")
    after = end_lines(site, {"h": result(site, "h", "out[j]"), "c": result(site, "c", cell)})
    lines = walk_lines(site, before, step, shown, zero, after)
    wide = {"out": 1, **scratch}
    pieces = tuple((name, I16, count * n.units) for name, count in wide.items())
    cycles = _MAC * macs(site) + _UNIT * n.steps * n.batch * n.units
    return Nest(
        lines, arrays, (ROWS, TABLE), cycles=cycles, scratch=(*pieces, ("hidden", I8, n.units))
    )


__all__ = ["Loop", "function", "hidden", "integer_nest", "result", "rows_lines", "shifted", "x_at"]
