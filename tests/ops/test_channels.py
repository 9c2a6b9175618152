"""Op.interval and Op.channels of every op, on the integer nodes that its cases become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Tensor, constant
from tinycc_ml.ops import infer, op_of
from tinycc_ml.ops.base import Case, Op, Site
from tinycc_ml.ops.channels import Channels, Cut
from tinycc_ml.ops.intervals import Interval, all_values, channels_of, known_values
from tinycc_ml.passes import FLOAT, integer_passes, run_passes
from tinycc_ml.quant.calibrate import calibrate
from tinycc_ml.quant.quantize import quantize
from tinycc_ml.quant.ranges import Ranges

from .case_models import all_cases, inputs_of, model_of

TRIES = 6
Arrays = list[np.ndarray]


def _sites(case: Case) -> Iterator[Site]:
    """The integer nodes of a case."""
    graph = run_passes(load(model_of(case)), FLOAT)
    samples = {name: np.stack([s[name] for s in inputs_of(case, 4)]) for name in graph.inputs}
    marked = quantize(graph, calibrate(graph, samples)[0], Ranges("min-max"))
    integer = run_passes(marked, integer_passes())
    for node in integer.nodes:
        site = Site.of(integer, node)
        if site.y.quant is not None and not site.x.dtype.is_float:
            yield site


def _float_sites(case: Case) -> Iterator[Site]:
    """The float nodes of a case that have channels to take out."""
    graph = run_passes(load(model_of(case)), FLOAT)
    for node in graph.nodes:
        site = Site.of(graph, node)
        if site.is_float and site.x.dtype.is_float and len(node.outputs) == 1:
            yield site


def _ranges(rng: np.random.Generator, site: Site) -> list[Interval]:
    return [known_values(t) if t.is_constant else _range(rng, t) for t in site.inputs]


def _range(rng: np.random.Generator, tensor: Tensor) -> Interval:
    """Full, narrow or a single value, by channel."""
    whole = all_values(tensor.type)
    ends = rng.integers(whole.low[0], whole.high[0], (2, len(whole.low)), endpoint=True)
    kind = rng.integers(3, size=len(whole.low))
    low = np.choose(kind, [whole.low, ends.min(axis=0), ends[0]])
    return Interval(low, np.choose(kind, [whole.high, ends.max(axis=0), ends[0]]))


def _values(rng: np.random.Generator, site: Site, ranges: list[Interval], sample: int) -> Arrays:
    """Within the ranges; of the first samples only their ends."""
    return [_drawn(rng, t, r, sample) for t, r in zip(site.inputs, ranges, strict=True)]


def _drawn(rng: np.random.Generator, tensor: Tensor, range_: Interval, sample: int) -> np.ndarray:
    if tensor.data is not None:
        return tensor.data
    values = rng.integers(range_.low, range_.high, tensor.shape or (1,), endpoint=True)
    ends = (
        rng.choice([range_.low[0], range_.high[0]]),
        np.where(rng.random(values.shape) < 0.5, range_.low, range_.high),
    )
    chosen = (
        (range_.low + 0 * values, range_.high + 0 * values, ends[1])[sample]
        if sample < 3
        else values
    )
    return chosen.astype(tensor.type.dtype.numpy).reshape(tensor.shape)


def _run(site: Site, arrays: Arrays) -> np.ndarray:
    integer = op_of(site.node).integer
    assert integer is not None
    return integer(site, arrays)[0]


@pytest.mark.parametrize(("op", "case"), all_cases(integer=True))
def test_results_stay_in_their_interval(op: Op, case: Case) -> None:
    rng = np.random.default_rng(3)
    for site in _sites(case):
        rule = op_of(site.node).interval
        for _ in range(TRIES if rule else 0):
            ranges = _ranges(rng, site)
            (found,) = rule(site, ranges)  # type: ignore[misc]
            assert found.low.shape == found.high.shape == (channels_of(site.y),)
            for sample in range(TRIES):
                y = _run(site, _values(rng, site, ranges, sample))
                assert (y >= found.low).all() and (y <= found.high).all()


@pytest.mark.parametrize(("op", "case"), all_cases(integer=True))
def test_what_is_left_after_a_cut_has_its_values(op: Op, case: Case) -> None:
    rng = np.random.default_rng(4)
    for site in _sites(case):
        rule = op_of(site.node).channels(site)
        for _ in range(TRIES if rule else 0):
            assert rule is not None
            ranges = _ranges(rng, site)
            cut = _settled(rule, _cut(rng, site, ranges))
            arrays = _values(rng, site, ranges, 5)
            for k, tensor in enumerate(site.inputs):
                if not tensor.is_constant:
                    gone = cut.operands[k]
                    arrays[k][..., gone] = cut.values[k][gone]
            left = _left(site, rule, cut)
            after = [
                t.value if t.is_constant else a[..., ~gone]
                for t, a, gone in zip(left.inputs, arrays, cut.operands, strict=True)
            ]
            np.testing.assert_array_equal(_run(left, after), _run(site, arrays)[..., ~cut.result])


@pytest.mark.parametrize(("op", "case"), all_cases(integer=False))
def test_float_channels_of_zeros_leave_the_others_as_they_are(op: Op, case: Case) -> None:
    rng = np.random.default_rng(6)
    for site in _float_sites(case):
        rule, reference = op_of(site.node).channels(site), op_of(site.node).reference
        for _ in range(2 if rule else 0):
            assert rule is not None and reference is not None
            zeros = [np.zeros(channels_of(t.type)) for t in site.inputs]
            cut = _settled(rule, _cut(rng, site, [Interval(z, z) for z in zeros]))
            arrays = [
                t.value if t.is_constant else _with_zeros(rng, t, gone)
                for t, gone in zip(site.inputs, cut.operands, strict=True)
            ]
            left = _left(site, rule, cut)
            after = [
                t.value if t.is_constant else a[..., ~gone]
                for t, a, gone in zip(left.inputs, arrays, cut.operands, strict=True)
            ]
            y = reference(arrays, site.attrs)[0][..., ~cut.result]
            # sums of fewer terms round otherwise: a few ulps of the largest
            np.testing.assert_allclose(
                reference(after, left.attrs)[0], y, rtol=1e-4, atol=1e-5 * (1 + np.abs(y).max())
            )


def _with_zeros(rng: np.random.Generator, tensor: Tensor, gone: np.ndarray) -> np.ndarray:
    values = rng.uniform(0.5, 2, tensor.shape).astype(tensor.type.dtype.numpy)
    return np.where(gone, values.dtype.type(0), values)


def _cut(rng: np.random.Generator, site: Site, ranges: list[Interval]) -> Cut:
    def some(tensor: Tensor) -> np.ndarray:
        count = channels_of(tensor.type)
        gone = rng.random(count) < rng.choice([0.1, 0.5, 0.9])
        gone[rng.integers(count)] = False
        return gone | tensor.is_constant

    values = tuple(r.low for r in ranges)
    return Cut(tuple(some(t) for t in site.inputs), values, some(site.outputs[0]))


def _settled(rule: Channels, cut: Cut) -> Cut:
    while True:
        after = rule.possible(cut)
        masks = zip((*after.operands, after.result), (*cut.operands, cut.result), strict=True)
        pairs = list(masks)
        assert all(not (now & ~was).any() for now, was in pairs), "more than was asked for"
        if all(np.array_equal(now, was) for now, was in pairs):
            return after
        cut = after


def _left(site: Site, rule: Channels, cut: Cut) -> Site:
    made = rule.without(cut)
    inputs = []
    for k, (tensor, gone) in enumerate(zip(site.inputs, cut.operands, strict=True)):
        if k in made.constants:
            data = made.constants[k]
            inputs.append(constant(tensor.name, tensor.type.with_shape(data.shape), data))
        elif tensor.is_constant or not gone.any():
            inputs.append(tensor)
        else:
            inputs.append(
                replace(
                    tensor, type=tensor.type.with_shape((*tensor.shape[:-1], int((~gone).sum())))
                )
            )
    node = replace(site.node, attrs=made.attrs)
    (type_,) = infer(node.op, [t.type for t in inputs], node.attrs)
    count = int((~cut.result).sum())
    assert type_.shape == ((*site.y.shape[:-1], count) if site.y.rank else ())
    return Site(
        node, tuple(inputs), (replace(site.outputs[0], type=site.y.with_shape(type_.shape)),)
    )


@pytest.mark.parametrize(("op", "case"), all_cases(integer=True))
def test_channels_that_are_not_read_make_no_difference(op: Op, case: Case) -> None:
    rng = np.random.default_rng(5)
    for site in _sites(case):
        rule = op_of(site.node).channels(site)
        for _ in range(TRIES if rule else 0):
            assert rule is not None
            live = rng.random(channels_of(site.y)) < 0.4
            ranges = [all_values(t.type) for t in site.inputs]
            arrays, others = (_values(rng, site, ranges, 5) for _ in range(2))
            for k, read in enumerate(rule.reads(live)):
                if not site.inputs[k].is_constant:
                    others[k] = np.where(read, arrays[k], others[k])
            np.testing.assert_array_equal(
                _run(site, others)[..., live], _run(site, arrays)[..., live]
            )
