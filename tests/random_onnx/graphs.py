"""A random model and a run of it, by its seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from .entry import Entry
from .moving import MOVING
from .pointwise import POINTWISE
from .sums import SUMS
from .windows import WINDOWS
from .writer import Skip, Writer, session

ENTRIES: tuple[Entry, ...] = (*POINTWISE, *MOVING, *SUMS, *WINDOWS)
# The newest that ONNX Runtime has
OPSETS = range(11, 27)


@dataclass(frozen=True)
class RandomModel:
    """`wanted`: what ONNX Runtime makes of the inputs; `ops`: the operators in the graph."""

    seed: int
    model: onnx.ModelProto
    inputs: Mapping[str, np.ndarray]
    wanted: Mapping[str, np.ndarray]
    ops: frozenset[str]


def random_model(seed: int, entries: Sequence[Entry] = ENTRIES, most: int = 10) -> RandomModel:
    """The model of a seed: up to `most` draws from the table, each on what is there."""
    writer = Writer(seed, OPSETS[seed % len(OPSETS)])
    usable = [e for e in entries if e.since <= writer.opset <= e.until]
    drawn, count = 0, writer.whole(1, most)
    while drawn < count:
        mark = writer.mark()
        try:
            writer.rng.choice(usable).draw(writer)
            drawn += 1
        except Skip:
            writer.rollback(mark)
    model = writer.model()
    fed = {
        v.name: writer.inputs[v.name].array for v in model.graph.input if v.name in writer.inputs
    }
    names = [v.name for v in model.graph.output]
    made = session(model).run(names, fed)
    ops = frozenset(node.op_type for node in model.graph.node)
    return RandomModel(seed, model, fed, dict(zip(names, made, strict=True)), ops)
