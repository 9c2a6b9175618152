"""Ranges: the divergence that the entropy method goes by, against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from tinycc_ml.ir.types import I8
from tinycc_ml.numerics.quantization import affine
from tinycc_ml.quant.calibrate import Observed
from tinycc_ml.quant.ranges import Ranges, _divergences, _squared_error, _squared_errors


def _by_definition(counts: np.ndarray, first: int, after: int, levels: int) -> float:
    """sum p log(p / q) over bins, one after the other."""
    size = after - first
    level = [i * min(levels, size) // size for i in range(size)]
    own = [float(c) for c in counts[first:after]]
    met: dict[int, list[float]] = {}
    for k, c in zip(level, own, strict=True):
        met.setdefault(k, []).append(c)
    spread = [
        sum(met[k]) / sum(c > 0 for c in met[k]) if c > 0 else 0.0
        for k, c in zip(level, own, strict=True)
    ]
    clipped = own.copy()
    clipped[0] += counts[:first].sum()
    clipped[-1] += counts[after:].sum()
    p = np.array(clipped) / sum(clipped)
    q = np.maximum(np.array(spread) / max(sum(spread), 1.0), 1e-9)
    return float(sum(a * np.log(a / b) for a, b in zip(p, q, strict=True) if a > 0))


@pytest.mark.parametrize("levels", [4, 256, 65536])
@pytest.mark.parametrize("filled", [1.0, 0.3, 0.01])
def test_divergences_are_what_the_definition_says(levels: int, filled: float) -> None:
    rng = np.random.default_rng(levels)
    counts = rng.integers(1, 50, 300) * (rng.uniform(size=300) < filled)
    counts[150] = 7
    first, after = np.array([0, 0, 20, 149, 150]), np.array([300, 280, 261, 152, 152])
    found = _divergences(counts, first, after, levels)
    wanted = [_by_definition(counts, *ends, levels) for ends in zip(first, after, strict=True)]
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)  # float64 sums in another order


def test_entropy_keeps_the_whole_range_of_values_that_the_integers_hold_exactly() -> None:
    values = np.repeat(np.array([0.0, 1.0, 2.0], np.float32), 40)
    quant = Ranges("entropy", "entropy").activation(Observed(0.0, 2.0, values))
    assert quant.scale0 == np.float32(2.0 / 255) and quant.zero == I8.range[0]


def test_squared_errors_of_many_scales_are_those_of_each() -> None:
    values = np.append(np.random.default_rng(5).normal(size=2000), [-7.5, 0.0, 0.0, 6.25])
    found = [affine(-7.5 * part, 6.25 * part) for part in (1.0, 0.6, 0.25)]
    found += [affine(0.0, 3.0), affine(-3.0, 0.0)]
    wanted = [_squared_error(values, quant, I8) for quant in found]
    made = _squared_errors(np.sort(values), found, I8)
    np.testing.assert_allclose(made, wanted, rtol=1e-9)
