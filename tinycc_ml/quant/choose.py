"""Which ranges: quantise with each, run the integer reference on calibration samples, keep the best."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..ir.graph import Graph
from ..ir.types import Quant
from ..numerics.quantization import dequantize
from ..numerics.quantization import quantize as to_integers
from ..ops import op_of
from ..ops.base import Site
from ..passes import Pass, run_passes
from ..reference.compare import sqnr_db
from ..reference.run import outputs
from .calibrate import Samples, calibrate, sample_count
from .quantize import quantize
from .ranges import RANGES, Ranges
from .scheme import Assignment

log = logging.getLogger(__name__)
# Ranges are compared on as many samples as this many multiply-accumulates pay for, but at least on some
_JUDGED_MACS = 3_000_000_000
_JUDGED_LEAST = 24


@dataclass(frozen=True)
class Accuracy:
    """How near the integers come to the float model on the calibration samples. `scheme`: that of the net;
    `ranges`: the method that its ranges were found with."""

    scheme: str
    ranges: str
    samples: int
    sqnr_db: Mapping[str, float]
    argmax_agreement: float | None
    labels_float: float | None = None
    labels_quantized: float | None = None


@dataclass(frozen=True)
class Quantised:
    """`marked`: the float graph with its quantize and dequantize nodes; `graph`: what the passes made of it."""

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
    ranges: Sequence[Ranges] = RANGES,
    progress: Callable[[int, int], None] | None = None,
) -> Quantised:
    """The integer graph with the least error at the outputs, and that error. samples: float arrays [N, ...];
    `passes` make a marked graph integer."""
    observed, real = calibrate(graph, samples, progress)
    judged = _judged(graph, sample_count(samples))
    schemes = schemes or Assignment()
    best: tuple[float, Ranges, Graph, Graph] | None = None
    for method in ranges:
        marked = quantize(graph, observed, method, schemes, fixed=fixed, allow_float=allow_float)
        made = run_passes(marked, passes)
        error = _error(made, samples, real, judged)
        log.debug("%s: output SQNR %.1f dB", method.name, error)
        if best is None or error > best[0]:
            best = (error, method, marked, made)
    assert best is not None
    _, method, marked, made = best
    names = schemes.default.name, method.name
    return Quantised(marked, made, measure(made, samples, real, names, judged, labels))


def _judged(graph: Graph, count: int) -> list[int]:
    macs = sum(op_of(node).macs(Site.of(graph, node)) for node in graph.nodes)
    most = max(_JUDGED_MACS // max(macs, 1), _JUDGED_LEAST)
    return sorted({int(k) for k in np.linspace(0, count - 1, min(most, count))})


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


def _error(graph: Graph, samples: Samples, real: Sequence[Mapping], chosen: Sequence[int]) -> float:
    """The worst SQNR of any output."""
    made = _run(graph, samples, chosen)
    return min(_sqnr(real, made, chosen, name) for name in made[0])


def _sqnr(
    real: Sequence[Mapping], made: Sequence[Mapping], chosen: Sequence[int], name: str
) -> float:
    wanted = np.stack([real[k][name] for k in chosen])
    return sqnr_db(wanted, np.stack([m[name] for m in made]).reshape(wanted.shape))


def measure(
    graph: Graph, samples: Samples, real: Sequence[Mapping], names: tuple[str, str], chosen: Sequence[int],
    labels: np.ndarray | None = None,
) -> Accuracy:  # fmt: skip
    """SQNR of every output and, for the first, how often its argmax is that of the float model. names: of
    the scheme and of the ranges."""
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
        *names,
        len(made),
        {name: _sqnr(real, made, chosen, name) for name in made[0]},
        agreement,
        right(floats) if right else None,
        right(integers) if right else None,
    )
