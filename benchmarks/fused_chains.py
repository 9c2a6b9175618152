"""What chains of element-wise operators gain as one loop nest (passes/fuse_chains.py): exported nets with and without.

    python benchmarks/fused_chains.py [NET ...] [--core cortex-m4]

NET: files of tests/exported/files. Prints steps, bytes of code and of the arena, and instructions counted on the emulator.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from nets import ROOT, table

import tinycc_ml
from tinycc_ml import compiler
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain.verify import verify_dir

FILES = ROOT / "tests" / "exported" / "files"
NETS = ("keras_encoder", "keras_gru", "torch_residual_half_ts")
HEAD = ("net", "chains", "steps", "code", "arena", "instructions")


def figures(name: str, core: str, fused: bool) -> tuple[int, int, int, int, int]:
    """Chains, steps, bytes of code and arena, instructions of a run; float32."""
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as folder:
        out = Path(folder)
        with patch.object(
            compiler, "fuse_chains", compiler.fuse_chains if fused else lambda graph: graph
        ):
            made = tinycc_ml.compile(FILES / f"{name}.onnx", out, target=core, verify=False)
        verified, measured = verify_dir(out, load_target(core))
        if not verified.equal:
            raise SystemExit(f"{name} is wrong on {core}: {verified}")
        nodes = made.compiled.graph.nodes
        chains = sum(node.op == "chain" for node in nodes)
        arena = made.report["totals"]["arena_bytes"]
        return chains, len(nodes), measured.code_bytes or 0, arena, measured.instructions or 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("net", nargs="*", default=list(NETS))
    parser.add_argument("--core", default="cortex-m4")
    args = parser.parse_args()
    rows = [
        (f"{name}, {'fused' if fused else 'apart'}", *figures(name, args.core, fused))
        for name in args.net
        for fused in (False, True)
    ]
    table(f"Chains of element-wise operators, float32 on {args.core}", HEAD, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
