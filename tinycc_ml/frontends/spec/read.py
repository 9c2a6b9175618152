"""From a spec file to a graph and a recipe, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from ...errors import ModelError
from ...ir.graph import Graph
from ..onnx import load as load_onnx
from . import syntax as s
from .evaluate import Evaluator
from .files import Files, prelude, read_source
from .limits import LIMITS, Limits
from .net import Net, Step
from .parse import parse
from .problems import Problem, SpecError, listed, nearest
from .recipe import Setting
from .scope import Frame
from .statements import Statements, Stopped
from .values import Block
from .weights import Weights


@dataclass(frozen=True)
class Spec:
    """`settings`: what the recipe says, by option. `imported`: the ONNX file that is the model. `files`: what
    was read. `blocks`: the user's, by name, and `net`, how it was made: for editors."""

    graph: Graph
    settings: Mapping[str, Any]
    files: tuple[s.Source, ...]
    file: s.File
    net: Net
    blocks: Mapping[str, Block]
    imported: Path | None = None

    def proto(self) -> onnx.ModelProto | None:
        """The net as an ONNX model; None when it is one already."""
        return None if self.imported else self.net.proto(self.graph.name)


def read_spec(
    path: Path | s.Source, *, dims: Mapping[str, int] | None = None, outside: bool = False, limits: Limits = LIMITS
) -> Spec:  # fmt: skip
    """Read a spec. SpecError with all mistakes that were found; ModelError when the file can't be read.

    dims: sizes that take the place of the file's numbers of these names. outside: includes may lie
    outside the folder of the main file.
    """
    source = path if isinstance(path, s.Source) else read_source(path, path.name, limits)
    file = parse(source, limits)
    found = evaluate(file, dims=dims, outside=outside, limits=limits)
    if found.problems:
        raise SpecError(found.problems)
    return spec_of(found, file, dims or {})


def spec_of(found: Evaluated, file: s.File, dims: Mapping[str, int]) -> Spec:
    """The spec of a file that was evaluated without a problem. SpecError when the net that it imports, or a
    name of it in the recipe, is not there."""
    statements = found.statements
    graph = _graph(statements, file, dims)
    settings = {key: setting.value for key, setting in statements.settings.items()}
    blocks = {n: v for n, v in found.frame.vars.items() if isinstance(v, Block)}
    imported = statements.imported[0] if statements.imported else None
    files = (file.source, *statements.files.read.values())
    return Spec(graph, settings, files, file, statements.evaluator.net, blocks, imported)


@dataclass(frozen=True)
class Evaluated:
    """A file as far as it could be worked out: what it says, its names, and everything that is wrong."""

    statements: Statements
    frame: Frame
    problems: tuple[Problem, ...]


def evaluate(
    file: s.File, *, dims: Mapping[str, int] | None = None, outside: bool = False, limits: Limits = LIMITS,
    evaluator: Callable[[Net, Weights, Limits, dict[str, Block]], Evaluator] = Evaluator, library: bool = False,
) -> Evaluated:  # fmt: skip
    """Run a file. For editors: `evaluator` may watch, and a `library` needs no output."""
    source, watched = file.source, evaluator(Net(limits), Weights(), limits, prelude())
    statements = Statements(watched, Files(source, limits, outside), dims or {})
    frame = Frame(source)
    try:
        statements.run_file(file, frame)
        problems = statements.problems or ([] if library else _finished(statements, file))
    except Stopped:
        problems = statements.problems
    ordered = sorted(problems, key=lambda p: (p.source is not source, p.span))
    return Evaluated(statements, frame, tuple(ordered))


def _finished(statements: Statements, file: s.File) -> list[Problem]:
    """What can only be said at the end: outputs, unread inputs, weights that don't fit."""
    evaluator, net = statements.evaluator, statements.evaluator.net
    end = _end(file)
    if statements.imported is not None:
        _, source, where = statements.imported
        mine = net.protos or net.draft.inputs
        return (
            [Problem("a spec that imports a net has no layers of its own", source, where.span)]
            if mine
            else []
        )
    if not statements.outputs:
        return [
            Problem(
                "the net has no output", file.source, end, "say output NAME, or output NAME = ..."
            )
        ]
    problems: list[Problem] = []
    for name, (tensor, source, item) in statements.outputs.items():
        try:
            net.add_output(tensor, name, Step("output", source, item.name.span, tensor.name))
        except ModelError as error:
            problems.append(Problem(error.message, source, item.name.span))
    live = net.draft.graph()
    for name, (source, node) in statements.inputs.items():
        if not live.consumers.get(name):
            problems.append(
                Problem(f"no output depends on the input {node.name.id!r}", source, node.name.span)
            )
    first = evaluator.first_weight or (file.source, end)
    return [*problems, *evaluator.weights.problems(*first), *_unbound(statements, file)]


def _end(file: s.File) -> s.Span:
    """The first word of the last statement."""
    if not file.body.statements:
        return s.Span(1, 1, 1, 1)
    span = file.body.statements[-1].span
    return s.Span(span.line, span.column, span.line, span.column + 1)


def _unbound(statements: Statements, file: s.File) -> list[Problem]:
    left = [name for name in statements.dims if name not in statements.bound_dims]
    return [
        Problem(f"--dim {name}: the file gives no number of that name", file.source, s.Span(1, 1, 1, 1), f"NAME = {statements.dims[name]}")
        for name in left
    ]  # fmt: skip


def _graph(statements: Statements, file: s.File, dims: Mapping[str, int]) -> Graph:
    path = file.source.path
    name = statements.model or (path.stem if path else "model")
    if statements.imported is None:
        graph = statements.evaluator.net.graph(name)
    else:
        graph = _imported(statements, statements.model, dims)
    _check_tensors(statements.settings, graph)
    return graph


def _imported(statements: Statements, name: str | None, dims: Mapping[str, int]) -> Graph:
    assert statements.imported is not None
    path, source, node = statements.imported
    said = statements.settings.get("dims")
    try:
        return load_onnx(path, name=name, dims={**(said.value if said else {}), **dims})
    except ModelError as error:
        raise SpecError([Problem(str(error), source, node.path.span)]) from error


def _check_tensors(settings: Mapping[str, Setting], graph: Graph) -> None:
    """Names of tensors in the recipe are those of the model."""
    problems = []
    for setting in settings.values():
        if setting.tensor is not None and setting.tensor not in graph.inputs:
            hint = nearest(setting.tensor, graph.inputs) or f"there are {listed(graph.inputs)}"
            problems.append(
                Problem(f"no input {setting.tensor!r}", setting.source, setting.span, hint)
            )
    if problems:
        raise SpecError(problems)
