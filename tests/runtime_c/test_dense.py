"""Dense and matmul, int8 and float."""

import numpy as np
import pytest

from . import cases, naive

SIZES = [(1, 1), (2, 3), (3, 4), (7, 5), (64, 10), (640, 8), (33, 12), (5, 2), (6, 7)]


@pytest.mark.parametrize(("x_len", "y_len"), SIZES)
@pytest.mark.parametrize("span", cases.RANGES)
def test_dense_i8_equals_int64(kernels, x_len, y_len, span):
    rng = np.random.default_rng(0)
    q = {key: v for key, v in cases.RANGES[span].items() if key != "x_zero_point"}
    x, w = cases.int8(rng, x_len), cases.int8(rng, y_len, x_len)
    bias, m = cases.quantisation(rng, y_len, x_len, q["pre_shift"])
    y = np.empty(y_len, np.int8)
    kernels.call("dense_i8", q | {"x_len": x_len, "y_len": y_len}, x, naive.pack(w), bias, m, y)
    acc = naive.dot(x.astype(np.int64), w.astype(np.int64), bias.astype(np.int64))
    np.testing.assert_array_equal(y, naive.output(acc, m, q))


@pytest.mark.parametrize(("x_len", "y_len"), SIZES)
def test_dense_f32_equals_float32_in_order(kernels, x_len, y_len):
    rng = np.random.default_rng(1)
    x, w, bias = (
        cases.float32(rng, x_len),
        cases.float32(rng, y_len, x_len),
        cases.float32(rng, y_len),
    )
    y = np.empty(y_len, np.float32)
    params = {"x_len": x_len, "y_len": y_len, "y_min": -3.0, "y_max": 6.0}
    kernels.call("dense_f32", params, x, naive.pack(w), bias, y)
    np.testing.assert_array_equal(y, np.clip(naive.dot(x, w, bias), -3.0, 6.0))


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (2, 3, 4), (3, 17, 5), (4, 64, 7), (5, 2, 8)])
@pytest.mark.parametrize(
    ("a_zero", "b_zero"), [(0, 0), (-128, 127), (127, -128), (-128, -128), (5, -9)]
)
@pytest.mark.parametrize("pre_shift", [0, 2])
def test_matmul_i8_equals_int64(kernels, m, k, n, a_zero, b_zero, pre_shift):
    rng = np.random.default_rng(2)
    a, b = cases.int8(rng, m, k), cases.int8(rng, k, n)
    multiplier = int(2**32 / (np.sqrt(k) * 150 * 2**pre_shift))
    q = {"y_zero_point": -11, "pre_shift": pre_shift, "y_min": -120, "y_max": 127}
    params = q | {
        "m": m,
        "k": k,
        "n": n,
        "a_zero_point": a_zero,
        "b_zero_point": b_zero,
        "multiplier": multiplier,
    }
    y = np.empty((m, n), np.int8)
    kernels.call("matmul_i8", params, a, b, y)
    acc = (a.astype(np.int64) - a_zero) @ (b.astype(np.int64) - b_zero)
    np.testing.assert_array_equal(y, naive.output(acc, multiplier, q))


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (2, 3, 4), (3, 17, 5), (4, 9, 7)])
def test_matmul_f32_equals_float32_in_order(kernels, m, k, n):
    rng = np.random.default_rng(3)
    a, b = cases.float32(rng, m, k), cases.float32(rng, k, n)
    y = np.empty((m, n), np.float32)
    kernels.call("matmul_f32", {"m": m, "k": k, "n": n, "y_min": -2.0, "y_max": 2.0}, a, b, y)
    acc = naive.dot(a, np.ascontiguousarray(b.T), np.zeros(n, np.float32))
    np.testing.assert_array_equal(y, np.clip(acc, -2.0, 2.0))
