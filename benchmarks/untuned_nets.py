"""Five nets nobody tuned for (untuned_models.py): compiled to int8, verified, profiled on an emulated core.

    python benchmarks/untuned_nets.py [NET ...] [--core cortex-m4] [--optimize speed] [--keep DIR]

Prints cycles per MAC of each net and the nodes that keep it above 1.2; exits with 1 when one needs more than 1.6.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nets import table
from untuned_models import MODELS, written

import tinycc_ml
from tinycc_ml.backend.target import load_target
from tinycc_ml.report.profile import with_profile
from tinycc_ml.toolchain.profile import profile_dir
from tinycc_ml.toolchain.shipped import open_folder

MOST = 1.6  # cycles per MAC
WANTED = 1.2
NODE_HEAD = ("node", "op", "kernel", "result", "MACs", "cycles", "cycles/MAC", "excess")
NET_HEAD = ("net", "MACs", "cycles", "cycles/MAC")
Report = Mapping[str, Any]


def compiled(name: str, core: str, optimize: str, folder: Path) -> Path:
    """The folder with the net's C, calibrated on seeded data and verified on this machine."""
    path, samples = written(name, folder)
    out = folder / name
    made = tinycc_ml.compile(path, out, target=core, calibrate=samples, optimize=optimize)
    if made.report["unverified"]:
        sys.exit(f"{name} was not verified: {made.report['unverified']}")
    return out


def measured(folder: Path, core: str) -> Report:
    profile = profile_dir(folder, load_target(core))
    return with_profile(open_folder(folder).report, profile)


def slow_nodes(report: Report) -> list[tuple[object, ...]]:
    """Nodes that take more than their MACs allow, the most costly first; of those, what counts."""
    ran = [node for node in report["nodes"] if node["cycles"] is not None]
    excess = {node["name"]: node["cycles"] - WANTED * node["macs"] for node in ran}
    ranked = sorted(ran, key=lambda node: -excess[node["name"]])
    whole = report["profiled"]["cycles"]
    return [
        (
            node["name"], node["op"], node["kernel"], _shape(node), node["macs"], node["cycles"],
            f"{node['cycles'] / node['macs']:.2f}" if node["macs"] else "",
            f"{100 * excess[node['name']] / whole:.1f} %",
        )
        for node in ranked
        if excess[node["name"]] > 0.01 * whole
    ]  # fmt: skip


def _shape(node: Report) -> str:
    return "x".join(map(str, node["shape"]))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("net", nargs="*", default=list(MODELS), metavar="NET")
    parser.add_argument("--core", default="cortex-m4")
    parser.add_argument("--optimize", default="speed")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for models and C")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in args.net:
            report = measured(compiled(name, args.core, args.optimize, folder), args.core)
            macs, cycles = report["totals"]["macs"], report["profiled"]["cycles"]
            rows.append((name, macs, cycles, f"{cycles / macs:.2f}"))
            table(
                f"{name}: what keeps it above {WANTED} cycles a MAC (excess: share of the whole net)",
                NODE_HEAD,
                slow_nodes(report),
            )
    table(f"Untuned nets on {args.core}, --optimize {args.optimize}, verified", NET_HEAD, rows)
    return 1 if any(float(row[-1]) > MOST for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
