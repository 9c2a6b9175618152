"""Nodes one by one: what is constant is folded, the rest is handed to the op that imports it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ...errors import Location, ModelError, NeedsValue
from ...ir.graph import Origin, Tensor, constant
from ...ir.rewrite import Draft
from ...ir.types import TensorType, dtype_of
from ...ops import generic_importers, onnx_importers
from ...ops.halves import in_float32
from ...ops.importing import OnnxNode
from .control_flow import CONTROL_FLOW, add_control_flow
from .functions import LocalFunctions, body_of, call_of, called
from .halves import STEPWISE, half_results
from .repeated import kept_size, of_one_value
from .sparse import dense

# Results larger than this are left to run time: folding must not blow a model up
_LARGEST_FOLD = 1 << 22
# Folded through the pass that knows them: they keep integers beside their meaning
_NEVER_FOLDED = {"DequantizeLinear", "QuantizeLinear"}
_RANDOM = {
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Bernoulli",
    "Multinomial",
}


class NodeImport:
    """Adds nodes to a draft and collects what can't be served."""

    def __init__(
        self,
        draft: Draft,
        opsets: Mapping[str, int],
        unread: frozenset[str] = frozenset(),
        functions: LocalFunctions | None = None,
    ):
        self.draft = draft
        self.opsets = opsets
        self.unread = unread  # names that neither a node nor an output of the model asks for
        self.functions = functions or {}  # the model's own
        self.unrolled = 0  # nodes that loops became
        self.problems: list[ModelError] = []
        self._lost: set[str] = set()  # results of nodes that could not be served

    def add(self, proto: onnx.NodeProto) -> None:
        """Import one node; a problem is noted and its results are marked as lost."""
        try:
            self._add(proto)
        except ModelError as error:
            self.problems.append(self._named(error, proto))
            self._lost.update(name for name in proto.output if name not in self.draft.tensors)

    def _named(self, error: ModelError, proto: onnx.NodeProto) -> ModelError:
        if error.loc and error.loc.node:
            return error
        return ModelError(error.message, loc=Location(node=_label(proto)), hint=error.hint)

    def _add(self, proto: onnx.NodeProto) -> None:
        key = (
            proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}.{proto.op_type}"
        )
        foldable = self._constants(proto)
        if any(name in self._lost for name in proto.input):
            self._lost.update(proto.output)  # said already, at the node that is to blame
            return
        if called(proto) in self.functions:
            self._by_call(proto)
            return
        self._check_names(proto)
        if key in CONTROL_FLOW:
            add_control_flow(self, self._node(proto), proto)
            return
        if self._fold(proto, foldable):
            return
        self._import(key, proto)

    def _import(self, key: str, proto: onnx.NodeProto) -> None:
        """By the op's importer, else by the generic one, else by the operator's own definition."""
        known = [t[key] for t in (onnx_importers(), generic_importers()) if key in t]
        ways: list[Callable[[onnx.NodeProto], None]] = [
            partial(self._by_importer, key, importer) for importer in known
        ]
        ways = [self._by_body, *ways] if self._is_stepwise(proto) else [*ways, self._by_body]
        problems = []
        for way in ways:
            mark = self.draft.mark()
            try:
                way(proto)
                return
            except ModelError as error:
                self.draft.rollback(mark)
                problems.append(self._named(error, proto))
        raise next((p for p in problems if isinstance(p, NeedsValue)), problems[0])

    def _is_stepwise(self, proto: onnx.NodeProto) -> bool:
        """On 16 bits, each step of the operator's definition is rounded."""
        types = [self.draft.tensors[name].type for name in proto.input if name]
        return proto.op_type in STEPWISE and any(t.dtype.is_half for t in types)

    def _by_importer(
        self, key: str, importer: Callable[[OnnxNode], None], proto: onnx.NodeProto
    ) -> None:
        try:
            node = self._node(proto)
            in_float32(importer, node, half_results(proto, self.opsets, node))
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise ModelError(
                f"{key} has attributes or operands that make no sense: {error}"
            ) from error

    def _by_call(self, proto: onnx.NodeProto) -> None:
        """The nodes of the model's own function in place of its call; inside, it is unknown: none may
        call itself."""
        function = self.functions[called(proto)]
        others = {key: f for key, f in self.functions.items() if f is not function}
        self._check_names(proto)
        nodes, opsets = call_of(proto, function, self.draft.fresh)
        self._add_all(nodes, {**self.opsets, **opsets}, others)

    def _by_body(self, proto: onnx.NodeProto) -> None:
        """The nodes that define the operator in its place."""
        types = [self.draft.tensors[name].type if name else None for name in proto.input]
        nodes, opset = body_of(proto, self.opsets, types, self.draft.fresh)
        self._add_all(nodes, {**self.opsets, "ai.onnx": opset})

    def _add_all(
        self,
        nodes: Sequence[onnx.NodeProto],
        opsets: Mapping[str, int],
        functions: LocalFunctions | None = None,
    ) -> None:
        functions = self.functions if functions is None else functions
        inner = NodeImport(self.draft, opsets, self.unread, functions)
        inner.unrolled = self.unrolled
        for node in nodes:
            inner.add(node)
            if inner.problems:
                raise inner.problems[0]
        self.unrolled = inner.unrolled

    def _opset(self, proto: onnx.NodeProto) -> int:
        return self.opsets.get(proto.domain or "ai.onnx", 1)

    def _check_names(self, proto: onnx.NodeProto) -> None:
        for name in proto.input:
            if name and name not in self.draft.tensors:
                raise ModelError(f"reads {name!r}, which nothing makes before it")
        for name in proto.output:
            if name and name in self.draft.tensors:
                raise ModelError(f"tensor {name!r} is defined twice")

    def _node(self, proto: onnx.NodeProto) -> OnnxNode:
        attrs = {a.name: attribute_value(a) for a in proto.attribute}
        inputs, outputs = tuple(proto.input), tuple(proto.output)
        return OnnxNode(
            self.draft, proto.op_type, _label(proto), self._opset(proto), inputs, outputs, attrs,
            self.unread,
        )  # fmt: skip

    def _constants(self, proto: onnx.NodeProto) -> list[np.ndarray | None] | None:
        """The values of the inputs, when every one of them is a constant."""
        found: list[np.ndarray | None] = []
        for name in proto.input:
            tensor = self.draft.tensors.get(name)
            if name and (tensor is None or tensor.data is None):
                return None
            found.append(tensor.data if tensor else None)
        return found

    def _fold(self, proto: onnx.NodeProto, constants: list[np.ndarray | None] | None) -> bool:
        """Compute a node now if it only depends on constants (or on shapes, which are static)."""
        if proto.op_type in ("Shape", "Size") and proto.domain in ("", "ai.onnx"):
            results = [self._shape_of(proto)]
        elif constants is None or proto.op_type in _NEVER_FOLDED or proto.op_type in _RANDOM:
            return False
        else:
            alike = partial(evaluate, proto, opsets=self.opsets)
            results = of_one_value(proto, constants, alike) or evaluate(
                proto, constants, self.opsets
            )
        size = sum(map(kept_size, results))
        if size > _LARGEST_FOLD:
            raise ModelError(f"{proto.op_type} of constants would make {size} values")
        for name, array in zip(proto.output, results, strict=False):
            if name:
                made = constant(name, TensorType(array.shape, dtype_of(array)), array)
                self.draft.add_tensor(Tensor(name, made.type, made.data, Origin(name)))
        return True

    def _shape_of(self, proto: onnx.NodeProto) -> np.ndarray:
        shape = np.asarray(self.draft.tensors[proto.input[0]].shape, np.int64)
        if proto.op_type == "Size":
            return np.asarray(shape.prod(), np.int64)
        attrs = {a.name: a.i for a in proto.attribute}
        return shape[attrs.get("start") : attrs.get("end")]


