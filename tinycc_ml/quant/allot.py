"""Mixed precision by budget: a scheme for each layer such that weights take at most so many bytes, or outputs keep
at least so many dB.

What each layer costs under each scheme is measured once, apart from the others (sensitivity.py), the best trades
follow from that (allocate.py). That noises add up is a model: what it proposes is judged as a whole net, made from one
half of the samples and run on the other, and where it missed the goal, the goal is set tighter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

from ..errors import DataError
from ..ir.graph import Graph
from ..ir.types import TensorType
from .allocate import Front, Option, front
from .budget import Allotted, Budget, LayerScheme, Point
from .compensate import variants
from .layers import Integers, Layer, layers
from .methods import Constants, Methods, Trial
from .quantize import marked
from .scheme import SCHEMES, Assignment, Scheme
from .sensitivity import db_of, noise_of, sensitivities
from .simulate import Rounding
from .trials import Net, Parts, Settled, fitted_on, judged_on, made_of

_ROUNDS = 6
_POINTS = 10
# Multiply-accumulates for each measurement of a sensitivity: there are some hundred of them
_MEASURED_MACS = 300_000_000
# For a marked graph: bytes of stored weights by node of the float graph
Stored = Callable[[Graph], Mapping[str, int]]


@dataclass(frozen=True)
class Case:
    """A net whose activations are settled, and how constants of its layers are made. `other`: bytes of weights
    that are no layer's. `noise`: what its activations add."""

    net: Net
    types: Mapping[str, TensorType]
    way: Constants
    stored: Stored
    parts: Parts
    names: tuple[str, ...]
    front: Front
    other: int
    noise: float

    def point(self, trade: int) -> Point:
        """As the model sees it."""
        db = db_of(self.noise + float(self.front.noise[trade]))
        return Point(int(self.front.bytes[trade]) + self.other, db)


@dataclass(frozen=True)
class Made:
    """A trade as a net. net: with its schemes; rounding: made from all samples; point: as measured."""

    trade: int
    net: Net
    rounding: Rounding
    sizes: Mapping[str, int]
    point: Point


def allot(
    net: Net,
    types: Mapping[str, TensorType],
    methods: Methods,
    parts: Parts,
    *,
    budget: Budget,
    stored: Stored,
) -> Settled:
    """Schemes and constants within a budget. DataError when there are none, with the closest that there are."""
    way = Constants(methods.rounding != "nearest", methods.bias_correction is not False)
    case = _case(net, types, way, parts, budget, stored)
    made, trials = _within(case, budget)
    return Settled(made.net, way, made.rounding, trials, _told(case, made, budget))


def _case(
    net: Net,
    types: Mapping[str, TensorType],
    way: Constants,
    parts: Parts,
    budget: Budget,
    stored: Stored,
) -> Case:
    """Constants of every layer under every scheme, their bytes and their noise."""
    tried = {
        layer.key: _tried(layer, net.schemes, budget.fixed)
        for layer in layers(net.graph)
        if layer.key == layer.node.name
    }
    made = variants(
        net.graph, net.judge.samples, fitted_on(net.graph, net.halves[0]), types, net.schemes, tried,
        second=way.second, bias=way.bias, progress=parts.next(),
    )  # fmt: skip
    sizes = _sizes(net, types, made, stored)
    smaller = {name: _smaller(name, by, sizes) for name, by in made.items()}
    measured = judged_on(net.graph, net.halves[1], _MEASURED_MACS)
    noises = sensitivities(net.judge, measured, smaller, parts.next())
    options = [
        [Option(s, sizes[s].get(name, 0), noise) for s, noise in noises[name].items()]
        for name in made
    ]
    other = sum(size for name, size in next(iter(sizes.values()), {}).items() if name not in made)
    noise = noise_of(net.judge.score((measured, Rounding(types))))
    return Case(net, types, way, stored, parts, tuple(made), front(options), other, noise)


def _tried(layer: Layer, schemes: Assignment, fixed: frozenset[str]) -> list[Scheme]:
    """The layer's own scheme first. Integers that several nodes share stay one constant, and nodes with
    several weights, recurrent ones, keep their scheme."""
    own = schemes.of(layer.node)
    if layer.shared or layer.node.name in fixed or len(layer.rule.weights) > 1:
        return [own]
    own_kind = own.activation, own.power_of_two
    alike = [s for s in SCHEMES.values() if (s.activation, s.power_of_two) == own_kind]
    return [own, *(s for s in alike if s != own)]


def _sizes(
    net: Net,
    types: Mapping[str, TensorType],
    made: Mapping[str, Mapping[str, Integers]],
    stored: Stored,
) -> dict[str, Mapping[str, int]]:
    """By scheme, then node: for each scheme one net in which all layers have it that may."""
    found = {}
    for scheme in dict.fromkeys(s for by in made.values() for s in by):
        one = {name: by.get(scheme) or next(iter(by.values())) for name, by in made.items()}
        found[scheme] = stored(marked(net.inside, types, one))
    return found


