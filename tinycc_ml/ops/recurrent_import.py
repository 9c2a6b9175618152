"""RNN, GRU and LSTM from ONNX: a node for each direction, with only those outputs that are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ir.types import F32
from .importing import OnnxNode
from .recurrent import ACTIVATIONS

_DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
# Input of the ONNX node by operand, and the axes that `layout` swaps
_STATES = {"h0": 5, "c0": 6}
# [D, B, H] and [B, D, H], [T, B, I] and [B, T, I]
_SWAPPED = (1, 0, 2)


@dataclass(frozen=True)
class Kind:
    """What tells the operators apart. `defaults`: names of its activation functions; `flag`: its attribute."""

    op: str
    defaults: tuple[str, ...]
    flag: str | None = None
    states: tuple[str, ...] = ("h0",)


def importer(kind: Kind) -> Callable[[OnnxNode], None]:
    def from_onnx(node: OnnxNode) -> None:
        if node.type(0).dtype != F32 or node.type(0).rank != 3:
            node.refuse(f"{node.op_type} takes f32 [steps, batch, inputs], got {node.type(0)}")
        direction = node.attr("direction", "forward")
        if direction not in _DIRECTIONS:
            node.refuse(f"{node.op_type}: wanted {', '.join(_DIRECTIONS)}, got {direction!r}")
        ways = _DIRECTIONS[direction]
        if node.type(1).rank != 3 or node.type(1).shape[0] != len(ways):
            node.refuse(
                f"{node.op_type} ({direction}) takes weights [{len(ways)}, rows, inputs], got {node.type(1)}"
            )
        x = _turned(node, node.inputs[0])
        made = [_one_way(node, kind, x, d, reverse) for d, reverse in enumerate(ways)]
        for k, name in enumerate(_results(kind)):
            if node.is_read(k):
                _join(node, k, [each[name] for each in made], 1 if name == "y" else 0)

    return from_onnx


def _results(kind: Kind) -> tuple[str, ...]:
    return ("y", "h", "c")[: 1 + len(kind.states)]


def _turned(node: OnnxNode, tensor: str) -> str:
    """From batch first (layout 1) to steps or directions first."""
    if not node.attr("layout", 0):
        return tensor
    known = node.draft.tensors[tensor]
    if known.data is not None:
        return node.constant(f"{tensor}.turned", known.data.transpose(_SWAPPED))
    return node.emit("transpose", [tensor], {"perm": _SWAPPED}, hint="turned")


def _one_way(node: OnnxNode, kind: Kind, x: str, d: int, reverse: bool) -> dict[str, str]:
    operands = {"x": x, "w": _weights(node, 1, d), "r": _weights(node, 2, d)}
    operands |= _biases(node, kind, d, node.draft.tensors[operands["r"]].shape[0])
    if node.has(4):
        operands["lens"] = node.inputs[4]
    for name in kind.states:
        if node.has(_STATES[name]):
            operands[name] = _part(node, _turned(node, node.inputs[_STATES[name]]), d)
    if node.has(7):
        operands["p"] = _part(node, node.inputs[7], d)
    wanted = [n for k, n in enumerate(_results(kind)) if node.is_read(k)] or ["h"]
    attrs = {"operands": tuple(operands), "outputs": tuple(wanted), "reverse": reverse}
    attrs |= _functions(node, kind, d)
    attrs["clip"] = float(node.attr("clip", 0.0))
    attrs["flag"] = bool(node.attr(kind.flag, 0)) if kind.flag else False
    made = node.emit_many(kind.op, list(operands.values()), attrs, hint=kind.op)
    return dict(zip(wanted, made, strict=True))


def _weights(node: OnnxNode, index: int, d: int) -> str:
    """The matrix of one direction; behind a DequantizeLinear it stays quantised, by rows."""
    maker = node.draft.producer(node.inputs[index])
    if maker is not None and maker.op == "dequantize":
        return node.rearranged(index, lambda a: a[d], 0)
    return _part(node, node.inputs[index], d)


def _part(node: OnnxNode, tensor: str, d: int) -> str:
    """Entry d of the leading axis."""
    known = node.draft.tensors[tensor]
    if known.data is not None:
        return node.constant(f"{tensor}.{d}" if known.shape[0] > 1 else tensor, known.data[d])
    if known.shape[0] > 1:
        tensor = _range(node, tensor, 0, d, d + 1)
    return node.emit("reshape", [tensor], {"shape": known.shape[1:]}, hint="part")


def _range(node: OnnxNode, tensor: str, axis: int, start: int, end: int) -> str:
    shape = node.draft.tensors[tensor].shape
    starts = tuple(start if k == axis else 0 for k in range(len(shape)))
    ends = tuple(end if k == axis else n for k, n in enumerate(shape))
    attrs = {
        "starts": starts,
        "steps": (1,) * len(shape),
        "shape": tuple(e - s for s, e in zip(starts, ends, strict=True)),
    }
    return node.emit("slice", [tensor], attrs, hint="range")


def _biases(node: OnnxNode, kind: Kind, d: int, rows: int) -> dict[str, str]:
    """Both biases as one where they are known and go into the same sum."""
    if not node.has(3):
        return {"b": node.constant("no_bias", np.zeros(rows, np.float32))}
    both = _part(node, node.inputs[3], d)
    if node.draft.tensors[both].shape != (2 * rows,):
        node.refuse(f"{node.op_type} takes biases [directions, {2 * rows}], got {node.type(3)}")
    data = node.draft.tensors[both].data
    if data is None:
        return {"b": _range(node, both, 0, 0, rows), "rb": _range(node, both, 0, rows, 2 * rows)}
    if kind.flag == "linear_before_reset" and node.attr(kind.flag, 0):
        return {"b": node.constant("bias", data[:rows]), "rb": node.constant("bias", data[rows:])}
    return {"b": node.constant("bias", data[:rows] + data[rows:])}


def _functions(node: OnnxNode, kind: Kind, d: int) -> dict[str, Any]:
    """The activation functions of direction d; parameters are listed for those functions that have them."""
    count = len(kind.defaults)
    every = [str(n).lower() for n in node.attr("activations", ())] or [*kind.defaults] * (d + 1)
    unknown = [n for n in every if n not in ACTIVATIONS]
    if unknown or len(every) < count * (d + 1):
        node.refuse(
            f"{node.op_type}: activations {', '.join(every)}; it takes {count} for each direction, of {', '.join(ACTIVATIONS)}"
        )
    found: dict[str, Any] = {"activations": tuple(every[count * d :][:count])}
    for field in ("alpha", "beta"):
        left, values = list(node.attr(f"activation_{field}", ())), []
        for name in every:
            default = getattr(ACTIVATIONS[name], field)
            values.append(0.0 if default is None else float(left.pop(0) if left else default))
        found[field] = tuple(values[count * d :][:count])
    return found


def _join(node: OnnxNode, k: int, parts: list[str], axis: int) -> None:
    """ONNX output k: the directions side by side; y: [T, D, B, H], h and c: [D, B, H]."""
    shape = node.draft.tensors[parts[0]].shape
    shape = (*shape[:axis], 1, *shape[axis:])
    rank, batch_first = len(shape), bool(node.attr("layout", 0))
    single = len(parts) == 1
    rows = [
        node.emit(
            "reshape",
            [p],
            {"shape": shape},
            hint="way",
            out=k if single and not batch_first else None,
        )
        for p in parts
    ]
    joined = rows[0]
    if not single:
        joined = node.emit(
            "concat", rows, {"axis": axis}, hint="ways", out=None if batch_first else k
        )
    if batch_first:
        node.emit("transpose", [joined], {"perm": (2, 0, 1, 3) if rank == 4 else _SWAPPED}, out=k)
