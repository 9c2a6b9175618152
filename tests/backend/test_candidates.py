"""Which kernels may serve a node on a target."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.backend.candidates import options_of
from tinycc_ml.backend.target import load_target

from ..integer_nets import Net


@pytest.mark.parametrize(
    ("optimize", "target", "reason"),
    [
        ("speed", "cortex-m4", None),
        ("balanced", "cortex-m4", "is for --optimize speed"),
        ("size", "cortex-m4", "is for --optimize speed"),
        ("speed", "cortex-m3", "needs a core with dsp"),
    ],
)
def test_a_kernel_serves_its_goals_and_targets(
    optimize: str, target: str, reason: str | None
) -> None:
    net = Net((1, 8, 8, 4))
    graph = net.graph(net.conv(net.x, np.ones((4, 3, 3, 4)), [0] * 4))
    options = options_of(graph, graph.nodes[0], load_target(target), optimize)
    names = {c.name for c in options.candidates}
    assert ("tml_conv2d_winograd_i8" in names) is (reason is None)
    assert dict(options.refused).get("tml_conv2d_winograd_i8") == reason
