"""Allocation against all combinations there are."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycc_ml.quant.allocate import Option, front

# Noises are whole numbers here, so that sums are exact in whatever order
OPTION = st.builds(Option, st.just("some"), st.integers(0, 30), st.integers(0, 40).map(float))
LAYERS = st.lists(st.lists(OPTION, min_size=1, max_size=4), max_size=5)


@given(LAYERS, st.integers(0, 150), st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_no_combination_is_better(
    layers: list[list[Option]], most_bytes: int, most_noise: int
) -> None:
    every = [(sum(o.bytes for o in c), sum(o.noise for o in c)) for c in product(*layers)]
    found = front(layers)

    within = [noise for size, noise in every if size <= most_bytes]
    trade = found.least_noise(most_bytes)
    assert (trade is None) == (not within)
    assert trade is None or found.noise[trade] == min(within)

    quiet = [size for size, noise in every if noise <= most_noise]
    trade = found.least_bytes(most_noise)
    assert (trade is None) == (not quiet)
    assert trade is None or found.bytes[trade] == min(quiet)


@given(LAYERS)
@settings(max_examples=100, deadline=None)
def test_a_trade_is_made_of_one_option_of_each_layer(layers: list[list[Option]]) -> None:
    found = front(layers)
    for trade in range(len(found.bytes)):
        options = found.options(trade)
        assert all(o in given for o, given in zip(options, layers, strict=True))
        assert sum(o.bytes for o in options) == found.bytes[trade]
        assert sum(o.noise for o in options) == found.noise[trade]
    assert (np.diff(found.bytes) > 0).all() and (np.diff(found.noise) < 0).all()


@given(LAYERS, st.integers(2, 10))
def test_the_curve_goes_from_the_smallest_to_the_least_noisy(
    layers: list[list[Option]], count: int
) -> None:
    found = front(layers)
    trades = found.spread(count)
    assert trades[0] == 0 and trades[-1] == len(found.bytes) - 1
    assert trades == sorted(set(trades)) and len(trades) <= count


def test_a_net_of_many_layers_takes_no_time() -> None:
    random = np.random.default_rng(0)
    layers = []
    for size in random.integers(500, 5_000, 30).tolist():
        alone = float(random.lognormal(0, 2))
        layers.append([Option(str(b), size * b // 8, alone / 4.0**b) for b in (8, 4, 3, 2, 1)])
    found = front(layers)
    assert len(found.bytes) <= found.bytes[-1] + 1
    assert found.least_noise(found.bytes[0] - 1) is None