def _label(proto: onnx.NodeProto) -> str:
    return proto.name or next((name for name in proto.output if name), proto.op_type)


def attribute_value(attribute: onnx.AttributeProto) -> Any:
    """As plain Python: strings decoded, tensors as arrays."""
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, onnx.SparseTensorProto):
        return dense(value)
    if isinstance(value, Sequence) and value and isinstance(value[0], bytes):
        return [v.decode(errors="replace") for v in value]
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def evaluate(
    proto: onnx.NodeProto, inputs: Sequence[np.ndarray | None], opsets: Mapping[str, int]
) -> list[np.ndarray]:
    """The results of a node on constants, by onnx's own reference implementation."""
    if proto.op_type == "Constant":
        return [_constant_value(proto)]
    from onnx.reference import ReferenceEvaluator

    names = [name for name in dict.fromkeys(proto.input) if name]
    values = {
        name: value for name, value in zip(proto.input, inputs, strict=True) if value is not None
    }
    kinds = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(values[n].dtype), None)
        for n in names
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in proto.output if name]
    imports = [helper.make_opsetid("" if d == "ai.onnx" else d, v) for d, v in opsets.items()]
    graph = helper.make_graph([proto], "fold", kinds, outputs)
    try:
        made = ReferenceEvaluator(helper.make_model(graph, opset_imports=imports)).run(None, values)
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{proto.op_type} of constants can't be computed: {text}") from error
    if not all(isinstance(m, (np.ndarray, np.generic)) for m in made):
        raise ModelError(f"{proto.op_type} makes a sequence or optional, which is not supported")
    return [np.asarray(m) for m in made]


def _constant_value(proto: onnx.NodeProto) -> np.ndarray:
    for attribute in proto.attribute:
        value = attribute_value(attribute)
        if attribute.name in ("value", "sparse_value"):
            return np.asarray(value)
        if attribute.name in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if attribute.name in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
    raise ModelError("Constant holds no numbers")
