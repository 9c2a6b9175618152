"""Fourier transforms of many lengths as C, by passes and as the sum, against ONNX's reference evaluator."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tinycc_ml import backend
from tinycc_ml.ops.fft import factors, roots

LENGTHS = (*range(1, 21), 25, 28, 30, 45, 49, 64, 77, 100, 121, 128, 194, 240, 256)
# Of each value and bit of the length, as a part of the largest value: an addition's and a product's rounding.
# The general pass adds up its radix
BOUND = 2.5e-7


def _model(parts: int, shapes: dict[int, int], **attrs: int) -> onnx.ModelProto:
    """A DFT for each length, shapes: of so many values."""
    values, nodes = ([], []), []
    for n, size in shapes.items():
        of_real = parts == 1 or not (attrs.get("inverse") and attrs.get("onesided"))
        nodes.append(helper.make_node("DFT", [f"x{n}", f"n{n}", "axis"], [f"y{n}"], **attrs))
        values[0].append(
            helper.make_tensor_value_info(f"x{n}", TensorProto.FLOAT, [2, size, 3, parts])
        )
        values[1].append(
            helper.make_tensor_value_info(f"y{n}", TensorProto.FLOAT, [2, None, 3, 1 + of_real])
        )
    constants = {"axis": 1, **{f"n{n}": n for n in shapes}}
    tensors = [
        numpy_helper.from_array(np.array(v, np.int64), name) for name, v in constants.items()
    ]
    graph = helper.make_graph(nodes, "transforms", *values, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


@pytest.mark.parametrize(
    ("parts", "attrs"),
    [
        (1, {}),
        (1, {"onesided": 1}),
        (2, {}),
        (2, {"onesided": 1}),
        (2, {"inverse": 1}),
        (2, {"inverse": 1, "onesided": 1}),
    ],
    ids=["real", "half spectrum", "complex", "half of complex", "inverse", "inverse to real"],
)
def test_transforms_of_all_kinds_of_length(parts: int, attrs: dict[str, int]) -> None:
    rng = np.random.default_rng(0)
    to_real = attrs.get("inverse") and attrs.get("onesided")
    # some are cut, some filled with zeros
    wanted = {n: n // 2 + 1 if to_real else n for n in LENGTHS}
    sizes = {n: max(size + (-2, 0, 0, 3)[n % 4], 1) for n, size in wanted.items()}
    model = _model(parts, sizes, **attrs)
    xs = [rng.normal(size=(2, size, 3, parts)).astype(np.float32) for size in sizes.values()]
    exact = ReferenceEvaluator(model).run(
        None, {f"x{n}": x for n, x in zip(sizes, xs, strict=True)}
    )
    for n, got, want in zip(sizes, backend.prepare(model).run(xs), exact, strict=True):
        assert got.shape == want.shape
        peak, steps = float(np.abs(want).max()), np.log2(2 * n) + max(factors(n), default=1)
        np.testing.assert_allclose(
            got, want, rtol=0, atol=BOUND * steps * peak, err_msg=f"length {n}"
        )


def test_passes_take_fours_and_a_two_ahead_of_them() -> None:
    assert [factors(n) for n in (1, 2, 8, 10, 32, 45, 240, 97)] == [
        (), (2,), (2, 4), (2, 5), (2, 4, 4), (3, 3, 5), (4, 4, 3, 5), (97,),
    ]  # fmt: skip


@pytest.mark.parametrize("n", [4, 12, 360, 1000, 1023])
def test_roots_are_the_nearest_numbers_and_quarters_are_exact(n: int) -> None:
    k = np.arange(3 * n)
    np.testing.assert_allclose(roots(n, k), np.exp(-2j * np.pi * k / n), rtol=0, atol=1e-14)
    if n % 4 == 0:
        assert roots(n, n // 4 * np.arange(4)).tolist() == [1, -1j, -1, 1j]
