"""Calls of blocks: arguments, names of what is made inside, and mistakes inside as the caller sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import syntax as s
from .binding import NO_DEFAULT, Given, Parameter, bind
from .functions import Fail
from .problems import Problem, nearest
from .scope import Frame, Own
from .values import KINDS, Block, Value, describe

if TYPE_CHECKING:
    from .evaluate import Evaluator

_LONGEST_NAME = 500


def apply_block(
    evaluator: Evaluator, block: Block, call: s.Call, given: list[Given], frame: Frame, own: Own | None
) -> Value:  # fmt: skip
    """What the block gives for the arguments."""
    deepest = evaluator.limits.calls
    if frame.depth >= deepest:
        message = f"blocks call each other more than {deepest} deep"
        raise evaluator.problem(
            frame, call.callee.span, message, f"does {block.name!r} call itself?"
        )
    given, own = _own_names(evaluator, block, given, frame, own, call)
    inner = _frame(evaluator, block, call, given, frame, own)
    try:
        return evaluator.run(block.node.body.statements, inner)
    except Problem as problem:
        raise _at_call(problem, block, call, frame, inner) from None


def _own_names(
    evaluator: Evaluator, block: Block, given: list[Given], frame: Frame, own: Own | None, call: s.Call
) -> tuple[list[Given], Own]:  # fmt: skip
    """name= and tensor= of a call of a block, unless they are parameters of its own."""
    declared = {p.name.id for p in block.node.parameters}
    named = {g.name: g for g in given if g.name in ("name", "tensor") and g.name not in declared}
    for argument in named.values():
        check_name(evaluator, argument, frame)
    path = own.path if own else frame.path + call.callee.id
    if "name" in named:
        path = frame.path + named["name"].value
        if path in evaluator.naming.paths:
            hint = 'in a loop, write the number into it: name="conv{i}"'
            raise evaluator.problem(frame, named["name"].span, f"there is a {path!r} already", hint)
    result = named["tensor"].value if "tensor" in named else own.result if own else None
    rest = [g for g in given if g.name is None or named.get(g.name) is not g]
    return rest, Own(evaluator.naming.unique(path), result)


def check_name(evaluator: Evaluator, argument: Given, frame: Frame) -> None:
    if not isinstance(argument.value, str) or not 0 < len(argument.value) <= _LONGEST_NAME:
        message = f"{argument.name!r} is a text, got {describe(argument.value)}"
        raise evaluator.problem(frame, argument.span, message)


def _frame(
    evaluator: Evaluator, block: Block, call: s.Call, given: list[Given], frame: Frame, own: Own
) -> Frame:  # fmt: skip
    """The variables of one call: its arguments, and defaults worked out in their order."""
    inner = Frame(
        block.source,
        path=f"{own.path}.",
        result=own.result or own.path,
        outer=None if block.prelude else (frame.outer or frame),
        caller=frame,
        call=call,
        prelude=block.prelude,
        depth=frame.depth + 1,
    )
    bound = bind(block.name, _parameters(evaluator, block, inner), given, call, frame.source)
    for parameter in block.node.parameters:
        name = parameter.name.id
        if name in bound:
            inner.vars[name], inner.arguments[name] = bound[name].value, bound[name].span
        elif parameter.default is not None:
            inner.vars[name] = evaluator.value(parameter.default, inner)
    return inner


def _parameters(evaluator: Evaluator, block: Block, frame: Frame) -> list[Parameter]:
    made = []
    for parameter in block.node.parameters:
        kind = "any" if parameter.kind is None else parameter.kind.id
        if kind not in KINDS:
            assert parameter.kind is not None
            hint = nearest(kind, KINDS) or f"there are {', '.join(KINDS)}"
            raise evaluator.problem(frame, parameter.kind.span, f"no kind of value {kind!r}", hint)
        optional = isinstance(parameter.default, s.Nothing)
        default = (
            NO_DEFAULT if parameter.default is None else None if optional else parameter.default
        )
        made.append(Parameter(parameter.name.id, kind, default))
    return made


def _at_call(problem: Problem, block: Block, call: s.Call, frame: Frame, inner: Frame) -> Problem:
    """A problem inside a block, as the caller sees it: the prelude's own lines are nobody's business."""
    if block.prelude:
        span = call.callee.span
        if isinstance(problem, Fail) and problem.argument in inner.arguments:
            span = inner.arguments[problem.argument]
        if problem.source is not block.source:  # it is about what the user wrote already
            return problem
        return Problem(problem.message, frame.source, span, problem.hint, problem.notes)
    at = f"{frame.source.name}:{call.callee.span.line}:{call.callee.span.column}"
    note = f"in the block {block.name!r}, called at {at}"
    here = problem.source is frame.source and problem.span == call.callee.span
    if len(problem.notes) < 12 and note not in problem.notes and not here:
        problem.notes.append(note)
    return problem
