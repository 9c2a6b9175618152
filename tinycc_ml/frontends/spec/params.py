"""`param`: the weights of a block, by its name, of the shape that it says, in numbers or in integers with scales."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from onnx import helper

from ...errors import ModelError
from . import syntax as s
from .problems import Fail
from .scope import Frame
from .stored import SCALE, ZERO_POINT, Quantised
from .values import Tensor, Value, is_int, shown, whole

if TYPE_CHECKING:
    from .evaluate import Evaluator

Values = Mapping[str, Value]


def param(evaluator: Evaluator, frame: Frame, values: Values, call: s.Call) -> Value:
    """A weight of the block: of the weights' files by its name, or what the caller gives. Without a shape
    it is taken as it is stored."""
    shape = _shape(evaluator, values)
    if values["given"] is not None:
        return _given(evaluator, frame, values, shape or (), call)
    source, outer, _ = frame.place()
    span = (outer or call).callee.span
    if evaluator.first_weight is None:
        evaluator.first_weight = (source, span)
    if not frame.path:
        raise ValueError("param stands in a block")
    name, where = frame.path + values["name"], f"{source.name}:{span.line}"
    integers = evaluator.weights.quantised(name, shape)
    if integers is not None:
        return _dequantised(evaluator, frame, name, integers, call)
    if shape is None:
        array = evaluator.weights.stored(name, where)
        array = np.zeros((), np.float32) if array is None else array
    else:
        evaluator.spend(frame, call.span, 1 + math.prod(shape) // 1000)
        array = evaluator.weights.take(name, shape, values["init"], where)
    return evaluator.constant(name, array, frame, call.callee.span)


def _shape(evaluator: Evaluator, values: Values) -> tuple[int, ...] | None:
    if values["shape"] is None:
        return None
    shape = tuple(whole(v) for v in values["shape"])
    if not all(is_int(v) and v >= 1 for v in shape):
        raise ValueError(f"the shape of {values['name']!r} would be {shown(values['shape'])}")
    if math.prod(shape) > evaluator.limits.elements:
        raise ValueError(
            f"{values['name']!r} would be {shown(shape)}: more than {evaluator.limits.elements:,} values"
        )
    return shape


def _dequantised(
    evaluator: Evaluator, frame: Frame, name: str, weight: Quantised, call: s.Call
) -> Tensor:
    """Stored integers as real values: a node of the net."""
    named = {
        name: weight.array,
        f"{name}{SCALE}": weight.scale,
        f"{name}{ZERO_POINT}": weight.zero_point,
    }
    inputs = [evaluator.constant(n, a, frame, call.callee.span).name for n, a in named.items()]
    axis = [] if weight.axis is None else [helper.make_attribute("axis", weight.axis)]
    result = evaluator.naming.result(f"{name}.real", ())
    called = evaluator.net.names.get(result) or evaluator.net.draft.fresh(result)
    node = evaluator.net.node_names.get(result, called)
    step = evaluator.step(frame, call, None)
    try:
        (made,) = evaluator.net.add_node("DequantizeLinear", "", inputs, [called], axis, node, step)
    except ModelError as error:
        raise evaluator.problem(frame, call.callee.span, error.message) from error
    return made


def _given(
    evaluator: Evaluator, frame: Frame, values: Values, shape: tuple[int, ...], call: s.Call
) -> Value:
    given, name = values["given"], values["name"]
    node = call.arguments[2].value if len(call.arguments) > 2 else None
    argument = node.id if isinstance(node, s.Name) else ""
    if isinstance(given, Tensor):
        if given.shape != shape:
            message = f"{name} is {list(shape)}, got {given.text}"
            raise Fail(message, frame.source, call.callee.span, argument)
        return given
    try:
        array = np.array(given, np.float32)
    except (ValueError, TypeError, OverflowError):
        message = f"{name} is {list(shape)}, got rows of different lengths or what is no number"
        raise Fail(message, frame.source, call.callee.span, argument) from None
    if array.shape != shape:
        message = f"{name} is {list(shape)}, got values of shape {list(array.shape)}"
        raise Fail(message, frame.source, call.callee.span, argument)
    return evaluator.constant(frame.path + name, array, frame, call.callee.span)
