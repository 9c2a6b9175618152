"""A border around a tensor: constant, mirrored (reflect), the edge repeated (edge), or the other side (wrap).

Attributes: pads (all begins, then all ends, 0 or more), mode, and value: real, or an integer of x's type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from ..numerics.quantization import integer_bound
from .base import Arrays, Case, Const, Loop, Nest, Op, QuantizeRule, Site
from .channels import channelwise
from .importing import OnnxNode
from .indexing import affine, c_float, index_table, names, nested, strides_of, table_read
from .intervals import rising
from .lowering import Lowering
from .moving import moved
from .quantization import on_real_values
from .slice import emit_slice, normal_axis

MODES = ("constant", "reflect", "edge", "wrap")


def _pairs(pads: Sequence[int]) -> tuple[tuple[int, int], ...]:
    half = len(pads) // 2
    return tuple(zip(pads[:half], pads[half:], strict=True))


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x, pads = types[0], attrs["pads"]
    if len(pads) != 2 * x.rank or min(pads, default=0) < 0 or attrs["mode"] not in MODES:
        raise ModelError(f"pad of {x} by {list(pads)} in the mode {attrs['mode']!r}")
    for (begin, end), size in zip(_pairs(pads), x.shape, strict=True):
        if attrs["mode"] == "reflect" and max(begin, end) >= size:
            raise ModelError(
                f"pad of {x} by {list(pads)}: a mirror gives at most {size - 1} elements"
            )
    return (
        x.with_shape(tuple(b + d + e for (b, e), d in zip(_pairs(pads), x.shape, strict=True))),
    )


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    if attrs["mode"] == "constant":
        return (np.pad(arrays[0], _pairs(attrs["pads"]), constant_values=attrs["value"]),)
    return (np.pad(arrays[0], _pairs(attrs["pads"]), mode=attrs["mode"]),)


def _integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return reference(arrays, site.attrs)


def lower(low: Lowering) -> None:
    attrs, quant = dict(low.attrs), low.y_quant
    if attrs["mode"] == "constant":
        real = float(attrs["value"])
        attrs["value"] = integer_bound(real, quant, low.y.dtype)
        if (
            np.isfinite(real)
            and abs((attrs["value"] - quant.zero) * quant.scale0 - real) > quant.scale0
        ):
            low.refuse(f"it pads with {real:g}, which is beyond the range of its input")
    low.emit("pad", [low.activation(0).name], attrs)


def _c_value(site: Site) -> str:
    value = site.attrs["value"]
    return c_float(max(min(value, 3.4028234e38), -3.4028234e38)) if site.is_float else str(value)


def _nest(site: Site) -> Nest:
    """Constant: filled first. Else: a table of indices for each padded axis."""
    if site.attrs["mode"] == "constant":
        return _constant_nest(site)
    variables, source = names(site.y.rank), strides_of(site.x.shape)
    arrays, terms, free = [], [], list(source)
    for axis, (begin, end) in enumerate(_pairs(site.attrs["pads"])):
        if begin or end:
            table = index_table(
                np.pad(np.arange(site.x.shape[axis]), (begin, end), mode=site.attrs["mode"])
            )
            arrays.append((f"at{axis}", table))
            terms.append(f"{source[axis]}U * {table_read(f'at{axis}', table, variables[axis])}")
            free[axis] = 0
    if any(free):
        terms.append(affine(variables, free))
    index = " + ".join(terms) or "0"
    body = f"y0[{affine(variables, strides_of(site.y.shape))}] = x0[{index}];"
    return Nest(nested(variables, site.y.shape, (body,)), tuple(arrays), cycles=12.0 * site.y.size)


def _constant_nest(site: Site) -> Nest:
    """The whole result is filled, then x is copied into it."""
    target, begins = strides_of(site.y.shape), site.attrs["pads"][: site.y.rank]
    first = sum(begin * stride for begin, stride in zip(begins, target, strict=True))
    inside = moved(site.x.shape, target, strides_of(site.x.shape), site.y.dtype, y=first)
    fill = Loop("i", site.y.size, (f"y0[i] = {_c_value(site)};",))
    return Nest((fill, *inside.body), cycles=2.0 * site.y.size + inside.cycles)


def transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any]:
    pairs = _pairs(site.attrs["pads"])
    moved = [pairs[permutation.index(axis)] for axis in range(len(permutation))]
    return {**site.attrs, "pads": (*(b for b, _ in moved), *(e for _, e in moved))}


def from_onnx(node: OnnxNode) -> None:
    """Negative padding cuts off and is done first."""
    x, mode = node.type(0), node.attr("mode", "constant")
    if x.quant is not None:
        on_real_values(node, from_onnx)
        return
    if mode not in MODES:
        node.refuse(f"Pad: mode {mode!r}, wanted one of {', '.join(MODES)}")
    pads = full_pads(node, x.rank)
    cuts = {
        a: range(max(-b, 0), x.shape[a] - max(-e, 0))
        for a, (b, e) in enumerate(_pairs(pads))
        if min(b, e) < 0
    }
    if any(not r for r in cuts.values()):
        node.refuse(f"Pad of {x} by {list(pads)} leaves nothing")
    name = emit_slice(node, node.inputs[0], cuts) if cuts else node.inputs[0]
    attrs: dict[str, Any] = {"pads": tuple(max(p, 0) for p in pads), "mode": mode}
    if mode == "constant":
        value = node.const(2, "value").ravel() if node.has(2) else [node.attr("value", 0.0)]
        attrs["value"] = float(value[0]) if x.dtype.is_float else int(value[0])
    node.emit("pad", [name], attrs, out=0)


def full_pads(node: OnnxNode, rank: int) -> tuple[int, ...]:
    """pads of all axes; since opset 18 they may be given for some."""
    given = [int(p) for p in (node.const(1, "pads").ravel() if node.has(1) else node.attr("pads"))]
    axes = [int(a) for a in node.const(3, "axes").ravel()] if node.has(3) else list(range(rank))
    if len(given) != 2 * len(axes):
        node.refuse(f"Pad of {node.type(0)}: {len(given)} pads for {len(axes)} axes")
    pads = [0] * (2 * rank)
    for k, axis in enumerate(axes):
        at = normal_axis(node, axis, rank)
        pads[at], pads[at + rank] = given[k], given[k + len(axes)]
    return tuple(pads)


def _case(
    name: str, x: tuple[int, ...], pads: list[int], *more: Const | None, **attrs: Any
) -> Case:
    opset = attrs.pop("opset", 17)
    return Case(name, "Pad", (x, Const(pads, dtype="int64"), *more), attrs, opset)


OP = Op(
    "pad",
    infer,
    reference,
    _integer,
    interval=rising(_integer),
    channels=channelwise(
        0, where=lambda site: site.y.rank > 0 and not any(_pairs(site.attrs["pads"])[-1])
    ),
    runs=lambda site, runs: None if any(_pairs(site.attrs["pads"])[0]) else site.attrs,
    quantize=QuantizeRule(lower, "input"),
    nest=_nest,
    transposed=transposed,
    onnx={"Pad": from_onnx},
    summary="Pad: constant, reflect, edge, wrap",
    cases=(
        _case("one_value", (1,), [1, 2]),
        _case("image", (1, 2, 3, 4), [0, 0, 1, 2, 0, 0, 2, 1]),
        _case("with_a_value", (3, 4), [1, 0, 0, 3], Const(np.float32(1.25))),
        _case("nothing", (2, 3), [0, 0, 0, 0]),
        _case("negative_cuts", (4, 6), [-1, 2, 1, -3]),
        _case("reflect", (1, 2, 4, 5), [0, 0, 3, 1, 0, 0, 2, 4], mode="reflect"),
        _case("edge", (2, 3), [2, 1, 0, 5], mode="edge"),
        _case("wrap", (2, 3), [1, 2, 0, 3], mode="wrap", opset=19),
        _case("some_axes", (2, 3, 4), [1, 2], None, Const([-1], dtype="int64"), opset=18),
    ),
)
