"""How to quantise: ways are tried on calibration samples, what comes nearest to the float net is kept.

Ranges are found on one half of the samples and judged on the other, and so are the constants of layers; what won
is then made from all samples.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..ir.graph import Graph
from ..ir.types import Quant
from ..numerics.quantization import dequantize
from ..numerics.quantization import quantize as to_integers
from ..passes import Pass, run_passes
from ..reference.run import outputs
from .budget import Allotted
from .calibrate import Samples
from .explain import Explanation, explain
from .judge import output_sqnr
from .methods import Methods, Trial
from .quantize import check_ops, marked
from .risk import Risk
from .scheme import Assignment
from .trials import Allot, Best, best

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accuracy:
    """How near the integers come to the float model on the calibration samples. `scheme`: that of the net;
    `ranges`, `rounding`, `bias_correction`, `equalized`: how it was quantised; `trials`: what else was tried;
    `explanation`: the error node by node, when asked for;
    `budget`: what mixed precision came to, when asked for; `risks`: of a net without data, whose samples are drawn."""

    scheme: str
    samples: int
    sqnr_db: Mapping[str, float]
    argmax_agreement: float | None
    labels_float: float | None = None
    labels_quantized: float | None = None
    ranges: str = "min-max"
    rounding: str = "nearest"
    bias_correction: bool = False
    equalized: bool = False
    trials: tuple[Trial, ...] = ()
    explanation: Explanation | None = None
    budget: Allotted | None = None
    risks: tuple[Risk, ...] = ()


@dataclass(frozen=True)
class Quantised:
    """`source`: the float graph it was made of; `marked`: that with its quantize and dequantize nodes; `graph`:
    what the passes made of it."""

    source: Graph
    marked: Graph
    graph: Graph
    accuracy: Accuracy


def quantize_with_best(
    graph: Graph,
    samples: Samples,
    passes: Sequence[Pass],
    *,
    fixed: Mapping[str, Quant],
    allow_float: bool = False,
    labels: np.ndarray | None = None,
    schemes: Assignment | None = None,
    methods: Methods | None = None,
    allot: Allot | None = None,
    explained: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Quantised:
    """The integer graph with the least error at the outputs, and that error. samples: float arrays [N, ...];
    `passes` make a marked graph integer; methods: what the user has settled; allot: settles schemes within
    a budget; explained: the error is to be explained."""
    check_ops(graph, allow_float)
    schemes = schemes or Assignment()
    found = best(graph, samples, schemes, fixed, methods or Methods(), progress, allot)
    with_marks = marked(found.judge.graph, found.rounding.types, found.rounding.layers)
    made = run_passes(with_marks, passes)
    judged = found.judged
    accuracy = measure(made, samples, found.judge.real, _name_of(schemes, found), judged, labels)
    why = explain(found.judge, found.few, found.rounding) if explained else None
    return Quantised(
        found.judge.graph, with_marks, made, replace(_told(accuracy, found), explanation=why)
    )


def _name_of(schemes: Assignment, found: Best) -> str:
    return "mixed" if found.settled.allotted else schemes.default.name


def _told(accuracy: Accuracy, found: Best) -> Accuracy:
    return replace(
        accuracy,
        ranges=found.ranges,
        rounding=found.settled.constants.rounding,
        bias_correction=found.settled.constants.bias,
        equalized=found.equalized,
        trials=found.settled.trials,
        budget=found.settled.allotted,
    )


def real_outputs(graph: Graph, sample: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs as real numbers, for inputs as real numbers, whatever the API's types are."""
    given = {
        name: to_integers(np.asarray(value), graph.type(name)) if graph.type(name).quant else value
        for name, value in sample.items()
    }
    made = outputs(graph, given)
    return {n: dequantize(v, graph.type(n)) if graph.type(n).quant else v for n, v in made.items()}


def _run(graph: Graph, samples: Samples, chosen: Sequence[int]) -> list[dict[str, np.ndarray]]:
    return [real_outputs(graph, {n: a[k] for n, a in samples.items()}) for k in chosen]


def measure(
    graph: Graph, samples: Samples, real: Sequence[Mapping], scheme: str, chosen: Sequence[int],
    labels: np.ndarray | None = None,
) -> Accuracy:  # fmt: skip
    """SQNR of every output and, for the first, how often its argmax is that of the float model."""
    if labels is not None:
        chosen = range(len(labels))
    made = _run(graph, samples, chosen)
    first = next(iter(made[0]))
    floats = [int(np.argmax(real[k][first])) for k in chosen]
    integers = [int(np.argmax(m[first])) for m in made]
    agreement = float(np.mean(np.equal(floats, integers))) if np.size(made[0][first]) > 1 else None
    right = (
        (lambda found: float(np.mean(np.equal(found, np.ravel(labels)))))
        if labels is not None
        else None
    )
    return Accuracy(
        scheme,
        len(made),
        {n: output_sqnr([real[k] for k in chosen], made, n) for n in made[0]},
        agreement,
        right(floats) if right else None,
        right(integers) if right else None,
    )
