"""The largest or smallest values along an axis, in order, with their places."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import I64, TensorType
from . import runs
from .base import Arrays, Case, Const, Loop, Nest, Op, QuantizeRule, Site
from .importing import OnnxNode
from .indexing import affine, nested, read
from .lowering import Lowering
from .slice import normal_axis


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: k, axis, largest. Of equals the first one comes first."""
    x, k, axis = types[0], attrs["k"], attrs["axis"]
    if not 0 <= k <= x.shape[axis]:
        raise ModelError(f"the {k} largest of {x} along axis {axis}")
    y = x.with_shape((*x.shape[:axis], k, *x.shape[axis + 1 :]))
    return y, TensorType(y.shape, I64)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, axis = arrays[0], attrs["axis"]
    ranks = np.unique(x, return_inverse=True)[1].reshape(x.shape)
    order = np.argsort(-ranks if attrs["largest"] else ranks, axis=axis, kind="stable")
    places = np.take(order, np.arange(attrs["k"]), axis=axis)
    return np.take_along_axis(x, places, axis), places


def _nest(site: Site) -> Nest:
    """Each result is the best of those that come behind the one before; nothing is set aside."""
    x, axis, k = site.x, site.attrs["axis"], site.attrs["k"]
    outer, n, inner = prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])
    better = ">" if site.attrs["largest"] else "<"
    value = read(site, 0, affine(("r", "j", "i"), (n * inner, inner, 1)))
    behind = f"v {'<' if better == '>' else '>'} last || (v == last && (int64_t)j > place)"
    step = (
        f"const {x.dtype.c} v = {value};",
        f"if ((k == 0U || {behind}) && (next < 0 || v {better} best)) {{ best = v; next = (int64_t)j; }}",
    )
    start = (f"{x.dtype.c} best = 0;", "int64_t next = -1;")
    at = affine(("r", "k", "i"), (k * inner, inner, 1))
    end = (f"y0[{at}] = best;", f"y1[{at}] = next;", "last = best;", "place = next;")
    each = Loop("k", k, (*start, Loop("j", n, step), *end))
    body = (f"{x.dtype.c} last = 0;", "int64_t place = -1;", each)
    return Nest(nested(("r", "i"), (outer, inner), body), cycles=9.0 * x.size * k)


def from_onnx(node: OnnxNode) -> None:
    x = node.type(0)
    k = node.attr("k") if node.opset < 10 else int(node.const(1, "k").ravel()[0])
    axis = normal_axis(node, node.attr("axis", -1), x.rank)
    attrs = {"k": k, "axis": axis, "largest": bool(node.attr("largest", 1))}
    names = node.emit_many("top_k", [node.inputs[0]], attrs)
    for index, name in enumerate(names):
        if index < len(node.outputs) and node.outputs[index]:
            node.rename(index, name)


def _lower(low: Lowering) -> None:
    """The order of quantised values is that of the real ones."""
    low.emit("top_k", [low.activation(0).name], low.attrs)


def _case(name: str, x: tuple[int, ...], k: int, **attrs: int) -> Case:
    return Case(name, "TopK", (x, Const([k], dtype="int64")), attrs, outputs=2)


OP = Op(
    "top_k",
    infer,
    reference,
    runs=runs.beside("axis"),
    quantize=QuantizeRule(_lower, "input"),
    nest=_nest,
    onnx={"TopK": from_onnx},
    summary="TopK",
    cases=(
        _case("rows", (1, 9), 3),
        _case("smallest", (2, 5, 3), 2, axis=1, largest=0),
        _case("all_of_one", (4, 1), 1),
    ),
)
