"""Softmax, int8 and float."""

import numpy as np
import pytest

from . import cases


@pytest.mark.parametrize(("rows", "n"), [(1, 1), (1, 10), (3, 2), (2, 65536), (4, 100)])
@pytest.mark.parametrize("k", [256 * 256, 1, 2**17 - 1])
@pytest.mark.parametrize("y_zero_point", [-128, 0, 127])
@pytest.mark.parametrize("logits", ["random", "equal", "far"])
def test_softmax_i8_equals_int64(kernels, rows, n, k, y_zero_point, logits):
    rng = np.random.default_rng(1)
    table = np.round(2**15 * np.exp(-np.arange(256) * 0.06)).astype(np.uint16)
    x = cases.int8(rng, rows, n)
    if logits == "equal":
        x[:] = -128
    if logits == "far":
        x[:, 0], x[:, 1:] = 127, -128
    y = x.copy()
    kernels.call(
        "softmax_i8", {"rows": rows, "n": n, "k": k, "y_zero_point": y_zero_point}, y, table, y
    )
    t = table[x.max(1, keepdims=True).astype(np.int64) - x].astype(np.int64)
    r = t * k // t.sum(1, keepdims=True)
    np.testing.assert_array_equal(y, np.clip(y_zero_point + ((r + 128) >> 8), -128, 127))


@pytest.mark.parametrize(("rows", "n"), [(1, 1), (2, 10), (3, 257)])
def test_softmax_f32_is_close_to_float64(kernels, rows, n):
    """expf is good to about 1 ulp, the sum to n / 2 ulp: 1e-5 relative covers both."""
    x = 30 * cases.float32(np.random.default_rng(2), rows, n)
    y = np.empty_like(x)
    kernels.call("softmax_f32", {"rows": rows, "n": n}, x, y)
    e = np.exp(x.astype(np.float64) - x.max(1, keepdims=True))
    np.testing.assert_allclose(y, e / e.sum(1, keepdims=True), rtol=1e-5, atol=1e-30)
