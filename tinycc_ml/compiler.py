"""The compiler from model to files, in the order in which things happen. Read this first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np

from . import frontends
from .backend.choose import Plan, choose
from .backend.emit import emit
from .backend.fits import check_fits
from .backend.program import Program
from .backend.search import Limits
from .backend.spell import spell
from .backend.target import Target, load_target
from .backend.vectors import NO_VECTORS, Vectors, make_vectors, seeded_samples, spread
from .backend.weights import fewest_weights_bytes
from .errors import DataError, ModelError, TargetError
from .ir.graph import Graph
from .ir.types import I8
from .numerics.quantization import quantize as to_integers
from .options import FLOATS, Options, check_propagated
from .passes import FLOAT, Pass, integer_passes, run_passes
from .passes.fuse_chains import fuse_chains
from .passes.io_layout import io_layout
from .passes.remove_dead_work import DeadWork, remove_dead_work, removed_channels, work_of
from .passes.store_halves import store_halves, stored_note
from .passes.widen_halves import widen_halves
from .pruning.prune import Pruning, prune
from .quant.accumulators import accumulator_bounds
from .quant.allot import allot
from .quant.budget import Budget
from .quant.choose import Accuracy, quantize_with_best
from .quant.data import Data, load_data
from .quant.methods import PROPAGATED
from .quant.scheme import assignment
from .quant.trials import Allot
from .quant.without_data import (
    drawn_samples,
    quantize_without_data,
    warnings,
)

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Compiled:
    """The result, with everything the report and verification need."""

    float_graph: Graph
    graph: Graph
    plan: Plan
    program: Program
    vectors: Vectors
    files: Mapping[str, str]
    options: Options
    bounds: Mapping[str, int]
    accuracy: Accuracy | None = None
    pruned: tuple[object, ...] = ()
    notes: tuple[str, ...] = ()
    dead_work: DeadWork | None = None  # None: not looked for
    unpruned: Plan | None = None  # with all weights, where some were pruned


def compile(
    model: Path | Graph,
    target: str | Path | Target = "host",
    calibrate: Path | Mapping[str, np.ndarray] | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Compiled:
    """Compile a model. TinymlError says what the user can put right; nothing is written to disk."""
    options = options or Options()
    target = target if isinstance(target, Target) else load_target(target)
    graph = _float_graph(model, options)
    _check_budget(graph, options)
    graph = _widened(graph, calibrate is not None or options.ranges == PROPAGATED, options)
    data = _data(graph, calibrate, options)
    if data is None and options.input_scales:
        raise DataError(
            "--input-scale says what calibration data mean", hint="give --calibrate FILE.npz too"
        )
    seen = None if data and data.drawn else data
    whole, (graph, pruned) = graph, _pruned(graph, options, seen)
    graph, lowered, accuracy, notes = _integer_graph(graph, data, target, options, progress)
    lowered, dead_work = _without_dead_work(lowered, options)
    lowered = run_passes(lowered, (fuse_chains,), dump_dir=options.dump_passes, stage="last")
    limits = limits_of_options(options, accuracy)
    plan = choose(lowered, target, io=options.io, optimize=options.optimize, limits=limits)
    lowered = plan.graph
    bounds = accumulator_bounds(lowered)
    program, vectors, files = _written(plan, options, _test_samples(lowered, data))
    return Compiled(
        graph, lowered, plan, program, vectors, files, options, bounds, accuracy, pruned, tuple(notes),
        dead_work, _unpruned(whole, data, target, options),
    )  # fmt: skip


def limits_of_options(options: Options, accuracy: Accuracy | None) -> Limits:
    """What a plan may take at most, as far as the user said. Where dB were asked for with the fewest bytes of
    weights, these are the limit; bytes that a limit leaves over may go into speed."""
    allotted = accuracy.budget if accuracy else None
    weights = options.weights
    if allotted is not None and allotted.weights_limit is None:
        weights = allotted.measured.weights_bytes
    return Limits(options.ram, options.flash, options.cycles, weights)


def replanned(compiled: Compiled, plan: Plan) -> Compiled:
    """The same graph by another plan of it."""
    program, vectors, files = _written(plan, compiled.options, compiled.vectors.inputs)
    return replace(compiled, plan=plan, program=program, vectors=vectors, files=files)


def _written(
    plan: Plan, options: Options, samples: Mapping[str, np.ndarray]
) -> tuple[Program, Vectors, Mapping[str, str]]:
    program = spell(plan, optimize=options.optimize)
    check_fits(plan.target, weights_bytes=program.weights_bytes)
    vectors = make_vectors(plan.graph, program, samples) if options.self_test else NO_VECTORS
    return program, vectors, emit(program, vectors, single_file=options.single_file)


def _float_graph(model: Path | Graph, options: Options) -> Graph:
    graph = model if isinstance(model, Graph) else frontends.load(model, options.dims, options.bind)
    graph = replace(graph, name=options.name or graph.name)
    if options.io_layout != "model":
        graph = io_layout(graph, options.io_layout)
    return run_passes(graph, FLOAT, dump_dir=options.dump_passes, stage="float")


def _pruned(graph: Graph, options: Options, data: Data | None) -> tuple[Graph, tuple[object, ...]]:
    asked = _pruning(options)
    return prune(graph, asked, data.samples if data else None) if asked.wanted else (graph, ())


def _pruning(options: Options) -> Pruning:
    return Pruning(options.prune, options.prune_scope, options.prune_method, options.prune_pattern)


def _unpruned(graph: Graph, data: Data | None, target: Target, options: Options) -> Plan | None:
    """The plan of the net with all its weights, to compare the pruned one with: quantised without trials, on a
    few samples, as sizes and cycles hardly depend on scales. None where nothing is pruned, and where the limits
    leave no room for it."""
    if not _pruning(options).wanted or is_quantised(graph):
        return None
    few = replace(data, samples=spread(data.samples), labels=None) if data else None
    plain = replace(
        options, weights=inf, sqnr=-inf, explain_accuracy=False, dump_passes=None,
        ranges="min-max", rounding="nearest", bias_correction=False, equalize=False,
    )  # fmt: skip
    _, lowered, _, _ = _integer_graph(graph, few, target, plain, None)
    lowered, _ = _without_dead_work(lowered, plain)
    lowered = run_passes(lowered, (fuse_chains,))
    limits = limits_of_options(plain, None)
    try:
        return choose(lowered, target, io=options.io, optimize=options.optimize, limits=limits)
    except TargetError:
        return None


def _widened(graph: Graph, has_data: bool, options: Options) -> Graph:
    """On the way to int8, what is float16 or bfloat16 is float32."""
    to_int8 = options.quantize not in (None, "float32") or (has_data and options.quantize is None)
    if not to_int8 or not any(t.type.dtype.is_half for t in graph.tensors.values()):
        return graph
    return run_passes(
        graph, (widen_halves, *FLOAT), dump_dir=options.dump_passes, stage="float_wide"
    )


def _data(
    graph: Graph, calibrate: Path | Mapping[str, np.ndarray] | None, options: Options
) -> Data | None:
    """The user's samples or, where ranges are propagated, drawn ones."""
    if options.ranges != PROPAGATED:
        if options.input_ranges:
            raise DataError(
                "--input-range says what ranges are propagated from",
                hint="say --ranges propagated too",
            )
        return None if calibrate is None else load_data(calibrate, graph, options.input_scales)
    check_propagated(options, has_data=calibrate is not None)
    if is_quantised(graph):
        raise DataError(f"--ranges {PROPAGATED}: the model comes with its own integers and ranges")
    samples, ranges = drawn_samples(graph, options.input_ranges)
    return Data(samples, drawn=ranges)


