"""How element-wise functions of quantised values that unary.py and binary.py have not become integer: Where, comparisons,
and tables of what takes one value (numerics.md §8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..ir.graph import Tensor
from ..ir.types import I16, Quant
from ..numerics.quantization import dequantize
from .formulas import FUNCTIONS
from .lowering import Lowering
from .lut import emit_lut, rescaled

# Each comparison with its operands exchanged
COMPARISONS: Mapping[str, str] = {
    "equal": "equal",
    "greater": "less",
    "greater_or_equal": "less_or_equal",
    "less": "greater",
    "less_or_equal": "greater_or_equal",
}
# x is `name` to a real number where its integer is [0] to the first integer whose value is on the side [1] of it
_THRESHOLDS = {
    "equal": ("equal", "left"),
    "greater": ("greater_or_equal", "right"),
    "greater_or_equal": ("greater_or_equal", "left"),
    "less": ("less", "left"),
    "less_or_equal": ("less", "right"),
}


def lower(low: Lowering) -> None:
    name = low.attrs["function"]
    if name == "where":
        values = [rescaled(low, k) for k in (1, 2)]
        low.emit("elementwise", [low.node.inputs[0], *values], low.attrs)
    elif name not in COMPARISONS:
        _lower_table(low)
    elif low.is_constant(0) or low.is_constant(1):
        _lower_threshold(low)
    else:
        low.emit("elementwise", _on_one_scale(low), low.attrs)


def _lower_threshold(low: Lowering) -> None:
    """A comparison with constants: exactly that of the dequantised value."""
    left = low.is_constant(0)
    x, limits = low.activation(int(left)), low.real(int(not left)).astype(np.float32)
    name = low.attrs["function"]
    if np.isnan(limits).any():
        low.refuse("it compares with what is no number")
    function, side = _THRESHOLDS[COMPARISONS[name] if left else name]
    first, last = x.type.dtype.range
    reals = dequantize(np.arange(first, last + 1), x.type)
    at = np.searchsorted(reals, limits, side=side)  # type: ignore[call-overload]
    if name == "equal":
        at = np.where(reals[np.minimum(at, len(reals) - 1)] == limits, at, len(reals))
    kind = np.int16 if x.type.dtype.bits == 8 else np.int32
    limit = low.constant("limit", (at + first).astype(kind))
    low.emit("elementwise", [x.name, limit], {"function": function})


def _on_one_scale(low: Lowering) -> list[str]:
    """Both operands as they are where their quantisation is one, else as int16 of a common scale."""
    operands = [low.activation(k) for k in (0, 1)]
    if len({(x.type.dtype, x.type.quant) for x in operands}) == 1:
        return [x.name for x in operands]
    if any(x.type.dtype == I16 for x in operands):
        low.refuse("its int16 operands have different scales")
    quant = Quant.per_tensor(max(_reach(x) for x in operands) / I16.range[1])
    types = [replace(x.type, dtype=I16, quant=quant) for x in operands]
    return [
        emit_lut(low, x, lambda real: real, type_) for x, type_ in zip(operands, types, strict=True)
    ]


def _reach(x: Tensor) -> float:
    assert x.type.quant is not None
    return max(abs(end - x.type.quant.zero) for end in x.type.dtype.range) * x.type.quant.scale0


def _lower_table(low: Lowering) -> None:
    """A function of one run-time value, all other operands being one constant each."""
    name, operands = low.attrs["function"], range(len(low.node.inputs))
    given = [k for k in operands if not low.is_constant(k)]
    others = {k: low.real(k).ravel() for k in operands if k not in given}
    if len(given) != 1 or any(v.size != 1 for v in others.values()):
        low.refuse(f"{name} takes one run-time operand and constants of one value")
    x, rest = low.activation(given[0]), {k: v for k, v in low.attrs.items() if k != "function"}

    def function(real: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return FUNCTIONS[name].numpy(*(others.get(k, real) for k in operands), **rest)

    emit_table(low, x, function)


def emit_table(low: Lowering, x: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> None:
    """`function` of int8 values, whose result is a bool, a whole number or real: values may jump."""
    if x.type.dtype.bits != 8:
        low.refuse("it has none on int16", "give this node the scheme int8")
    if low.y.quant is not None:
        emit_lut(low, x, function)
        return
    reals = dequantize(np.arange(-128, 128), x.type)
    table = low.constant("table", np.asarray(function(reals)).astype(low.y.dtype.numpy))
    low.emit("lut", [x.name, table], {})
