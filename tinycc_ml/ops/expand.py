"""Values repeated: Expand, Tile; and what ONNX writes with shapes alone: Trilu, OneHot, EyeLike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import DTYPES, TensorType
from . import runs
from .base import Arrays, Case, Const, Nest, Op, QuantizeRule, Site
from .cast import ONNX_TYPES
from .elementwise import emit as elementwise
from .importing import OnnxNode
from .indexing import affine, broadcast_strides, elementwise_loops, nested, read, strides_of
from .lowering import Lowering
from .slice import normal_axis


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, shape = types[0], tuple(attrs["shape"])
    try:
        fits = np.broadcast_shapes(x.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ModelError(f"expand of {x} to {list(shape)}")
    return (x.with_shape(shape),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (np.broadcast_to(arrays[0], attrs["shape"]),)


def _integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return reference(arrays, site.attrs)


def lower(low: Lowering) -> None:
    low.emit("expand", [low.activation(0).name], low.attrs)


def _nest(site: Site) -> Nest:
    shape = site.y.shape
    operands = strides_of(shape), broadcast_strides(site.x.shape, shape)
    variables, dims, (to, at) = elementwise_loops(shape, operands)
    body = f"y0[{affine(variables, to)}] = {read(site, 0, affine(variables, at))};"
    return Nest(nested(variables, dims, (body,)), cycles=5.0 * site.y.size)


def from_expand(node: OnnxNode) -> None:
    x, wanted = node.type(0), tuple(int(d) for d in node.const(1, "shape").ravel())
    try:
        shape = np.broadcast_shapes(x.shape, wanted)
    except ValueError:
        node.refuse(f"Expand of {x} to {list(wanted)}")
    node.emit("expand", [node.inputs[0]], {"shape": shape}, out=0)


def from_tile(node: OnnxNode) -> None:
    """An axis of 1 before each, expanded."""
    x, repeats = node.type(0), [int(r) for r in node.const(1, "repeats").ravel()]
    if len(repeats) != x.rank:
        node.refuse(f"Tile of {x} by {repeats}")
    between = tuple(v for d in x.shape for v in (1, d))
    wide = tuple(v for r, d in zip(repeats, x.shape, strict=True) for v in (r, d))
    y = node.emit("reshape", [node.inputs[0]], {"shape": between})
    y = node.emit("expand", [y], {"shape": wide})
    shape = tuple(r * d for r, d in zip(repeats, x.shape, strict=True))
    node.emit("reshape", [y], {"shape": shape}, out=0)


def from_trilu(node: OnnxNode) -> None:
    """x where column - row >= k (upper) or <= k."""
    x, upper = node.type(0), node.attr("upper", 1)
    rows, columns = x.shape[-2:]
    off = node.constant("diagonal", np.arange(columns) - np.arange(rows)[:, None])
    k = node.inputs[1] if node.has(1) else node.constant("k", np.asarray(0, np.int64))
    kept = elementwise(node, "greater_or_equal" if upper else "less_or_equal", off, k)
    zero = node.constant("zero", np.asarray(0, x.dtype.numpy))
    elementwise(node, "where", kept, node.inputs[0], zero, out=0)


def from_one_hot(node: OnnxNode) -> None:
    indices, depth = node.type(0), int(node.const(1, "depth").ravel()[0])
    axis = normal_axis(node, node.attr("axis", -1), indices.rank + 1)
    at = node.inputs[0]
    if indices.dtype.name != "i64":
        at = node.emit("cast", [at], {"dtype": "i64"})
    size = node.constant("depth", np.asarray(depth, np.int64))
    zero = node.constant("zero", np.asarray(0, np.int64))
    at = elementwise(node, "where", elementwise(node, "less", at, zero), elementwise(node, "add", at, size), at)  # fmt: skip
    at = node.emit("reshape", [at], {"shape": (*indices.shape[:axis], 1, *indices.shape[axis:])})
    steps = np.arange(depth, dtype=np.int64).reshape(-1, *(1,) * (indices.rank - axis))
    hit = elementwise(node, "equal", at, node.constant("steps", steps))
    off, on = (
        node.emit("reshape", [node.emit("slice", [node.inputs[2]], {"starts": (k,), "steps": (1,), "shape": (1,)})], {"shape": ()})
        for k in (0, 1)
    )  # fmt: skip
    elementwise(node, "where", hit, on, off, out=0)


def from_eye_like(node: OnnxNode) -> None:
    x = node.type(0)
    dtype = DTYPES[ONNX_TYPES[node.attr("dtype")]] if "dtype" in node.attrs else x.dtype
    rows, columns = x.shape
    eye = np.eye(rows, columns, node.attr("k", 0)).astype(dtype.numpy)
    node.rename(0, node.constant("eye", eye))


OP = Op(
    "expand",
    infer,
    reference,
    _integer,
    runs=runs.shaped,
    quantize=QuantizeRule(lower, "input"),
    nest=_nest,
    onnx={
        "Expand": from_expand,
        "Tile": from_tile,
        "Trilu": from_trilu,
        "OneHot": from_one_hot,
        "EyeLike": from_eye_like,
    },
    summary="Expand, Tile, Trilu, OneHot, EyeLike",
    cases=(
        Case("rows", "Expand", ((3, 1), Const([2, 1, 4], dtype="int64"))),
        Case("smaller", "Expand", ((2, 3), Const([1], dtype="int64"))),
        Case("tile", "Tile", ((2, 3), Const([2, 2], dtype="int64"))),
        Case("trilu", "Trilu", ((2, 4, 5), Const(1, dtype="int64"))),
    ),
)
