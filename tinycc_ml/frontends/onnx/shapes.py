"""Element types and static shapes of what an ONNX model declares."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import onnx

from ...errors import ModelError
from ...ir.types import DTYPES, DType
from ...ops.cast import ONNX_TYPES

log = logging.getLogger(__name__)


def dtype_from_onnx(code: int) -> DType | None:
    name = ONNX_TYPES.get(code)
    return DTYPES[name] if name else None


def check_dims(inputs: Iterable[onnx.ValueInfoProto], dims: Mapping[str, int]) -> None:
    """ModelError when `dims` binds a name that no input has, or a size below 1."""
    names = {
        dim.dim_param: None
        for value in inputs
        for dim in value.type.tensor_type.shape.dim
        if dim.dim_param
    }
    for name, size in dims.items():
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "all its dimensions are fixed"
            raise ModelError(
                f"--dim {name}={size}: the inputs have no dimension of that name; {known}"
            )
        if size < 1:
            raise ModelError(f"--dim {name}={size}: wanted a size of at least 1")


def static_shape(value: onnx.ValueInfoProto, dims: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of an input: named dimensions bound by `dims`, an open leading one becomes 1.

    ModelError when another dimension is open.
    """
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        raise ModelError(f"input {value.name!r} has no shape", hint="shapes must be static")
    return tuple(_dimension(value.name, k, dim, dims) for k, dim in enumerate(tensor.shape.dim))


def _dimension(
    name: str, index: int, dim: onnx.TensorShapeProto.Dimension, dims: Mapping[str, int]
) -> int:
    if dim.dim_param in dims:
        return dims[dim.dim_param]
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return dim.dim_value
    label = dim.dim_param or "unnamed"
    if index == 0:
        log.info("input %s: the leading dimension (%s) becomes 1", name, label)
        return 1
    raise ModelError(
        f"input {name!r}: dimension {index} ({label}) is open; shapes must be static",
        hint=f"bind it with --dim {dim.dim_param or 'NAME'}=SIZE",
    )
