"""Reading an ONNX model: the file, its inputs and constants, and its nodes one by one."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from ...errors import Location, ModelError, UnsupportedError
from ...ir.graph import Graph, Origin, Tensor, constant
from ...ir.rewrite import Draft
from ...ir.types import DType, TensorType, dtype_of
from .functions import LocalFunctions, local_functions, read_names, unread_results
from .nodes import NodeImport
from .shapes import check_dims, dtype_from_onnx, static_shape
from .sparse import dense

log = logging.getLogger(__name__)


def load(
    model: Path | onnx.ModelProto,
    *,
    name: str | None = None,
    dims: Mapping[str, int] | None = None,
    bind: Mapping[str, Any] | None = None,
) -> Graph:
    """The graph of a model. ModelError, with the file or node, when it can't be read or served; all
    unsupported nodes are reported at once (UnsupportedError).

    dims: sizes of symbolic dimensions. bind: inputs that become constants of this value."""
    source = None if isinstance(model, onnx.ModelProto) else model.name
    proto = model if isinstance(model, onnx.ModelProto) else _read(model)
    try:
        return _import(
            proto,
            name or (Path(source).stem if source else proto.graph.name or "model"),
            dims or {},
            bind or {},
        )
    except UnsupportedError:
        raise
    except ModelError as error:
        raise _located(error, source) from error


def _located(error: ModelError, source: str | None) -> ModelError:
    loc = Location(source, node=error.loc.node if error.loc else None)
    return ModelError(error.message, loc=loc if source or loc.node else None, hint=error.hint)


def _read(path: Path) -> onnx.ModelProto:
    try:
        proto = onnx.load(path)
    except OSError as error:
        raise ModelError(f"can't read {path}: {error.strerror or error}") from error
    except Exception as error:  # protobuf and external data raise types of their own
        raise ModelError(f"{path.name} is no ONNX model: {_first_line(error)}") from error
    if not proto.HasField("graph") or not proto.opset_import:
        raise ModelError(f"{path.name} is no ONNX model: it holds no graph")
    return proto


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _import(
    proto: onnx.ModelProto, name: str, dims: Mapping[str, int], bind: Mapping[str, Any]
) -> Graph:
    opsets = {entry.domain or "ai.onnx": entry.version for entry in proto.opset_import}
    check_dims(proto.graph.input, dims)
    draft = Draft(Graph(name, (), (), (), {}))
    draft.reserved = frozenset(name for node in proto.graph.node for name in node.output)
    _add_constants(draft, proto.graph)
    _bind_inputs(draft, proto.graph, bind)
    _add_inputs(draft, proto.graph, dims, set(bind))
    _add_nodes(draft, proto.graph, opsets, local_functions(proto))
    _add_outputs(draft, proto.graph)
    live = draft.graph()
    draft.inputs = [name for name in draft.inputs if live.consumers[name]]
    return draft.graph()


def _add_constants(draft: Draft, graph: onnx.GraphProto) -> None:
    for proto in graph.initializer:
        add_constant(draft, proto.name, to_array(proto))
    for sparse in graph.sparse_initializer:
        to_array(sparse.values)  # of a type that is known
        add_constant(draft, sparse.values.name, dense(sparse))


def to_array(proto: onnx.TensorProto) -> np.ndarray:
    """The value of a TensorProto. ModelError when its bytes don't fit its shape or its type is unknown."""
    try:
        array = numpy_helper.to_array(proto)
        dtype_of(array)
    except KeyError as error:
        kinds = {code: name for name, code in onnx.TensorProto.DataType.items()}
        kind = kinds.get(proto.data_type, proto.data_type)
        raise ModelError(
            f"constant {proto.name!r} has the element type {kind}, which is not supported"
        ) from error
    except Exception as error:
        raise ModelError(f"constant {proto.name!r} can't be read: {_first_line(error)}") from error
    return array


def add_constant(draft: Draft, name: str, array: np.ndarray) -> None:
    if name in draft.tensors:
        raise ModelError(f"tensor {name!r} is defined twice")
    tensor = constant(name, TensorType(array.shape, dtype_of(array)), array)
    draft.add_tensor(Tensor(name, tensor.type, tensor.data, Origin(name)))


def _bind_inputs(draft: Draft, graph: onnx.GraphProto, bind: Mapping[str, Any]) -> None:
    """Inputs of known value, as constants of their declared type and, as far as it is known, shape."""
    for name, array in _bound_values(graph, bind).items():
        add_constant(draft, name, array)


