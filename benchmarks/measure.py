"""One figure: a net compiled for a core, linked with static arena, inputs and outputs, and run once."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from nets import BENCH, Net

from tinycc_ml.backend.emit import write_files
from tinycc_ml.backend.program import Program
from tinycc_ml.backend.target import load_target
from tinycc_ml.compiler import Compiled, Options, compile
from tinycc_ml.toolchain import Image, build_image, run_image


def flag_of(optimize: str) -> str:
    """What the C compiler is told for a goal."""
    return "-Os" if optimize == "size" else "-O2"


@dataclass(frozen=True)
class Case:
    """What is measured. portable: kernels without instruction-set extensions; io: caller or arena; ram: the
    most the arena may take, in bytes."""

    net: Net
    core: str
    optimize: str
    portable: bool = False
    io: str = "caller"
    opt: str | None = None
    ram: float = inf
    keep_dead_work: bool = False

    @property
    def options(self) -> Options:
        return Options(
            optimize=self.optimize, io=self.io, ram=self.ram, keep_dead_work=self.keep_dead_work
        )

    @property
    def flag(self) -> str:
        return self.opt or flag_of(self.optimize)

    @property
    def key(self) -> str:
        """In the baseline."""
        return f"{self.core}/{self.net.name}/{self.optimize}"


@dataclass(frozen=True)
class Figures:
    """Of one run of the linked program, less an empty one. Bytes; ram: static data and stack; ends:
    inputs and outputs."""

    macs: int
    cycles: int
    instructions: int
    flash: int
    constants: int
    ram: int
    stack: int
    arena: int
    scratch: int
    ends: int

    @property
    def code(self) -> int:
        return self.flash - self.constants


def measure(case: Case, options: Options | None = None) -> Figures:
    """Nets with samples by our own toolchain; those of ../shared by ../shared/bench, the outside judge.
    options: others than those of the case."""
    target = "host" if case.portable else case.core
    asked = case.options if options is None else replace(options, optimize=case.optimize)
    compiled = compile(case.net.path, target, case.net.calibrate, asked)
    program = compiled.program
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as scratch:
        folder = Path(scratch) / "out"
        write_files(compiled.files, folder)
        judge = _by_toolchain if case.net.calibrate else _by_bench
        found = judge(case, compiled, folder)
    sizes = found["sizes"]
    return Figures(
        macs=program.macs,
        cycles=found["cycles"],
        instructions=found["instructions"],
        flash=sizes["flash"],
        constants=program.weights_bytes,
        ram=sizes["ram_static"] + found["stack_bytes"],
        stack=found["stack_bytes"],
        arena=program.arena_bytes,
        scratch=compiled.plan.scratch_bytes,
        ends=sum(port.bytes for port in (*program.inputs, *program.outputs)),
    )


def _sources(compiled: Compiled, folder: Path) -> list[Path]:
    names = [name for name in compiled.files if name.endswith(".c") and "selftest" not in name]
    return [folder / name for name in names]


def _declarations(program: Program) -> list[str]:
    """The memory of one instance."""
    ports = () if program.io_in_arena else (*program.inputs, *program.outputs)
    arena = f"static {program.name}_arena_t arena"
    return [arena, *(f"static {p.c_type} {p.ident}[{p.size}]" for p in ports)]


def _call(program: Program) -> str:
    ports = () if program.io_in_arena else (*program.inputs, *program.outputs)
    return f"{program.name}_run({', '.join(['&arena', *(p.ident for p in ports)])})"


def linked(compiled: Compiled, core: str, flag: str, folder: Path) -> Image:
    """The files of a net, in `folder`, as a program of their own."""
    program = compiled.program
    main = folder.parent / "benchmark_main.c"
    lines = ['#include "tml_bench.h"', f'#include "{program.name}.h"']
    lines += [f"{line};" for line in _declarations(program)]
    lines += [f"void tml_bench_run(void) {{ {_call(program)}; }}", ""]
    main.write_text("\n".join(lines), encoding="utf-8")
    return build_image(
        load_target(core),
        [*_sources(compiled, folder), main],
        include_dirs=(folder,),
        opt=flag,
        workdir=folder.parent / "build",
    )


def _by_toolchain(case: Case, compiled: Compiled, folder: Path) -> dict[str, Any]:
    image = linked(compiled, case.core, case.flag, folder)
    run = run_image(image)
    if not run.ok or image.sizes is None:
        sys.exit(f"{case.key}: {run.fault or 'nothing was measured'}")
    sizes = {"flash": image.sizes.flash, "ram_static": image.sizes.ram_static}
    return {**vars(run), "sizes": sizes}


def _by_bench(case: Case, compiled: Compiled, folder: Path) -> dict[str, Any]:
    program = compiled.program
    command = [sys.executable, str(BENCH), "--core", case.core, "--opt", case.flag, "--sources"]
    command += [*map(str, _sources(compiled, folder)), "-I", str(folder)]
    command += ["--cflags", "-ffp-contract=off", "--include", f"{program.name}.h"]
    command += ["--call", _call(program)]
    for line in _declarations(program):
        command += ["--decl", line]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    result: dict[str, Any] = json.loads(done.stdout)
    if "error" in result:
        sys.exit(f"{case.key}: {result['error']}\n{result.get('stderr', '')}")
    return result
