"""Statements: files line by line, several mistakes in one run; blocks up to their return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import syntax as s
from .declarations import declare_import, declare_input, declare_model, declare_outputs
from .evaluate import Evaluator
from .files import Files
from .problems import Problem, SpecError
from .recipe import CALLS, Setting, evaluate_call
from .scope import Frame, assigned
from .sources import add_weights
from .values import LOST, Block, Lost, Tensor, Value, describe, is_int

# Statements that stand in a file, not in a block, loop or branch
_OF_FILES = {
    s.Model: "model",
    s.Input: "input",
    s.Import: "import",
    s.Include: "include",
    s.Recipe: "recipe",
    s.Block: "block",
}


class Stopped(Exception):
    """There are enough problems."""


class Statements:
    """Runs files. What they say beside the net is here: name, import, recipe."""

    def __init__(self, evaluator: Evaluator, files: Files, dims: Mapping[str, int]):
        self.evaluator, self.files, self.dims = evaluator, files, dims
        self.problems: list[Problem] = []
        self.model: str | None = None
        self.imported: tuple[Path, s.Source, s.Import] | None = None
        self.settings: dict[str, Setting] = {}
        self.outputs: dict[str, tuple[Tensor, s.Source, s.Output]] = {}
        self.inputs: dict[str, tuple[s.Source, s.Input]] = {}
        self.bound_dims: set[str] = set()
        evaluator.run, evaluator.recipe_calls = self.run_block, list(CALLS)

    def run_file(self, file: s.File, frame: Frame) -> None:
        """All statements; a mistake spoils what its statement would have made, and the rest goes on."""
        self._weights_first(file.body.statements, frame)
        for node in file.body.statements:
            try:
                self._execute(node, frame, top=True)
            except Problem as problem:
                self._note(problem)
                frame.vars.update(dict.fromkeys(assigned((node,)), LOST))
            except Lost:
                frame.vars.update(dict.fromkeys(assigned((node,)), LOST))

    def _note(self, problem: Problem) -> None:
        key = (problem.source.name, problem.span, problem.message)
        if key not in {(p.source.name, p.span, p.message) for p in self.problems}:
            self.problems.append(problem)
        if len(self.problems) >= self.evaluator.limits.problems:
            raise Stopped

    def _weights_first(self, statements: Sequence[s.Statement], frame: Frame) -> None:
        """Wherever the weights lines stand, layers find them."""
        for node in statements:
            if isinstance(node, s.Command) and node.call.callee.id == "weights":
                try:
                    add_weights(
                        self.evaluator, node.call, self.evaluator.given(node.call, frame), frame
                    )
                except Problem as problem:
                    self._note(problem)
                    self.evaluator.weights.seed = 0

    def run_block(self, statements: Sequence[s.Statement], frame: Frame) -> Value:
        """The value that a block returns."""
        returned, value = self._run(statements, frame)
        if not returned:
            span = frame.call.callee.span if frame.call and frame.caller else s.Span(1, 1, 1, 1)
            source = frame.caller.source if frame.caller else frame.source
            name = frame.call.callee.id if frame.call else "block"
            raise Problem(f"the block {name!r} comes to its end without a return", source, span)
        return value

    def _run(self, statements: Sequence[s.Statement], frame: Frame) -> tuple[bool, Value]:
        for node in statements:
            if isinstance(node, s.Give):
                return True, self._give(node, frame)
            done = self._execute(node, frame)
            if done is not None:
                return done
        return False, None

    def _give(self, node: s.Give, frame: Frame) -> Value:
        self.evaluator.name_calls((), node.values[-1], frame)
        values = tuple(self.evaluator.value(v, frame) for v in node.values)
        return values[0] if len(values) == 1 else values

    def _execute(
        self, node: s.Statement, frame: Frame, top: bool = False
    ) -> tuple[bool, Value] | None:
        """None, or what a return inside gave."""
        self.evaluator.spend(frame, node.span)
        if type(node) in _OF_FILES and not top:
            word = _OF_FILES[type(node)]
            raise self.evaluator.problem(
                frame, node.span, f"{word!r} stands in a file, not in a block or loop"
            )
        if isinstance(node, (s.Loop, s.Branch)):
            self.evaluator.enter(frame, node.span)
            try:
                return (
                    self._loop(node, frame)
                    if isinstance(node, s.Loop)
                    else self._branch(node, frame)
                )
            finally:
                self.evaluator.leave()
        if isinstance(node, s.Give):
            raise self.evaluator.problem(frame, node.span, "return stands in a block")
        _EXECUTE[type(node)](self, node, frame)
        return None

    def _assign(self, node: s.Assign, frame: Frame) -> None:
        names = [name.id for name in node.names]
        fresh = () if any(name in frame.vars for name in names) else tuple(names)
        self.evaluator.name_calls(fresh, node.value, frame)
        value = self.evaluator.value(node.value, frame)
        if len(names) == 1 and frame.outer is None and names[0] in self.dims and not frame.prelude:
            self.bound_dims.add(names[0])
            value = self.dims[names[0]]
        self._unpack(node.names, value, node.value, frame)

    def _unpack(self, names: Sequence[s.Name], value: Value, node: s.Expr, frame: Frame) -> None:
        if len(names) == 1:
            frame.vars[names[0].id] = value
            return
        if not isinstance(value, tuple) or len(value) != len(names):
            got = f"a list of {len(value)}" if isinstance(value, tuple) else describe(value)
            raise self.evaluator.problem(frame, node.span, f"{len(names)} names for {got}")
        frame.vars.update((name.id, item) for name, item in zip(names, value, strict=True))

    def _loop(self, node: s.Loop, frame: Frame) -> tuple[bool, Value] | None:
        over = self.evaluator.value(node.over, frame)
        if not isinstance(over, tuple):
            hint = f"range({over}) counts" if is_int(over) else None
            raise self.evaluator.problem(
                frame, node.over.span, f"a loop goes over a list, got {describe(over)}", hint
            )
        for item in over:
            self.evaluator.spend(frame, node.span)
            self._unpack(node.names, item, node.over, frame)
            returned, value = self._run(node.body.statements, frame)
            if returned:
                return True, value
        return None

    def _branch(self, node: s.Branch, frame: Frame) -> tuple[bool, Value] | None:
        body = node.otherwise
        for condition, then in node.arms:
            if self.evaluator.truth(self.evaluator.value(condition, frame), condition, frame):
                body = then
                break
        returned, value = self._run(body.statements, frame) if body else (False, None)
        return (True, value) if returned else None

    def _command(self, node: s.Command, frame: Frame) -> None:
        name = node.call.callee
        if frame.recipe:
            evaluate_call(
                node.call, self.evaluator.given(node.call, frame), frame.source, self.settings
            )
        elif name.id == "weights" and frame.outer is None and frame.caller is None:
            return
        else:
            self.evaluator.value(node.call, frame)
            hint = f"NAME = {name.id}(...)"
            raise self.evaluator.problem(
                frame, name.span, f"nothing uses what {name.id!r} makes", hint
            )

    def _block(self, node: s.Block, frame: Frame) -> None:
        before = frame.vars.get(node.name.id)
        if isinstance(before, Block):
            at = f"{before.source.name}:{before.node.name.span.line}"
            raise self.evaluator.problem(
                frame, node.name.span, f"there is a block {node.name.id!r} already", f"at {at}"
            )
        seen: set[str] = set()
        for parameter in node.parameters:
            if parameter.name.id in seen:
                raise self.evaluator.problem(
                    frame, parameter.name.span, f"two parameters are called {parameter.name.id!r}"
                )
            seen.add(parameter.name.id)
        frame.vars[node.name.id] = Block(node, frame.source)

    def _include(self, node: s.Include, frame: Frame) -> None:
        text = self.evaluator.text(node.path, frame)
        try:
            file = self.files.include(node, text, frame.source)
        except SpecError as error:
            for problem in error.problems:
                self._note(problem)
            raise Lost from None
        if file is not None:
            self.files.open.append(file.source.path.resolve())  # type: ignore[union-attr]
            self.run_file(file, Frame(file.source, vars=frame.vars))
            self.files.open.pop()

    def _recipe(self, node: s.Recipe, frame: Frame) -> None:
        inner = Frame(frame.source, vars=dict(frame.vars), recipe=True)
        for statement in node.body.statements:
            try:
                self._execute(statement, inner)
            except Problem as problem:
                self._note(problem)
            except Lost:
                pass


_EXECUTE: dict[type, Any] = {
    s.Model: declare_model,
    s.Input: declare_input,
    s.Outputs: declare_outputs,
    s.Import: declare_import,
    s.Include: Statements._include,
    s.Recipe: Statements._recipe,
    s.Block: Statements._block,
    s.Assign: Statements._assign,
    s.Command: Statements._command,
}
