"""int8-pow2 by shifts alone against the same net with multipliers: cycles and code on parts without a long multiply.

    python benchmarks/shifts.py [NET ...]

Both give the same integers. Exits with 1 where shifts take more cycles.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from compression import problem
from nets import has_data, table

import tinycc_ml
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain.verify_dir import verify_dir

# kws takes more memory than the AVR has
TARGETS = {"digits_mlp": ("cortex-m0plus", "atmega328p"), "digits_cnn": ("cortex-m0plus", "atmega328p"), "kws": ("cortex-m0plus",)}  # fmt: skip
SETTLED = {"quantize": "int8-pow2", "ranges": "min-max", "rounding": "nearest", "bias_correction": False, "equalize": False}  # fmt: skip
SAMPLES = 40


def measured(net: str, name: str, folder: Path) -> tuple[tuple[object, ...], bool]:
    """The cells of a net on a target, and whether shifts are faster."""
    target = load_target(name)
    given = problem(net)
    samples = {"inputs": given.inputs[:SAMPLES]}
    found = []
    # the same part, believed to multiply: its C keeps the multipliers
    for able in (replace(target, features=target.features | {"long_multiply"}), target):
        out = folder / f"{net}_{name}_{len(found)}"
        tinycc_ml.compile(given.path, out, target=able, calibrate=samples, verify=False, **SETTLED)
        found.append(verify_dir(out, target)[1])
    before, after = found
    assert before.cycles is not None and after.cycles is not None
    change = 100 * (after.cycles / before.cycles - 1)
    texts = [f"{n:,}" for n in (before.cycles, after.cycles)]
    cells = (net, name, *texts, f"{change:+.1f}", before.code_bytes, after.code_bytes)
    return cells, change < 0


def main(names: list[str]) -> int:
    rows, good = [], True
    with tempfile.TemporaryDirectory() as folder:
        for net in names or filter(has_data, TARGETS):
            for target in TARGETS.get(net, ("cortex-m0plus",)):
                cells, faster = measured(net, target, Path(folder))
                rows.append(cells)
                good &= faster
    header = ("net", "target", "cycles, multiplied", "shifted", "%", "code", "code shifted")
    table("int8-pow2: requantised by shifts", header, rows)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