def is_quantised(graph: Graph) -> bool:
    """The model comes with its own quantisation."""
    return any(tensor.type.quant for tensor in graph.tensors.values())


def _integer_graph(
    graph: Graph, data: Data | None, target: Target, options: Options, progress: Progress | None
) -> tuple[Graph, Graph, Accuracy | None, list[str]]:
    """The float graph that it is made of, and that: integer where the model or the data say so; else float,
    with a word on how to get int8."""
    unsigned = (
        [name for name, (_, dtype) in data.quants.items() if dtype.name == "u8"] if data else []
    )
    passes = integer_passes(
        io_type=options.io_type, allow_float=options.allow_float, unsigned=unsigned
    )
    if is_quantised(graph):
        if options.quantize in FLOATS:
            raise ModelError(f"the model is quantised already; it can't become {options.quantize}")
        made = run_passes(graph, passes, dump_dir=options.dump_passes, stage="integer")
        return graph, made, None, []
    wants_int8 = options.quantize is not None or options.has_budget
    if options.quantize in FLOATS or (data is None and not wants_int8):
        notes = [] if data else ["float32 C; for int8 give --calibrate FILE.npz with sample inputs"]
        made = run_passes(graph, passes, dump_dir=options.dump_passes, stage="float_end")
        if options.quantize == "float16":
            made = run_passes(made, (store_halves,), dump_dir=options.dump_passes, stage="float16")
            notes = [stored_note(made)]
        return graph, made, None, notes
    scheme = options.quantize or "int8"
    if data is None:
        raise DataError(
            f"{scheme} needs sample inputs to find ranges",
            hint=f"give --calibrate FILE.npz, or do without data: --ranges {PROPAGATED}",
        )
    schemes = assignment(graph, scheme, options.quantize_nodes)
    if options.io_type == "uint8" and schemes.default.activation != I8:
        raise DataError(
            f"uint8 inputs and outputs are for int8 nets; {scheme} has int16 activations",
            hint="--io-type quantized or float",
        )
    if data.drawn is not None:
        found = quantize_without_data(
            graph,
            data.samples,
            data.drawn,
            passes,
            schemes=schemes,
            allow_float=options.allow_float,
        )
        return found.source, found.graph, found.accuracy, warnings(found.accuracy)
    found = quantize_with_best(
        graph, data.samples, passes, fixed=_fixed(data),
        schemes=schemes, allow_float=options.allow_float,
        labels=data.labels, methods=options.methods,
        allot=_allot(options, target, passes), explained=options.explain_accuracy, progress=progress,
    )  # fmt: skip
    if options.dump_passes is not None:
        run_passes(found.marked, passes, dump_dir=options.dump_passes, stage="integer")
    return found.source, found.graph, found.accuracy, []


