"""remove_dead_work: channels go that provably change no output, and only those; every output stays the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops import verify
from tinycc_ml.passes.remove_dead_work import (
    remove_dead_work,
    removed_channels,
    value_ranges,
    work_of,
)

from ..integer_nets import Net
from .dead_work import DOWN, UP, assert_exact, assert_same_outputs, gone, nonzero, width


def test_a_saturated_channel_is_folded_into_the_bias_of_its_reader() -> None:
    net = Net((1, 3, 3, 2), zero=5)
    a = net.conv(net.x, nonzero(4, 1, 1, 2), [0, UP, DOWN, 7])
    before = net.graph(net.conv(a, nonzero(3, 1, 1, 4), [1, 2, 3]))
    after = assert_exact(before)
    assert width(after, a) == 2
    assert after.tensors[a].origin is not None and after.tensors[a].origin.channels == (0, 3)
    assert {c: r.value for c, r in gone(before, a).items()} == {1: 127, 2: -128}
    bias = after.tensors[after.nodes[1].inputs[2]].value
    w = nonzero(3, 1, 1, 4)[:, 0, 0].astype(int)
    assert bias.tolist() == (np.array([1, 2, 3]) + 127 * w[:, 1] - 128 * w[:, 2]).tolist()


def test_the_proof_is_the_range_of_the_sum() -> None:
    net = Net((1, 1, 1, 2))
    a = net.conv(net.x, np.array([[3, -2], [90, 90]]).reshape(2, 1, 1, 2), [UP, 0])
    before = net.graph(net.conv(a, nonzero(1, 1, 1, 2), [0]))
    (proof,) = removed_channels(before)
    assert (proof.tensor, proof.channel, proof.reason, proof.value) == (a, 0, "constant", 127)
    assert (proof.low, proof.high) == (UP - 128 * 3 - 127 * 2, UP + 127 * 3 + 128 * 2)
    assert proof.node == before.nodes[0].name


@pytest.mark.parametrize(("bias", "left"), [(381, 2), (382, 1)])
def test_the_last_value_that_saturates_decides(bias: int, left: int) -> None:
    """With a multiplier just below 1/2 a sum of 254 gives 127, one of 253 gives 126; x is -128 at least."""
    net = Net((1, 1, 1, 1))
    ones = np.ones((2, 1, 1, 1), int)
    a = net.conv(net.x, ones, [0, bias], multiplier=(1 << 31) - 1)
    after = assert_exact(net.graph(net.conv(a, nonzero(1, 1, 1, 2), [0])), runs=1)
    assert width(after, a) == left


def test_a_channel_of_weights_zero_is_constant_where_it_is_read() -> None:
    net = Net((1, 2, 2, 1))
    weights = nonzero(3, 1, 1, 1)
    weights[1] = 0
    a = net.conv(net.x, weights, [0, 12345, 0])
    before = net.graph(net.conv(a, nonzero(2, 1, 1, 3), [0, 0]))
    assert width(assert_exact(before), a) == 2
    assert gone(before, a)[1].value == 48


def test_a_channel_that_nothing_reads_goes_and_so_does_what_only_it_reads() -> None:
    net = Net((1, 3, 3, 2))
    a = net.conv(net.x, nonzero(3, 1, 1, 2), [0, 0, 0])
    only_first = nonzero(2, 1, 1, 3)
    only_first[1, ..., :2] = 0
    only_first[0, ..., 2] = 0
    b = net.conv(a, only_first, [0, 0])
    reads_first = nonzero(2, 1, 1, 2)
    reads_first[..., 1] = 0
    before = net.graph(net.conv(b, reads_first, [0, 0]))
    after = assert_exact(before)
    assert (width(after, a), width(after, b)) == (2, 1)
    assert {r.reason for r in removed_channels(before)} == {"never read"}


def test_what_a_saturated_channel_reads_is_not_read() -> None:
    net = Net((1, 3, 3, 2))
    a = net.conv(net.x, nonzero(2, 1, 1, 2), [0, 0])
    apart = np.array([[50, 0], [0, 50]]).reshape(2, 1, 1, 2)
    b = net.conv(a, apart, [0, UP])
    before = net.graph(net.conv(b, nonzero(2, 1, 1, 2), [0, 0]))
    after = assert_exact(before)
    assert (width(after, a), width(after, b)) == (1, 1)


def test_a_net_without_dead_work_stays_as_it_is() -> None:
    net = Net((1, 4, 4, 2), zero=-3)
    a = net.conv(net.x, nonzero(3, 3, 3, 2), [0, 9, -9], pads=(1, 1, 1, 1))
    before = net.graph(net.depthwise(a, nonzero(3, 3, 3), [0, 0, 0]))
    assert assert_exact(before) == before
    assert removed_channels(before) == ()


def test_inputs_and_outputs_keep_their_channels() -> None:
    net = Net((1, 2, 2, 3))
    weights = nonzero(3, 1, 1, 3)
    weights[..., 1] = 0
    a = net.conv(net.x, weights, [0, UP, 0])
    b = net.conv(a, nonzero(2, 1, 1, 3), [DOWN, 0])
    before = net.graph(a, b)
    assert assert_exact(before) == before


def test_a_constant_output_needs_nothing_of_what_it_is_made_of() -> None:
    net = Net((1, 2, 2, 3))
    a = net.conv(net.x, nonzero(4, 1, 1, 3), [0, 0, 0, 0])
    before = net.graph(net.conv(a, nonzero(2, 1, 1, 4), [UP, DOWN]))
    assert width(assert_exact(before), a) == 1


def test_one_channel_of_a_constant_tensor_stays() -> None:
    net = Net((1, 2, 2, 1))
    a = net.conv(net.x, nonzero(3, 1, 1, 1), [UP, DOWN, UP])
    b = net.depthwise(a, nonzero(2, 2, 3), [1, 2, 3])
    after = assert_exact(net.graph(net.conv(b, nonzero(2, 1, 1, 3), [0, 0])))
    assert (width(after, a), width(after, b)) == (1, 1)


def test_a_reader_that_has_no_rule_keeps_all_channels() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, nonzero(4, 1, 1, 2), [0, UP, 0, 0])
    grouped = net.conv(a, nonzero(4, 1, 1, 2), [0, 0, 0, 0], groups=2)
    before = net.graph(net.conv(a, nonzero(1, 1, 1, 4), [0]), grouped)
    assert assert_exact(before) == before


def test_a_net_that_could_overflow_is_left_to_be_refused() -> None:
    net = Net((1, 1, 1, 1))
    a = net.conv(net.x, nonzero(2, 1, 1, 1), [2**31 - 1, 0])
    before = net.graph(net.conv(a, nonzero(2, 1, 1, 2), [2**31 - 1, 0]))
    assert remove_dead_work(before) == before


def test_weights_that_two_nodes_share_are_cut_for_one_only() -> None:
    net = Net((1, 2, 2, 3))
    b, m = net.constant(np.zeros(2), "i32"), net.constant(np.full(2, 1 << 22), "i32")
    w = net.constant(nonzero(2, 1, 1, 3))
    attrs = {"strides": (1, 1), "dilations": (1, 1), "pads": (0,) * 4, "groups": 1, "pre_shift": 0}
    a = net.conv(net.x, nonzero(3, 1, 1, 3), [0, UP, 0])
    y, z = (
        net.node("conv2d", [x, w, b, m], (1, 2, 2, 2), **attrs, q_min=-128, q_max=127)
        for x in (a, net.x)
    )
    after = assert_exact(net.graph(y, z))
    assert after.producers[z].inputs[1] == w != after.producers[y].inputs[1]


def test_an_add_loses_channels_that_both_sides_lose() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, nonzero(3, 1, 1, 2), [UP, UP, 0])
    b = net.conv(net.x, nonzero(3, 1, 1, 2), [DOWN, 0, 0])
    total = net.add(a, b)
    after = assert_exact(net.graph(net.conv(total, nonzero(1, 1, 1, 3), [0])))
    assert [width(after, name) for name in (a, b, total)] == [2, 2, 2]


def test_a_residual_that_both_branches_read_keeps_what_one_needs() -> None:
    net = Net((1, 4, 4, 2))
    a = net.conv(net.x, nonzero(3, 1, 1, 2), [UP, 0, 0])
    b = net.conv(a, nonzero(3, 3, 3, 3), [0, 0, 0], pads=(1, 1, 1, 1), strides=(1, 1))
    total = net.add(a, b)
    after = assert_exact(net.graph(net.conv(total, nonzero(1, 1, 1, 3), [0])))
    assert [width(after, name) for name in (a, b, total)] == [3, 3, 3]


def test_concat_loses_channels_of_each_operand_and_of_constants() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, nonzero(3, 1, 1, 2), [0, UP, 0])
    b = net.conv(net.x, nonzero(2, 1, 1, 2), [DOWN, 0])
    parts = [a, net.constant(np.full((1, 2, 2, 2), 7)), b]
    both = net.concat(parts)
    after = assert_exact(net.graph(net.conv(both, nonzero(1, 1, 1, 7), [0])))
    # one channel of the constant stays, an operand can't be empty
    assert [width(after, name) for name in (a, b, both)] == [2, 1, 4]


def test_flatten_before_dense_loses_columns() -> None:
    net = Net((1, 2, 3, 2))
    a = net.conv(net.x, nonzero(4, 1, 1, 2), [0, UP, 0, DOWN])
    flat = net.reshape(a, (1, 24))
    before = net.graph(net.dense(flat, nonzero(5, 24), np.arange(5)))
    after = assert_exact(before)
    assert (width(after, a), width(after, flat)) == (2, 12)
    assert after.tensors[after.nodes[2].inputs[1]].shape == (5, 12)
    assert work_of(before).macs - work_of(after).macs == 2 * 6 * 2 + 5 * 12


def test_slices_take_what_is_left() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, nonzero(6, 1, 1, 2), [UP, 0, UP, 0, 0, UP])
    part, back = net.channels(a, 1, 4), net.channels(a, 4, 3, -1)
    outs = [net.conv(s, nonzero(1, 1, 1, n), [0]) for s, n in ((part, 4), (back, 3))]
    after = assert_exact(net.graph(*outs))
    assert [width(after, name) for name in (a, part, back)] == [3, 3, 2]


def test_every_second_channel_keeps_them_all() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, nonzero(5, 1, 1, 2), [0, UP, 0, 0, UP])
    before = net.graph(net.conv(net.channels(a, 0, 3, 2), nonzero(1, 1, 1, 3), [0]))
    assert assert_exact(before) == before


def test_tables_pools_and_borders_work_channel_by_channel() -> None:
    net = Net((1, 4, 4, 2))
    a = net.conv(net.x, nonzero(3, 1, 1, 2), [0, UP, 0], zero=127)
    b = net.lut(a, np.arange(-128, 128)[::-1])
    c = net.pool("max_pool2d", b, (2, 2), strides=(2, 2))
    d = net.pool("average_pool2d", c, (2, 2))
    after = assert_exact(net.graph(net.conv(d, nonzero(2, 1, 1, 3), [0, 0])))
    assert [width(after, name) for name in (a, b, c, d)] == [2, 2, 2, 2]


def test_a_table_that_is_flat_where_it_is_read_makes_constants() -> None:
    net = Net((1, 2, 2, 1))
    a = net.conv(net.x, np.array([1, 1]).reshape(2, 1, 1, 1), [0, 1 << 16], multiplier=1 << 24)
    assert value_ranges(net.graph(a))[a].low.tolist() == [0, 127]
    net.node("clip", [a], net.types[a], q_min=-128, q_max=100)
    b = net.lut(a, np.where(np.arange(-128, 128) > 50, 3, np.arange(-128, 128)))
    after = assert_exact(net.graph(net.conv(b, nonzero(2, 1, 1, 2), [0, 0])))
    assert width(after, b) == 1


def test_origins_count_the_channels_of_the_model() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, nonzero(5, 1, 1, 2), [0, UP, 0, 0, 0])
    y = net.conv(a, nonzero(2, 1, 1, 5), [0, 0])
    once = assert_exact(net.graph(y))
    node = once.nodes[0]
    saturated = once.tensors[node.inputs[2]].value.copy()
    saturated[2] = DOWN
    again = _with_constant(once, node.inputs[2], saturated)
    assert [r.channel for r in removed_channels(again)] == [3]
    origin = remove_dead_work(again).tensors[a].origin
    assert origin is not None and origin.channels == (0, 2, 4)


def _with_constant(graph: Graph, name: str, data: np.ndarray) -> Graph:
    tensors = {**graph.tensors, name: replace(graph.tensors[name], data=data)}
    return replace(graph, tensors=tensors)


@pytest.mark.parametrize(("dead", "left"), [(1, 10), (2, 8), (5, 8), (6, 4), (9, 4)])
def test_what_is_left_can_be_a_multiple(dead: int, left: int) -> None:
    """Of ten channels; a depthwise convolution keeps the same ones as what it reads."""
    net = Net((1, 3, 3, 2))
    a = net.conv(net.x, nonzero(10, 1, 1, 2), [UP] * dead + [0] * (10 - dead))
    b = net.depthwise(a, nonzero(2, 2, 10), [0] * 10)
    before = net.graph(net.conv(b, nonzero(3, 1, 1, 10), [1, 2, 3]))
    after = remove_dead_work(before, 4)
    verify(after)
    assert width(after, a) == width(after, b) == left
    assert len([r for r in removed_channels(before, 4) if r.tensor == a]) == 10 - left
    assert_same_outputs(before, after, runs=6)
