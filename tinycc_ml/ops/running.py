"""Running sums and products along an axis, of any plain type: CumSum and CumProd; sums on integers, too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from ..numerics.fixedpoint import INT32_MAX, requantize
from . import runs
from .base import Arrays, Case, Const, Loop, Nest, Op, QuantizeRule, Site
from .importing import OnnxNode
from .indexing import affine, nested, read
from .integer_end import accumulator_c, narrowed, output_c
from .lowering import Lowering
from .slice import normal_axis


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: product, axis, exclusive, reverse; of quantised sums multiplier and pre_shift."""
    if types[0].dtype.kind == "bool":
        raise ModelError(f"running sum of {types[0]}")
    return (types[0],)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    x, axis = arrays[0], attrs["axis"]
    x = np.flip(x, axis) if attrs["reverse"] else x
    rule = np.multiply if attrs["product"] else np.add
    y = rule.accumulate(x, axis=axis, dtype=x.dtype)
    if attrs["exclusive"]:
        first = np.full_like(np.take(x, [0], axis), int(attrs["product"]))
        y = np.concatenate([first, np.delete(y, -1, axis)], axis)
    return (np.flip(y, axis) if attrs["reverse"] else y,)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    """Each sum is requantised as it is: errors don't run on."""
    (acc,) = reference((arrays[0].astype(np.int64) - site.x.quant.zero,), site.attrs)  # type: ignore[union-attr]
    y = requantize(acc, site.attrs["multiplier"], site.attrs["pre_shift"]) + site.y.quant.zero  # type: ignore[union-attr]
    return (narrowed(site, y),)


def _bound(x: TensorType, attrs: Attrs) -> int:
    """|sum| at most."""
    return x.shape[attrs["axis"]] * (2**x.dtype.bits - 1)


def _lower(low: Lowering) -> None:
    x = low.activation(0)
    if low.attrs["product"]:
        low.refuse("its result is no sum")
    bound = _bound(x.type, low.attrs)
    m = low.multiplier(np.asarray([x.type.quant.scale0 / low.y_quant.scale0]), bound)  # type: ignore[union-attr]
    if not low.is_wide and bound << m.pre_shift > INT32_MAX:
        low.refuse(f"the sum of {x.shape[low.attrs['axis']]} values may leave the range of int32")
    more = {"multiplier": int(m.value[0]), "pre_shift": m.pre_shift}
    low.emit("running", [x.name], {**low.attrs, **more})


def _nest(site: Site) -> Nest:
    axis, shape, attrs = site.attrs["axis"], site.x.shape, site.attrs
    outer, n, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    step, offset = (-inner, (n - 1) * inner) if attrs["reverse"] else (inner, 0)
    at = affine(("r", "k", "i"), (n * inner, step, 1), offset)
    kind, value, made = _plain(site, at) if site.x.quant is None else _quantised(site, at)
    take = f"acc {'*' if attrs['product'] else '+'}= v;"
    give = f"y0[{at}] = {made};"
    order = (give, take) if attrs["exclusive"] else (take, give)
    loop = Loop("k", n, (f"const {kind} v = ({kind}){value};", *order))
    body = (f"{kind} acc = {int(attrs['product'])};", loop)
    return Nest(nested(("r", "i"), (outer, inner), body), in_place=(0,), cycles=8.0 * site.x.size)


def _plain(site: Site, at: str) -> tuple[str, str, str]:
    """The C type of the sum, the next value, and the result."""
    dtype = site.x.dtype
    return dtype.c if dtype.is_float else "uint64_t", read(site, 0, at), f"({dtype.c})acc"


def _quantised(site: Site, at: str) -> tuple[str, str, str]:
    kind, zero = accumulator_c(site, _bound(site.x, site.attrs)), site.x.quant.zero  # type: ignore[union-attr]
    minus = f" {'-' if zero > 0 else '+'} {abs(zero)}" if zero else ""
    value = f"((int32_t){read(site, 0, at)}{minus})"
    return kind, value, output_c(site, "acc", str(site.attrs["multiplier"]))


def _from_onnx(product: bool, node: OnnxNode) -> None:
    axis = normal_axis(node, int(node.const(1, "axis").ravel()[0]), node.type(0).rank)
    flags: dict[str, Any] = {k: bool(node.attr(k, 0)) for k in ("exclusive", "reverse")}
    node.emit("running", [node.inputs[0]], {"axis": axis, "product": product, **flags}, out=0)


def _case(name: str, x: tuple[int, ...], axis: int, **attrs: int) -> Case:
    return Case(name, "CumSum", (x, Const(axis, dtype="int64")), attrs)


OP = Op(
    "running",
    infer,
    reference,
    integer,
    runs=runs.beside("axis"),
    quantize=QuantizeRule(_lower),
    nest=_nest,
    onnx={"CumSum": partial(_from_onnx, False), "CumProd": partial(_from_onnx, True)},
    summary="Running sums and products: CumSum, CumProd",
    cases=(
        _case("sums", (2, 7), 1),
        _case("exclusive", (1, 3, 4), 1, exclusive=1),
        _case("from_the_end", (4, 5), 0, reverse=1),
        _case("exclusive_from_the_end", (6,), 0, exclusive=1, reverse=1),
    ),
)
