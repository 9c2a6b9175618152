"""From the float graph to what is compiled: integers where the model or the data say so, else floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np

from .backend.target import Target
from .backend.weights import fewest_weights_bytes
from .errors import DataError, ModelError
from .ir.graph import Graph
from .ir.types import I8
from .options import FLOATS, Options, check_propagated
from .passes import Pass, integer_passes, run_passes
from .passes.remove_dead_work import DeadWork, remove_dead_work, removed_channels, work_of
from .passes.store_halves import store_halves, stored_note
from .quant.allot import allot
from .quant.budget import Budget
from .quant.choose import Accuracy, quantize_with_best
from .quant.data import Data, load_data
from .quant.methods import PROPAGATED
from .quant.scheme import Assignment, assignment
from .quant.trials import Allot
from .quant.without_data import drawn_samples, quantize_without_data, warnings

Progress = Callable[[int, int], None]
# The fast kernels of convolutions work on blocks of four channels, those of depthwise ones on words of four
CHANNELS_AT_A_TIME = 4


@dataclass(frozen=True)
class Lowered:
    """source: the float graph that the graph is made of, with its weights as they were chosen."""

    source: Graph
    graph: Graph
    accuracy: Accuracy | None = None
    notes: Sequence[str] = ()


def data_of(
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


def lowered(
    graph: Graph, data: Data | None, target: Target, options: Options, progress: Progress | None
) -> Lowered:
    """Integers where the model or the data say so; else floats, with a word on how to get int8. DataError and
    ModelError where both are asked for, or samples are missing."""
    unsigned = [name for name, (_, t) in data.quants.items() if t.name == "u8"] if data else []
    passes = integer_passes(
        io_type=options.io_type, allow_float=options.allow_float, unsigned=unsigned
    )
    if is_quantised(graph):
        if options.quantize in FLOATS:
            raise ModelError(f"the model is quantised already; it can't become {options.quantize}")
        made = run_passes(graph, passes, dump_dir=options.dump_passes, stage="integer")
        return Lowered(graph, made)
    wants_int8 = options.quantize is not None or options.has_budget
    if options.quantize in FLOATS or (data is None and not wants_int8):
        return _floats(graph, data, passes, options)
    return _quantised(graph, data, target, passes, options, progress)


def _floats(graph: Graph, data: Data | None, passes: Sequence[Pass], options: Options) -> Lowered:
    notes = [] if data else ["float32 C; for int8 give --calibrate FILE.npz with sample inputs"]
    made = run_passes(graph, passes, dump_dir=options.dump_passes, stage="float_end")
    if options.quantize == "float16":
        made = run_passes(made, (store_halves,), dump_dir=options.dump_passes, stage="float16")
        notes = [stored_note(made)]
    return Lowered(graph, made, notes=notes)


def _quantised(
    graph: Graph,
    data: Data | None,
    target: Target,
    passes: Sequence[Pass],
    options: Options,
    progress: Progress | None,
) -> Lowered:
    scheme = options.quantize or "int8"
    if data is None:
        raise DataError(
            f"{scheme} needs sample inputs to find ranges",
            hint=f"give --calibrate FILE.npz, or do without data: --ranges {PROPAGATED}",
        )
    schemes = _schemes(graph, scheme, options)
    if data.drawn is not None:
        found = quantize_without_data(
            graph, data.samples, data.drawn, passes, schemes=schemes, allow_float=options.allow_float
        )  # fmt: skip
        return Lowered(found.source, found.graph, found.accuracy, warnings(found.accuracy))
    found = quantize_with_best(
        graph, data.samples, passes, fixed=_fixed(data),
        schemes=schemes, allow_float=options.allow_float,
        labels=data.labels, methods=options.methods,
        allot=_allot(options, target, passes), explained=options.explain_accuracy, progress=progress,
    )  # fmt: skip
    if options.dump_passes is not None:
        run_passes(found.marked, passes, dump_dir=options.dump_passes, stage="integer")
    return Lowered(found.source, found.graph, found.accuracy)


def _schemes(graph: Graph, scheme: str, options: Options) -> Assignment:
    schemes = assignment(graph, scheme, options.quantize_nodes)
    if options.io_type == "uint8" and schemes.default.activation != I8:
        raise DataError(
            f"uint8 inputs and outputs are for int8 nets; {scheme} has int16 activations",
            hint="--io-type quantized or float",
        )
    return schemes


def _allot(options: Options, target: Target, passes: Sequence[Pass]) -> Allot | None:
    """What settles schemes within a budget, where there is one."""
    if not options.has_budget:
        return None
    budget = Budget(options.weights, options.sqnr, frozenset(options.quantize_nodes))

    def stored(marked: Graph) -> Mapping[str, int]:
        plain = replace(options, dump_passes=None)
        made = live_graphs(run_passes(marked, passes), plain)[0].graph
        return fewest_weights_bytes(made, target, options.optimize)

    return partial(allot, budget=budget, stored=stored)


def check_budget(graph: Graph, options: Options) -> None:
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


@dataclass(frozen=True)
class Live:
    """A graph without its dead work, and what that was; None: not looked for."""

    graph: Graph
    dead_work: DeadWork | None = None


def live_graphs(graph: Graph, options: Options) -> tuple[Live, ...]:
    """What may be planned in place of an integer graph: without all dead work and, where that leaves numbers of channels
    that kernels serve worse, with what fills up their steps."""
    if options.keep_dead_work or not is_quantised(graph):
        return (Live(graph),)
    dump = options.dump_passes
    live = run_passes(graph, (remove_dead_work,), dump_dir=dump, stage="integer_end")
    filled = remove_dead_work(graph, CHANNELS_AT_A_TIME)
    made = [(live, 1), *([(filled, CHANNELS_AT_A_TIME)] if filled != live else [])]
    return tuple(
        Live(found, DeadWork(removed_channels(graph, multiple), work_of(graph), work_of(found)))
        for found, multiple in made
    )


def _fixed(data: Data) -> dict:
    """Quantisation of inputs as int8: raw uint8 data shift by 128."""
    return {
        name: replace(quant, zero_point=(quant.zero - 128,)) if dtype.name == "u8" else quant
        for name, (quant, dtype) in data.quants.items()
    }
