"""What an ONNX importer sees of its node, and how it writes the graph. Used by the op files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from ..errors import InternalError, Location, ModelError, NeedsValue
from ..ir.graph import Attrs, Origin, Tensor, constant
from ..ir.rewrite import Draft
from ..ir.types import Quant, TensorType, dtype_of

_SENTINEL = object()
TO_NHWC = (0, 2, 3, 1)
TO_NCHW = (0, 3, 1, 2)


@dataclass(frozen=True)
class OnnxNode:
    """One ONNX node being imported: its attributes and operands, and `emit` to write IR nodes.

    `inputs` are IR tensor names ("" for an absent one); `outputs` are the names the results must have.
    """

    draft: Draft
    op_type: str
    name: str
    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any]
    unread: frozenset[str] = frozenset()  # results that nothing asks for

    def is_read(self, index: int) -> bool:
        """Whether somebody reads ONNX output `index`."""
        return index < len(self.outputs) and self.outputs[index] not in ("", *self.unread)

    def attr(self, name: str, default: Any = _SENTINEL) -> Any:
        """An attribute as a Python value. ModelError when it is needed and absent."""
        value = self.attrs.get(name, default)
        if value is _SENTINEL:
            self.refuse(f"{self.op_type} needs the attribute {name!r}")
        return value

    def has(self, index: int) -> bool:
        return index < len(self.inputs) and self.inputs[index] != ""

    def tensor(self, index: int) -> Tensor:
        if not self.has(index):
            self.refuse(f"{self.op_type} needs input {index}, which is absent")
        return self.draft.tensors[self.inputs[index]]

    def type(self, index: int) -> TensorType:
        return self.tensor(index).type

    def is_const(self, index: int) -> bool:
        return self.has(index) and self.tensor(index).is_constant

    def const(self, index: int, what: str = "") -> np.ndarray:
        """The value of an input that must be a constant. ModelError when it is computed at run time."""
        tensor = self.tensor(index)
        if tensor.data is None:
            raise NeedsValue(
                f"{self.op_type} needs a constant {what or f'input {index}'}, got {tensor.name!r} made at run time",
                self._inputs_behind(tensor.name),
                loc=Location(node=self.name or self.outputs[0]),
            )
        return tensor.data

    def _inputs_behind(self, tensor: str) -> tuple[str, ...]:
        """The model's inputs that a tensor is computed from."""
        seen: dict[str, None] = {}
        todo = [tensor]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen[name] = None
                maker = self.draft.producer(name)
                todo += maker.inputs if maker else ()
        return tuple(name for name in seen if name in self.draft.inputs)

    def refuse(self, message: str, hint: str | None = None) -> NoReturn:
        raise ModelError(message, loc=Location(node=self.name or self.outputs[0]), hint=hint)

    def constant(self, hint: str, data: np.ndarray, quant: Quant | None = None) -> str:
        return self.draft.add_constant(hint, data, quant)

    def emit(
        self,
        op: str,
        inputs: Sequence[str],
        attrs: Mapping[str, Any] | None = None,
        *,
        out: int | None = None,
        origin: Origin | None = None,
        hint: str = "",
        quant: Quant | None = None,
    ) -> str:
        """Add an IR node with one output; its name is returned. `out` says which ONNX output it is."""
        return self.emit_many(
            op,
            inputs,
            attrs,
            outs=None if out is None else (out,),
            origin=origin,
            hint=hint,
            quant=quant,
        )[0]

    def emit_many(
        self,
        op: str,
        inputs: Sequence[str],
        attrs: Mapping[str, Any] | None = None,
        *,
        outs: tuple[int, ...] | None = None,
        origin: Origin | None = None,
        hint: str = "",
        quant: Quant | None = None,
    ) -> tuple[str, ...]:
        """Add an IR node; ModelError, naming the ONNX node, when its operands don't fit."""
        from . import infer

        attrs = dict(attrs or {})
        types = [self.draft.tensors[name].type for name in inputs]
        try:
            made = infer(op, types, attrs)
        except ModelError as error:
            self.refuse(error.message, error.hint)
        names = tuple(
            self._output(t, k, outs, origin, hint or op, quant) for k, t in enumerate(made)
        )
        self.draft.add_node(op, inputs, names, attrs, self.name or names[0])
        return names

    def _output(
        self, type_: TensorType, k: int, outs: tuple[int, ...] | None, origin: Origin | None,
        hint: str, quant: Quant | None,
    ) -> str:  # fmt: skip
        if outs is None:
            first = next((n for n in self.outputs if n), self.op_type)
            name = self.draft.fresh(f"{first}.{hint}")
        else:
            name = self.outputs[outs[k]]
            origin = Origin(name)
        type_ = replace(type_, quant=quant) if quant else type_
        return self.draft.add_tensor(Tensor(name, type_, origin=origin))

    def rename(self, index: int, tensor: str) -> None:
        """Let ONNX output `index` be an existing tensor (an operator that does nothing)."""
        known = self.draft.tensors[tensor]
        if known.data is None:
            self.emit("identity", [tensor], out=index)
        else:
            self.give(index, known.data)

    def give(self, index: int, data: np.ndarray) -> None:
        """Let ONNX output `index` be a constant."""
        name = self.outputs[index]
        self.draft.add_tensor(
            replace(
                constant(name, TensorType(data.shape, dtype_of(data)), data), origin=Origin(name)
            )
        )

    def with_inputs(self, *inputs: str) -> OnnxNode:
        """The same node on other operands."""
        return replace(self, inputs=inputs)

    def rearranged(
        self,
        index: int,
        change: Callable[[np.ndarray], np.ndarray],
        axis: int | None = None,
        hint: str = "",
    ) -> str:
        """A weight in another axis order: `change` is applied to the constant behind the input, also
        behind a DequantizeLinear; `axis` is where the channel axis ends up. ModelError otherwise."""
        tensor, source = self.tensor(index), self._fixed(index, "weights")
        hint = hint or f"{tensor.name}.{self.op_type.lower()}"
        if source is tensor:
            return self.draft.add_constant(hint, change(tensor.value), origin=Origin(tensor.name))
        quant = source.type.quant
        if quant is not None and quant.axis is not None:
            quant = replace(quant, axis=axis)
        moved = self.draft.add_constant(hint, change(source.value), quant, Origin(source.name))
        return self.emit("dequantize", [moved], hint="weights")

    def fixed(self, index: int, what: str) -> str:
        """The name of an input that is a constant, or a dequantised one. ModelError otherwise."""
        self._fixed(index, what)
        return self.inputs[index]

    def _fixed(self, index: int, what: str) -> Tensor:
        """The constant that an input is, or that is behind its DequantizeLinear."""
        tensor = self.tensor(index)
        maker = self.draft.producer(tensor.name)
        if tensor.data is None and maker is not None and maker.op == "dequantize":
            source = self.draft.tensors[maker.inputs[0]]
        else:
            source = tensor
        if source.data is None:
            self.refuse(
                f"{self.op_type} needs constant {what}, got {tensor.name!r} made at run time"
            )
        return source

    def to_channels_last(self, index: int) -> str:
        """An N C (L | H W) input as [N, H, W, C]; one-dimensional images get H = 1."""
        name, type_ = self.inputs[index], self.type(index)
        if type_.rank == 3:
            n, c, length = type_.shape
            name = self.emit("reshape", [name], {"shape": (n, c, 1, length)}, hint="image")
        elif type_.rank != 4:
            self.refuse(f"{self.op_type} takes a 1-D or 2-D image [N, C, (H,) W], got {type_}")
        return self.emit("transpose", [name], {"perm": TO_NHWC}, hint="nhwc")

    def from_channels_last(self, tensor: str, rank: int, out: int = 0) -> None:
        """ONNX output `out` from a channels-last image: back to N C (L | H W)."""
        if rank == 4:
            self.emit("transpose", [tensor], {"perm": TO_NCHW}, out=out)
            return
        moved = self.emit("transpose", [tensor], {"perm": TO_NCHW}, hint="nchw")
        n, c, _, length = self.draft.tensors[moved].shape
        self.emit("reshape", [moved], {"shape": (n, c, length)}, out=out)

    def image_origin(self, out: int = 0) -> Origin:
        """The origin of the channels-last tensor behind an ONNX output."""
        return Origin(self.outputs[out], TO_NCHW)


def never_emitted(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """The shape rule of what only exists as an ONNX operator, imported as other ops."""
    raise InternalError("this op is imported as others and stands in no graph")
