"""Structures found in int8 weights, and that nothing but the structure is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ops import packed_weights as packing


def unpacked(blocks: np.ndarray, unit: int) -> np.ndarray:
    """From the groups back to weights; all inputs once, in order."""
    groups = packing.nibble_groups(blocks, unit)
    assert groups is not None
    made = np.zeros(blocks.shape, np.int64)
    for k, block in enumerate(blocks):
        found = groups.of(k)
        assert [g.first for g in found] == [0, *(g.end for g in found[:-1])]
        assert found[-1].end == blocks.shape[2]
        for g in found:
            q = packing.quotients(block, g)
            assert q.min() >= -8 and q.max() <= 7 and g.first % unit == 0
            made[k, :, g.first : g.end] = q * np.array(g.m)[:, None]
    return made


@pytest.mark.parametrize(("size", "unit"), [(1, 1), (7, 1), (32, 2), (40, 8), (300, 1)])
def test_groups_of_any_length_are_found(size: int, unit: int) -> None:
    rng = np.random.default_rng(size)
    m = np.repeat(rng.integers(1, 16, (3, 4, 640 // size + 1)), size, axis=2)[..., :640]
    blocks = (m * rng.integers(-8, 8, m.shape)).astype(np.int8)
    if size == 1:
        assert packing.nibble_groups(blocks, unit) is None  # too short to be of use
    else:
        np.testing.assert_array_equal(unpacked(blocks, unit), blocks)


@pytest.mark.parametrize("value", [-128, 127, 120, -120, 1, 0])
def test_one_value_is_a_group_of_any_length(value: int) -> None:
    blocks = np.full((1, 4, 300), value, np.int8)
    groups = packing.nibble_groups(blocks)
    assert groups is not None and groups.count == 2
    np.testing.assert_array_equal(unpacked(blocks, 1), blocks)


def test_random_int8_has_no_structure() -> None:
    rows = np.random.default_rng(0).integers(-128, 128, (8, 200)).astype(np.int8)
    assert packing.nibbles_bytes(packing.in_blocks(rows)) == np.inf
    assert packing.nibbles_dsp_bytes(rows) == np.inf
    assert packing.palette_of(rows, 16) is None


def test_a_palette_is_filled_up_and_ascending() -> None:
    weights = np.array([[5, -3, 5, 100]], np.int8)
    found = packing.palette_of(weights, 4)
    assert found is not None and found.tolist() == [-3, 5, 100, 0]


def test_zeros_cost_a_bit() -> None:
    weights = np.zeros((4, 8), np.int8)
    weights[1, 3] = 9
    stream = packing.packed_sparse(packing.by_two_inputs(weights))
    assert stream.tolist() == [0, 1 << 5, 9, 0, 0]
