"""Gated recurrent unit, one direction. Gates z, r, h; operands, outputs and attributes: recurrent.py.

z = f(Wz x + Rz h + bz)    r = f(Wr x + Rr h + br)    h' = (1 - z) * n + z * h
n = g(Wh x + Rh (r * h) + bh), or with the flag (linear_before_reset) g(Wh x + bh + r * (Rh h + rbh))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..ir.graph import Attrs
from ..ir.types import I8
from ..numerics.fixedpoint import rounding_shift
from .base import Arrays, Loop, Nest, Op, QuantizeRule, Site
from .indexing import read
from .recurrent import (
    Sizes,
    State,
    activations,
    clipped,
    float_reference,
    index_of,
    infer_gates,
    macs,
    observed,
    product,
)
from .recurrent_cases import cases_of
from .recurrent_import import Kind, importer
from .recurrent_integer import (
    ONE,
    UNIT_BITS,
    Fixed,
    Plan,
    accumulator,
    initial,
    integer_reference,
    lowering,
    narrow,
)
from .recurrent_integer_nests import function, hidden, integer_nest, rows_lines, shifted
from .recurrent_nests import (
    Lines,
    applied,
    biases,
    end_lines,
    float_nest,
    float_scratch,
    products,
    start_lines,
    walk_lines,
    x_at,
)  # fmt: skip


def _step(given: Mapping[str, np.ndarray], attrs: Attrs, x: np.ndarray, state: State) -> State:
    (h,), units = state, state[0].shape[1]
    f, g = activations(attrs)
    of_x, of_h = product(given, x, "w", "b"), product(given, h, "r", "rb")
    z, r = (f(clipped(of_x[:, k] + of_h[:, k], attrs)) for k in (0, 1))
    seen = r * of_h[:, 2]
    if not attrs["flag"]:
        seen = (r * h) @ given["r"][2 * units :].T
        seen = seen + (given["rb"][2 * units :] if "rb" in given else 0)
    n = g(clipped(of_x[:, 2] + seen, attrs))
    return ((1 - z) * n + z * h,)


def _nest(site: Site) -> Nest:
    """Without the flag the array `seen` is r * h, with it Rh h + rbh."""
    units, flag = Sizes.of(site).units, site.attrs["flag"]
    first, last = range(2 * units), range(2 * units, 3 * units)
    of_x, w = products(site, "gates", "w", x_at(site), range(3 * units), "weights")
    of_h, r = products(site, "gates", "r", "h", first, "recurrent")
    start = biases(site, "gates", range(3 * units), first if flag else range(3 * units))
    between, n, p = _new(site, last)
    step = (*start, *of_x, *of_h, *between, Loop("j", units, (*n, *_blend(site))))
    before, after = start_lines(site, (("h", "h0"),), "0.0F"), end_lines(site, {"h": "h[j]"})
    lines = walk_lines(site, before, step, "h[j]", "0.0F", after)
    return float_nest(site, lines, (*w, *r, *p), float_scratch(site, h=1, gates=3, seen=1))


def _new(site: Site, last: range) -> tuple[Lines, Lines, tuple[tuple[str, np.ndarray], ...]]:
    """What comes before the units' loop, the new value `gn` in it, and packed weights."""
    units = Sizes.of(site).units
    reset, gate = applied(site, 0, "gr", f"gates[{units}U + j]"), f"gates[{2 * units}U + j]"
    if site.attrs["flag"]:
        of_h, p = products(site, "seen", "r", "h", last, "candidate")
        bias = _only(site, last)
        return (*bias, *of_h), (*reset, *applied(site, 1, "gn", f"{gate} + gr * seen[j]")), p
    of_h, p = products(site, f"(gates + {2 * units}U)", "r", "seen", last, "candidate")
    masked = Loop("j", units, (*reset, "seen[j] = gr * h[j];"))
    return (masked, *of_h), applied(site, 1, "gn", gate), p


def _only(site: Site, rows: range) -> Lines:
    """seen[r] = the bias of the second product, 0 where there is none."""
    rb = index_of(site, "rb")
    value = "0.0F" if rb is None else read(site, rb, f"r + {rows.start}U")
    return (Loop("r", len(rows), (f"seen[r] = {value};",)),)


def _blend(site: Site) -> Lines:
    return (*applied(site, 0, "gz", "gates[j]"), "h[j] = (1.0F - gz) * gn + gz * h[j];")


