"""What a user may ask of mixed precision, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Budget:
    """`weights`: the most bytes that all int8 weights may take as they are stored. `sqnr`: the least dB of the worst
    output, on samples the net was not made from. `fixed`: nodes whose scheme the user has given."""

    weights: float = inf
    sqnr: float = -inf
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Point:
    """A trade: bytes of stored weights, and dB of the worst output."""

    weights_bytes: int
    sqnr_db: float


@dataclass(frozen=True)
class LayerScheme:
    """weights_bytes: as they are stored. alone_db: of the worst output when only this layer is rounded."""

    node: str
    scheme: str
    weights_bytes: int
    alone_db: float


@dataclass(frozen=True)
class Allotted:
    """What was chosen, `expected` as the model saw it, `measured` as the net is; and the best trades there were, as the
    model sees them."""

    weights_limit: int | None
    sqnr_goal: float | None
    expected: Point
    measured: Point
    layers: tuple[LayerScheme, ...]
    trade_off: tuple[Point, ...]
