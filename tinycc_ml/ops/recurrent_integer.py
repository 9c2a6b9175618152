"""The recurrent operators on int8 (numerics.md §15): constants of the integer node, and its walk in NumPy.

Operands of an integer node: x i8, w and r i8 (symmetric by row), w_bias, r_bias, w_multiplier, r_multiplier
i32 [G*H], tables i16 [n, 257], then lens, and h0 and c0 as the states are kept. Attributes beside those of
the float node: w_shift, r_shift; functions, bits (by function its table and the bits after its point);
cell_bits (of the int16 state: c of lstm, h of gru); hidden_multiplier, hidden_shift, hidden_zero (of the int8 h
that goes into the products); multipliers, shifts (by output); limit (clip in Q3.12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor, log2
from typing import Any

import numpy as np

from ..ir.graph import Attrs, Tensor
from ..ir.types import I8, Quant, TensorType
from ..numerics.fixedpoint import INT32_MAX, requantize, round_half_up, rounding_shift
from ..numerics.quantization import affine, quantize
from .base import Arrays, Site
from .contraction import exact_matmul
from .lowering import Lowering
from .recurrent import ACTIVATIONS, State, Walk, activations, by_name, started

# Sums of the gates have 12 bits after their point, results of bounded functions 15
GATE_BITS, UNIT_BITS = 12, 15
ONE = 1 << UNIT_BITS


def narrow(v: np.ndarray) -> np.ndarray:
    """Saturated to int16."""
    return np.clip(v, -32768, 32767)


def looked_up(table: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A function by its table [257] and straight lines; v: Q3.12, limited to int16."""
    at = narrow(v) + 32768
    low, high = (table[(at >> 8) + k].astype(np.int64) for k in (0, 1))
    return low + rounding_shift((high - low) * (at & 255), 8)


