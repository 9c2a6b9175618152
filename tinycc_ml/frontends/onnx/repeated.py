"""Constants of many values that are all alike: ConstantOfShape, and what is made of it, is one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import onnx
from onnx import numpy_helper

from ...ir.graph import is_repeated
from ...ops import table

Inputs = Sequence[np.ndarray | None]


def of_one_value(
    proto: onnx.NodeProto, inputs: Inputs, evaluate: Callable[[Inputs], list[np.ndarray]]
) -> list[np.ndarray] | None:
    """The result of a node on constants as a view that repeats one value; None where it is none. evaluate: gives
    the results for other inputs."""
    if proto.domain not in ("", "ai.onnx") or not inputs or inputs[0] is None:
        return None
    if proto.op_type == "ConstantOfShape":
        values = [numpy_helper.to_array(a.t) for a in proto.attribute]
        value = (*values, np.zeros(1, np.float32))[0]
        sizes = tuple(int(d) for d in inputs[0])
        valid = value.size == 1 and min(sizes, default=0) >= 0
        return [_repeated(value, sizes)] if valid else None
    given = [array for array in inputs if array is not None]
    if proto.op_type in ("Expand", "Tile") and len(given) == 2 and _is_alike(given[0]):
        shape = _shape(proto.op_type, given[0].shape, tuple(int(d) for d in given[1]))
        return None if shape is None else [_repeated(given[0], shape)]
    alike = all(map(_is_alike, given)) and any(a.size > 1 for a in given)
    if proto.op_type not in _elementwise() or _is_old(proto) or not alike:
        return None
    made = evaluate([None if a is None else _first(a).reshape((1,) * a.ndim) for a in inputs])
    shape = _broadcast(*(a.shape for a in given))
    return None if shape is None else [_repeated(array, shape) for array in made]


def _is_old(proto: onnx.NodeProto) -> bool:
    """Broadcast as before opset 7."""
    return any(attribute.name == "broadcast" for attribute in proto.attribute)


def _is_alike(array: np.ndarray) -> bool:
    return array.size == 1 or is_repeated(array)


def kept_size(array: np.ndarray) -> int:
    """Values that an array takes in memory."""
    return 1 if _is_alike(array) else array.size


def _first(array: np.ndarray) -> np.ndarray:
    return np.asarray(array[(0,) * array.ndim])


def _repeated(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(_first(value), shape)


def _shape(op: str, shape: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, ...] | None:
    """What Expand or Tile makes of a shape; None where they don't go together."""
    if min(given, default=0) < 0 or (op == "Tile" and len(shape) != len(given)):
        return None
    if op == "Tile":
        return tuple(d * r for d, r in zip(shape, given, strict=True))
    return _broadcast(shape, given)


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


@cache
def _elementwise() -> frozenset[str]:
    """ONNX operators whose every value is made of their operands' values at its index, under broadcasting."""
    ops = (op for op in table().values() if op.elementwise or op.element is not None)
    return frozenset(name for op in ops for name in (*op.onnx, *op.generic)) - {"CastLike"}
