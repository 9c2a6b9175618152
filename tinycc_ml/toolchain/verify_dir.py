"""The shipped self-test of an out/ folder, built for a target and run there: natively or emulated."""

from __future__ import annotations

import logging
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..backend.fits import check_fits
from ..backend.target import Target
from ..errors import TargetError, ToolError, VerificationError
from ..resources import template_dir
from .cross import build_image, object_sizes
from .emulate import Run, run_image
from .host import find_compiler
from .shipped import Shipped, open_folder
from .tools import find_tool, run_tool
from .verified import Measured, Verified

log = logging.getLogger(__name__)
_VERDICT = re.compile(r"wrong (-?\d+) first (-?\d+)")


def verify_dir(folder: Path, target: Target) -> tuple[Verified, Measured]:
    """Builds and runs the self-test; every byte of every test vector must be right.

    A second, traced build checks every tensor of nets that have checksums. VerificationError names the
    first wrong tensor, TargetError says by how much the program does not fit, ToolError what is missing.
    """
    shipped = open_folder(folder)
    _check_fits(shipped, target)
    for path in shipped.changed_files():
        log.warning("%s is not as it was written", path)
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as scratch:
        job = _Job(shipped, target, Path(scratch))
        code_bytes = job.code_bytes()
        plain = job.run(trace=False)
        has_sums = bool(shipped.report["model"]["checksums"])
        traced = job.run(trace=True) if has_sums else None
        job.check(plain, traced)
        measured = Measured(
            target.name,
            shipped.opt,
            code_bytes,
            plain.run.stack_bytes,
            plain.run.instructions,
            plain.run.cycles,
        )
        return job.verified(has_sums), measured


def _check_fits(shipped: Shipped, target: Target) -> None:
    totals = shipped.report["totals"]
    ends = 0 if shipped.io_in_arena else sum(port["bytes"] for port in shipped.report["io"])
    ram_bytes = totals["arena_bytes"] + ends
    check_fits(
        target,
        weights_bytes=totals["weights_bytes"],
        ram_bytes=ram_bytes,
        live=peak_text(shipped.report),
    )


@dataclass(frozen=True)
class _Outcome:
    run: Run
    wrong: int
    first_wrong: int


@dataclass(frozen=True)
class _Job:
    shipped: Shipped
    target: Target
    scratch: Path

    def code_bytes(self) -> int | None:
        """Of the model alone: text and rodata of its objects, less the weights."""
        shipped = self.shipped
        try:
            sizes = object_sizes(
                self.target,
                shipped.sources,
                include_dirs=(shipped.folder,),
                opt=self.shipped.opt,
                workdir=self.scratch / "objects",
            )
        except ToolError:
            if self.target.emulator.kind == "host" and shipped.selftest.is_file():
                return None  # a compiler without binutils; what does not compile is told by run()
            raise
        return sizes.text + sizes.rodata - int(shipped.report["totals"]["weights_bytes"])

    def run(self, *, trace: bool) -> _Outcome:
        main = self.scratch / "emulate_main.c"
        main.write_text(_main_text(self.shipped.name), encoding="utf-8")
        try:
            image = build_image(
                self.target,
                [*self.shipped.sources, self.shipped.selftest, main],
                include_dirs=(self.shipped.folder,),
                defines=("TML_TRACE",) if trace else (),
                opt=self.shipped.opt,
                workdir=self.scratch / ("traced" if trace else "plain"),
            )
        except TargetError as error:
            raise TargetError(
                f"{error.message}; {peak_text(self.shipped.report)}", hint=error.hint
            ) from error
        run = run_image(image, count=not trace)
        verdict = _VERDICT.search(run.output)
        if run.fault or verdict is None:
            said = run.fault or f"no verdict, exit code {run.exit_code}"
            raise VerificationError(f"the self-test did not end on {self.target.name}: {said}")
        return _Outcome(run, int(verdict[1]), int(verdict[2]))

    def check(self, plain: _Outcome, traced: _Outcome | None) -> None:
        first = traced.first_wrong if traced else -1
        wrong = plain.wrong or (traced.wrong if traced else 0)
        if first >= 0:
            raise VerificationError(
                f"the C on {self.target.name} differs from the reference: the first wrong tensor is "
                f"{self.tensor(first)!r}; {wrong} values of the outputs are wrong"
            )
        if wrong:
            raise VerificationError(
                f"the C on {self.target.name} differs from the reference: {wrong} values of the outputs are wrong"
            )

    def tensor(self, probe: int) -> str:
        """The name, in the model's words, of what a probe sees."""
        node: dict[str, Any] = next(n for n in self.shipped.report["nodes"] if n["probe"] == probe)
        names = {t["name"]: t["source_name"] for t in self.shipped.report["tensors"]}
        return str(names[node["outputs"][0]])

    def verified(self, has_sums: bool) -> Verified:
        report = self.shipped.report
        outputs = any(entry["tolerance"] for entry in report["io"])
        what = "every output within its bound" if outputs else "every byte of the outputs"
        if has_sums and "float32" not in report["model"]["arithmetic"]:
            what += ", and the checksum of every tensor"
        elif has_sums:
            what += ", and the checksum of every tensor that no float has touched"
        return Verified(
            self.target.name, int(report["model"]["test_samples"]), True, what, self.tools()
        )

    def tools(self) -> tuple[str, ...]:
        emulator = self.target.emulator
        if emulator.kind == "host":
            return (find_compiler().version(),)
        gcc = find_tool(self.target.toolchain.prefix + "gcc", package=self.target.packages.compiler)
        compiler = _version_line((gcc, "--version"))
        if emulator.kind == "simavr":
            return compiler, "simavr"
        qemu = find_tool(emulator.program, package=self.target.packages.emulator)
        return compiler, _version_line((qemu, "--version"))


def peak_text(report: Any) -> str:
    """Which tensors are live where most memory is."""
    memory = report["memory"]
    step = memory["peak_step"]
    if step is None:
        return "the arena is empty"
    live = [b for b in memory["blocks"] if b["first_step"] <= step <= b["last_step"]]
    names = ", ".join(
        f"{b['name']} ({b['bytes']:,} bytes)" for b in sorted(live, key=lambda b: -b["bytes"])
    )
    return f"at the peak of the arena ({memory['arena_bytes']:,} bytes) live: {names}"


def _main_text(name: str) -> str:
    template = (template_dir() / "emulate_main.c.j2").read_text(encoding="utf-8")
    return template.replace("{{ name }}", name)


def _version_line(command: tuple[str, ...]) -> str:
    text = run_tool(command, doing=f"ask the version of {Path(command[0]).name}").stdout
    return text.splitlines()[0].strip() if text else Path(command[0]).name