def _start(fixed: Fixed, zero: np.ndarray) -> State:
    """The state, the h of the products."""
    h = initial(fixed, "h0", zero)
    return h, fixed.hidden(h)


def _integer_step(fixed: Fixed, x: np.ndarray, state: State) -> State:
    (h, seen), attrs, units = state, fixed.attrs, state[0].shape[1]
    gates = narrow(fixed.rows("w", x))
    both = narrow(gates[:, : 2 * units] + fixed.rows("r", seen, slice(2 * units)))
    z, r = fixed.function(0, both[:, :units]), fixed.function(0, both[:, units:])
    last = slice(2 * units, None)
    if attrs["flag"]:
        of_h = rounding_shift(r * narrow(fixed.rows("r", seen, last)), UNIT_BITS)
    else:
        of_h = fixed.rows("r", fixed.hidden(rounding_shift(r * h, UNIT_BITS)), last)
    new = fixed.function(1, narrow(gates[:, last] + of_h))
    new = rounding_shift(new, attrs["bits"][1] - attrs["cell_bits"])
    h = narrow(rounding_shift(z * h + (ONE - z) * new, UNIT_BITS))
    return h, fixed.hidden(h)


def _integer_nest(site: Site) -> Nest:
    """Without the flag `masked` is the int8 of r * h, with it `seen` is Rh h + rbh."""
    n, flag = Sizes.of(site), site.attrs["flag"]
    first, last = range(2 * n.units), range(2 * n.units, n.rows)
    of_x, w = rows_lines(site, "w", x_at(site), range(n.rows), "gates", add=False, name="weights")
    of_h, r = rows_lines(site, "r", "hidden", first, "gates", add=True, name="recurrent")
    vector, place = ("hidden", "seen") if flag else ("masked", f"gates + {2 * n.units}U")
    new, p = rows_lines(site, "r", vector, last, place, add=not flag, name="candidate")
    reset = f"const int32_t gr = {function(site, 0, f'gates[{n.units}U + j]')};"
    masked = f"masked[j] = {hidden(site, shifted('gr * out[j]', UNIT_BITS))};"
    between = () if flag else (Loop("j", n.units, (reset, masked)),)
    unit = Loop("j", n.units, ((reset,) if flag else ()) + _integer_unit(site))
    start = (Loop("j", n.units, (f"hidden[j] = {hidden(site, 'out[j]')};",)),)
    before = (*start_lines(site, (("out", "h0"),), "0"), *start)
    step = (*of_x, *of_h, *between, *new, unit)
    nest = integer_nest(
        site, before, step, (*w, *r, *p), {"gates": 3, **({"seen": 1} if flag else {})}
    )
    return nest if flag else replace(nest, scratch=(*nest.scratch, ("masked", I8, n.units)))


def _integer_unit(site: Site) -> Lines:
    units, attrs = Sizes.of(site).units, site.attrs
    gate = f"gates[{2 * units}U + j]"
    if attrs["flag"]:
        gate = f"tml_saturate_i16({gate} + {shifted('gr * seen[j]', UNIT_BITS)})"
    new = shifted(function(site, 1, gate), attrs["bits"][1] - attrs["cell_bits"])
    return (
        f"const int32_t gz = {function(site, 0, 'gates[j]')};",
        f"const int32_t gn = {new};",
        "const int32_t sum = gz * out[j] + (32768 - gz) * gn;",
        f"out[j] = tml_saturate_i16({shifted('sum', UNIT_BITS)});",
        f"hidden[j] = {hidden(site, 'out[j]')};",
    )


def _inside(arrays: Arrays, attrs: Attrs) -> dict[str, np.ndarray]:
    return observed(_step, arrays, attrs, ("hidden",))


OP = Op(
    "gru",
    infer_gates(3),
    float_reference(_step, 1),
    integer_reference(_start, _integer_step),
    accumulator=accumulator,
    quantize=QuantizeRule(
        lowering(Plan((0,), None, ("hidden", 1), h0_is_state=True)),
        int8_only=True,
        weights={1: 0, 2: 0},
        bias=3,
        inside=_inside,
    ),
    nest=lambda site: _nest(site) if site.is_float else _integer_nest(site),
    macs=macs,
    onnx={"GRU": importer(Kind("gru", ("sigmoid", "tanh"), "linear_before_reset"))},
    cases=cases_of("GRU", 3, 2, 3.0),
    summary="Gated recurrent unit: GRU",
)
