"""Nodes as calls of ONNX operators by their own names."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from ....errors import Location, ModelError
from ...onnx.nodes import attribute_value
from .. import onnx_calls
from ..binding import Given
from ..syntax import Span
from ..values import Tensor
from .items import Arg, Item, Param, Ref
from .source_net import SourceNet

_HERE = Span(1, 1, 1, 1)
# Constants of more values are weights
_LARGEST_LITERAL = 8
# Since opset 13 the last axis, before it the second
_SOFTMAXES = ("Softmax", "LogSoftmax", "Hardmax")


def raw_item(node: onnx.NodeProto, net: SourceNet) -> Item:
    """The call of a node. ModelError, with the operator or attribute, when the language can't write it."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    known = onnx_calls.operators()
    if node.op_type not in known or (domain and known[node.op_type] not in ("", domain)):
        raise _refused(
            node, f"the language has no operator {domain}{'.' if domain else ''}{node.op_type}"
        )
    names, labels = [], set[str]()
    for index, name in enumerate(node.input):
        names.append(_operand(node, domain, index, name, net, labels))
    attributes = [*_attributes(node, domain, net), *_extras(node, domain)]
    weights = tuple(a.value.weight for a in names if isinstance(a.value, Param))
    results = tuple(name for name in node.output if name)
    return Item(node.op_type, (*names, *attributes), results, (node,), weights)


def _refused(node: onnx.NodeProto, message: str) -> ModelError:
    return ModelError(message, loc=Location(node=node.name or node.output[0]))


def _operand(
    node: onnx.NodeProto, domain: str, index: int, name: str, net: SourceNet, labels: set[str]
) -> Arg:
    if not name:
        return Arg(f"operand{index}", None)
    weight = net.weights.get(name)
    if weight is None or weight.integers is not None:
        return Arg(f"operand{index}", Ref(name))
    label = _formal(node, domain, index)
    if label in labels:
        label = f"{label}_{index}"
    labels.add(label)
    value = literal_of(node, domain, index, net)
    return Arg(label, Param(label, name) if value is None else value)


def _formal(node: onnx.NodeProto, domain: str, index: int) -> str:
    schema = onnx_calls.schema_of(node.op_type, domain)
    inputs = schema.inputs if schema else ()
    return inputs[min(index, len(inputs) - 1)].name.lower() if inputs else f"operand_{index}"


def literal_of(node: onnx.NodeProto, domain: str, index: int, net: SourceNet) -> Any:
    """A small constant as it is written in the text; None where that would be another constant."""
    array = net.weights[node.input[index]].array
    if (
        array.size > _LARGEST_LITERAL
        or array.dtype.kind not in "iuf"
        or not np.isfinite(array).all()
    ):
        return None
    if array.ndim and _is_variadic(node, domain, index):
        return None  # a list there stands for several operands
    value = written_array(array)
    operands = [_given(name, net) for name in node.input]
    dtypes = {name: net.types[name].dtype.numpy for name in node.input if name}
    operands[index] = Given(None, value, _HERE)
    dtype = onnx_calls.operand_dtype(node.op_type, domain, index, operands, dtypes)
    try:
        made = onnx_calls.literal(node.op_type, Given(None, value, _HERE), dtype)
    except onnx_calls.Refused:
        return None
    same = made.dtype == array.dtype and made.shape == array.shape and np.array_equal(made, array)
    return value if same else None


def _is_variadic(node: onnx.NodeProto, domain: str, index: int) -> bool:
    schema = onnx_calls.schema_of(node.op_type, domain)
    if schema is None or index < len(schema.inputs) - 1:
        return False
    return bool(schema.inputs[-1].option == onnx.defs.OpSchema.FormalParameterOption.Variadic)


def _given(name: str, net: SourceNet) -> Given | None:
    if not name:
        return None
    if name in net.weights and net.weights[name].integers is None:
        return Given(None, (), _HERE)  # it may be written as a list, which has no type
    return Given(None, Tensor(name, (), ""), _HERE)


def written_array(array: np.ndarray) -> Any:
    """A number or nested lists of numbers."""
    if array.ndim:
        return tuple(map(written_array, array))
    return written_float(array) if array.dtype.kind == "f" else int(array)


def written_float(value: Any) -> float:
    """The shortest number that is read as this float32 again."""
    short = float(str(np.float32(value)))
    return short if np.float32(short) == np.float32(value) else float(value)


def _attributes(node: onnx.NodeProto, domain: str, net: SourceNet) -> list[Arg]:
    """By name. What was an attribute once and is an operand now has the same name."""
    schema = onnx_calls.schema_of(node.op_type, domain)
    known = None if schema is None else {*schema.attributes, *(p.name for p in schema.inputs)}
    found = {}
    for attribute in node.attribute:
        value = _value(attribute)
        if value is None or (known is not None and attribute.name not in known):
            text = f"{node.op_type}: the attribute {attribute.name!r} can't be written"
            raise _refused(node, text)
        found[attribute.name] = value
    if node.op_type in _SOFTMAXES and net.opset < 13:
        _check_softmax(node, found.setdefault("axis", 1), net)
    return [Arg(name, value, positional=False) for name, value in found.items()]


def _check_softmax(node: onnx.NodeProto, axis: int, net: SourceNet) -> None:
    if axis not in (-1, net.types[node.input[0]].rank - 1):
        text = f"{node.op_type} of opset {net.opset} goes over all axes from {axis} on, which can't be written"
        raise _refused(node, text)


def _value(attribute: onnx.AttributeProto) -> Any:
    """As the language writes it; None when it can't."""
    value = attribute_value(attribute)
    kinds = onnx.AttributeProto
    if attribute.type == kinds.FLOAT:
        return written_float(value)
    if attribute.type == kinds.FLOATS:
        return tuple(map(written_float, value))
    if attribute.type == kinds.TENSOR:
        return (
            written_array(value)
            if value.size <= _LARGEST_LITERAL and value.dtype.kind in "iuf"
            else None
        )
    if attribute.type in (kinds.INTS, kinds.STRINGS):
        return tuple(value)
    return value if attribute.type in (kinds.INT, kinds.STRING) else None


def _extras(node: onnx.NodeProto, domain: str) -> list[Arg]:
    """The number of results where the operator leaves it open, and whose operator it is."""
    extras = []
    schema = onnx_calls.schema_of(node.op_type, domain)
    count = len(node.output)
    while count > 1 and not node.output[count - 1]:
        count -= 1
    if count != (max(1, schema.min_output) if schema else 1):
        extras.append(Arg("outputs", count, positional=False))
    if domain and onnx_calls.operators()[node.op_type] != domain:
        extras.append(Arg("domain", domain, positional=False))
    return extras
