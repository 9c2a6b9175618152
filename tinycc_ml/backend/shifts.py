"""Models all of whose multipliers are powers of two, for parts without a long multiply: results are requantised by a
rounding shift alone, the same bit for bit (numerics.md §2), and what multiplies is not even linked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..ops.base import Kernel, Nest, Site
from .choose import Plan
from .emit import runtime_files

# What requantises by a multiplier or, with TML_MULTIPLIERS_ARE_SHIFTS, by a shift
_OUTPUT = "tml_output_i8("
_DEFINED_IN = "common/tml_fixedpoint.h"
_MULTIPLIER = "multiplier"


def shifts_serve(plan: Plan, nests: Iterable[Nest]) -> bool:
    """Whether the target takes multiplications apart, shifts can take the place of all multipliers that the plan's
    kernels requantise by, and no nest requantises that way."""
    if "long_multiply" in plan.target.features or any(_OUTPUT in str(n.body) for n in nests):
        return False
    chosen = ((plan.chosen.get(node.name), Site.of(plan.graph, node)) for node in plan.steps)
    kernels = [(c.kernel, site) for c, site in chosen if c is not None and c.kernel is not None]
    ends = [(kernel, site) for kernel, site in kernels if _requantises(kernel)]
    return bool(ends) and all(_has_shifts(kernel, site) for kernel, site in ends)


def packed_arrays(kernel: Kernel, site: Site, shifts: bool) -> tuple[tuple[str, np.ndarray], ...]:
    """The kernel's constants, with `shifts` numbers of bits in place of multipliers that it requantises by."""
    arrays = kernel.arrays(site)
    if not (shifts and kernel.shifts and _MULTIPLIER in dict(arrays)):
        return arrays
    bits = shifts_of(dict(arrays)[_MULTIPLIER], site)
    assert bits is not None
    return tuple((name, bits if name == _MULTIPLIER else values) for name, values in arrays)


def _requantises(kernel: Kernel) -> bool:
    texts = runtime_files([f"{kernel.folder}/{kernel.name}.h"])
    return any(_OUTPUT in text for path, text in texts.items() if not path.endswith(_DEFINED_IN))


def _has_shifts(kernel: Kernel, site: Site) -> bool:
    if not kernel.shifts:
        return False
    arrays = dict(kernel.arrays(site))
    return shifts_of(arrays[_MULTIPLIER], site) is not None


def shifts_of(multiplier: np.ndarray, site: Site) -> np.ndarray | None:
    """int32: the bits by which a rounding shift does what multipliers 2^e and the pre-shift do; None where they
    are no powers of two, or no shift of 0..31."""
    values = multiplier.astype(np.int64)
    if (values <= 0).any() or (values & (values - 1)).any():
        return None
    bits = 32 - site.attrs["pre_shift"] - np.log2(values).astype(np.int64)
    return bits.astype(np.int32) if ((bits >= 0) & (bits <= 31)).all() else None
