"""If, Loop and Scan in the place where they stand: the branch that is taken, and each iteration's nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import onnx
from onnx import helper

from ...ir.rewrite import Draft
from ...ops.importing import OnnxNode
from .functions import body_nodes

# Nodes that the loops of a model become at most: more are no code for a microcontroller
LARGEST_UNROLL = 4096


class Importer(Protocol):
    """What adds nodes: `problems` grows with what can't be served."""

    draft: Draft
    problems: list
    unrolled: int

    def add(self, proto: onnx.NodeProto) -> None: ...


def add_control_flow(importer: Importer, node: OnnxNode, proto: onnx.NodeProto) -> None:
    """ModelError when what decides the flow is not known at compile time."""
    {"If": _add_if, "Loop": _add_loop, "Scan": _add_scan}[proto.op_type](importer, node, proto)


CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})


def graph_of(proto: onnx.NodeProto, name: str) -> onnx.GraphProto:
    return next(a.g for a in proto.attribute if a.name == name)


@dataclass
class _Unroller:
    """Adds a body again and again; `stacked` collects what each iteration gives for the scan outputs."""

    importer: Importer
    node: OnnxNode
    body: onnx.GraphProto
    stacked: list[list[str]] = field(default_factory=list)

    def iterate(self, given: Mapping[str, str]) -> list[str] | None:
        """One iteration on tensors by name of the body's inputs; its outputs, None after a problem."""
        importer = self.importer
        importer.unrolled += len(self.body.node)
        if importer.unrolled > LARGEST_UNROLL:
            self.node.refuse(
                f"{self.node.op_type}: unrolled, the loops of the model are more than {LARGEST_UNROLL} nodes",
                "make the loop shorter, or its steps an operator of the model (LSTM, GRU, CumSum)",
            )
        known = len(importer.problems)
        nodes, names = body_nodes(self.body, given, importer.draft.fresh, self.node.op_type)
        for proto in nodes:
            importer.add(proto)
            if len(importer.problems) > known:
                return None
        return [names.get(value.name, value.name) for value in self.body.output]

    def input_names(self) -> list[str]:
        return [value.name for value in self.body.input]

    def constant(self, hint: str, value: Any) -> str:
        return self.node.constant(hint, np.asarray(value))


def _add_if(importer: Importer, node: OnnxNode, proto: onnx.NodeProto) -> None:
    taken = bool(node.const(0, "condition").ravel()[0])
    body = graph_of(proto, "then_branch" if taken else "else_branch")
    nodes, names = body_nodes(body, {}, importer.draft.fresh, proto.output[0])
    ends = [
        helper.make_node("Identity", [names.get(inner.name, inner.name)], [outer])
        for inner, outer in zip(body.output, proto.output, strict=False)
        if outer
    ]
    for made in (*nodes, *ends):
        importer.add(made)


def _add_loop(importer: Importer, node: OnnxNode, proto: onnx.NodeProto) -> None:
    """Operands: trip count, condition, states. The body's: iteration, condition, states."""
    trips = int(node.const(0, "trip count").ravel()[0]) if node.has(0) else None
    going = bool(node.const(1, "condition").ravel()[0]) if node.has(1) else True
    unroller = _Unroller(importer, node, graph_of(proto, "body"))
    states, names = list(proto.input[2:]), unroller.input_names()
    count = 0
    while going and (trips is None or count < trips):
        head = [unroller.constant("iteration", np.int64(count)), unroller.constant("going", going)]
        made = unroller.iterate(dict(zip(names, [*head, *states], strict=True)))
        if made is None:
            return
        going = _known(node, importer.draft, made[0])
        states, count = made[1 : 1 + len(states)], count + 1
        unroller.stacked.append(made[1 + len(states) :])
    _finish(unroller, states, [0] * (len(proto.output) - len(states)), [False] * len(proto.output))


def _known(node: OnnxNode, draft: Draft, condition: str) -> bool:
    data = draft.tensors[condition].data
    if data is None:
        node.refuse(
            "Loop: its condition is computed at run time, wanted one that is known when it is compiled",
            "give it a fixed number of iterations",
        )
    return bool(data.ravel()[0])


def _add_scan(importer: Importer, node: OnnxNode, proto: onnx.NodeProto) -> None:
    """Operands: states, then what is scanned."""
    if node.opset < 9:
        _add_scan_8(importer, node, proto)
        return
    scanned = node.attr("num_scan_inputs")
    states, inputs = list(proto.input[:-scanned]), list(proto.input[-scanned:])
    axes = node.attr("scan_input_axes", [0] * scanned)
    ranks = [importer.draft.tensors[name].type.rank for name in inputs]
    axes = [axis % rank for axis, rank in zip(axes, ranks, strict=True)]
    backwards = node.attr("scan_input_directions", [0] * scanned)
    unroller = _Unroller(importer, node, graph_of(proto, "body"))
    last = _scan(unroller, states, inputs, axes, backwards)
    outputs = len(proto.output) - (len(proto.input) - scanned)
    if last is not None:
        out_axes = node.attr("scan_output_axes", [0] * outputs)
        _finish(unroller, last, out_axes, node.attr("scan_output_directions", [0] * outputs))


