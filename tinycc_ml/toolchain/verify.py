"""Is the C right? A compilation is checked here, in memory, on the host: every tensor that the shipped C
makes against the reference. A folder that has been written is checked by `verify_dir`, on any target."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..backend.program import Program
from ..backend.vectors import FLOAT_TOLERANCE, Vectors, exact_tensors, relative_tolerance
from ..errors import ToolError, VerificationError
from ..ir.graph import Graph, Tensor
from ..ops import op_of
from ..reference.compare import Difference, difference, first_difference
from ..reference.run import evaluate, run
from .host import find_compiler
from .model_outputs import model_outputs
from .trace import TracedModel
from .verified import Verified
from .verify_dir import verify_dir

__all__ = ["Sample", "Verified", "judge_of", "verify_compiled", "verify_dir"]

Values = Mapping[str, np.ndarray]
Progress = Callable[[int, int], None]
Judge = Callable[[Graph, "Sample", Values], Difference | None]


class Compilation(Protocol):
    """What is looked at of a compiler.Compiled, which this room may not import."""

    @property
    def graph(self) -> Graph: ...
    @property
    def program(self) -> Program: ...
    @property
    def vectors(self) -> Vectors: ...
    @property
    def files(self) -> Mapping[str, str]: ...
    @property
    def pruned(self) -> tuple[object, ...]: ...


def verify_compiled(
    compiled: Compilation, model: Path | None = None, progress: Progress | None = None
) -> tuple[Verified, ...]:
    """What was checked, on all test vectors, and found equal; VerificationError names the first difference.

    model: the user's file, with which the outputs of a float net are compared too. ToolError when
    there is no C compiler: nothing is verified then.
    """
    compiler = find_compiler().version()
    judge, claim = judge_of(compiled.graph)
    got: list[Values] = []
    seen: set[str] = set()
    for expected, values in _runs(compiled, progress):
        found = judge(compiled.graph, expected, values)
        if found is not None:
            raise VerificationError(
                f"the C on the host differs from the reference in sample {len(got)}: {found}"
            )
        got.append({name: values[name] for name in compiled.graph.outputs})
        seen.update(values)
    what = f"{_amount(compiled, seen)} {claim}"
    verified = [Verified("host", len(got), True, what, (compiler,))]
    changed = bool(compiled.pruned) or _rounds(compiled.graph) or _halved(compiled.graph)
    comparable = is_float(compiled.graph) and not changed
    if model is not None and comparable:
        verified += _compared_with_model(compiled, model, got, compiler)
    return tuple(verified)


def is_float(graph: Graph) -> bool:
    """No tensor is quantised."""
    return not any(tensor.type.quant for tensor in graph.tensors.values())


def _halved(graph: Graph) -> bool:
    """Weights are float16 where arithmetic is float32: they may not be the model's."""
    return any(
        graph.tensors[name].is_constant and graph.type(name).dtype.is_half
        for node in graph.nodes
        if not op_of(node).halves
        for name in node.inputs
        if name
    )


def _rounds(graph: Graph) -> bool:
    """Floats become integers of few bits on the way, as in nets quantised dynamically: a float's last bit, in
    which runtimes differ, then moves the outputs by whole steps."""
    return any(
        graph.type(out).dtype.is_integer and graph.type(out).dtype.bits <= 16
        for node in graph.nodes
        if any(graph.type(name).dtype.is_real for name in node.inputs if name)
        for out in node.outputs
    )


def judge_of(graph: Graph) -> tuple[Judge, str]:
    """How tensors are compared, and what may be said when none differs."""
    if exact_tensors(graph) >= graph.tensors.keys():
        return _global_difference, "equals the integer reference, bit for bit"
    if is_float(graph) and not any(t.type.dtype.is_half for t in graph.tensors.values()):
        return _global_difference, f"within {FLOAT_TOLERANCE:g} of the range of our reference"
    near = f"floats within {FLOAT_TOLERANCE:g} of their range, integers made from floats within 1"
    return (
        _local_difference,
        f"as the reference makes it from the same operands: {near}, others equal",
    )


