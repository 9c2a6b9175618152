"""The net while it is being made: ONNX nodes, imported one by one as the ONNX front end does it, so that both
ways in give one graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ...errors import ModelError
from ...ir.graph import Graph, Origin, constant
from ...ir.graph import Tensor as GraphTensor
from ...ir.rewrite import Draft
from ...ir.types import DTYPES, TensorType, dtype_of
from ..onnx.nodes import NodeImport
from .limits import Limits
from .syntax import Source, Span
from .values import Tensor

OPSET = 20
_OPSETS = {"ai.onnx": OPSET, "com.microsoft": 1}


@dataclass(frozen=True)
class Step:
    """What made a tensor, for the chain of shapes in messages."""

    label: str
    source: Source
    span: Span
    parent: str | None


class Net:
    """A draft, and how it came to be."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.draft = Draft(Graph("net", (), (), (), {}))
        self.protos: list[onnx.NodeProto] = []
        self.initialisers: dict[str, np.ndarray] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.steps: dict[str, Step] = {}
        # What tensors and nodes of the text's names are called instead: weights("net.npz", names=true)
        self.names: dict[str, str] = {}
        self.node_names: dict[str, str] = {}
        self._renamed: dict[str, Tensor] = {}
        self._importer = NodeImport(self.draft, _OPSETS)
        self._elements = 0

    @property
    def renames(self) -> bool:
        """Tensors are called otherwise than the text says."""
        return bool(self.names)

    def add_input(self, name: str, dtype: str, shape: tuple[int, ...], step: Step) -> Tensor:
        type_ = TensorType(shape, DTYPES[dtype])
        self.draft.add_tensor(GraphTensor(name, type_, origin=Origin(name)))
        self.draft.inputs.append(name)
        code = helper.np_dtype_to_tensor_dtype(type_.dtype.numpy)
        self.inputs.append(helper.make_tensor_value_info(name, code, list(shape)))
        self.steps[name] = step
        return self.tensor(name)

    def add_constant(self, hint: str, array: np.ndarray) -> Tensor:
        """A constant of a name near to `hint`. ModelError when it, or all of them, are too large.

        Constants that have one other name in common are one.
        """
        if hint in self.names:
            known = self._renamed.get(self.names[hint])
            if known is None or not np.array_equal(self.data(known), array):
                known = self._renamed[self.names[hint]] = self._added(self.names[hint], array)
            return known
        return self._added(hint, array)

    def _added(self, hint: str, array: np.ndarray) -> Tensor:
        self._elements += array.size
        if self._elements > self.limits.elements:
            raise ModelError(f"the constants hold more than {self.limits.elements:,} values")
        name = self.draft.fresh(hint)
        made = constant(name, TensorType(array.shape, dtype_of(array)), array)
        self.draft.add_tensor(GraphTensor(name, made.type, made.data, Origin(name)))
        self.initialisers[name] = array
        return self.tensor(name)

    def tensor(self, name: str) -> Tensor:
        type_ = self.draft.tensors[name].type
        return Tensor(name, type_.shape, str(type_), self.draft.tensors[name].data is not None)

    def data(self, tensor: Tensor) -> np.ndarray:
        found = self.draft.tensors[tensor.name].data
        assert found is not None
        return found

    def add_node(
        self, op_type: str, domain: str, inputs: Sequence[str], outputs: Sequence[str],
        attributes: Sequence[onnx.AttributeProto], name: str, step: Step,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """Import one node. ModelError as the ONNX front end words it."""
        if len(self.protos) >= self.limits.nodes:
            raise ModelError(f"the net has more than {self.limits.nodes:,} nodes")
        proto = onnx.NodeProto(
            op_type=op_type,
            domain=domain,
            name=name,
            input=inputs,
            output=outputs,
            attribute=attributes,
        )
        self._importer.add(proto)
        if self._importer.problems:
            raise self._importer.problems.pop()
        self.protos.append(proto)
        for out in outputs:
            self._check_size(out)
            self.steps[out] = step
        return tuple(self.tensor(out) for out in outputs)

    def _check_size(self, name: str) -> None:
        if name not in self.draft.tensors:
            raise ModelError(f"it has no result for {name!r}")
        type_ = self.draft.tensors[name].type
        if prod(type_.shape) > self.limits.elements:
            raise ModelError(f"the result {type_} has more than {self.limits.elements:,} values")

    def chain(self, names: Sequence[str], most: int = 6) -> list[str]:
        """Where shapes come from, for messages: of the first operand back to the input, of others one step."""
        known = [name for name in dict.fromkeys(names) if name in self.steps]
        lines = self._made(known[0], most) if known else []
        return [*lines, *(line for name in known[1:4] for line in self._made(name, 1))]

    def _made(self, name: str, most: int) -> list[str]:
        lines: list[str] = []
        places: set[tuple[str, Span]] = set()
        at: str | None = name
        while at is not None and len(lines) < most:
            step = self.steps[at]
            if (step.source.name, step.span) not in places:
                places.add((step.source.name, step.span))
                word = "from" if lines else "reads"
                place = f"{step.source.name}:{step.span.line}"
                lines.append(
                    f"{word} {self.draft.tensors[at].type}, made by {step.label} at {place}"
                )
            at = step.parent
        return lines

    def add_output(self, tensor: Tensor, name: str, step: Step) -> None:
        """An output of the net; a tensor of another name, an input or a constant is copied."""
        if tensor.name != name or self.draft.producer(name) is None:
            if name in self.draft.tensors:
                name = self.draft.fresh(f"{name}.out") if tensor.name == name else name
            (tensor,) = self.add_node("Identity", "", [tensor.name], [name], [], name, step)
        self.draft.outputs.append(tensor.name)

    def graph(self, name: str) -> Graph:
        self.draft.name = name
        return self.draft.graph()

    def proto(self, name: str) -> onnx.ModelProto:
        """The net as an ONNX model, for other runtimes."""
        types = [(out, self.draft.tensors[out].type) for out in self.draft.outputs]
        outputs = [
            helper.make_tensor_value_info(
                out, helper.np_dtype_to_tensor_dtype(type_.dtype.numpy), list(type_.shape)
            )
            for out, type_ in types
        ]
        arrays = [numpy_helper.from_array(np.asarray(a), n) for n, a in self.initialisers.items()]
        graph = helper.make_graph(self.protos, name, self.inputs, outputs, arrays)
        opsets = [helper.make_opsetid("" if d == "ai.onnx" else d, v) for d, v in _OPSETS.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)
