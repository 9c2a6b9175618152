"""Which results of a node are of a type that is only stored, as ONNX's own definition of the operator says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from ...ir.types import DType
from ...ops.halves import is_widened
from ...ops.importing import OnnxNode

# Their result has the type of the scale, though the definition leaves it open
_OF_THE_SCALE = {"DequantizeLinear"}

# They only move values, so that all types are the same to them, though ONNX does not name each
_MOVING = {
    "Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Reshape",
    "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze",
}  # fmt: skip

# What they make on the way is of their operand's type, too
STEPWISE = {"LogSoftmax", "Softmax"}


def half_results(
    proto: onnx.NodeProto, opsets: Mapping[str, int], node: OnnxNode
) -> dict[int, DType]:
    """Result to its type, where operands of it are widened."""
    types = [node.draft.tensors[name].type.dtype if name else None for name in node.inputs]
    names = [name for name in node.inputs if name and is_widened(node, name)]
    halves = [node.draft.tensors[name].type.dtype for name in names]
    if not halves:
        return {}
    if proto.op_type in _OF_THE_SCALE and any(
        a.name == "output_dtype" and a.i for a in proto.attribute
    ):
        return {}  # its importer rounds
    if proto.op_type in _OF_THE_SCALE or (schema := _schema(proto, opsets)) is None:
        return dict.fromkeys(range(len(proto.output)), halves[0])
    formals = _formals(schema.inputs, len(types))
    if proto.op_type not in _MOVING:
        _check_allowed(node, formals, types)
    bound = {f.type_str: t for f, t in zip(formals, types, strict=True)}
    made = [bound.get(f.type_str) for f in _formals(schema.outputs, len(proto.output))]
    return {k: dtype for k, dtype in enumerate(made) if dtype in halves}


def _check_allowed(node: OnnxNode, formals: Sequence[Any], types: Sequence[DType | None]) -> None:
    """What ONNX does not define on 8 bits or less has no rounding that could be right."""
    for formal, dtype in zip(formals, types, strict=True):
        if dtype is not None and dtype.is_storage and dtype.bits <= 8:
            kind = onnx.helper.np_dtype_to_tensor_dtype(dtype.numpy)
            if f"tensor({onnx.TensorProto.DataType.Name(kind).lower()})" not in formal.types:
                node.refuse(f"{node.op_type} takes no {dtype}", hint="cast it to float32")


def _schema(proto: onnx.NodeProto, opsets: Mapping[str, int]) -> Any:
    try:
        opset = opsets.get(proto.domain or "ai.onnx", 1)
        return onnx.defs.get_schema(proto.op_type, opset, proto.domain)
    except onnx.defs.SchemaError:
        return None


def _formals(formals: Sequence[Any], count: int) -> list[Any]:
    """One for each operand: a variadic one stands for all that follow."""
    return [formals[min(k, len(formals) - 1)] for k in range(count)]
