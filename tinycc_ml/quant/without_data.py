"""An integer net on demand where there are no samples: ranges are propagated, weights rounded to nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..ir.graph import Graph
from ..passes import Pass, run_passes
from .calibrate import Samples, sample_count
from .choose import Accuracy, Quantised, measure
from .draw import InputRange, drawn, known_ranges
from .explain import explain
from .judge import Judge
from .layers import layers, nearest
from .propagate import propagate
from .quantize import check_ops, marked, with_inside_ranges
from .ranges import Ranges
from .risk import risks
from .scales import activation_types
from .scheme import Assignment
from .simulate import Rounding
from .trials import judged_on, spread

_EXPLAINED = 8
# What propagation gives as extremes is kept
RANGES = Ranges("propagated moments")


def drawn_samples(
    graph: Graph, given: Mapping[str, InputRange]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[float, float]]]:
    """Inputs drawn from their ranges, and the ranges. DataError names an input whose range is not known."""
    ranges = known_ranges(graph, given)
    return drawn(graph, ranges), {name: (r.low, r.high) for name, r in ranges.items()}


def quantize_without_data(
    graph: Graph,
    samples: Samples,
    ranges: Mapping[str, tuple[float, float]],
    passes: Sequence[Pass],
    *,
    schemes: Assignment,
    allow_float: bool = False,
) -> Quantised:
    """The integer graph, with what is expected of it on the drawn samples [N, ...]. ranges: of the inputs."""
    check_ops(graph, allow_float)
    found = propagate(graph, samples, ranges)
    graph = with_inside_ranges(graph, found.observed)
    types = activation_types(graph, found.observed, RANGES, schemes, {})
    integers = {layer.key: nearest(layer, schemes, types) for layer in layers(graph)}
    with_marks = marked(graph, types, integers)
    made = run_passes(with_marks, passes)
    judged = judged_on(graph, range(sample_count(samples)))
    measured = measure(made, samples, found.real, schemes.default.name, judged)
    judge = Judge(graph, samples, found.real)
    why = explain(judge, spread(judged, _EXPLAINED), Rounding(types, integers))
    if why.worst is not None:
        why = replace(why, advice=f"{why.worst!r} costs most, as far as drawn inputs tell")
    accuracy = replace(
        measured, ranges=RANGES.name, explanation=why, risks=risks(graph, found, types)
    )
    return Quantised(graph, with_marks, made, accuracy)


def warnings(accuracy: Accuracy) -> list[str]:
    """What the user should know of a net that was made without data."""
    text = "ranges were propagated from those of the inputs, no data were seen"
    nodes = accuracy.explanation.nodes if accuracy.explanation else ()
    least = min(nodes, key=lambda node: node.sqnr_db, default=None)
    if least is not None:
        text += f": expected are {least.sqnr_db:.1f} dB or more in all tensors, least in {least.tensor!r}; real inputs may give less"
    worst = max(accuracy.risks, key=lambda risk: risk.cut_off_double, default=None)
    if worst is None or worst.cut_off_double <= 0:
        return [text]
    return [
        text,
        f"if values spread twice as far as expected, {worst.cut_off_double:.2%} of {worst.tensor!r} are cut off, "
        f"the most of any tensor; --calibrate FILE.npz with sample inputs settles it",
    ]