def _scan(
    unroller: _Unroller, states: list[str], inputs: Sequence[str], axes: Sequence[int], backwards: Sequence[Any]
) -> list[str] | None:  # fmt: skip
    """The states after all steps; None after a problem."""
    tensors = unroller.importer.draft.tensors
    lengths = {tensors[x].shape[axis] for x, axis in zip(inputs, axes, strict=True)}
    if len(lengths) != 1:
        unroller.node.refuse(f"Scan: wanted inputs of one length, got {sorted(lengths)}")
    (steps,), names = lengths, unroller.input_names()
    for step in range(steps):
        slices = [
            _slice(unroller, x, axis, steps - 1 - step if back else step)
            for x, axis, back in zip(inputs, axes, backwards, strict=True)
        ]
        made = unroller.iterate(dict(zip(names, [*states, *slices], strict=True)))
        if made is None:
            return None
        unroller.stacked.append(made[len(states) :])
        states = made[: len(states)]
    return states


def _slice(unroller: _Unroller, x: str, axis: int, index: int) -> str:
    out = unroller.importer.draft.fresh(f"{x}.{index}")
    where = unroller.constant("index", np.int64(index))
    unroller.importer.add(helper.make_node("Gather", [x, where], [out], axis=axis))
    return out


def _add_scan_8(importer: Importer, node: OnnxNode, proto: onnx.NodeProto) -> None:
    """Opset 8: a batch of sequences, [batch, steps, ...]; lengths come first."""
    if node.has(0):
        node.refuse("Scan with sequence_lens (opset 8) is not supported")
    scanned = node.attr("num_scan_inputs")
    states, inputs = list(proto.input[1:-scanned]), list(proto.input[-scanned:])
    batch = importer.draft.tensors[inputs[0]].shape[0]
    backwards = node.attr("directions", [0] * scanned)
    rows: list[list[str]] = []
    for b in range(batch):
        unroller = _Unroller(importer, node, graph_of(proto, "body"))
        first = [_slice(unroller, name, 0, b) for name in states]
        parts = [_slice(unroller, name, 0, b) for name in inputs]
        last = _scan(unroller, first, parts, [0] * scanned, backwards)
        if last is None:
            return
        rows.append(
            [
                *last,
                *(_stack(importer, node, list(c), 0) for c in zip(*unroller.stacked, strict=True)),
            ]
        )
    for k, column in enumerate(zip(*rows, strict=True)):
        if k < len(node.outputs) and node.outputs[k]:
            node.rename(k, _stack(importer, node, list(column), 0))


def _finish(
    unroller: _Unroller, states: Sequence[str], axes: Sequence[int], backwards: Sequence[Any]
) -> None:
    """The node's outputs: the last states, then what the iterations gave, stacked."""
    node, count = unroller.node, len(states)
    for k, name in enumerate(states):
        if k < len(node.outputs) and node.outputs[k]:
            node.rename(k, name)
    for k, (axis, back) in enumerate(zip(axes, backwards, strict=False)):
        if not node.outputs[count + k]:
            continue
        if not unroller.stacked:
            node.refuse(
                f"{node.op_type} of no iterations: the shape of {node.outputs[count + k]!r} is not known"
            )
        parts = [row[k] for row in unroller.stacked]
        stacked = _stack(unroller.importer, node, parts[::-1] if back else parts, axis)
        node.rename(count + k, stacked)


def _stack(importer: Importer, node: OnnxNode, parts: list[str], axis: int) -> str:
    """Tensors of one shape side by side along a new axis."""
    tensors = [node.draft.tensors[name] for name in parts]
    if len({t.type.shape for t in tensors}) != 1:
        node.refuse(
            f"{node.op_type}: its iterations give different shapes, {tensors[0].type} and others"
        )
    axis %= tensors[0].type.rank + 1
    if all(t.data is not None for t in tensors):
        return node.constant("stacked", np.stack([t.value for t in tensors], axis))
    shape = tensors[0].shape
    attrs = {"shape": (*shape[:axis], 1, *shape[axis:])}
    rows = [
        node.constant("row", t.value.reshape(attrs["shape"])) if t.is_constant
        else node.emit("reshape", [t.name], attrs, hint="row")
        for t in tensors
    ]  # fmt: skip
    out = node.draft.fresh(f"{node.op_type}.stacked")
    importer.add(helper.make_node("Concat", rows, [out], axis=axis))
    if out not in node.draft.tensors:
        node.refuse(f"{node.op_type}: tensors of {tensors[0].type} can't be stacked")
    return out
