"""remove_dead_work: channels go that provably change no output, and only those; every output stays the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinycc_ml import frontends
from tinycc_ml.backend.vectors import seeded_samples
from tinycc_ml.compiler import Options, compile
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops import verify
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.passes.remove_dead_work import (
    Removed,
    Work,
    remove_dead_work,
    removed_channels,
    value_ranges,
    work_of,
)
from tinycc_ml.reference.run import outputs, run

from ..integer_nets import SATURATED, Net, random_net
from ..nets.nets import SHARED_FOLDER, shared

UP, DOWN = SATURATED, -SATURATED


def _weights(*shape: int) -> np.ndarray:
    """No zeros."""
    made = np.random.default_rng(1).integers(1, 100, shape)
    return np.where(np.arange(made.size).reshape(shape) % 3 == 0, -made, made)


def _inputs(graph: Graph, seed: int) -> dict[str, np.ndarray]:
    """Random values; every third sample has only the ends of the range, or a few values between."""
    rng = np.random.default_rng(seed)
    made = {}
    for name in graph.inputs:
        type_ = graph.type(name)
        low, high = type_.dtype.range
        values = rng.integers(low, high, type_.shape, endpoint=True)
        if seed % 3 == 1:
            values = rng.choice([low, high], type_.shape)
        elif seed % 3 == 2:
            values = np.full(type_.shape, rng.choice([low, 0, high]))
        made[name] = values.astype(type_.dtype.numpy)
    return made


def assert_exact(before: Graph, runs: int = 6) -> Graph:
    """The graph after the pass: legal, with the same ends and the same outputs; a second pass finds nothing."""
    after = remove_dead_work(before)
    verify(after)
    assert after.inputs == before.inputs and after.outputs == before.outputs
    for name in (*before.inputs, *before.outputs):
        assert after.type(name) == before.type(name)
    for seed in range(runs):
        given = _inputs(before, seed)
        want, got = outputs(before, given), outputs(after, given)
        for name, array in want.items():
            np.testing.assert_array_equal(got[name], array)
    assert remove_dead_work(after) == after
    return after


def _gone(graph: Graph, tensor: str) -> dict[int, Removed]:
    return {r.channel: r for r in removed_channels(graph) if r.tensor == tensor}


def _width(graph: Graph, tensor: str) -> int:
    return graph.type(tensor).shape[-1]


# Constants and dead channels


def test_a_saturated_channel_is_folded_into_the_bias_of_its_reader() -> None:
    net = Net((1, 3, 3, 2), zero=5)
    a = net.conv(net.x, _weights(4, 1, 1, 2), [0, UP, DOWN, 7])
    before = net.graph(net.conv(a, _weights(3, 1, 1, 4), [1, 2, 3]))
    after = assert_exact(before)
    assert _width(after, a) == 2
    assert after.tensors[a].origin is not None and after.tensors[a].origin.channels == (0, 3)
    assert {c: r.value for c, r in _gone(before, a).items()} == {1: 127, 2: -128}
    bias = after.tensors[after.nodes[1].inputs[2]].value
    w = _weights(3, 1, 1, 4)[:, 0, 0].astype(int)
    assert bias.tolist() == (np.array([1, 2, 3]) + 127 * w[:, 1] - 128 * w[:, 2]).tolist()


def test_the_proof_is_the_range_of_the_sum() -> None:
    net = Net((1, 1, 1, 2))
    a = net.conv(net.x, np.array([[3, -2], [90, 90]]).reshape(2, 1, 1, 2), [UP, 0])
    before = net.graph(net.conv(a, _weights(1, 1, 1, 2), [0]))
    (proof,) = removed_channels(before)
    assert (proof.tensor, proof.channel, proof.reason, proof.value) == (a, 0, "constant", 127)
    assert (proof.low, proof.high) == (UP - 128 * 3 - 127 * 2, UP + 127 * 3 + 128 * 2)
    assert proof.node == before.nodes[0].name


@pytest.mark.parametrize(("bias", "width"), [(381, 2), (382, 1)])
def test_the_last_value_that_saturates_decides(bias: int, width: int) -> None:
    """With a multiplier just below 1/2 a sum of 254 gives 127, one of 253 gives 126; x is -128 at least."""
    net = Net((1, 1, 1, 1))
    ones = np.ones((2, 1, 1, 1), int)
    a = net.conv(net.x, ones, [0, bias], multiplier=(1 << 31) - 1)
    after = assert_exact(net.graph(net.conv(a, _weights(1, 1, 1, 2), [0])), runs=1)
    assert _width(after, a) == width


def test_a_channel_of_weights_zero_is_constant_where_it_is_read() -> None:
    net = Net((1, 2, 2, 1))
    weights = _weights(3, 1, 1, 1)
    weights[1] = 0
    a = net.conv(net.x, weights, [0, 12345, 0])
    before = net.graph(net.conv(a, _weights(2, 1, 1, 3), [0, 0]))
    assert _width(assert_exact(before), a) == 2
    assert _gone(before, a)[1].value == 48


def test_a_channel_that_nothing_reads_goes_and_so_does_what_only_it_reads() -> None:
    net = Net((1, 3, 3, 2))
    a = net.conv(net.x, _weights(3, 1, 1, 2), [0, 0, 0])
    only_first = _weights(2, 1, 1, 3)
    only_first[1, ..., :2] = 0
    only_first[0, ..., 2] = 0
    b = net.conv(a, only_first, [0, 0])
    reads_first = _weights(2, 1, 1, 2)
    reads_first[..., 1] = 0
    before = net.graph(net.conv(b, reads_first, [0, 0]))
    after = assert_exact(before)
    assert (_width(after, a), _width(after, b)) == (2, 1)
    assert {r.reason for r in removed_channels(before)} == {"never read"}


def test_what_a_saturated_channel_reads_is_not_read() -> None:
    net = Net((1, 3, 3, 2))
    a = net.conv(net.x, _weights(2, 1, 1, 2), [0, 0])
    apart = np.array([[50, 0], [0, 50]]).reshape(2, 1, 1, 2)
    b = net.conv(a, apart, [0, UP])
    before = net.graph(net.conv(b, _weights(2, 1, 1, 2), [0, 0]))
    after = assert_exact(before)
    assert (_width(after, a), _width(after, b)) == (1, 1)


def test_a_net_without_dead_work_stays_as_it_is() -> None:
    net = Net((1, 4, 4, 2), zero=-3)
    a = net.conv(net.x, _weights(3, 3, 3, 2), [0, 9, -9], pads=(1, 1, 1, 1))
    before = net.graph(net.depthwise(a, _weights(3, 3, 3), [0, 0, 0]))
    assert assert_exact(before) == before
    assert removed_channels(before) == ()


# Public ends, and what must stay


def test_inputs_and_outputs_keep_their_channels() -> None:
    net = Net((1, 2, 2, 3))
    weights = _weights(3, 1, 1, 3)
    weights[..., 1] = 0
    a = net.conv(net.x, weights, [0, UP, 0])
    b = net.conv(a, _weights(2, 1, 1, 3), [DOWN, 0])
    before = net.graph(a, b)
    assert assert_exact(before) == before


def test_a_constant_output_needs_nothing_of_what_it_is_made_of() -> None:
    net = Net((1, 2, 2, 3))
    a = net.conv(net.x, _weights(4, 1, 1, 3), [0, 0, 0, 0])
    before = net.graph(net.conv(a, _weights(2, 1, 1, 4), [UP, DOWN]))
    assert _width(assert_exact(before), a) == 1


def test_one_channel_of_a_constant_tensor_stays() -> None:
    net = Net((1, 2, 2, 1))
    a = net.conv(net.x, _weights(3, 1, 1, 1), [UP, DOWN, UP])
    b = net.depthwise(a, _weights(2, 2, 3), [1, 2, 3])
    after = assert_exact(net.graph(net.conv(b, _weights(2, 1, 1, 3), [0, 0])))
    assert (_width(after, a), _width(after, b)) == (1, 1)


def test_a_reader_that_has_no_rule_keeps_all_channels() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, _weights(4, 1, 1, 2), [0, UP, 0, 0])
    grouped = net.conv(a, _weights(4, 1, 1, 2), [0, 0, 0, 0], groups=2)
    before = net.graph(net.conv(a, _weights(1, 1, 1, 4), [0]), grouped)
    assert assert_exact(before) == before


def test_a_net_that_could_overflow_is_left_to_be_refused() -> None:
    net = Net((1, 1, 1, 1))
    a = net.conv(net.x, _weights(2, 1, 1, 1), [2**31 - 1, 0])
    before = net.graph(net.conv(a, _weights(2, 1, 1, 2), [2**31 - 1, 0]))
    assert remove_dead_work(before) == before


def test_weights_that_two_nodes_share_are_cut_for_one_only() -> None:
    net = Net((1, 2, 2, 3))
    b, m = net.constant(np.zeros(2), "i32"), net.constant(np.full(2, 1 << 22), "i32")
    w = net.constant(_weights(2, 1, 1, 3))
    attrs = {"strides": (1, 1), "dilations": (1, 1), "pads": (0,) * 4, "groups": 1, "pre_shift": 0}
    a = net.conv(net.x, _weights(3, 1, 1, 3), [0, UP, 0])
    y, z = (
        net.node("conv2d", [x, w, b, m], (1, 2, 2, 2), **attrs, q_min=-128, q_max=127)
        for x in (a, net.x)
    )
    after = assert_exact(net.graph(y, z))
    assert after.producers[z].inputs[1] == w != after.producers[y].inputs[1]


# Borders: padding is the zero point, not the constant


def _padded(zero: int, **attrs: object) -> tuple[Graph, str]:
    net = Net((1, 5, 5, 2))
    a = net.conv(net.x, _weights(3, 1, 1, 2), [0, UP, 0], zero=zero)
    weights = _weights(2, 3, 3, 3)
    bias = -zero * weights[..., [0, 2]].sum(axis=(1, 2, 3)) - 127 * weights[..., 1].sum(axis=(1, 2))
    return net.graph(net.conv(a, weights, bias, **attrs)), a


@pytest.mark.parametrize("zero", [-128, 0, 126, 127])
@pytest.mark.parametrize("pads", [(1, 1, 1, 1), (0, 1, 0, 0), (0, 0, 2, 0)])
def test_a_constant_at_a_border_goes_only_as_the_zero_point(zero: int, pads: tuple[int, ...]) -> None:
    before, a = _padded(zero, pads=pads)
    assert _width(assert_exact(before), a) == (2 if zero == 127 else 3)


def test_padding_that_no_window_reaches_is_no_border() -> None:
    before, a = _padded(0, pads=(0, 0, 1, 1), strides=(2, 2), dilations=(2, 2))
    assert _width(assert_exact(before), a) == 2


def test_a_constant_goes_when_the_weights_that_reach_the_border_are_zero() -> None:
    net = Net((1, 4, 4, 1))
    a = net.conv(net.x, _weights(2, 1, 1, 1), [UP, 0], zero=-128)
    weights = _weights(2, 3, 3, 2)
    weights[:, 0, :, 0] = 0
    before = net.graph(net.conv(a, weights, [0, 0], pads=(1, 0, 0, 0)))
    assert _width(assert_exact(before), a) == 1


@pytest.mark.parametrize(("zero", "width"), [(127, 1), (0, 2)])
def test_depthwise_on_a_constant_is_constant_unless_a_border_shows(zero: int, width: int) -> None:
    net = Net((1, 4, 4, 1))
    a = net.conv(net.x, _weights(2, 1, 1, 1), [UP, 0], zero=zero)
    b = net.depthwise(a, _weights(3, 3, 2), [5, 6], pads=(1, 1, 1, 1))
    after = assert_exact(net.graph(net.conv(b, _weights(1, 1, 1, 2), [0])))
    assert (_width(after, a), _width(after, b)) == (width, width)


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


# Ops between


def test_an_add_loses_channels_that_both_sides_lose() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, _weights(3, 1, 1, 2), [UP, UP, 0])
    b = net.conv(net.x, _weights(3, 1, 1, 2), [DOWN, 0, 0])
    total = net.add(a, b)
    after = assert_exact(net.graph(net.conv(total, _weights(1, 1, 1, 3), [0])))
    assert [_width(after, name) for name in (a, b, total)] == [2, 2, 2]


def test_a_residual_that_both_branches_read_keeps_what_one_needs() -> None:
    net = Net((1, 4, 4, 2))
    a = net.conv(net.x, _weights(3, 1, 1, 2), [UP, 0, 0])
    b = net.conv(a, _weights(3, 3, 3, 3), [0, 0, 0], pads=(1, 1, 1, 1), strides=(1, 1))
    total = net.add(a, b)
    after = assert_exact(net.graph(net.conv(total, _weights(1, 1, 1, 3), [0])))
    assert [_width(after, name) for name in (a, b, total)] == [3, 3, 3]


def test_concat_loses_channels_of_each_operand_and_of_constants() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, _weights(3, 1, 1, 2), [0, UP, 0])
    b = net.conv(net.x, _weights(2, 1, 1, 2), [DOWN, 0])
    parts = [a, net.constant(np.full((1, 2, 2, 2), 7)), b]
    both = net.concat(parts)
    after = assert_exact(net.graph(net.conv(both, _weights(1, 1, 1, 7), [0])))
    # one channel of the constant stays, an operand can't be empty
    assert [_width(after, name) for name in (a, b, both)] == [2, 1, 4]


def test_flatten_before_dense_loses_columns() -> None:
    net = Net((1, 2, 3, 2))
    a = net.conv(net.x, _weights(4, 1, 1, 2), [0, UP, 0, DOWN])
    flat = net.reshape(a, (1, 24))
    before = net.graph(net.dense(flat, _weights(5, 24), np.arange(5)))
    after = assert_exact(before)
    assert (_width(after, a), _width(after, flat)) == (2, 12)
    assert after.tensors[after.nodes[2].inputs[1]].shape == (5, 12)
    assert work_of(before).macs - work_of(after).macs == 2 * 6 * 2 + 5 * 12


def test_slices_take_what_is_left() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, _weights(6, 1, 1, 2), [UP, 0, UP, 0, 0, UP])
    part, back = net.channels(a, 1, 4), net.channels(a, 4, 3, -1)
    outs = [net.conv(s, _weights(1, 1, 1, n), [0]) for s, n in ((part, 4), (back, 3))]
    after = assert_exact(net.graph(*outs))
    assert [_width(after, name) for name in (a, part, back)] == [3, 3, 2]


def test_every_second_channel_keeps_them_all() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, _weights(5, 1, 1, 2), [0, UP, 0, 0, UP])
    before = net.graph(net.conv(net.channels(a, 0, 3, 2), _weights(1, 1, 1, 3), [0]))
    assert assert_exact(before) == before


def test_tables_pools_and_borders_work_channel_by_channel() -> None:
    net = Net((1, 4, 4, 2))
    a = net.conv(net.x, _weights(3, 1, 1, 2), [0, UP, 0], zero=127)
    b = net.lut(a, np.arange(-128, 128)[::-1])
    c = net.pool("max_pool2d", b, (2, 2), strides=(2, 2))
    d = net.pool("average_pool2d", c, (2, 2))
    after = assert_exact(net.graph(net.conv(d, _weights(2, 1, 1, 3), [0, 0])))
    assert [_width(after, name) for name in (a, b, c, d)] == [2, 2, 2, 2]


def test_a_table_that_is_flat_where_it_is_read_makes_constants() -> None:
    net = Net((1, 2, 2, 1))
    a = net.conv(net.x, np.array([1, 1]).reshape(2, 1, 1, 1), [0, 1 << 16], multiplier=1 << 24)
    assert value_ranges(net.graph(a))[a].low.tolist() == [0, 127]
    net.node("clip", [a], net.types[a], q_min=-128, q_max=100)
    b = net.lut(a, np.where(np.arange(-128, 128) > 50, 3, np.arange(-128, 128)))
    after = assert_exact(net.graph(net.conv(b, _weights(2, 1, 1, 2), [0, 0])))
    assert _width(after, b) == 1


def test_origins_count_the_channels_of_the_model() -> None:
    net = Net((1, 2, 2, 2))
    a = net.conv(net.x, _weights(5, 1, 1, 2), [0, UP, 0, 0, 0])
    y = net.conv(a, _weights(2, 1, 1, 5), [0, 0])
    once = assert_exact(net.graph(y))
    node = once.nodes[0]
    saturated = once.tensors[node.inputs[2]].value.copy()
    saturated[2] = DOWN
    again = _with_constant(once, node.inputs[2], saturated)
    assert [r.channel for r in removed_channels(again)] == [3]
    origin = remove_dead_work(again).tensors[a].origin
    assert origin is not None and origin.channels == (0, 2, 4)


def _with_constant(graph: Graph, name: str, data: np.ndarray) -> Graph:
    from dataclasses import replace

    tensors = {**graph.tensors, name: replace(graph.tensors[name], data=data)}
    return replace(graph, tensors=tensors)


# Any net


@pytest.mark.parametrize("seed", range(80))
def test_random_nets_give_the_same_outputs(seed: int) -> None:
    assert_exact(random_net(seed))


@pytest.mark.parametrize("seed", range(40))
def test_values_stay_in_their_ranges(seed: int) -> None:
    graph = random_net(seed)
    assert_in_ranges(graph, [_inputs(graph, k) for k in range(6)])


def test_random_nets_have_dead_work_of_both_kinds() -> None:
    found = [r.reason for seed in range(80) for r in removed_channels(random_net(seed))]
    assert found.count("constant") > 100
    assert found.count("never read") > 50


def assert_in_ranges(graph: Graph, samples: list[dict[str, np.ndarray]]) -> None:
    ranges = value_ranges(graph)
    for sample in samples:
        for name, values in run(graph, sample).items():
            if graph.type(name).quant is not None:
                assert (values >= ranges[name].low).all() and (values <= ranges[name].high).all(), name


def test_the_c_of_what_is_left_gives_every_tensor(tmp_path: Path) -> None:
    from tinycc_ml.backend.choose import choose
    from tinycc_ml.backend.emit import emit
    from tinycc_ml.backend.spell import spell
    from tinycc_ml.backend.target import load_target
    from tinycc_ml.backend.vectors import make_vectors
    from tinycc_ml.reference.compare import first_difference
    from tinycc_ml.toolchain.trace import TracedModel

    after = assert_exact(random_net(7))
    program = spell(choose(after, load_target("host")))
    files = emit(program, make_vectors(after, program, seeded_samples(after)))
    traced = TracedModel(program, files, tmp_path)
    for seed in range(6):
        given = _inputs(after, seed)
        assert first_difference(after, run(after, given), traced.run(given), 0.0) is None


# The nets of ../shared


def _integer(path: Path) -> Graph:
    return run_passes(run_passes(frontends.load(path), FLOAT), integer_passes())


@pytest.mark.parametrize("path", shared(("vww_int8qdq",)))
def test_vww_loses_half_of_its_work_and_no_bit_of_its_output(path: Path) -> None:
    before = _integer(path)
    after = assert_exact(before, runs=3)
    assert work_of(before) == Work(7489664, 208112)
    assert work_of(after) == Work(3727313, 29066)
    with np.load(SHARED_FOLDER.parent / "data" / "photos_96x96x3.npz") as arrays:
        photos = next(arrays[k] for k in arrays.files if arrays[k].ndim == 4)
    for photo in photos[:: len(photos) // 20]:
        sample = {"input": (photo.astype(np.int16) - 128).astype(np.int8)}
        np.testing.assert_array_equal(outputs(after, sample)["output"], outputs(before, sample)["output"])


@pytest.mark.parametrize("path", shared(("kws_int8qdq", "kws_ortq", "resnet8_int8qdq", "strww_int8qdq", "ad01_int8qdq")))
def test_nothing_is_removed_without_a_proof(path: Path) -> None:
    before = _integer(path)
    assert removed_channels(before) == ()
    assert remove_dead_work(before) == before


@pytest.mark.parametrize("path", shared(("hello_world_int8qdq",)))
def test_the_compiler_can_be_told_to_keep_it(path: Path) -> None:
    without, kept = compile(path), compile(path, options=Options(keep_dead_work=True))
    assert kept.dead_work is None and without.dead_work is not None
    assert without.program.macs == without.dead_work.after.macs
    assert kept.program.macs == without.dead_work.before.macs
