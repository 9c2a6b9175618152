"""Operators that ONNX defines by others: their bodies, with names that fit the graph they go into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import onnx
from onnx import helper

from ...errors import ModelError
from ...ir.types import TensorType
from .microsoft import microsoft_body

LocalFunctions = Mapping[tuple[str, str, str], onnx.FunctionProto]


def local_functions(model: onnx.ModelProto) -> LocalFunctions:
    """The model's own functions by what a call says."""
    return {(f.domain, f.name, f.overload): f for f in model.functions}


def called(proto: onnx.NodeProto) -> tuple[str, str, str]:
    """The domain, name and overload of the function that a node may call."""
    return proto.domain, proto.op_type, proto.overload


def call_of(
    proto: onnx.NodeProto, body: onnx.FunctionProto, fresh: Callable[[str], str]
) -> tuple[list[onnx.NodeProto], dict[str, int]]:
    """The nodes of a model's own function in place of its call, and the opsets they are of."""
    if len(proto.input) > len(body.input) or len(proto.output) > len(body.output):
        raise ModelError(
            f"function {body.name} takes {len(body.input)} and makes {len(body.output)} tensors, "
            f"is given {len(proto.input)} for {len(proto.output)}"
        )
    opsets = {o.domain or "ai.onnx": o.version for o in body.opset_import}
    return _renamed({}, _with_copies(body), proto, fresh), opsets


def _with_copies(function: onnx.FunctionProto) -> onnx.FunctionProto:
    """Results that are operands are copies of them: two names of the caller stand for the two."""
    copied = onnx.FunctionProto()
    copied.CopyFrom(function)
    for k, name in enumerate(function.output):
        if name in function.input:
            copied.output[k] = f"{name}.{k}.out"
            copied.node.append(helper.make_node("Identity", [name], [copied.output[k]]))
    return copied


def body_of(
    proto: onnx.NodeProto,
    opsets: Mapping[str, int],
    types: Sequence[TensorType | None],
    fresh: Callable[[str], str],
) -> tuple[list[onnx.NodeProto], int]:
    """The nodes in place of one, and the opset they are of. ModelError when nothing defines it."""
    ours = microsoft_body(proto, types)
    if ours is not None:
        return _renamed({}, ours, proto, fresh), ours.opset_import[0].version
    main = opsets.get("ai.onnx", 1)
    opset = opsets.get(proto.domain or "ai.onnx", 1)
    key = f"{proto.domain}.{proto.op_type}" if proto.domain else proto.op_type
    unknown = ModelError(f"operator {key} (opset {opset}) is not supported")
    try:
        schema = onnx.defs.get_schema(proto.op_type, opset, proto.domain)
    except (onnx.defs.SchemaError, TypeError) as error:  # TypeError: a name that is no text
        raise unknown from error
    body = _body(schema, proto, opset, types)
    if body is None:
        raise unknown
    version = next((o.version for o in body.opset_import if not o.domain), main)
    return _renamed(schema.attributes, body, proto, fresh), version


def _body(
    schema: Any,
    proto: onnx.NodeProto,
    opset: int,
    types: Sequence[TensorType | None],
) -> onnx.FunctionProto | None:
    """The newest body that is no newer than the model."""
    if schema.has_context_dependent_function:
        versions = schema.context_dependent_function_opset_versions
        fit = max((v for v in versions if v <= opset), default=min(versions))
        kinds = [_type_proto(t).SerializeToString() for t in types]
        text = schema.get_context_dependent_function_with_opset_version(
            fit, proto.SerializeToString(), kinds
        )
    elif schema.has_function:
        versions = schema.function_opset_versions
        fit = max((v for v in versions if v <= opset), default=min(versions))
        text = schema.get_function_with_opset_version(fit)
    else:
        return None
    body = onnx.FunctionProto()
    body.ParseFromString(text)
    return body if body.node else None


