"""Sparse tensors, which are dense from here on: nothing later knows of them."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx
from onnx import numpy_helper

from ...errors import ModelError

# No constant of a microcontroller comes near
_LARGEST = 1 << 26


def dense(proto: onnx.SparseTensorProto) -> np.ndarray:
    """All values, zeros too. ModelError when indices don't fit: one for each value, in order of the elements, or
    the coordinates of each."""
    name, shape = proto.values.name, tuple(proto.dims)
    if min(shape, default=0) < 0 or prod(shape) > _LARGEST:
        raise ModelError(f"sparse constant {name!r} has the shape {list(shape)}")
    values, places = numpy_helper.to_array(proto.values), numpy_helper.to_array(proto.indices)
    made = np.zeros(shape, values.dtype)
    try:
        flat = np.ravel_multi_index(tuple(places.T), shape) if places.ndim == 2 else places
        if flat.size and flat.min() < 0:
            raise IndexError("an index is negative")
        made.reshape(-1)[flat.astype(np.int64)] = values
    except (IndexError, ValueError) as error:
        raise ModelError(f"sparse constant {name!r}: its indices don't fit: {error}") from error
    return made
