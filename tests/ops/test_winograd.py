"""When Winograd's kernel may serve a convolution; what it computes is tested in tests/runtime_c."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinycc_ml.ops import winograd
from tinycc_ml.ops.base import Site

from ..integer_nets import Net


def site(channels: int = 4, bias: int = 0, kernel: int = 3, **attrs: Any) -> Site:
    net = Net((1, 7, 7, channels))
    y = net.conv(net.x, np.ones((2, kernel, kernel, channels)), [bias, 0], **attrs)
    graph = net.graph(y)
    return Site.of(graph, graph.nodes[0])


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (site(), None),
        (site(5, pads=(0, 1, 2, 3)), None),
        (site(bias=(1 << 25) - 1 - 36 * 128), None),
        (site(bias=(1 << 25) - 36 * 127), "accumulators below 2^25"),
        (site(3), "4 input channels"),
        (site(kernel=1), "3x3"),
        (site(strides=(2, 1)), "stride 1"),
        (site(dilations=(1, 2)), "dilation 1"),
    ],
)
def test_what_it_refuses_and_why(made: Site, reason: str | None) -> None:
    said = winograd.KERNEL.accepts(made)
    assert said is None if reason is None else said is not None and reason in said


@pytest.mark.parametrize(
    ("y_h", "y_w", "x_c"), [(1, 1, 4), (32, 32, 16), (8, 8, 64), (25, 5, 70), (6, 6, 4)]
)
def test_a_chunk_is_even_and_bounded(y_h: int, y_w: int, x_c: int) -> None:
    chunk = winograd.chunk_of(y_h, y_w, x_c)
    assert chunk % 2 == 0
    assert chunk == 2 or 144 * winograd.steps_of(x_c) * chunk <= winograd.V_BYTES
    assert chunk < -(-y_h // 4) * -(-y_w // 4) + 2