def _amount(compiled: Compilation, seen: set[str]) -> str:
    """Tensors without bytes of their own need no probe; one that a kernel never stores has none."""
    steps = {step.node for step in compiled.program.steps}
    made = {out for node in compiled.graph.nodes if node.name in steps for out in node.outputs}
    return "every tensor" if made <= seen else f"each of {len(made & seen)} of {len(made)} tensors"


@dataclass(frozen=True)
class Sample:
    """Inputs, and every tensor that the reference makes of them."""

    inputs: Values
    expected: Values


def _runs(compiled: Compilation, progress: Progress | None) -> Iterator[tuple[Sample, Values]]:
    """For each test vector what the reference gives and what the C gives, of every tensor."""
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as folder:
        traced = _traced(compiled, Path(folder))
        for k in range(compiled.vectors.count):
            inputs = {name: array[k] for name, array in compiled.vectors.inputs.items()}
            yield Sample(inputs, run(compiled.graph, inputs)), traced.run(inputs)
            if progress:
                progress(k + 1, compiled.vectors.count)


def _traced(compiled: Compilation, folder: Path) -> TracedModel:
    try:
        return TracedModel(compiled.program, compiled.files, folder)
    except ToolError as error:
        raise VerificationError(
            f"the C compiler of this machine refuses the generated C: {error.message}"
        ) from error


def _global_difference(graph: Graph, sample: Sample, got: Values) -> Difference | None:
    """Against the reference from the inputs on: integers exactly, floats within their bound."""
    return first_difference(graph, sample.expected, got, FLOAT_TOLERANCE)


def _local_difference(graph: Graph, sample: Sample, got: Values) -> Difference | None:
    """Where floats and integers mix: each node against the reference on the C's own operands, since a
    float's last bit may decide an integer. Integers made from floats may be off by one."""
    values = dict(sample.expected)
    for node in graph.nodes:
        from_floats = any(graph.type(name).dtype.is_real for name in node.inputs if name)
        for name, expected in zip(node.outputs, evaluate(graph, node, values), strict=True):
            values[name] = got.get(name, expected)
            near = from_floats and not graph.type(name).dtype.is_real
            wanted = _nearest(expected, values[name]) if near else expected
            found = difference(
                graph.tensors[name].source_name, wanted, values[name], FLOAT_TOLERANCE
            )
            if found is not None:
                return found
    return None


def _nearest(expected: np.ndarray, got: np.ndarray) -> np.ndarray:
    """`got` where it is at most one off, else `expected`."""
    off = np.abs(expected.astype(np.int64) - got.astype(np.int64))
    return np.where(off <= 1, got, expected)


def _compared_with_model(
    compiled: Compilation, model: Path, got: list[Values], compiler: str
) -> list[Verified]:
    """The outputs of a float net against those that another runtime gives for the user's file."""
    graph = compiled.graph
    inputs = {
        name: np.stack([to_source(graph.tensors[name], sample) for sample in array])
        for name, array in compiled.vectors.inputs.items()
    }
    found = model_outputs(model, inputs)
    if found is None:
        return []
    for name in graph.outputs:
        made = np.stack([to_source(graph.tensors[name], values[name]) for values in got])
        wanted = (
            found.outputs[graph.tensors[name].source_name].astype(made.dtype).reshape(made.shape)
        )
        wrong = difference(name, wanted, made, relative_tolerance(graph.type(name).dtype))
        if wrong is not None:
            raise VerificationError(f"the C on the host differs from {found.tool}: {wrong}")
    bound = max(relative_tolerance(graph.type(name).dtype) for name in graph.outputs)
    return [
        Verified(
            "host",
            len(got),
            True,
            f"outputs within {bound:g} of the range of {found.tool}",
            (compiler, found.tool),
        )
    ]


def to_source(tensor: Tensor, array: np.ndarray) -> np.ndarray:
    """The values in the axis order of the user's model."""
    permutation = tensor.origin.permutation if tensor.origin else None
    return np.transpose(array, permutation) if permutation else array