def _allot(options: Options, target: Target, passes: Sequence[Pass]) -> Allot | None:
    """What settles schemes within a budget, where there is one."""
    if not options.has_budget:
        return None
    budget = Budget(options.weights, options.sqnr, frozenset(options.quantize_nodes))

    def stored(marked: Graph) -> Mapping[str, int]:
        made, _ = _without_dead_work(run_passes(marked, passes), replace(options, dump_passes=None))
        return fewest_weights_bytes(made, target, options.optimize)

    return partial(allot, budget=budget, stored=stored)


def _check_budget(graph: Graph, options: Options) -> None:
    """DataError where a budget has no layers to share out among."""
    if not options.has_budget:
        return
    said = " and ".join(
        name
        for name, is_said in (
            ("--weights", options.weights < inf),
            ("--sqnr", options.sqnr > -inf),
        )
        if is_said
    )
    if is_quantised(graph):
        raise DataError(f"{said}: the model comes with its own integers", hint="give the float one")
    if options.quantize not in (None, "int8"):
        raise DataError(
            f"{said} gives each layer its scheme, and so does --quantize {options.quantize}",
            hint="say one of them; --quantize-node NODE=SCHEME settles single nodes",
        )


def _without_dead_work(graph: Graph, options: Options) -> tuple[Graph, DeadWork | None]:
    if options.keep_dead_work or not is_quantised(graph):
        return graph, None
    live = run_passes(graph, (remove_dead_work,), dump_dir=options.dump_passes, stage="integer_end")
    return live, DeadWork(removed_channels(graph), work_of(graph), work_of(live))


def _fixed(data: Data) -> dict:
    """Quantisation of inputs as int8: raw uint8 data shift by 128."""
    return {
        name: replace(quant, zero_point=(quant.zero - 128,)) if dtype.name == "u8" else quant
        for name, (quant, dtype) in data.quants.items()
    }


def _test_samples(graph: Graph, data: Data | None) -> dict[str, np.ndarray]:
    """Samples of the calibration data in the API's types, else seeded ones."""
    if data is None:
        return seeded_samples(graph)
    chosen = spread(data.samples)
    return {
        name: to_integers(a, replace(graph.type(name), shape=a.shape))
        if graph.type(name).quant
        else a
        for name, a in chosen.items()
    }
