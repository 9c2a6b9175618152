"""Expressions: from the tree to values, and calls of blocks, functions and ONNX operators to nodes of the net."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ...errors import ModelError
from . import arithmetic
from . import syntax as s
from .binding import Given, bind
from .blocks import apply_block
from .emit import emit
from .functions import FUNCTIONS, Fail
from .limits import Limits
from .naming import ON_TENSORS, Naming, name_calls
from .net import Net, Step
from .problems import Problem, nearest
from .scope import Frame, Own
from .values import LOST, Block, Lost, Table, Tensor, Value, describe
from .weights import Weights

_INSERT = re.compile(r"\{([A-Za-z_]\w*)\}")
Run = Callable[[Sequence[s.Statement], Frame], Value]


class Evaluator:
    """Evaluates expressions into a net. `run` executes the statements of a block (set by statements.py)."""

    def __init__(self, net: Net, weights: Weights, limits: Limits, prelude: dict[str, Block]):
        self.net, self.weights, self.limits, self.prelude = net, weights, limits, prelude
        self.run: Run = lambda statements, frame: None
        self.recipe_calls: Sequence[str] = ()
        self.naming = Naming()
        self.first_weight: tuple[s.Source, s.Span] | None = None
        # w["name"] is one constant, however often it is written
        self._named: dict[str, Tensor] = {}
        self._steps = 0
        self._exhausted = False
        self._depth = 0

    def problem(
        self, frame: Frame, span: s.Span, message: str, hint: str | None = None, notes: Sequence[str] = ()
    ) -> Problem:  # fmt: skip
        return Problem(message, frame.source, span, hint, notes)

    def spend(self, frame: Frame, span: s.Span, steps: int = 1) -> None:
        self._steps += steps
        if self._steps > self.limits.steps:
            if self._exhausted:  # said already
                raise Lost
            self._exhausted = True
            raise self.problem(
                frame, span, f"this takes more than {self.limits.steps:,} steps to work out"
            )

    def value(self, node: s.Expr, frame: Frame) -> Value:
        """The value of an expression. Problem, or Lost."""
        self.spend(frame, node.span)
        self.enter(frame, node.span)
        try:
            return _EVALUATE[type(node)](self, node, frame)
        except ValueError as error:
            raise self.problem(frame, node.span, str(error)) from None
        finally:
            self.leave()

    def enter(self, frame: Frame, span: s.Span) -> None:
        """One step deeper into the text."""
        if self._depth >= self.limits.depth:
            raise self.problem(frame, span, "this is nested too deeply")
        self._depth += 1

    def leave(self) -> None:
        self._depth -= 1

    def text(self, node: s.Text, frame: Frame) -> str:
        """A string, with the values of {names}."""

        def insert(match: re.Match[str]) -> str:
            if match[1] not in frame:
                raise self.unknown(
                    frame, s.Name(match[1], node.span), f"no name {match[1]!r} to put into the text"
                )
            value = frame.get(match[1])
            if value is LOST:
                raise Lost
            return value if isinstance(value, str) else arithmetic.shown(value)

        return arithmetic.checked(_INSERT.sub(insert, arithmetic.unquoted(node.raw)))

    def unknown(self, frame: Frame, name: s.Name, message: str, calls: bool = False) -> Problem:
        known = [*frame.names(), *(self.callables() if calls else ())]
        hint = nearest(name.id, known)
        return self.problem(frame, name.span, message, hint)

    def callables(self) -> list[str]:
        from .onnx_calls import operators

        return [*self.prelude, *FUNCTIONS, *operators()]

    def _name(self, node: s.Name, frame: Frame) -> Value:
        if node.id in frame:
            found = frame.get(node.id)
            if found is LOST:
                raise Lost
            return found
        if node.id == "w":
            return Table()
        if node.id in self.prelude:
            return self.prelude[node.id]
        raise self.unknown(frame, node, f"no name {node.id!r}")

    def _list(self, node: s.List, frame: Frame) -> Value:
        return arithmetic.checked(tuple(self.value(item, frame) for item in node.items))

    def _index(self, node: s.Index, frame: Frame) -> Value:
        value, index = self.value(node.value, frame), self.value(node.index, frame)
        if isinstance(value, Table):
            return self._weight(node, index, frame)
        if not isinstance(value, (tuple, str)):
            raise self.problem(
                frame, node.value.span, f"[ ] takes an item of a list, got {describe(value)}"
            )
        if not isinstance(index, int) or isinstance(index, bool):
            raise self.problem(
                frame, node.index.span, f"an index is a whole number, got {describe(index)}"
            )
        if not -len(value) <= index < len(value):
            raise self.problem(frame, node.index.span, f"index {index} of a list of {len(value)}")
        return value[index]

    def _weight(self, node: s.Index, name: Value, frame: Frame) -> Value:
        if not isinstance(name, str):
            raise self.problem(
                frame, node.index.span, f'w["name"] takes a name, got {describe(name)}'
            )
        if name in self._named:
            return self._named[name]
        array = self.weights.named(name)
        if array is None:
            known = self.weights.names()
            hint = nearest(name, known) or (
                f"there are {len(known)}" if known else 'say weights("FILE.npz")'
            )
            raise self.problem(frame, node.index.span, f"the weights have no array {name!r}", hint)
        self._named[name] = self.constant(name, array, frame, node.span)
        return self._named[name]

    def constant(self, name: str, array: Any, frame: Frame, span: s.Span) -> Tensor:
        try:
            return self.net.add_constant(name, array)
        except ModelError as error:
            raise self.problem(frame, span, error.message) from error

    def _unary(self, node: s.Unary, frame: Frame) -> Value:
        value = self.value(node.value, frame)
        if node.op == "not":
            return not self.truth(value, node.value, frame)
        return arithmetic.negated(value)

    def truth(self, value: Value, node: s.Expr, frame: Frame) -> bool:
        if not isinstance(value, bool):
            raise self.problem(frame, node.span, f"expected true or false, got {describe(value)}")
        return value

    def _operation(self, node: s.Operation, frame: Frame) -> Value:
        left = self.value(node.operands[0], frame)
        for op, operand in zip(node.ops, node.operands[1:], strict=True):
            if op.id in ("and", "or"):
                if self.truth(left, node.operands[0], frame) == (op.id == "or"):
                    return left
                left = self.truth(self.value(operand, frame), operand, frame)
                continue
            right = self.value(operand, frame)
            if isinstance(left, Tensor) or isinstance(right, Tensor):
                left = self._on_tensors(node, op, left, right, frame)
            else:
                left = self._computed(op, left, right, frame)
        return left

    def _computed(self, op: s.Name, left: Value, right: Value, frame: Frame) -> Value:
        try:
            return arithmetic.binary(op.id, left, right)
        except ValueError as error:
            raise self.problem(frame, op.span, str(error)) from None

    def _on_tensors(
        self, node: s.Operation, op: s.Name, left: Value, right: Value, frame: Frame
    ) -> Value:
        """a + b on tensors is plus(a, b) of the prelude."""
        if op.id in ("==", "!="):
            return arithmetic.binary(op.id, left, right)
        if op.id not in ON_TENSORS:
            hint = "tensors know + - * / and calls"
            raise self.problem(frame, op.span, f"{op.id!r} does not work on tensors", hint)
        call = s.Call(s.Name(ON_TENSORS[op.id], op.span), (), node.span)
        given = [Given(None, left, op.span), Given(None, right, op.span)]
        own = frame.own.get(id(node)) if op is node.ops[-1] else None
        return self.apply(call, given, frame, own)

    def _pipe(self, node: s.Pipe, frame: Frame) -> Value:
        value = self.value(node.first, frame)
        for step in node.steps:
            self.spend(frame, step.span)
            piped = Given(None, value, step.callee.span, piped=True)
            value = self.apply(
                step, [piped, *self.given(step, frame)], frame, frame.own.get(id(step))
            )
        return value

    def _call(self, node: s.Call, frame: Frame) -> Value:
        return self.apply(node, self.given(node, frame), frame, frame.own.get(id(node)))

    def given(self, call: s.Call, frame: Frame) -> list[Given]:
        return [
            Given(a.name.id if a.name else None, self.value(a.value, frame), a.value.span, a.name.span if a.name else None)
            for a in call.arguments
        ]  # fmt: skip

    def callee(self, name: s.Name, frame: Frame) -> Value:
        """A block, the name of a function or of an ONNX operator, or None."""
        found = frame.get(name.id) if name.id in frame else None
        if found is LOST:
            raise Lost
        if isinstance(found, Block):
            return found
        return self.prelude.get(name.id)

    def apply(self, call: s.Call, given: list[Given], frame: Frame, own: Own | None) -> Value:
        """Call what the callee names."""
        from .onnx_calls import operators

        name, block = call.callee, self.callee(call.callee, frame)
        if block is not None:
            return apply_block(self, block, call, given, frame, own)
        if name.id in FUNCTIONS:
            return self._apply_function(call, given, frame)
        if name.id in operators():
            return emit(self, call, given, frame, own)
        if name.id in self.recipe_calls:
            raise self.problem(
                frame,
                name.span,
                f"{name.id!r} is a call of the recipe",
                "write it in recipe { ... }",
            )
        if name.id in frame:
            raise self.problem(
                frame,
                name.span,
                f"{name.id!r} is {describe(frame.get(name.id))}: it can't be called",
            )
        raise self.unknown(frame, name, f"no operator, block or function {name.id!r}", calls=True)

    def _apply_function(self, call: s.Call, given: list[Given], frame: Frame) -> Value:
        parameters, function = FUNCTIONS[call.callee.id]
        bound = bind(call.callee.id, parameters, given, call, frame.source)
        values = {p.name: bound[p.name].value if p.name in bound else p.default for p in parameters}
        try:
            return function(self, frame, values, call)
        except ValueError as error:
            # Inside a block, the argument that came from outside is to blame
            first = call.arguments[0].value if call.arguments else None
            argument = first.id if isinstance(first, s.Name) else ""
            raise Fail(str(error), frame.source, call.callee.span, argument) from None

    def has_weights(self, call: s.Call, frame: Frame) -> bool:
        """The call may make a layer with weights of its own: every block of the user's may."""
        block = self.callee(call.callee, frame)
        return isinstance(block, Block) and (not block.prelude or block.has_weights)

    def name_calls(self, bases: tuple[str, ...], value: s.Expr, frame: Frame) -> None:
        """Name the calls of the statement that is evaluated next."""
        frame.own = name_calls(bases, value, frame, lambda call: self.has_weights(call, frame))

    def step(self, frame: Frame, call: s.Call, parent: str | None) -> Step:
        source, outer, _ = frame.place()
        shown = outer or call
        return Step(shown.callee.id, source, shown.callee.span, parent)


_EVALUATE: dict[type, Callable[[Evaluator, Any, Frame], Value]] = {
    s.Name: Evaluator._name,
    s.Number: lambda evaluator, node, frame: arithmetic.number(node.text),
    s.Text: Evaluator.text,
    s.Truth: lambda evaluator, node, frame: node.value,
    s.Nothing: lambda evaluator, node, frame: None,
    s.List: Evaluator._list,
    s.Group: lambda evaluator, node, frame: evaluator.value(node.value, frame),
    s.Index: Evaluator._index,
    s.Call: Evaluator._call,
    s.Pipe: Evaluator._pipe,
    s.Unary: Evaluator._unary,
    s.Operation: Evaluator._operation,
}
