"""common/tml_fixedpoint.h against 64-bit arithmetic."""

import numpy as np

from tinycc_ml.numerics.fixedpoint import log2_of, root_of

from . import naive

EDGES = [
    -(2**31),
    -(2**31) + 1,
    -(2**16) - 1,
    -(2**16),
    -(2**16) + 1,
    -2,
    -1,
    0,
    1,
    2,
    2**15,
    2**16 - 1,
    2**16,
    2**31 - 1,
]


def test_requantize_is_exact_at_edges_and_at_random(kernels):
    rng = np.random.default_rng(1)
    multipliers = [0, 1, 2**15, 2**16 - 1, 2**16, 2**16 + 1, 2**30, 2**31 - 2, 2**31 - 1]
    edges = np.array([(a, m) for a in EDGES for m in multipliers])
    random = np.stack([rng.integers(-(2**31), 2**31, 50000), rng.integers(0, 2**31, 50000)], 1)
    halves = np.stack(
        [rng.integers(-(2**15), 2**15, 5000) * 2 + 1, np.full(5000, 2**30) << 1 >> 1], 1
    )
    acc, m = np.ascontiguousarray(np.concatenate([edges, random, halves]).T.astype(np.int32))
    y = np.empty_like(acc)
    kernels.call("requantize", None, acc, m, y, len(y))
    np.testing.assert_array_equal(y, naive.requantize(acc, m))


def test_rounding_shift_rounds_halves_up(kernels):
    rng = np.random.default_rng(2)
    values = [v for v in [*EDGES, *rng.integers(-(2**31), 2**31, 200).tolist()] if v > -(2**31)]
    pairs = [(v, s) for v in values for s in range(32) if s == 0 or abs(v) < 2**31 - 2 ** (s - 1)]
    v, s = np.ascontiguousarray(np.array(pairs).T.astype(np.int32))
    y = np.empty_like(v)
    kernels.call("rounding_shift", None, v, s, y, len(y))
    wide = v.astype(np.int64)
    np.testing.assert_array_equal(
        y, np.where(s == 0, wide, (wide + ((1 << s.astype(np.int64)) >> 1)) >> s)
    )


def test_saturate_keeps_both_ends(kernels):
    v = np.array([*EDGES, -129, -128, -127, 126, 127, 128], np.int32)
    y = np.empty(len(v), np.int8)
    kernels.call("saturate_i8", None, v, y, len(y))
    np.testing.assert_array_equal(y, np.clip(v, -128, 127))


def whole_numbers(most_bits):
    """1, powers of two and their neighbours, and as many digits as one likes at random."""
    rng = np.random.default_rng(3)
    powers = 1 << np.arange(most_bits, dtype=np.int64)
    random = rng.integers(1, 1 << most_bits, 20000) >> rng.integers(0, most_bits - 1, 20000)
    return np.maximum(np.concatenate([powers, powers + 1, powers - 1, random]), 1)


def test_log2_and_root_are_those_of_the_reference(kernels):
    v = whole_numbers(62)
    y = np.empty(len(v), np.int32)
    kernels.call("log2_u64", None, v, y, len(v))
    np.testing.assert_array_equal(y, log2_of(v))
    root = np.empty(len(v), np.uint32)
    kernels.call("root_u64", None, v, root, len(v))
    np.testing.assert_array_equal(root, root_of(v))