def _bound_values(graph: onnx.GraphProto, bind: Mapping[str, Any]) -> dict[str, np.ndarray]:
    declared, found = {value.name: value for value in graph.input}, {}
    for name, value in bind.items():
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ModelError(f"--bind {name}: the model has no input of that name; it has {known}")
        dtype = _input_dtype(declared[name])
        try:
            array = np.asarray(value).astype(dtype.numpy)
        except (TypeError, ValueError) as error:
            raise ModelError(f"--bind {name}: wanted {dtype}, got {value!r}") from error
        dims = declared[name].type.tensor_type.shape.dim
        shape = tuple(d.dim_value for d in dims)
        fits = prod(shape) == array.size and all(d.HasField("dim_value") for d in dims)
        found[name] = array.reshape(shape) if fits else array
    return found


def bound(path: Path, bind: Mapping[str, Any]) -> onnx.ModelProto:
    """The model of a file with these inputs as initialisers: what other runtimes are given."""
    proto = _read(path)
    values = _bound_values(proto.graph, bind)
    kept = [value for value in proto.graph.input if value.name not in values]
    del proto.graph.input[:]
    proto.graph.input.extend(kept)
    proto.graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in values.items())
    return proto


def _add_inputs(
    draft: Draft, graph: onnx.GraphProto, dims: Mapping[str, int], bound: Collection[str]
) -> None:
    constants = {proto.name for proto in graph.initializer} | set(bound)
    constants |= {proto.values.name for proto in graph.sparse_initializer}
    used = read_names(graph)
    for value in graph.input:
        if value.name in constants or value.name not in used:  # its shape may be anything
            continue
        dtype = _input_dtype(value)
        shape = static_shape(value, dims)
        if value.name in draft.tensors:
            raise ModelError(f"tensor {value.name!r} is defined twice")
        draft.add_tensor(Tensor(value.name, TensorType(shape, dtype), origin=Origin(value.name)))
        draft.inputs.append(value.name)


def _input_dtype(value: onnx.ValueInfoProto) -> DType:
    dtype = dtype_from_onnx(value.type.tensor_type.elem_type)
    if dtype is None:
        raise ModelError(f"input {value.name!r} is {_kind(value.type)}, which is not supported")
    return dtype


def _kind(type_: onnx.TypeProto) -> str:
    kind = type_.WhichOneof("value") or "of no type"
    if kind != "tensor_type":
        return f"a {kind.removesuffix('_type')}"
    return f"a tensor of {onnx.TensorProto.DataType.Name(type_.tensor_type.elem_type).lower()}"


def _add_nodes(
    draft: Draft, graph: onnx.GraphProto, opsets: Mapping[str, int], functions: LocalFunctions
) -> None:
    importer = NodeImport(draft, opsets, unread_results(graph), functions)
    for proto in graph.node:
        importer.add(proto)
    if importer.problems:
        raise UnsupportedError(importer.problems)


def _add_outputs(draft: Draft, graph: onnx.GraphProto) -> None:
    if not graph.output:
        raise ModelError("the model has no outputs")
    listed: set[str] = set()
    for value in graph.output:
        if value.name not in draft.tensors:
            raise ModelError(f"output {value.name!r} is made by no node")
        if value.name in listed:
            raise ModelError(f"output {value.name!r} is listed twice")
        listed.add(value.name)
        _check_declared(draft, value)
        draft.outputs.append(
            value.name if draft.producer(value.name) else _copied(draft, value.name)
        )


def _copied(draft: Draft, name: str) -> str:
    """An output that is an input or a constant gets a name of its own: the API has one for each."""
    tensor = draft.tensors[name]
    copy = draft.add_tensor(Tensor(draft.fresh(f"{name}.out"), tensor.type, origin=Origin(name)))
    draft.add_node("identity", [name], [copy], {}, copy)
    return copy


def _check_declared(draft: Draft, value: Any) -> None:
    """A declared output shape that differs from the computed one is only worth a word: exporters err."""
    declared = [d.dim_value for d in value.type.tensor_type.shape.dim]
    shape = draft.tensors[value.name].shape
    if declared and all(declared) and tuple(declared) != shape:
        log.warning("output %s is declared as %s, it is %s", value.name, declared, list(shape))
