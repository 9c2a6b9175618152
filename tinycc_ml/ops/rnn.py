"""The plain recurrent layer, one direction: h' = f(W x + R h + b). Operands and attributes: recurrent.py."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..ir.graph import Attrs
from .base import Arrays, Loop, Nest, Op, QuantizeRule, Site
from .recurrent import (
    Sizes,
    State,
    activations,
    clipped,
    float_reference,
    infer_gates,
    macs,
    observed,
    product,
)
from .recurrent_cases import cases_of
from .recurrent_import import Kind, importer
from .recurrent_integer import (
    Fixed,
    Plan,
    accumulator,
    initial,
    integer_reference,
    lowering,
    narrow,
)
from .recurrent_integer_nests import function, hidden, integer_nest, rows_lines
from .recurrent_nests import (
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
    gates = product(given, x, "w", "b") + product(given, state[0], "r", "rb")
    return (activations(attrs)[0](clipped(gates[:, 0], attrs)),)


def _nest(site: Site) -> Nest:
    units = Sizes.of(site).units
    rows = range(units)
    of_x, w = products(site, "gates", "w", x_at(site), rows, "weights")
    of_h, r = products(site, "gates", "r", "h", rows, "recurrent")
    unit = Loop("j", units, (*applied(site, 0, "made", "gates[j]"), "h[j] = made;"))
    step = (*biases(site, "gates", rows, rows), *of_x, *of_h, unit)
    before, after = start_lines(site, (("h", "h0"),), "0.0F"), end_lines(site, {"h": "h[j]"})
    lines = walk_lines(site, before, step, "h[j]", "0.0F", after)
    return float_nest(site, lines, (*w, *r), float_scratch(site, h=1, gates=1))


def _start(fixed: Fixed, zero: np.ndarray) -> State:
    """What is shown, the h of the products."""
    return zero, initial(fixed, "h0", zero, fixed.attrs["hidden_zero"])


def _integer_step(fixed: Fixed, x: np.ndarray, state: State) -> State:
    out = fixed.function(0, narrow(narrow(fixed.rows("w", x)) + fixed.rows("r", state[1])))
    return out, fixed.hidden(out)


def _integer_nest(site: Site) -> Nest:
    n, zero = Sizes.of(site), str(site.attrs["hidden_zero"])
    of_x, w = rows_lines(site, "w", x_at(site), range(n.rows), "gates", add=False, name="weights")
    of_h, r = rows_lines(site, "r", "hidden", range(n.rows), "gates", add=True, name="recurrent")
    before = (
        *start_lines(site, (("hidden", "h0"),), zero),
        *start_lines(site, (("out", ""),), "0"),
    )
    lines = (
        f"out[j] = (int16_t){function(site, 0, 'gates[j]')};",
        f"hidden[j] = {hidden(site, 'out[j]')};",
    )
    step = (*of_x, *of_h, Loop("j", n.units, lines))
    return integer_nest(site, before, step, (*w, *r), {"gates": 1})


def _inside(arrays: Arrays, attrs: Attrs) -> dict[str, np.ndarray]:
    return observed(_step, arrays, attrs, ("hidden",))


OP = Op(
    "rnn",
    infer_gates(1),
    float_reference(_step, 1),
    integer_reference(_start, _integer_step),
    accumulator=accumulator,
    quantize=QuantizeRule(
        lowering(Plan((), 0, None)), int8_only=True, weights={1: 0, 2: 0}, bias=3, inside=_inside
    ),
    nest=lambda site: _nest(site) if site.is_float else _integer_nest(site),
    macs=macs,
    onnx={"RNN": importer(Kind("rnn", ("tanh",)))},
    cases=cases_of("RNN", 1, 1, 8.0),
    summary="Plain recurrent layer: RNN",
)
