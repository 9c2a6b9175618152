"""remove_dead_work at borders: padding is the zero point, not the constant that a channel holds."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.passes.remove_dead_work import value_ranges

from ..integer_nets import Net
from .dead_work import UP, assert_exact, nonzero, width


def _padded(zero: int, **attrs: object) -> tuple[Graph, str]:
    net = Net((1, 5, 5, 2))
    a = net.conv(net.x, nonzero(3, 1, 1, 2), [0, UP, 0], zero=zero)
    weights = nonzero(2, 3, 3, 3)
    bias = -zero * weights[..., [0, 2]].sum(axis=(1, 2, 3)) - 127 * weights[..., 1].sum(axis=(1, 2))
    return net.graph(net.conv(a, weights, bias, **attrs)), a


@pytest.mark.parametrize("zero", [-128, 0, 126, 127])
@pytest.mark.parametrize("pads", [(1, 1, 1, 1), (0, 1, 0, 0), (0, 0, 2, 0)])
def test_a_constant_at_a_border_goes_only_as_the_zero_point(
    zero: int, pads: tuple[int, ...]
) -> None:
    before, a = _padded(zero, pads=pads)
    assert width(assert_exact(before), a) == (2 if zero == 127 else 3)


def test_padding_that_no_window_reaches_is_no_border() -> None:
    before, a = _padded(0, pads=(0, 0, 1, 1), strides=(2, 2), dilations=(2, 2))
    assert width(assert_exact(before), a) == 2


def test_a_constant_goes_when_the_weights_that_reach_the_border_are_zero() -> None:
    net = Net((1, 4, 4, 1))
    a = net.conv(net.x, nonzero(2, 1, 1, 1), [UP, 0], zero=-128)
    weights = nonzero(2, 3, 3, 2)
    weights[:, 0, :, 0] = 0
    before = net.graph(net.conv(a, weights, [0, 0], pads=(1, 0, 0, 0)))
    assert width(assert_exact(before), a) == 1


@pytest.mark.parametrize(("zero", "left"), [(127, 1), (0, 2)])
def test_depthwise_on_a_constant_is_constant_unless_a_border_shows(zero: int, left: int) -> None:
    net = Net((1, 4, 4, 1))
    a = net.conv(net.x, nonzero(2, 1, 1, 1), [UP, 0], zero=zero)
    b = net.depthwise(a, nonzero(3, 3, 2), [5, 6], pads=(1, 1, 1, 1))
    after = assert_exact(net.graph(net.conv(b, nonzero(1, 1, 1, 2), [0])))
    assert (width(after, a), width(after, b)) == (left, left)


def test_each_position_of_a_window_is_judged_by_the_taps_it_has() -> None:
    """Weights 1, -1, 1 on a constant: 127 - 127 + 127 inside, less one of them at each end."""
    net = Net((1, 1, 3, 1))
    a = net.conv(net.x, np.zeros((1, 1, 1, 1)), [UP])
    weights = np.array([1, -1, 1]).reshape(1, 3, 1)
    b = net.depthwise(a, weights, [0], pads=(0, 1, 0, 1), multiplier=(1 << 31) - 1)
    sums = value_ranges(net.graph(b))[b].accumulator
    assert sums is not None and (sums.low.item(), sums.high.item()) == (0, 127)


def test_taps_that_are_always_outside_read_the_zero_point() -> None:
    net = Net((1, 1, 1, 1), zero=9)
    a = net.conv(net.x, np.ones((1, 3, 3, 1)), [0], pads=(1, 1, 1, 1))
    sums = value_ranges(net.graph(a))[a].accumulator
    assert sums is not None and (sums.low.item(), sums.high.item()) == (72 - 128, 72 + 127)
