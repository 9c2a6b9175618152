"""What is only stored and converted: float16, bfloat16, and all types of less than 8 bits and floats of 8. What has
no form on them is imported on float32, which holds all their values, and each result is rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..ir.graph import Origin
from ..ir.types import F32, DType
from .formulas import converted
from .importing import OnnxNode

# ONNX operators that keep or convert the bits
_AS_STORED = {
    "BitCast", "Cast", "CastLike", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze",
}  # fmt: skip
# Those whose importers know the types of 8 bits and less
_OF_INTEGERS = {"DequantizeLinear", "QuantizeLinear"}


def in_float32(
    importer: Callable[[OnnxNode], None], node: OnnxNode, results: Mapping[int, DType]
) -> None:
    """Import a node. With operands that are only stored: on their float32; `results` are rounded to these types."""
    wide = {name for name in node.inputs if name and is_widened(node, name)}
    if node.op_type in _AS_STORED or not wide:
        importer(node)
        return
    inputs = tuple(_widened(node, name) if name in wide else name for name in node.inputs)
    outputs = tuple(
        node.draft.fresh(f"{name}.f32") if name and k in results else name
        for k, name in enumerate(node.outputs)
    )
    importer(replace(node, inputs=inputs, outputs=outputs))
    for k, dtype in results.items():
        if outputs[k] in node.draft.tensors:
            _round(node, outputs[k], k, dtype)


def is_widened(node: OnnxNode, name: str) -> bool:
    dtype = node.draft.tensors[name].type.dtype
    return dtype.is_storage and not (node.op_type in _OF_INTEGERS and dtype.bits <= 8)


def _widened(node: OnnxNode, name: str) -> str:
    """The same values in float32, made once."""
    data, origin = node.draft.tensors[name].data, Origin(name)
    hint = f"{name}.f32"
    if data is not None:
        return node.draft.add_constant(hint, converted(data, F32.numpy), origin=origin)
    for reader in node.draft.readers(name):
        if reader.op == "cast" and reader.attrs["dtype"] == "f32":
            return reader.outputs[0]
    return replace(node, outputs=(name,)).emit("cast", [name], {"dtype": "f32"}, hint="f32")


def _round(node: OnnxNode, wide: str, out: int, dtype: DType) -> None:
    tensor = node.draft.tensors[wide]
    if tensor.type.dtype != F32:
        node.refuse(f"{node.op_type} makes {tensor.type} where {dtype} is wanted")
    if tensor.data is not None:
        node.give(out, converted(tensor.data, dtype.numpy, False, "nearest"))
    else:
        attrs = {"saturate": False, "round_mode": "nearest"} if dtype.is_mini else {}
        node.emit("cast", [wide], {"dtype": dtype.name, **attrs}, out=out)