@dataclass(frozen=True)
class Fixed:
    """A node's operands by name and its attributes, as the integer steps ask for them."""

    given: Mapping[str, np.ndarray]
    attrs: Attrs

    def function(self, k: int, v: np.ndarray) -> np.ndarray:
        limit = self.attrs["limit"]
        return looked_up(
            self.given["tables"][self.attrs["functions"][k]], np.clip(v, -limit, limit)
        )

    def unlimited(self, k: int, v: np.ndarray) -> np.ndarray:
        return looked_up(self.given["tables"][self.attrs["functions"][k]], v)

    def rows(self, side: str, x: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
        """One product of the gates (side w or r) in Q3.12, before it is saturated."""
        weights, bias, multiplier = (
            self.given[name][rows] for name in (side, f"{side}_bias", f"{side}_multiplier")
        )
        acc = exact_matmul(x, weights.T) + bias
        return requantize(acc << self.attrs[f"{side}_shift"], multiplier)

    def hidden(self, v: np.ndarray) -> np.ndarray:
        """A state as the int8 that goes into the products."""
        scaled = requantize(v << self.attrs["hidden_shift"], self.attrs["hidden_multiplier"])
        return np.clip(scaled + self.attrs["hidden_zero"], -128, 127)


Step = Callable[[Fixed, np.ndarray, State], State]
Start = Callable[[Fixed, np.ndarray], State]


def integer_reference(start: Start, step: Step) -> Callable[[Site, Arrays], tuple[np.ndarray, ...]]:
    """`start`: states before the first step, from zeros [B, H]. State 0 is what y and h show, the last is c."""

    def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
        wide = [a.astype(np.int64) for a in arrays]
        fixed = Fixed(by_name(wide, site.attrs), site.attrs)
        x = fixed.given["x"]
        zero = np.zeros((x.shape[1], fixed.given["r"].shape[1]), np.int64)
        walk = Walk(lambda v, s: step(fixed, v, s), lambda s: s[0])
        y, state = walk.run(x, fixed.given.get("lens"), site.attrs["reverse"], start(fixed, zero))
        found = {"y": y, "h": state[0], "c": state[-1]}
        return tuple(_output(site, k, found[name]) for k, name in enumerate(site.attrs["outputs"]))

    return integer


def _output(site: Site, k: int, v: np.ndarray) -> np.ndarray:
    scaled = requantize(v << site.attrs["shifts"][k], site.attrs["multipliers"][k])
    zero = site.outputs[k].type.quant.zero  # type: ignore[union-attr]
    return np.clip(scaled + zero, -128, 127).astype(np.int8)


def initial(fixed: Fixed, name: str, zero: np.ndarray, rest: int = 0) -> np.ndarray:
    """The state before the first step, `rest` where the model gives none."""
    return started(fixed.given, name, zero) if name in fixed.given else zero + rest


def accumulator(site: Site) -> np.ndarray:
    given = dict(zip(site.attrs["operands"], site.inputs, strict=True))
    bounds = []
    for side in ("w", "r"):
        weights = np.abs(given[side].value.astype(np.int64)).sum(axis=1)
        bias = np.abs(given[f"{side}_bias"].value.astype(np.int64))
        bounds.append((bias + 128 * weights) << site.attrs[f"{side}_shift"])
    return np.concatenate(bounds)


@dataclass(frozen=True)
class Plan:
    """What tells the integer forms of the operators apart. `out`: the function whose result the output shows,
    or None where it shows the int16 state; `units`: functions that must stay within -1..1; `state`: the
    range that the int16 state is kept in, and the function that feeds it."""

    units: tuple[int, ...]
    out: int | None
    state: tuple[str, int] | None
    h0_is_state: bool = False


def lowering(plan: Plan) -> Callable[[Lowering], None]:
    def lower(low: Lowering) -> None:
        names = low.attrs["operands"]
        if "p" in names:
            low.refuse("peepholes are float only")
        if "hidden_range" not in low.attrs:
            low.refuse(
                "the model's own quantisation does not say how its states are stored",
                "give the float model and --calibrate FILE.npz, or --allow-float",
            )
        _emit(low, plan)

    return lower


def _emit(low: Lowering, plan: Plan) -> None:
    hidden = affine(*low.attrs["hidden_range"])
    attrs, tables = _tables(low, plan)
    bits = _state_bits(low, plan, attrs["bits"])
    out_bits = bits if plan.out is None else attrs["bits"][plan.out]
    x = low.activation(0)
    operands = {"x": x.name} | _products(low, x.type.quant, hidden, attrs)
    operands["tables"] = low.constant("tables", tables)
    operands |= _states(low, plan, hidden, bits)
    m = low.multiplier(np.asarray([2.0**-out_bits / hidden.scale0]))
    attrs |= {
        "hidden_multiplier": int(m.value[0]),
        "hidden_shift": m.pre_shift,
        "hidden_zero": hidden.zero,
    }
    attrs |= {
        "cell_bits": bits,
        "operands": tuple(operands),
        "reverse": low.attrs["reverse"],
        "flag": low.attrs["flag"],
    }
    clip = round_half_up(low.attrs["clip"] * 2.0**GATE_BITS)
    attrs["limit"] = min(int(clip), 32767) if low.attrs["clip"] else 32768
    _emit_outputs(low, tuple(operands.values()), attrs, {"y": out_bits, "h": out_bits, "c": bits})


def _emit_outputs(
    low: Lowering, operands: tuple[str, ...], attrs: dict[str, Any], bits: Mapping[str, int]
) -> None:
    """One node that makes all results that are quantised: `out` and those beside it."""
    made, outputs, multipliers, shifts = [], [], [], []
    for k, name in enumerate(low.attrs["outputs"]):
        out = low.out if k == low.index else low.taken_over(k)
        if out is None:
            continue
        quant = low.draft.tensors[out].type.quant
        assert quant is not None
        m = low.multiplier(np.asarray([2.0 ** -bits[name] / quant.scale0]))
        made.append(name)
        outputs.append(out)
        multipliers.append(int(m.value[0]))
        shifts.append(m.pre_shift)
    attrs |= {"outputs": tuple(made), "multipliers": tuple(multipliers), "shifts": tuple(shifts)}
    low.draft.add_node(low.node.op, operands, outputs, attrs, low.node.name)


def _tables(low: Lowering, plan: Plan) -> tuple[dict[str, Any], np.ndarray]:
    """Each function at (i - 128) / 16, i: 0..256; equal tables once."""
    names = low.attrs["activations"]
    for k in plan.units:
        if not ACTIVATIONS[names[k]].bounded:
            low.refuse(f"its gates use {names[k]}, wanted a function with results in -1..1")
    bits = tuple(UNIT_BITS if ACTIVATIONS[n].bounded else GATE_BITS for n in names)
    places = np.arange(-128, 129) / 16.0
    found: list[bytes] = []
    functions = []
    for function, b in zip(activations(low.attrs), bits, strict=True):
        values = np.asarray(function(places.astype(np.float32)), np.float64)
        table = narrow(round_half_up(values * 2.0**b)).astype(np.int16).tobytes()
        if table not in found:
            found.append(table)
        functions.append(found.index(table))
    tables = np.frombuffer(b"".join(found), np.int16).reshape(-1, len(places))
    return {"functions": tuple(functions), "bits": bits}, tables


def _state_bits(low: Lowering, plan: Plan, bits: tuple[int, ...]) -> int:
    """The most bits after the point with which the observed states fit int16."""
    if plan.state is None:
        return 0
    name, source = plan.state
    least, most = low.attrs[f"{name}_range"]
    peak = max(-least, most, 2.0**-UNIT_BITS)
    return min(max(floor(log2(32768 / peak)), 0), bits[source])


def _products(
    low: Lowering, x: Quant | None, hidden: Quant, attrs: dict[str, Any]
) -> dict[str, str]:
    """Constants of both products; attrs get their pre-shifts. The second has the bias rb alone."""
    assert x is not None
    names = low.attrs["operands"]
    matrices: dict[str, str] = {}
    vectors: dict[str, str] = {}
    for side, index, source, bias in (("w", 1, x, "b"), ("r", 2, hidden, "rb")):
        weights = low.quantized(index)
        if weights is None or weights.data is None or weights.type.quant is None:
            low.refuse("its weights are no quantised constant")
        w = weights.value.astype(np.int64)
        scale = (
            np.broadcast_to(np.asarray(weights.type.quant.scale, np.float64), (len(w),))
            * source.scale0
        )
        real = low.real(names.index(bias)) if bias in names else np.zeros(len(w))
        total = round_half_up(real / scale) - source.zero * w.sum(axis=1)
        if np.abs(total).max() > INT32_MAX:
            low.refuse("its bias leaves the range of int32")
        m = low.multiplier(scale * 2.0**GATE_BITS)
        matrices[side] = low.constant(side, w.astype(np.int8))
        vectors[f"{side}_bias"] = low.constant(f"{side}_bias", total.astype(np.int32))
        vectors[f"{side}_multiplier"] = low.constant(f"{side}_multiplier", m.value)
        attrs[f"{side}_shift"] = m.pre_shift
    return {**matrices, **vectors}


def _states(low: Lowering, plan: Plan, hidden: Quant, bits: int) -> dict[str, str]:
    """lens, and initial states in the form in which they are kept."""
    names, found = low.attrs["operands"], {}
    if "lens" in names:
        found["lens"] = low.node.inputs[names.index("lens")]
    for name in ("h0", "c0"):
        if name not in names:
            continue
        to_state = name == "c0" or plan.h0_is_state
        found[name] = _state(low, names.index(name), None if to_state else hidden, bits)
    return found


def _state(low: Lowering, index: int, quant: Quant | None, bits: int) -> str:
    """An initial state as int8 of `quant`, or as int16 with so many bits after the point."""

    def kept(real: np.ndarray) -> np.ndarray:
        if quant is not None:
            return quantize(real, TensorType(real.shape, I8, quant))
        return narrow(round_half_up(real * 2.0**bits)).astype(np.int16)

    if low.is_constant(index):
        return low.constant("state", kept(low.real(index)))
    x: Tensor = low.activation(index)
    return emit_table(low, x, kept)


def emit_table(low: Lowering, x: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> str:
    """A new tensor: integers that a function makes of the 256 real values of x."""
    from ..ir.types import dtype_of
    from ..numerics.quantization import dequantize

    table = function(dequantize(np.arange(-128, 128), x.type))
    type_ = TensorType(x.shape, dtype_of(table))
    return low.emit("lut", [x.name, low.constant("state", table)], {}, type_)