def _type_proto(type_: TensorType | None) -> onnx.TypeProto:
    if type_ is None:
        return onnx.TypeProto()
    code = helper.np_dtype_to_tensor_dtype(type_.dtype.numpy)
    return helper.make_tensor_type_proto(code, type_.shape)


def _renamed(
    defaults: Mapping[str, Any],
    body: onnx.FunctionProto,
    proto: onnx.NodeProto,
    fresh: Callable[[str], str],
) -> list[onnx.NodeProto]:
    """The body's nodes reading and making the node's tensors; attributes that it refers to filled in."""
    names = dict(zip(body.input, (*proto.input, *[""] * len(body.input)), strict=False))
    names |= {"": ""}
    names |= {
        inner: outer for inner, outer in zip(body.output, proto.output, strict=False) if outer
    }
    attributes = {a.name: a for a in body.attribute_proto}
    attributes |= {n: a.default_value for n, a in defaults.items() if a.default_value.type}
    attributes |= {a.name: a for a in proto.attribute}
    return [_copied(node, names, attributes, fresh, proto.output[0]) for node in body.node]


def unread_results(graph: onnx.GraphProto) -> frozenset[str]:
    """What nodes make and neither another node, also within subgraphs, nor an output asks for."""
    made = {name for node in graph.node for name in node.output if name}
    return frozenset(made - read_names(graph))


def read_names(graph: onnx.GraphProto) -> set[str]:
    """What nodes, also within subgraphs, and outputs ask for."""
    names = {name for node in graph.node for name in node.input} | {v.name for v in graph.output}
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                names |= read_names(attribute.g)
    return names


def body_nodes(
    graph: onnx.GraphProto, given: Mapping[str, str], fresh: Callable[[str], str], prefix: str
) -> tuple[list[onnx.NodeProto], dict[str, str]]:
    """The nodes of a subgraph with fresh names, and these by the names in the subgraph. `given`: tensors that
    stand for its inputs; names from outside stay."""
    made = {name for node in graph.node for name in node.output}
    made |= {t.name for t in graph.initializer if t.name not in given}
    names = {name: fresh(f"{prefix}.{name}") for name in sorted(made) if name} | {"": "", **given}
    constants = [
        helper.make_node("Constant", [], [names[t.name]], value=t)
        for t in graph.initializer
        if t.name not in given
    ]
    nodes = [_copied(node, names, {}, lambda name: name, "") for node in graph.node]
    return [*constants, *nodes], names


def _copied(
    node: onnx.NodeProto,
    names: dict[str, str],
    attributes: dict[str, onnx.AttributeProto],
    fresh: Callable[[str], str],
    prefix: str,
) -> onnx.NodeProto:
    """A node with other tensor names; those not yet in `names` get a fresh one."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.name = ""
    for field in (copy.input, copy.output):
        for k, name in enumerate(field):
            if name not in names:
                names[name] = fresh(f"{prefix}.{name}") if prefix else name
            field[k] = names[name]
    _fill(copy, attributes, names)
    return copy


def _fill(
    node: onnx.NodeProto, attributes: dict[str, onnx.AttributeProto], names: dict[str, str]
) -> None:
    """Attributes that refer to those of the function; graphs that read tensors from outside."""
    given = list(node.attribute)
    del node.attribute[:]
    for attribute in given:
        known = attributes.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
        if known is None:  # absent: the operator's own default
            continue
        copy = node.attribute.add()
        copy.CopyFrom(known)
        copy.name = attribute.name
        if copy.HasField("g"):
            _rename_outer(copy.g, names)


def _rename_outer(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    inner = {name for node in graph.node for name in node.output}
    inner |= {v.name for v in graph.input} | {t.name for t in graph.initializer}
    known = {old: new for old, new in names.items() if old not in inner}
    for node in graph.node:
        for k, name in enumerate(node.input):
            node.input[k] = known.get(name, name)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_outer(attribute.g, known)
    for value in graph.output:
        value.name = known.get(value.name, value.name)
