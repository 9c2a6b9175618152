"""The compiler from model to files, in the order in which things happen. Read this first."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import numpy as np

from . import frontends
from .backend.choose import Plan, choose_among
from .backend.emit import emit
from .backend.fits import check_fits
from .backend.program import Program
from .backend.search import Limits
from .backend.spell import spell
from .backend.target import Target, load_target
from .backend.vectors import NO_VECTORS, Vectors, make_vectors, seeded_samples, spread
from .errors import DataError, TargetError
from .integers import Live, Progress, check_budget, data_of, is_quantised, live_graphs, lowered
from .ir.graph import Graph
from .numerics.quantization import quantize as to_integers
from .options import Options
from .passes import FLOAT, run_passes
from .passes.fuse_chains import fuse_chains
from .passes.io_layout import io_layout
from .passes.remove_dead_work import DeadWork
from .passes.widen_halves import widen_halves
from .pruning.prune import Pruning, prune
from .quant.accumulators import accumulator_bounds
from .quant.choose import Accuracy
from .quant.data import Data
from .quant.methods import PROPAGATED

log = logging.getLogger(__name__)


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
    check_budget(graph, options)
    graph = _widened(graph, calibrate is not None or options.ranges == PROPAGATED, options)
    data = data_of(graph, calibrate, options)
    if data is None and options.input_scales:
        raise DataError(
            "--input-scale says what calibration data mean", hint="give --calibrate FILE.npz too"
        )
    seen = None if data and data.drawn else data
    whole, (graph, pruned) = graph, _pruned(graph, options, seen)
    made = lowered(graph, data, target, options, progress)
    live = live_graphs(made.graph, options)
    taken, plan = _planned(live, target, options, limits_of_options(options, made.accuracy))
    bounds = accumulator_bounds(plan.graph)
    program, vectors, files = _written(plan, options, _test_samples(plan.graph, data))
    return Compiled(
        made.source, plan.graph, plan, program, vectors, files, options, bounds, made.accuracy, pruned,
        tuple(made.notes), taken.dead_work, _unpruned(whole, data, target, options),
    )  # fmt: skip


def _planned(
    live: Sequence[Live], target: Target, options: Options, limits: Limits
) -> tuple[Live, Plan]:
    """The graph that serves the goal best, and its plan."""
    graphs = [
        run_passes(item.graph, (fuse_chains,), dump_dir=dump, stage="last")
        for item, dump in zip(live, (options.dump_passes, *[None] * len(live)), strict=False)
    ]
    taken, plan = choose_among(
        graphs, target, io=options.io, optimize=options.optimize, limits=limits
    )
    return live[taken], plan


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
    live = live_graphs(lowered(graph, few, target, plain, None).graph, plain)
    try:
        return _planned(live, target, plain, limits_of_options(plain, None))[1]
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
