"""What becomes of a random model: compiled to C, built with every warning an error and undefined behaviour a
trap, run, and compared."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from tinycc_ml.compiler import Compiled, Options
from tinycc_ml.compiler import compile as compile_model
from tinycc_ml.errors import ModelError, TargetError, ToolError, UnsupportedError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.reference.run import run
from tinycc_ml.toolchain.trace import TracedModel
from tinycc_ml.toolchain.verify import Sample, judge_of

from .graphs import RandomModel, random_model

STATUSES = ("right", "refused", "wrong", "uncompilable", "crash")
# Of the largest value of a tensor, at least 1. Both sides round each float32 operation to 6e-8 and sum in
# another order; up to 14 nodes, of which functions as steep as exp(4) make some 50 times as much of it
TOLERANCE = 1e-4
# Calibration samples, and samples of all integers that the interface can take
SAMPLES = 3
FLAGS = (
    "-O0", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fsanitize=undefined",
    "-fsanitize-undefined-trap-on-error",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """`ops`: the operators of the graph; `floats`: what is left on floats, where int8 was asked for."""

    seed: int
    status: str
    reason: str = ""
    ops: frozenset[str] = frozenset()
    floats: frozenset[str] = frozenset()


def outcome_of(seed: int, int8: bool = False) -> Outcome:
    """Never raises; a signal of the process is the caller's to catch."""
    return outcome_of_model(random_model(seed), int8)


def outcome_of_model(drawn: RandomModel, int8: bool = False) -> Outcome:
    seed, ops = drawn.seed, drawn.ops
    try:
        compiled = _compiled(drawn, int8)
        with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as folder:
            built = TracedModel(compiled.program, compiled.files, Path(folder), FLAGS)
        problem = (
            _against_reference(compiled, built, drawn) if int8 else _against_runtime(built, drawn)
        )
    except (ModelError, TargetError) as error:
        return Outcome(seed, "refused", str(error), ops)
    except ToolError as error:
        return Outcome(seed, "uncompilable", f"{error} {error.hint or ''}", ops)
    except Exception as error:  # whatever it is, it is ours
        return Outcome(seed, "crash", f"{type(error).__name__}: {error}", ops)
    floats = _floats(compiled.graph) if int8 else frozenset()
    return Outcome(seed, "wrong" if problem else "right", problem or "", ops, floats)


def died(seed: int, how: str) -> Outcome:
    """The outcome of a seed whose process ended, or did not."""
    return Outcome(seed, "crash", how, random_model(seed).ops)


def _compiled(drawn: RandomModel, int8: bool) -> Compiled:
    """With int8: all of it integer; where that is refused by name, floats between integers."""
    graph = load(drawn.model, name="net")
    if not int8:
        return compile_model(graph, options=Options(io_type="float", self_test=False))
    data = calibration(drawn)
    try:
        options = Options(quantize="int8", self_test=False)
        return compile_model(graph, "host", data, options)
    except UnsupportedError:
        options = Options(quantize="int8", allow_float=True, self_test=False)
        return compile_model(graph, "host", data, options)


def _floats(graph: Graph) -> frozenset[str]:
    """Operators that compute on floats."""
    return frozenset(
        node.attrs.get("function", node.op) for node in graph.nodes
        if node.op not in ("quantize", "dequantize")
        and any(graph.type(name).dtype.is_real for name in (*node.inputs, *node.outputs) if name)
    )  # fmt: skip


def calibration(drawn: RandomModel) -> dict[str, np.ndarray]:
    """The run at hand and others near it, in which all values stay in their domains."""
    rng = np.random.default_rng(drawn.seed)

    def near(a: np.ndarray) -> np.ndarray:
        if a.dtype.kind != "f":
            return a
        return (a * rng.uniform(0.98, 1, a.shape)).astype(a.dtype)

    return {
        n: np.stack([a, *(near(a) for _ in range(SAMPLES - 1))]) for n, a in drawn.inputs.items()
    }


def _against_runtime(built: TracedModel, drawn: RandomModel) -> str | None:
    made = built.run(drawn.inputs)
    got = [made[port.tensor] for port in built.program.outputs]  # copies have names of their own
    for (name, wanted), ours in zip(drawn.wanted.items(), got, strict=True):
        problem = _difference(wanted, ours)
        if problem:
            return f"output {name!r}: {problem}"
    return None


def _difference(wanted: np.ndarray, got: np.ndarray) -> str | None:
    if wanted.shape != got.shape or wanted.dtype != got.dtype:
        return f"wanted {wanted.dtype}{list(wanted.shape)}, got {got.dtype}{list(got.shape)}"
    if wanted.dtype.kind != "f":
        off = wanted != got
    else:
        bound = TOLERANCE * max(1.0, float(np.abs(wanted).max(initial=0)))
        off = ~(np.abs(wanted - got) <= bound)
    if not off.any():
        return None
    at = tuple(int(k) for k in np.argwhere(off)[0])
    return (
        f"{int(off.sum())} of {off.size} values, at {list(at)} wanted {wanted[at]}, got {got[at]}"
    )


def _against_reference(compiled: Compiled, built: TracedModel, drawn: RandomModel) -> str | None:
    """Every tensor of the C against the integer reference, on samples and on any integers."""
    judge, _ = judge_of(compiled.graph)
    for inputs in _integer_inputs(compiled, drawn):
        expected = run(compiled.graph, inputs)
        problem = judge(compiled.graph, Sample(inputs, expected), built.run(inputs))
        if problem is not None:
            return str(problem)
    return None


def _integer_inputs(compiled: Compiled, drawn: RandomModel) -> list[Mapping[str, np.ndarray]]:
    """Quantised inputs take all values; others (indices, conditions, ...) those of the run at hand."""
    rng = np.random.default_rng(drawn.seed)
    made = []
    for _ in range(SAMPLES):
        inputs = {}
        for name in compiled.graph.inputs:
            type_ = compiled.graph.type(name)
            given = drawn.inputs[name]
            if type_.quant:
                low, high = type_.dtype.range
                given = rng.integers(low, high + 1, type_.shape)
            inputs[name] = given.astype(type_.dtype.numpy)
        made.append(inputs)
    return made


def saved(seed: int, folder: Path) -> Path:
    """The model and inputs of a seed as files, to look at."""
    drawn = random_model(seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"random_{seed}.onnx"
    onnx.save(drawn.model, path)
    np.savez(path.with_suffix(".npz"), **drawn.inputs)
    return path
