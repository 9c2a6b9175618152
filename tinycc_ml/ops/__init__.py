"""The op table: every operator of the folder, found by listing it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType, ModuleType

from ..errors import InternalError, ModelError
from ..ir.graph import Graph, Node, verify_structure
from ..ir.types import TensorType
from .base import Op, Site


@cache
def table() -> Mapping[str, Op]:
    """Name to Op, sorted by name."""
    found: dict[str, Op] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for op in _defined(module):
            if op.name in found:
                raise InternalError(f"op {op.name!r} is defined twice")
            found[op.name] = op
    return MappingProxyType(dict(sorted(found.items())))


def _defined(module: ModuleType) -> tuple[Op, ...]:
    """OP, or OPS for a family; a module that several ops share has neither."""
    family: tuple[Op, ...] = getattr(module, "OPS", ())
    return (*family, *((module.OP,) if hasattr(module, "OP") else ()))


@cache
def onnx_importers() -> Mapping[str, Callable]:
    """ONNX operator ("Conv", "com.microsoft.QLinearAdd") to the function that imports a node."""
    found: dict[str, Callable] = {}
    for op in table().values():
        for name, function in op.onnx.items():
            if name in found:
                raise InternalError(f"ONNX operator {name!r} is imported by two ops")
            found[name] = function
    return MappingProxyType(found)


@cache
def generic_importers() -> Mapping[str, Callable]:
    """The same for what the importers above refuse."""
    return MappingProxyType({k: f for op in table().values() for k, f in op.generic.items()})


def op_of(node: Node) -> Op:
    return table()[node.op]


def infer(op: str, types: Sequence[TensorType], attrs: Mapping) -> tuple[TensorType, ...]:
    """The types of the outputs. ModelError when the operands don't fit."""
    if any(t.dtype.is_storage for t in types) and not table()[op].halves:
        raise ModelError(f"{op} of {', '.join(map(str, types))} is not supported: cast it to f32")
    return table()[op].infer(types, attrs)


def verify(graph: Graph) -> None:
    """Raise InternalError when the graph is broken: structure, or a shape its rule does not give."""
    verify_structure(graph)
    for node in graph.nodes:
        site = Site.of(graph, node)
        wanted = op_of(node).infer([t.type for t in site.inputs], node.attrs)
        for tensor, want in zip(site.outputs, wanted, strict=True):
            if tensor.shape != want.shape:
                raise InternalError(
                    f"node {node.name!r} ({node.op}) makes {tensor.type}, its shape rule says {want}"
                )
