"""The weights line: weights("net.npz"), weights("net.onnx", match="order"), weights(random(1))."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ModelError
from .binding import Given, Parameter, bind
from .problems import Problem
from .recipe import beside
from .scope import Frame
from .stored import NAMES, NODE_NAMES, pairs
from .syntax import Call, Span
from .values import LOST, Random, Value, describe
from .weights import Arrays, is_weight, read_arrays

if TYPE_CHECKING:
    from .evaluate import Evaluator

PARAMETERS = (
    Parameter("source"),
    Parameter("match", "text", "name"),
    Parameter("extra", "bool", False),
    Parameter("absent", "any", None),
    Parameter("names", "bool", False),
)
MATCHES = ("name", "order")


def add_weights(evaluator: Evaluator, call: Call, given: list[Given], frame: Frame) -> None:
    """Read what a weights line names.

    match: "name", or "order": arrays are taken in the order of the file, those of an ONNX file in the
    order in which its nodes read them. extra: arrays may be left over. absent: random(seed), for when
    the file is not there. names: the file also says what the net's tensors are called.
    """
    bound = bind("weights", PARAMETERS, given, call, frame.source)
    values = {p.name: bound[p.name].value if p.name in bound else p.default for p in PARAMETERS}
    source = values["source"]
    if source is LOST:
        return
    if isinstance(source, Random):
        evaluator.weights.seed = source.seed
        return
    if not isinstance(source, str):
        message = f"weights come from a file or from random(seed), got {describe(source)}"
        raise Problem(message, frame.source, bound["source"].span)
    if values["match"] not in MATCHES:
        hint = "there are name and order"
        raise Problem(
            f"weights: no match {values['match']!r}", frame.source, bound["match"].span, hint
        )
    _read(evaluator, call, bound, values, frame)


def _read(
    evaluator: Evaluator,
    call: Call,
    bound: dict[str, Given],
    values: dict[str, Value],
    frame: Frame,
) -> None:
    path, at = beside(frame.source, values["source"]), bound["source"].span
    if not path.is_file():
        if not isinstance(values["absent"], Random):
            hint = "weights(random(1)) sizes a net before it is trained"
            raise Problem(f"no such file: {values['source']}", frame.source, at, hint)
        evaluator.weights.seed = values["absent"].seed
        return
    try:
        arrays = read_arrays(path)
    except ModelError as error:
        raise Problem(error.message, frame.source, at) from error
    if values["names"]:
        _read_names(evaluator, arrays, path.name, frame, bound["names"].span)
    if path.suffix.lower() == ".onnx":
        evaluator.weights.unlisted.update(n for n, a in arrays.items() if not is_weight(a))
    order = (
        iter([n for n, a in arrays.items() if is_weight(a)]) if values["match"] == "order" else None
    )
    label = path.name
    evaluator.weights.files.append(Arrays(label, arrays, frame.source, at, order, values["extra"]))


def _read_names(
    evaluator: Evaluator, arrays: dict[str, np.ndarray], label: str, frame: Frame, span: Span
) -> None:
    """Take the names out of the arrays."""
    if NAMES not in arrays:
        raise Problem(f"{label} holds no names", frame.source, span, "leave names=true away")
    evaluator.net.names.update(pairs(arrays.pop(NAMES)))
    evaluator.net.node_names.update(pairs(arrays.pop(NODE_NAMES, np.empty((0, 2), str))))
