"""An integer net on demand where there are no samples: ranges are propagated, weights rounded to nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Graph
from ..ir.types import TensorType
from ..passes import Pass, run_passes
from .calibrate import Samples, sample_count
from .choose import Accuracy, Quantised, measure
from .draw import InputRange, drawn, known_ranges
from .explain import explain, with_weights_of
from .judge import Judge
from .layers import layers, nearest
from .propagate import Propagated, propagate
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
    net = tried = _made(graph, types, schemes, passes)
    if found.known:
        stand_in = with_inside_ranges(found.graph, found.observed)
        tried = _made(stand_in, types, schemes, passes)
    accuracy = _expected(graph, tried, samples, found, schemes.default.name)
    return Quantised(graph, net.marked, net.graph, accuracy)


@dataclass(frozen=True)
class _Made:
    """`source` with `rounding`, marked, and the integer graph of that."""

    source: Graph
    rounding: Rounding
    marked: Graph
    graph: Graph


def _made(
    source: Graph, types: Mapping[str, TensorType], schemes: Assignment, passes: Sequence[Pass]
) -> _Made:
    integers = {layer.key: nearest(layer, schemes, types) for layer in layers(source)}
    with_marks = marked(source, types, integers)
    return _Made(source, Rounding(types, integers), with_marks, run_passes(with_marks, passes))


def _expected(
    graph: Graph, tried: _Made, samples: Samples, found: Propagated, scheme: str
) -> Accuracy:
    """What the net comes to on drawn samples, as far as what runs on them in its place tells."""
    judged = judged_on(graph, range(sample_count(samples)))
    measured = measure(tried.graph, samples, found.real, scheme, judged)
    judge = Judge(tried.source, samples, found.real)
    why = with_weights_of(graph, explain(judge, spread(judged, _EXPLAINED), tried.rounding))
    if why.worst is not None:
        why = replace(why, advice=f"{why.worst!r} costs most, as far as drawn inputs tell")
    risky = risks(graph, found, tried.rounding.types)
    return replace(measured, ranges=RANGES.name, explanation=why, risks=risky)


def warnings(accuracy: Accuracy) -> list[str]:
    """What the user should know of a net that was made without data."""
    text = "ranges were propagated from those of the inputs, no data were seen"
    nodes = accuracy.explanation.nodes if accuracy.explanation else ()
    least = min(nodes, key=lambda node: node.sqnr_db, default=None)
    if least is not None:
        text += f": expected are {least.sqnr_db:.1f} dB or more in all tensors, least in {least.tensor!r}; real inputs may give less"
    trained = sum(risk.trained for risk in accuracy.risks)
    notes = [text]
    if trained:
        notes.append(
            f"mean and deviation of {trained} of {len(accuracy.risks)} tensors are those of training, "
            "which BatchNormalization has kept"
        )
    worst = max(accuracy.risks, key=lambda risk: risk.cut_off_double, default=None)
    if worst is None or worst.cut_off_double <= 0:
        return notes
    return [
        *notes,
        f"if values spread twice as far as expected, {worst.cut_off_double:.2%} of {worst.tensor!r} are cut off, "
        f"the most of any tensor; --calibrate FILE.npz with sample inputs settles it",
    ]
