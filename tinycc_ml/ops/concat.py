"""Tensors one after the other along an axis. int8 operands are brought to the result's quantisation first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Case, Const, Loop, Nest, Op, QuantizeRule, Site
from .channels import Channels, Links, linked
from .importing import OnnxNode
from .indexing import affine, nested, read
from .intervals import channels_of, rising
from .lowering import Lowering
from .lut import rescaled
from .moving import moved
from .rows import Rows, pixelwise
from .slice import normal_axis


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    axis, first = attrs["axis"], types[0]
    rests = {t.shape[:axis] + t.shape[axis + 1 :] for t in types}
    if not 0 <= axis < first.rank or len(rests) != 1 or len({t.dtype for t in types}) != 1:
        raise ModelError(f"concat of {', '.join(map(str, types))} along axis {axis}")
    total = sum(t.shape[axis] for t in types)
    made = first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))
    return (made if len({t.quant for t in types}) == 1 else replace(made, quant=None),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (np.concatenate(arrays, axis=attrs["axis"]),)


def _integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    return reference(arrays, site.attrs)


def lower(low: Lowering) -> None:
    low.emit("concat", [rescaled(low, k) for k in range(len(low.node.inputs))], low.attrs)


def _runs(site: Site, runs: int) -> Mapping[str, Any] | None:
    free = site.attrs["axis"] != 0 and not any(tensor.is_constant for tensor in site.inputs)
    return site.attrs if free else None


def _channels(site: Site) -> Channels:
    """Along the last axis each operand's channels follow those before it."""
    links, offset = [], 0
    for tensor in site.inputs:
        every = np.arange(channels_of(tensor.type))
        links.append(Links(every, offset + every))
        offset += len(every) if site.attrs["axis"] == site.y.rank - 1 else 0
    return linked(site, links, lambda cut: site.attrs)


def _nest(site: Site) -> Nest:
    """For each operand `rows` runs of `run` elements; constants are read one by one, as flash may want it."""
    axis = site.attrs["axis"]
    rows, pitch = prod(site.y.shape[:axis]), prod(site.y.shape[axis:])
    body: list[Loop | str] = []
    offset, cycles = 0, 0.0
    for k, tensor in enumerate(site.inputs):
        run = prod(tensor.shape[axis:])
        if tensor.is_constant:
            value = read(site, k, affine(("r", "i"), (run, 1)))
            target = f"y0[{affine(('r', 'i'), (pitch, 1), offset)}]"
            body += nested(("r", "i"), (rows, run), (f"{target} = {value};",))
            cycles += 6.0 * rows * run
        else:
            part = moved((rows, run), (pitch, 1), (run, 1), site.y.dtype, y=offset, source=f"x{k}")
            body += part.body
            cycles += part.cycles
        offset += run
    return Nest(tuple(body), cycles=cycles)


def _parts(site: Site) -> tuple[int, ...] | None:
    """Along the outermost axis that counts the operands follow each other, unless one comes twice."""
    axis, names = site.attrs["axis"], [t.name for t in site.inputs]
    if prod(site.y.shape[:axis]) != 1 or len(set(names)) < len(names):
        return None
    if any(t.is_constant or t.type.quant != site.y.quant for t in site.inputs):
        return None
    return tuple(sum(t.type.size for t in site.inputs[:k]) for k in range(len(names)))


def _rows(site: Site) -> Rows | None:
    return pixelwise(site) if site.y.rank == 4 and site.attrs["axis"] > 1 else None


def transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any]:
    return {"axis": permutation[site.attrs["axis"]]}


def from_onnx(node: OnnxNode) -> None:
    node.emit(
        "concat",
        node.inputs,
        {"axis": normal_axis(node, node.attr("axis"), node.type(0).rank)},
        out=0,
    )


OP = Op(
    "concat",
    infer,
    reference,
    _integer,
    interval=rising(_integer),
    channels=_channels,
    runs=_runs,
    quantize=QuantizeRule(lower),
    nest=_nest,
    parts=_parts,
    rows=_rows,
    transposed=transposed,
    onnx={"Concat": from_onnx},
    summary="Concat",
    cases=(
        Case("one_input", "Concat", ((2, 3),), {"axis": 0}),
        Case("vectors", "Concat", ((2,), (1,)), {"axis": 0}),
        Case("channels", "Concat", ((1, 2, 3, 4), (1, 5, 3, 4), (1, 1, 3, 4)), {"axis": 1}),
        Case("columns", "Concat", ((9, 1), (9, 1), (9, 1)), {"axis": 1}),
        Case("negative_axis", "Concat", ((2, 3), (2, 4)), {"axis": -1}),
        Case("with_constant", "Concat", ((2, 3), Const(shape=(2, 1))), {"axis": 1}),
    ),
)
