"""How an op's float node between quantised tensors becomes integer nodes. Used by the op files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ..errors import Location, ModelError
from ..ir.graph import Node, Origin, Tensor
from ..ir.rewrite import Draft
from ..ir.types import I8, I16, I32, Quant, TensorType
from ..numerics.fixedpoint import (
    INT32_MAX,
    Multiplier,
    multiplier_of,
    round_half_up,
    wide_multiplier_of,
)
from ..numerics.quantization import dequantize, integer_bound


@dataclass(frozen=True)
class Lowering:
    """A float node whose operands are dequantised tensors or constants, and whose result is quantised.

    `out` names the quantised result; `emit` writes integer nodes, the last of them making `out`.
    `index`: which of the node's results that is.
    """

    draft: Draft
    node: Node
    out: str
    index: int = 0
    others: tuple[str, ...] = ()  # what an op that moves values makes beside `out`

    def taken_over(self, index: int) -> str | None:
        """The quantised tensor of another result of the node, for this lowering to make; None when
        nothing reads it. ModelError when it is read as float."""
        readers = self.draft.readers(self.node.outputs[index])
        if not readers:
            return None
        if len(readers) > 1 or readers[0].op != "quantize":
            self.refuse(f"its result {index} stays float")
        self.draft.remove_node(readers[0])
        return readers[0].outputs[0]

    @property
    def attrs(self) -> Mapping[str, Any]:
        return self.node.attrs

    @property
    def y(self) -> TensorType:
        return self.draft.tensors[self.out].type

    @property
    def y_quant(self) -> Quant:
        quant = self.y.quant
        if quant is None or not quant.is_per_tensor:
            self.refuse("its result is quantised per channel; activations take one scale")
        return quant

    def refuse(self, message: str, hint: str | None = None) -> NoReturn:
        raise ModelError(
            f"{self.node.op} has no integer form here: {message}",
            loc=Location(node=self.node.name),
            hint=hint,
        )

    def quantized(self, index: int) -> Tensor | None:
        """The quantised tensor behind an operand: an activation or a constant; None for a float constant."""
        maker = self.draft.producer(self.node.inputs[index])
        return self.draft.tensors[maker.inputs[0]] if maker else None

    def activation(self, index: int) -> Tensor:
        """A quantised run-time operand with one scale, int8 or int16. ModelError otherwise."""
        tensor = self.quantized(index)
        if tensor is None or tensor.is_constant:
            self.refuse(f"operand {index} is a constant")
        if (
            tensor.type.dtype not in (I8, I16)
            or tensor.type.quant is None
            or not tensor.type.quant.is_per_tensor
        ):
            self.refuse(f"operand {index} is {tensor.type}, wanted i8 or i16 with one scale")
        return tensor

    def is_constant(self, index: int) -> bool:
        tensor = self.quantized(index)
        return tensor is None or tensor.is_constant

    def real(self, index: int) -> np.ndarray:
        """The real value of a constant operand, quantised or not."""
        tensor = self.quantized(index)
        if tensor is None:
            return self.draft.tensors[self.node.inputs[index]].value
        return dequantize(tensor.value, tensor.type)

    def constant(self, hint: str, data: np.ndarray, quant: Quant | None = None) -> str:
        return self.draft.add_constant(
            f"{self.node.name}.{hint}", data, quant, Origin(self.node.name)
        )

    def emit(
        self,
        op: str,
        inputs: Sequence[str],
        attrs: Mapping[str, Any],
        type_: TensorType | None = None,
    ) -> str:
        """Add an integer node. Without a type it makes `out` and `others`; with one, a new tensor, which is named."""
        names = [self.out, *self.others]
        if type_ is not None:
            fresh = self.draft.fresh(f"{self.node.name}.{op}")
            names = [self.draft.add_tensor(Tensor(fresh, type_))]
        self.draft.add_node(op, inputs, names, attrs, self.node.name)
        return names[0]

    def limits(self) -> dict[str, int]:
        """The fused clamp on the integers of the result, as attributes q_min and q_max."""
        bounds = {"q_min": self.attrs.get("min", -np.inf), "q_max": self.attrs.get("max", np.inf)}
        quant, dtype = self.y_quant, self.y.dtype
        return {name: integer_bound(float(b), quant, dtype) for name, b in bounds.items()}

    @property
    def is_wide(self) -> bool:
        """Whether the result or a run-time operand is int16 (integer_end.py)."""
        operands = [self.quantized(k) for k, name in enumerate(self.node.inputs) if name]
        types = [self.y, *(t.type for t in operands if t is not None and not t.is_constant)]
        return any(t.dtype == I16 for t in types)

    def multiplier(self, scale: np.ndarray, bound: np.ndarray | int = INT32_MAX) -> Multiplier:
        """bound: |accumulator| at most, which decides how exact the multipliers of wide nodes can be."""
        try:
            return wide_multiplier_of(scale, bound) if self.is_wide else multiplier_of(scale)
        except ValueError as error:
            self.refuse(str(error))

    def contraction(
        self, x: Tensor, weights: Tensor, channel_axis: int, bias_index: int, wide: bool = False
    ) -> Contraction:
        """Everything a sum of products needs: weights without zero point, the bias at the accumulator's
        scale with the input's zero point folded in, and one multiplier per channel (numerics.md §3)."""
        quant = weights.type.quant
        if weights.data is None or quant is None or x.type.quant is None:
            self.refuse("its weights are no quantised constant")
        w = _without_zero_point(weights, channel_axis)
        channels = w.shape[channel_axis]
        if quant.axis not in (None, channel_axis):
            self.refuse(f"weights quantised along axis {quant.axis}, wanted the output channel")
        fits = w.min() >= -128 and w.max() <= 127
        if not fits and not wide:
            self.refuse("its weights less their zero point leave the range of int8")
        scale = (
            np.broadcast_to(np.asarray(quant.scale, np.float64), (channels,)) * x.type.quant.scale0
        )
        other = tuple(i for i in range(w.ndim) if i != channel_axis)
        bias = self._bias(bias_index, scale) - x.type.quant.zero * w.sum(axis=other)
        reach = max(abs(end) for end in x.type.dtype.range)
        bound = np.abs(bias) + reach * np.abs(w).sum(axis=other)
        multiplier = self.multiplier(scale / self.y_quant.scale0, bound)
        return Contraction(
            w.astype(np.int8 if fits else np.int16), self.stored(bias, "its bias"), multiplier
        )

    def stored(self, values: np.ndarray, what: str) -> np.ndarray:
        """Integers at the accumulator's scale: int32; int64 where a wide node needs it."""
        if np.abs(values).max(initial=0) <= INT32_MAX:
            return values.astype(np.int32)
        if not self.is_wide:
            self.refuse(f"{what} leaves the range of int32")
        return values

    def _bias(self, index: int, scale: np.ndarray) -> np.ndarray:
        """The bias as integers of the accumulator's scale: taken as is when it has that scale."""
        if index >= len(self.node.inputs):
            return np.zeros(len(scale), np.int64)
        tensor = self.quantized(index)
        if (
            tensor is not None
            and tensor.type.dtype == I32
            and _same_scale(tensor.type.quant, scale)
        ):
            return np.broadcast_to(tensor.value.astype(np.int64).ravel(), scale.shape)
        return round_half_up(self.real(index).astype(np.float64).ravel() / scale)


@dataclass(frozen=True)
class Contraction:
    """Integer constants of a sum of products: int8 weights (int16 where they are wider, or were uint8 with a zero
    point that takes them beyond), int32 bias (int64 where a wide node needs it), multipliers per channel."""

    weights: np.ndarray
    bias: np.ndarray
    multiplier: Multiplier


def _without_zero_point(weights: Tensor, axis: int) -> np.ndarray:
    zero = np.asarray(weights.type.quant.zero_point, np.int64)  # type: ignore[union-attr]
    shape = [1] * weights.type.rank
    shape[axis] = -1
    return weights.value.astype(np.int64) - (zero.reshape(shape) if zero.size > 1 else zero[0])


def _same_scale(quant: Quant | None, scale: np.ndarray) -> bool:
    """Equal up to float32, in which models store scales."""
    if quant is None or any(quant.zero_point):
        return False
    return bool(np.allclose(np.asarray(quant.scale), scale, rtol=1e-5, atol=0))
