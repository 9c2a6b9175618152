"""Long short-term memory, one direction. Gates i, o, f, c; operands, outputs and attributes: recurrent.py.

i = f(Wi x + Ri h + bi + pi * c)     f = f(Wf x + Rf h + bf + pf * c), or 1 - i (flag)
c' = f * c + i * g(Wc x + Rc h + bc)
o = f(Wo x + Ro h + bo + po * c')    h' = o * h(c')
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..ir.graph import Attrs
from ..numerics.fixedpoint import rounding_shift
from .base import Arrays, Loop, Nest, Op, QuantizeRule, Site
from .indexing import read
from .recurrent import (
    Sizes,
    State,
    activations,
    c_activation,
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
    GATE_BITS,
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
    h, c = state
    f, g, out = activations(attrs)
    gates = product(given, x, "w", "b") + product(given, h, "r", "rb")
    p = given.get("p", np.zeros(3 * h.shape[1], np.float32)).reshape(3, -1)
    i = f(clipped(gates[:, 0] + p[0] * c, attrs))
    keep = 1 - i if attrs["flag"] else f(clipped(gates[:, 2] + p[2] * c, attrs))
    c = keep * c + i * g(clipped(gates[:, 3], attrs))
    return f(clipped(gates[:, 1] + p[1] * c, attrs)) * out(c), c


def _nest(site: Site) -> Nest:
    rows = range(Sizes.of(site).rows)
    of_x, w = products(site, "gates", "w", x_at(site), rows, "weights")
    of_h, r = products(site, "gates", "r", "h", rows, "recurrent")
    step = (*biases(site, "gates", rows, rows), *of_x, *of_h, _units(site))
    before = start_lines(site, (("h", "h0"), ("c", "c0")), "0.0F")
    after = end_lines(site, {"h": "h[j]", "c": "c[j]"})
    lines = walk_lines(site, before, step, "h[j]", "0.0F", after)
    return float_nest(site, lines, (*w, *r), float_scratch(site, h=1, c=1, gates=4))


def _units(site: Site) -> Loop:
    """From the sums of the gates to the new states, unit by unit."""
    units = Sizes.of(site).units
    gate = ["gates[j]", *(f"gates[{k * units}U + j]" for k in (1, 2, 3))]
    seen = [_peephole(site, k) for k in range(3)]
    keep = (
        ("const float gf = 1.0F - gi;",)
        if site.attrs["flag"]
        else applied(site, 0, "gf", gate[2] + seen[2])
    )
    body = (
        *applied(site, 0, "gi", gate[0] + seen[0]), *keep, *applied(site, 1, "gc", gate[3]),
        "c[j] = gf * c[j] + gi * gc;", *applied(site, 0, "go", gate[1] + seen[1]),
        "const float cell = c[j];", f"h[j] = go * ({c_activation(site.attrs, 2, 'cell')});",
    )  # fmt: skip
    return Loop("j", units, body)


def _peephole(site: Site, k: int) -> str:
    """What gate k sees of the cell."""
    index, units = index_of(site, "p"), Sizes.of(site).units
    return "" if index is None else f" + {read(site, index, f'{k * units}U + j')} * c[j]"


def _start(fixed: Fixed, zero: np.ndarray) -> State:
    """What is shown, the h of the products, the cell."""
    return zero, initial(fixed, "h0", zero, fixed.attrs["hidden_zero"]), initial(fixed, "c0", zero)


def _integer_step(fixed: Fixed, x: np.ndarray, state: State) -> State:
    (_, h, c), attrs = state, fixed.attrs
    gates = narrow(narrow(fixed.rows("w", x)) + fixed.rows("r", h)).reshape(len(x), 4, -1)
    i, g = fixed.function(0, gates[:, 0]), fixed.function(1, gates[:, 3])
    keep = ONE - i if attrs["flag"] else fixed.function(0, gates[:, 2])
    added = rounding_shift(i * g, attrs["bits"][1] - attrs["cell_bits"])
    c = narrow(rounding_shift(keep * c + added, UNIT_BITS))
    o, at = fixed.function(0, gates[:, 1]), attrs["cell_bits"] - GATE_BITS
    cell = rounding_shift(c, at) if at > 0 else c << -at
    out = rounding_shift(o * fixed.unlimited(2, cell), UNIT_BITS)
    return out, fixed.hidden(out), c


def _integer_nest(site: Site) -> Nest:
    n, zero = Sizes.of(site), str(site.attrs["hidden_zero"])
    of_x, w = rows_lines(site, "w", x_at(site), range(n.rows), "gates", add=False, name="weights")
    of_h, r = rows_lines(site, "r", "hidden", range(n.rows), "gates", add=True, name="recurrent")
    before = (
        *start_lines(site, (("cell", "c0"),), "0"), *start_lines(site, (("hidden", "h0"),), zero),
        *start_lines(site, (("out", ""),), "0"),
    )  # fmt: skip
    unit = Loop("j", n.units, _integer_unit(site))
    return integer_nest(
        site, before, (*of_x, *of_h, unit), (*w, *r), {"cell": 1, "gates": 4}, "cell[j]"
    )


def _integer_unit(site: Site) -> Lines:
    units, attrs = Sizes.of(site).units, site.attrs
    gate = ["gates[j]", *(f"gates[{k * units}U + j]" for k in (1, 2, 3))]
    keep = "32768 - gi" if attrs["flag"] else function(site, 0, gate[2])
    added = shifted("gi * gc", attrs["bits"][1] - attrs["cell_bits"])
    at = attrs["cell_bits"] - GATE_BITS
    cell = shifted("cell[j]", at) if at >= 0 else f"tml_shift_left(cell[j], {-at})"
    return (
        f"const int32_t gi = {function(site, 0, gate[0])};",
        f"const int32_t gf = {keep};",
        f"const int32_t gc = {function(site, 1, gate[3])};",
        f"const int32_t sum = gf * cell[j] + {added};",
        f"cell[j] = tml_saturate_i16({shifted('sum', UNIT_BITS)});",
        f"const int32_t go = {function(site, 0, gate[1])};",
        f"const int32_t seen = {function(site, 2, cell, limited=False)};",
        f"out[j] = (int16_t){shifted('go * seen', UNIT_BITS)};",
        f"hidden[j] = {hidden(site, 'out[j]')};",
    )


def _inside(arrays: Arrays, attrs: Attrs) -> dict[str, np.ndarray]:
    return observed(_step, arrays, attrs, ("hidden", "cell"))


OP = Op(
    "lstm",
    infer_gates(4),
    float_reference(_step, 2),
    integer_reference(_start, _integer_step),
    accumulator=accumulator,
    quantize=QuantizeRule(
        lowering(Plan((0,), 2, ("cell", 1))),
        int8_only=True,
        weights={1: 0, 2: 0},
        bias=3,
        inside=_inside,
    ),
    nest=lambda site: _nest(site) if site.is_float else _integer_nest(site),
    macs=macs,
    onnx={
        "LSTM": importer(Kind("lstm", ("sigmoid", "tanh", "tanh"), "input_forget", ("h0", "c0")))
    },
    cases=cases_of("LSTM", 4, 3, 2.0),
    summary="Long short-term memory: LSTM",
)
