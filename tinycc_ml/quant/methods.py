"""Ways to quantise that the user may settle; what is left open is tried."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DataError
from .ranges import RANGES

AUTO = "auto"
# Not of data: of the moments that the inputs' ranges give (propagate.py)
PROPAGATED = "propagated"
RANGE_METHODS = (AUTO, *dict.fromkeys(ranges.method for ranges in RANGES), PROPAGATED)
ROUNDINGS = (AUTO, "nearest", "second-order")


@dataclass(frozen=True)
class Methods:
    """`ranges`: one of RANGE_METHODS; `rounding`: one of ROUNDINGS, of weights; `bias_correction`: the mean error
    of a channel goes into its bias; `equalize`: channels of neighbouring layers are scaled to like ranges.
    None: tried. DataError for a name that is not there."""

    ranges: str = AUTO
    rounding: str = AUTO
    bias_correction: bool | None = None
    equalize: bool | None = None

    def __post_init__(self) -> None:
        for what, name, known in (
            ("ranges", self.ranges, RANGE_METHODS),
            ("rounding", self.rounding, ROUNDINGS),
        ):
            if name not in known:
                raise DataError(f"no {what} {name!r}", hint=f"there are {', '.join(known)}")


@dataclass(frozen=True)
class Constants:
    """How constants of layers are made. second: their rounding is second-order."""

    second: bool
    bias: bool

    @property
    def rounding(self) -> str:
        return "second-order" if self.second else "nearest"

    def __str__(self) -> str:
        return f"{self.rounding} rounding{' and bias correction' if self.bias else ''}"


@dataclass(frozen=True)
class Trial:
    """Something that was tried. sqnr_db: of the worst output, on samples it was not made from; comparable within a
    `step` only. behind: most samples say that another way is better, whatever the sum of their errors."""

    step: str
    what: str
    sqnr_db: float
    kept: bool = False
    behind: bool = False


def constants_to_try(methods: Methods) -> tuple[Constants, ...]:
    seconds = [s for s in (False, True) if methods.rounding in (AUTO, ROUNDINGS[1 + s])]
    biases = [False, True] if methods.bias_correction is None else [methods.bias_correction]
    return tuple(Constants(second, bias) for second in seconds for bias in biases)
