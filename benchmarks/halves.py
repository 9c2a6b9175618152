"""Weights stored as float16 against float32: flash, cycles on emulated cores, SQNR of the outputs on real data.

    python benchmarks/halves.py [NET ...] [--targets cortex-m4 cortex-m0plus]

Exits with 1 below 50 dB, or where a net takes 25 % more cycles.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from nets import OWN, has_data, path_of, real_inputs, table

import tinycc_ml
from tinycc_ml.backend.target import load_target
from tinycc_ml.ir.graph import Graph
from tinycc_ml.reference.compare import sqnr_db
from tinycc_ml.reference.run import outputs
from tinycc_ml.toolchain.verify_dir import verify_dir

NETS = ("digits_cnn", "kws", "strww", "ad01", "mnist_cnn")
LEAST_SQNR = 50.0
MOST_CYCLES = 1.25
SAMPLES = 50


def measured(net: str, target: str, folder: Path) -> tuple[tuple[object, ...], bool]:
    """Cells of a net on a target, and whether they meet the goals."""
    flash, cycles, graphs = [], [], []
    for stored in ("float32", "float16"):
        out = folder / f"{net}_{target}_{stored}"
        made = tinycc_ml.compile(path_of(net), out, target=target, quantize=stored, verify=False)
        flash.append(made.report["totals"]["weights_bytes"])
        cycles.append(verify_dir(out, load_target(target))[1].cycles or 0)
        graphs.append(made.compiled.graph)
    sqnr = sqnr_db(*(_outputs(net, graph) for graph in graphs))
    times = cycles[1] / cycles[0]
    met = sqnr >= LEAST_SQNR and times <= MOST_CYCLES
    texts = [f"{count:,}" for count in (*flash, *cycles)]
    return (net, target, *texts, f"{100 * (times - 1):+.1f}", f"{sqnr:.1f}"), met


def _outputs(net: str, graph: Graph) -> np.ndarray:
    """On the last samples."""
    (name,) = graph.inputs
    inputs, _ = real_inputs("digits" if net in OWN else net)
    runs = (outputs(graph, {name: x.astype(np.float32)}) for x in inputs[-SAMPLES:])
    return np.stack([next(iter(run.values())).ravel() for run in runs])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nets", nargs="*", default=[n for n in NETS if has_data(n)])
    parser.add_argument("--targets", nargs="*", default=("cortex-m4", "cortex-m0plus"))
    asked = parser.parse_args()
    rows, good = [], True
    with tempfile.TemporaryDirectory() as folder:
        for net in asked.nets:
            for target in asked.targets:
                cells, met = measured(net, target, Path(folder))
                rows.append(cells)
                good &= met
    header = ("net", "target", "flash f32", "flash f16", "cycles f32", "cycles f16", "%", "SQNR dB")
    table("weights as float16", header, rows)
    print("\n" + ("all goals met" if good else "goal missed"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