def _smaller(
    name: str, by: Mapping[str, Integers], sizes: Mapping[str, Mapping[str, int]]
) -> dict[str, Integers]:
    """The first one, and those that take fewer bytes."""
    first = next(iter(by))
    most = sizes[first].get(name, 0)
    return {s: i for s, i in by.items() if s == first or sizes[s].get(name, 0) < most}


def _within(case: Case, budget: Budget) -> tuple[Made, tuple[Trial, ...]]:
    """The first proposal that keeps the budget; each one that didn't tightens what the model is asked for."""
    asked, tried = replace(budget, weights=budget.weights - case.other), list[Made]()
    for _ in range(_ROUNDS):
        trade = _proposed(case, asked)
        if trade is None:
            break
        made = _made(case, trade)
        tried.append(made)
        over, short = made.point.weights_bytes - budget.weights, budget.sqnr - made.point.sqnr_db
        if over <= 0 and short <= 0:
            return made, _trials(case, tried)
        asked = replace(
            asked,
            weights=min(asked.weights, case.front.bytes[trade]) - over if over > 0 else asked.weights,
            sqnr=case.point(trade).sqnr_db + short if short > 0 else asked.sqnr,
        )  # fmt: skip
    raise _refused(case, budget, tried)


def _proposed(case: Case, asked: Budget) -> int | None:
    """With a limit of bytes the least noise within it, else the fewest bytes with so many dB."""
    if isfinite(asked.weights):
        found = case.front.least_noise(asked.weights)
        return found if found is not None and _is_quiet(case, found, asked) else None
    return case.front.least_bytes(noise_of(asked.sqnr) - case.noise)


def _is_quiet(case: Case, trade: int, asked: Budget) -> bool:
    return case.point(trade).sqnr_db >= asked.sqnr


def _made(case: Case, trade: int) -> Made:
    own = zip(case.names, case.front.options(trade), strict=True)
    schemes = replace(case.net.schemes, nodes={n: SCHEMES[option.scheme] for n, option in own})
    net = replace(case.net, schemes=schemes)
    judged = judged_on(net.graph, net.halves[1])
    half = made_of(net, net.halves[0], case.types, case.way, case.parts)
    whole = made_of(net, range(len(net.judge.real)), case.types, case.way, case.parts)
    sizes = case.stored(marked(net.inside, whole.types, whole.layers))
    point = Point(sum(sizes.values()), net.judge.score((judged, half)))
    return Made(trade, net, whole, sizes, point)


def _trials(case: Case, tried: Sequence[Made]) -> tuple[Trial, ...]:
    return tuple(
        Trial("schemes", _named(case, made), made.point.sqnr_db, made is tried[-1])
        for made in tried
    )


def _named(case: Case, made: Made) -> str:
    counts = Counter(option.scheme for option in case.front.options(made.trade))
    parts = ", ".join(f"{scheme}: {count}" for scheme, count in counts.items())
    return f"{made.point.weights_bytes:,} bytes ({parts})"


def _refused(case: Case, budget: Budget, tried: Sequence[Made]) -> DataError:
    """tried: in vain."""
    wanted = [f"--weights {budget.weights:,.0f} bytes"] if isfinite(budget.weights) else []
    wanted += [f"--sqnr {budget.sqnr:g} dB"] if isfinite(budget.sqnr) else []
    closest = [f"measured {_said(made.point)}" for made in tried]
    small = case.point(0)
    if isfinite(budget.weights) and small.weights_bytes > budget.weights:
        closest = [f"the smallest is {_said(small)}"]
    elif not closest:
        limit = case.front.least_noise(budget.weights - case.other)
        closest = [f"expected {_said(case.point(limit or 0))}"]
    return DataError(
        f"no choice of schemes keeps {' and '.join(wanted)}; the closest: {closest[-1]}",
        hint="a larger budget, more calibration samples, --prune, or another net",
    )


def _said(point: Point) -> str:
    return f"{point.weights_bytes:,} bytes with {point.sqnr_db:.1f} dB"


def _told(case: Case, made: Made, budget: Budget) -> Allotted:
    options = zip(case.names, case.front.options(made.trade), strict=True)
    return Allotted(
        int(budget.weights) if budget.weights < inf else None,
        budget.sqnr if budget.sqnr > -inf else None,
        case.point(made.trade),
        made.point,
        tuple(
            LayerScheme(name, option.scheme, made.sizes.get(name, 0), db_of(option.noise))
            for name, option in options
        ),
        tuple(case.point(trade) for trade in case.front.spread(_POINTS)),
    )
