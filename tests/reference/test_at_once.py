"""Many runs at once are what they are one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.ops.case_models import all_cases, inputs_of, model_of
from tests.texts import graph
from tinycc_ml.errors import TinymlError
from tinycc_ml.frontends.onnx import load
from tinycc_ml.ir.graph import Graph
from tinycc_ml.ops import op_of, table
from tinycc_ml.ops.base import Case, Op, Site
from tinycc_ml.reference.at_once import at_once, evaluators_at_once, laid_out, one_by_one
from tinycc_ml.reference.run import run

RUNS = 3
# Sums of products may be taken in another order
BOUND = 1e-6
# What nets are mostly made of: where a rule is lost, trials are many times slower and nothing else tells
AT_ONCE = {
    "add", "average_pool2d", "clip", "concat", "conv2d", "dense", "depthwise_conv2d", "gather", "matmul",
    "max_pool2d", "mul", "normalize", "pad", "prelu", "reduce_mean", "reshape", "resize_linear", "resize_nearest",
    "sigmoid", "slice", "softmax", "transpose",
}  # fmt: skip


def _cases(case: Case) -> Iterator[tuple[Graph, Case]]:
    """The case and, where it is a valid one, with leading axes of 1."""
    shapes = tuple((1, *e[1:]) if isinstance(e, tuple) and e else e for e in case.inputs)
    for one in (False, True):
        tried = replace(case, inputs=shapes) if one else case
        try:
            yield load(model_of(tried)), tried
        except TinymlError:
            assert one


@pytest.mark.parametrize(("op", "case"), all_cases())
def test_runs_at_once_give_what_each_gives_alone(op: Op, case: Case) -> None:
    for made, tried in _cases(case):
        alone = [run(made, inputs) for inputs in inputs_of(tried, RUNS)]
        values = {n: np.stack([r[n] for r in alone]) for n in alone[0]}
        for node in made.nodes:
            if op_of(node).reference is None:
                continue
            results = evaluators_at_once(made)[node.name](values)
            for name, got in zip(node.outputs, results, strict=True):
                peak = np.abs(np.asarray(values[name], np.float64)).max(initial=1.0)
                np.testing.assert_allclose(got, values[name], rtol=0, atol=BOUND * peak)


def test_nets_are_computed_at_once() -> None:
    found = set()
    for op in table().values():
        for case in op.cases if op.name in AT_ONCE else ():
            for made, _ in _cases(case):
                sites = [Site.of(made, node) for node in made.nodes]
                found |= {s.node.op for s in sites if _can(s)}
    assert found >= AT_ONCE


def _can(site: Site) -> bool:
    tensors = [t for t in (*site.inputs, *site.outputs) if not t.is_constant]
    leads = all(t.shape[:1] == (1,) for t in tensors)
    return leads and op_of(site.node).runs(site, 2) is not None


def _graph(size: int) -> Graph:
    return graph(f"input x: f32[{size}]\ny: f32[{size}] = neg(x)\noutput y")


def test_samples_go_in_parts_by_the_size_of_tensors() -> None:
    assert [list(p) for p in at_once(_graph(8), range(5))] == [[0, 1, 2, 3, 4]]
    assert [list(p) for p in at_once(_graph(1 << 18), range(5))] == [[0], [1, 2], [3, 4]]
    assert [list(p) for p in at_once(_graph(1 << 24), (4, 2))] == [[4], [2]]
    assert list(at_once(_graph(8), ())) == []


def test_values_are_laid_out_and_taken_apart() -> None:
    samples = {"x": np.arange(24, dtype=np.float32).reshape(3, 8)}
    values = laid_out(_graph(8), samples, (2, 0))
    np.testing.assert_array_equal(values["x"], samples["x"][[2, 0]])
    np.testing.assert_array_equal(one_by_one(values)[1]["x"], samples["x"][0])
