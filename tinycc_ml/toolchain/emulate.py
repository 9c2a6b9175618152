"""Runs an image on its emulator: output, instructions, modelled cycles, stack, and what went wrong."""

from __future__ import annotations

import logging
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ToolError
from .cache import cached_build
from .counts import Counts, Mark, Profile, parse_counts, profile
from .cross import Image
from .host import build_library, build_program
from .tools import find_tool, first_lines

_LOG = logging.getLogger(__name__)
_HERE = Path(__file__).resolve().parent
_SIMAVR_STOPPED = 97
_STACK_LINE = re.compile(r"@TML stack run=(\d+) setup=(\d+) overflow=([01])")


@dataclass(frozen=True)
class Run:
    """One execution. What was not measured is None: on the host nothing is.

    instructions, cycles: inside the measured function, callees included, over all its calls.
    stack_bytes: deepest stack below the call of tml_bench_run (on AVR: of the measured function,
    with its return address).
    fault: what went wrong beside the exit code, in plain words.
    mix, undecoded: executed instructions by class; those whose encoding the cycle model lacks.
    marks: what had been counted at each call of the marking function.
    """

    exit_code: int
    output: str
    instructions: int | None = None
    cycles: int | None = None
    entries: int | None = None
    stack_bytes: int | None = None
    fault: str | None = None
    profile: tuple[Profile, ...] = ()
    mix: tuple[tuple[str, int], ...] = ()
    undecoded: tuple[tuple[str, int], ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the program came to its end without a fault and returned 0."""
        return self.exit_code == 0 and self.fault is None


@dataclass(frozen=True)
class _Finished:
    exit_code: int
    output: str
    stderr: str
    counts: Counts | None


def run_image(
    image: Image,
    *,
    function: str = "tml_bench_run",
    timeout_s: float = 300,
    model: str | None = None,
    model_params: Sequence[str] = (),
    count: bool = True,
    mark: str | None = None,
) -> Run:
    """Runs an image to its end, counting what `function` does.

    model, model_params: another cycle model of the QEMU plugin, and its settings ("mul=3").
    count: False runs QEMU without the plugin: faster, and neither instructions nor cycles.
    mark: a function whose calls note the counts so far and are not counted themselves.
    ToolError: the emulator or the plugin is missing, or the program did not end in time. What the
    program itself does wrong is in the fields.
    """
    if image.target.emulator.kind == "host":
        done = _execute((str(image.elf.resolve()),), image, timeout_s)
        fault = f"ended by signal {-done.exit_code}" if done.exit_code < 0 else None
        return Run(done.exit_code, done.output, fault=fault)
    start = _address(image, function)
    marks = (f"mark=0x{_address(image, mark):x}",) if mark else ()
    if image.target.emulator.kind == "simavr":
        command = _simavr_command(image, start, marks)
    else:
        plugin = _plugin_options(image, start, model, (*marks, *model_params)) if count else ()
        command = (*_qemu_command(image), *plugin)
    done = _execute(command, image, timeout_s)
    if done.counts is None and count:
        _require_counts(done, image)
    return _result(done, image, function)


def _address(image: Image, function: str) -> int:
    symbol = image.symbol(function)
    if symbol is None:
        raise ToolError(f"{image.elf.name} has no function {function!r} to measure")
    return symbol.address


def _qemu_command(image: Image) -> tuple[str, ...]:
    emulator = image.target.emulator
    quiet = ("-display", "none", "-serial", "none", "-monitor", "none", "-net", "none")
    return (
        find_tool(emulator.program, package=image.target.packages.emulator),
        *("-M", emulator.machine, *emulator.args, *quiet),
        *("-semihosting-config", "enable=on,target=native"),
        *("-kernel", str(image.elf.resolve())),
    )


def _plugin_options(
    image: Image, start: int, model: str | None, model_params: Sequence[str]
) -> tuple[str, str]:
    folder = _HERE / "plugin"
    flags = ("-O2", "-fvisibility=hidden")
    library = _compiled(
        "counting plugin of QEMU",
        folder,
        lambda workdir: build_library([folder / "count.c"], cflags=flags, workdir=workdir),
    )
    settings = (f"core={model or image.target.core}", f"start=0x{start:x}", "out=counts.txt")
    # a comma separates QEMU's options, two stand for one
    return "-plugin", ",".join((str(library).replace(",", ",,"), *settings, *model_params))


def _simavr_command(image: Image, start: int, marks: Sequence[str]) -> tuple[str, ...]:
    folder = _HERE / "avr"
    flags = ("-O2", "-std=gnu99")  # simavr's headers are not plain C99
    libraries = ("-lsimavr",)
    runner = _compiled(
        "simavr runner",
        folder,
        lambda workdir: build_program(
            [folder / "runner.c"], cflags=flags, libraries=libraries, workdir=workdir
        ),
    )
    machine = image.target.emulator.machine
    return str(runner), str(image.elf.resolve()), machine, hex(start), "counts.txt", *marks


def _execute(command: Sequence[str], image: Image, timeout_s: float) -> _Finished:
    """Runs a command in a folder of its own, where the counts are written."""
    _LOG.debug("run %s", " ".join(command))
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as folder:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _timeout_error(image, timeout_s, error.stdout) from error
        except OSError as error:
            raise ToolError(f"can't run {command[0]}: {error.strerror}") from error
        counts = Path(folder) / "counts.txt"
        text = counts.read_text(encoding="ascii") if counts.is_file() else ""
    parsed = parse_counts(text) if text else None
    return _Finished(done.returncode, _decode(done.stdout), _decode(done.stderr), parsed)


def _decode(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")


def _timeout_error(image: Image, timeout_s: float, stdout: bytes | None) -> ToolError:
    printed = first_lines(_decode(stdout))
    seen = f" after printing:\n{printed}" if printed else ""
    what = f"{image.elf.name} did not end within {timeout_s:g} s on {image.target.name}"
    return ToolError(what + seen)


def _require_counts(done: _Finished, image: Image) -> None:
    """Without counts either QEMU refused the plugin, or the program brought the emulator down."""
    program = image.target.emulator.program
    complaint = first_lines(done.stderr, 3)
    if "tml plugin" in complaint:
        raise ToolError(complaint)
    if "plugin" in complaint:
        raise ToolError(
            f"{program} can't load the counting plugin: {complaint}",
            hint="it needs plugin support and plugin API 1: QEMU 6.1 to 8.2, Debian 12's is 7.2",
        )
    if done.exit_code >= 0:
        raise ToolError(f"{program or 'simavr'} wrote no counts: {complaint or 'no message'}")


def _result(done: _Finished, image: Image, function: str) -> Run:
    counts = done.counts
    stack = _STACK_LINE.search(done.output)
    painted = int(stack[1]) if stack else None
    common = Run(
        exit_code=done.exit_code,
        output=re.sub(r"\n?@TML [^\n]*\n", "", done.output),
        stack_bytes=painted,
        fault=_fault(done, image, function, stack),
    )
    if counts is None:
        return common
    if counts.undecoded:
        _LOG.warning("the cycle model does not know these encodings: %s", counts.undecoded)
    return replace(
        common,
        instructions=counts.instructions,
        cycles=counts.cycles,
        entries=counts.entries,
        stack_bytes=painted if counts.stack_bytes is None else counts.stack_bytes,
        profile=profile(counts.blocks, image.symbols),
        mix=counts.mix,
        undecoded=counts.undecoded,
        marks=counts.marks,
    )


def _fault(done: _Finished, image: Image, function: str, stack: re.Match[str] | None) -> str | None:
    counts = done.counts
    fault = re.search(r"@TML (fault [^\n]*)", done.output)
    if fault:
        return fault[1]
    if done.exit_code < 0 or done.exit_code == _SIMAVR_STOPPED:
        return f"the emulator stopped: {_first_complaint(done.stderr)}"
    if stack and stack[3] == "1":
        return f"stack overflow: more than the {image.stack_bytes:,} bytes kept for it"
    if counts and _below_data(counts, image):
        return "stack overflow: the stack grew into the data"
    if counts and counts.entries == 0:
        return f"{function} was never called"
    if counts and not counts.returned:
        return f"{function} did not return"
    return None


def _first_complaint(stderr: str) -> str:
    # boards have network devices nobody connects
    lines = (line for line in stderr.splitlines() if line.strip() and "has no peer" not in line)
    return next(lines, "no message")


def _below_data(counts: Counts, image: Image) -> bool:
    end = image.symbol("_end")
    if counts.lowest_stack_address is None or end is None:
        return False
    # avr-gcc puts RAM at 0x800000 in the ELF file
    return counts.lowest_stack_address + 1 < end.address & 0xFFFF


def _compiled(what: str, folder: Path, build: Callable[[Path], Path]) -> Path:
    """Our own C for the host; its failure is told as the reason that nothing can be counted."""
    try:
        return cached_build(folder.name, folder, build)
    except ToolError as error:
        raise ToolError(f"the {what} can't be built: {error.message}", hint=error.hint) from error
