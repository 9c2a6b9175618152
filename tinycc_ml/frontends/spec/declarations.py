"""Statements that declare what the net is called, reads and gives, or where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...ir.types import DTYPES
from . import syntax as s
from .net import Step
from .problems import nearest
from .scope import Frame
from .values import Tensor, describe, is_int, whole

if TYPE_CHECKING:
    from .statements import Statements

_LONG_NAMES = {
    "float32": "f32",
    "float": "f32",
    "int8": "i8",
    "uint8": "u8",
    "int32": "i32",
    "int64": "i64",
    "bool": "bool",
    "float64": "f64",
}


def declare_model(statements: Statements, node: s.Model, frame: Frame) -> None:
    label = node.label
    name = label.id if isinstance(label, s.Name) else statements.evaluator.text(label, frame)
    if statements.model is not None:
        raise statements.evaluator.problem(
            frame, node.span, f"the model is called {statements.model!r} already"
        )
    statements.model = name


def declare_input(statements: Statements, node: s.Input, frame: Frame) -> None:
    dtype = node.type.dtype
    if dtype.id not in DTYPES:
        long = _LONG_NAMES.get(dtype.id)
        hint = (
            f"it is called {long}"
            if long
            else nearest(dtype.id, DTYPES) or f"there are {', '.join(DTYPES)}"
        )
        raise statements.evaluator.problem(frame, dtype.span, f"no element type {dtype.id!r}", hint)
    shape = tuple(_size(statements, size, frame) for size in node.type.shape)
    _check_elements(statements, shape, node, frame)
    name = statements.evaluator.text(node.label, frame) if node.label else node.name.id
    if name in statements.evaluator.net.draft.tensors:
        raise statements.evaluator.problem(
            frame, node.name.span, f"there is a tensor {name!r} already"
        )
    step = Step("input", frame.source, node.name.span, None)
    statements.inputs[name] = (frame.source, node)
    frame.vars[node.name.id] = statements.evaluator.net.add_input(name, dtype.id, shape, step)


def _check_elements(
    statements: Statements, shape: tuple[int, ...], node: s.Input, frame: Frame
) -> None:
    count, most = 1, statements.evaluator.limits.elements
    for size in shape:
        count *= size
    if count > most or len(shape) > 16:
        raise statements.evaluator.problem(
            frame, node.type.span, f"an input has at most {most:,} values"
        )


def _size(statements: Statements, node: s.Expr, frame: Frame) -> int:
    size = whole(statements.evaluator.value(node, frame))
    if not is_int(size) or size < 1:
        raise statements.evaluator.problem(
            frame, node.span, f"a size is a whole number of at least 1, got {describe(size)}"
        )
    return size


def declare_outputs(statements: Statements, node: s.Outputs, frame: Frame) -> None:
    for item in node.items:
        name = item.name.id
        if item.value is not None:
            fresh = () if name in frame.vars else (name,)
            statements.evaluator.name_calls(fresh, item.value, frame)
            frame.vars[name] = statements.evaluator.value(item.value, frame)
        value = statements.evaluator.value(item.name, frame)
        if not isinstance(value, Tensor):
            raise statements.evaluator.problem(
                frame, item.name.span, f"an output is a tensor, {name!r} is {describe(value)}"
            )
        label = statements.evaluator.text(item.label, frame) if item.label else name
        if label in statements.outputs:
            raise statements.evaluator.problem(
                frame, item.name.span, f"there is an output {label!r} already"
            )
        statements.outputs[label] = (value, frame.source, item)


def declare_import(statements: Statements, node: s.Import, frame: Frame) -> None:
    text = statements.evaluator.text(node.path, frame)
    if statements.imported is not None:
        raise statements.evaluator.problem(frame, node.span, "a spec imports one net")
    path = (frame.source.path.parent if frame.source.path else Path()) / text
    if path.suffix.lower() != ".onnx":
        raise statements.evaluator.problem(
            frame, node.path.span, "import takes an .onnx file", "include takes another .tml"
        )
    if not path.is_file():
        raise statements.evaluator.problem(frame, node.path.span, f"no such file: {text}")
    statements.imported = (path, frame.source, node)
