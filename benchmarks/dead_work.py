"""Exact removal of dead work: what goes, and that no output changes, on all the data and on random inputs.

    python benchmarks/dead_work.py [--random 10000]

Each net is compiled to C with and without its dead channels, and both are run on the host. Exits with 1 when
an output differs or a figure is not the expected one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from nets import INT8, MODELS, need_shared, real_inputs, table

import tinycc_ml
from tinycc_ml.numerics.quantization import quantize
from tinycc_ml.passes.remove_dead_work import work_of

# MACs and weights left
EXPECTED = {"vww_int8qdq": (3_727_313, 29_066)}


def row(net: str, count: int, folder: Path) -> tuple[tuple[object, ...], bool]:
    model = MODELS / f"{net}.onnx"
    live = tinycc_ml.compile(model, folder / "live", verify=False)
    tinycc_ml.compile(model, folder / "full", verify=False, keep_dead_work=True)
    type_ = live.compiled.graph.type(live.compiled.graph.inputs[0])
    real, _ = real_inputs(net)
    data = quantize(real.reshape(len(real), *type_.shape[1:]), type_)
    rng = np.random.default_rng(0)
    nets = [tinycc_ml.load(folder / kind) for kind in ("full", "live")]
    wrong = sum(int((nets[0](x) != nets[1](x)).any()) for x in data)
    dead = live.compiled.dead_work
    removed = len(dead.removed) if dead else 0
    count = count if removed else 0  # without removal both are one net
    for _ in range(count):
        x = rng.integers(-128, 127, type_.shape, np.int8, endpoint=True)
        wrong += int((nets[0](x) != nets[1](x)).any())
    left = work_of(live.compiled.graph)
    met = wrong == 0 and EXPECTED.get(net, (left.macs, left.weights)) == (left.macs, left.weights)
    cells = (net, removed, f"{left.macs:,}", f"{left.weights:,}", len(data), count, wrong)
    return (*cells, "yes" if met else "NO"), met


def main() -> int:
    need_shared()
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=10_000)
    count = parser.parse_args().random
    found = []
    for net in INT8:
        with tempfile.TemporaryDirectory() as scratch:
            found.append(row(net, count, Path(scratch)))
    header = (
        "net",
        "channels removed",
        "MACs left",
        "weights left",
        "samples",
        "random",
        "differ",
        "met",
    )
    table("Removal of dead work", header, [cells for cells, _ in found])
    return 0 if all(met for _, met in found) else 1


if __name__ == "__main__":
    sys.exit(main())
