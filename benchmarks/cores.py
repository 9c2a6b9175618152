"""Whole nets on emulated cores, measured from outside by ../shared/bench: cycles, instructions, flash, RAM, stack.

    python benchmarks/cores.py [--core cortex-m4 ...] [--net kws_int8qdq ...] [--optimize speed] [--opt -O2] [--portable]

Holds cycles of the portable kernels on cortex-m4 and the memory of every net against their goals; exits with
1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from nets import BENCH, INT8, MODELS, family, need_shared, table

from tinycc_ml.backend.emit import write_files
from tinycc_ml.compiler import Compiled, Options, compile

# Modelled cycles in millions of the portable kernels on cortex-m4 at -O2
CYCLES = {"kws": 15.0, "vww": 35.0, "resnet8": 60.0}
# Bytes of the arena without scratch, inputs and outputs at the caller's; scratch may add 2 KB
ARENA = {"ad01": 256, "strww": 6656, "kws": 16000, "resnet8": 49152, "vww": 55296}
SCRATCH = 2048


def measure(compiled: Compiled, core: str, opt: str) -> dict[str, Any]:
    """What the measuring kit says of one run, with static arena, inputs and outputs."""
    program = compiled.program
    ports = (*program.inputs, *program.outputs)
    declared = [
        f"static {program.name}_arena_t arena",
        *(f"static {p.c_type} {p.ident}[{p.size}]" for p in ports),
    ]
    call = f"{program.name}_run(&arena, {', '.join(p.ident for p in ports)})"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "out"
        write_files(compiled.files, folder)
        sources = [
            str(folder / f) for f in compiled.files if f.endswith(".c") and "selftest" not in f
        ]
        command = [
            sys.executable,
            str(BENCH),
            "--core",
            core,
            "--opt",
            opt,
            "--sources",
            *sources,
            "-I",
            str(folder),
        ]
        command += [
            "--cflags",
            "-ffp-contract=off",
            "--include",
            f"{program.name}.h",
            "--call",
            call,
        ]
        for line in declared:
            command += ["--decl", line]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    result: dict[str, Any] = json.loads(done.stdout)
    if "error" in result:
        sys.exit(f"{program.name} on {core}: {result['error']}\n{result.get('stderr', '')}")
    return result


def row(
    net: str, core: str, optimize: str, opt: str, portable: bool
) -> tuple[tuple[object, ...], bool]:
    target = "host" if portable else core
    compiled = compile(MODELS / f"{net}.onnx", target, options=Options(optimize=optimize))
    result = measure(compiled, core, opt)
    sizes, name = result["sizes"], family(net)
    ram = sizes["ram_static"] + result["stack_bytes"]
    ends = sum(p.bytes for p in (*compiled.program.inputs, *compiled.program.outputs))
    arena = compiled.program.arena_bytes
    checks = {"ram": ram <= arena + ends + 1024}
    if name in ARENA:
        checks["arena"] = arena <= ARENA[name] + SCRATCH
    if name in CYCLES and core == "cortex-m4" and opt == "-O2":
        checks["cycles"] = result["cycles"] <= CYCLES[name] * 1e6
    missed = ", ".join(k for k, met in checks.items() if not met)
    cells = (
        net, core, f"{result['cycles'] / 1e6:.3f}", f"{result['instructions'] / 1e6:.3f}",
        f"{result['cycles'] / compiled.program.macs:.2f}", sizes["text"], sizes["flash"], arena,
        compiled.plan.scratch_bytes, ends, result["stack_bytes"], ram, missed or "met",
    )  # fmt: skip
    return cells, not missed


def main() -> int:
    need_shared()
    parser = argparse.ArgumentParser()
    parser.add_argument("--core", nargs="+", default=["cortex-m4"])
    parser.add_argument("--net", nargs="+", default=list(INT8))
    parser.add_argument("--optimize", default="speed")
    parser.add_argument("--opt", default="-O2")
    parser.add_argument(
        "--portable", action="store_true", help="kernels without instruction-set extensions"
    )
    args = parser.parse_args()
    found = [
        row(net, core, args.optimize, args.opt, args.portable)
        for core in args.core
        for net in args.net
    ]
    header = (
        "net", "core", "M cycles", "M instructions", "cycles/MAC", "code", "flash", "arena", "scratch",
        "in+out", "stack", "RAM in all", "goals",
    )  # fmt: skip
    kernels = "portable kernels" if args.portable else "the core's own kernels"
    table(
        f"Whole nets, {kernels}, --optimize {args.optimize}, {args.opt}",
        header,
        [cells for cells, _ in found],
    )
    return 0 if all(met for _, met in found) else 1


if __name__ == "__main__":
    sys.exit(main())
