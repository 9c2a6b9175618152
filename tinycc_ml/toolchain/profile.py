"""What each node of an out/ folder takes on an emulated core: instructions, modelled cycles, stack.

The net is built with probes that call a marking function; the counters note their state at each
call, and the cost of a call, measured in the same run, is taken off.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..backend.target import Target
from ..errors import TargetError, ToolError, VerificationError
from ..resources import template_dir
from .counts import Mark
from .cross import HARNESS, build_image
from .emulate import Run, run_image
from .shipped import Shipped, open_folder

_MARK = "tml_profile_mark"
# Before the first node: two in a row, see templates/profile_main.c.j2
_EXTRA_MARKS = 2
_WRONG = re.compile(r"wrong (-?\d+)")
_STACKS = re.compile(r"stacks((?: \d+)*)\n")


@dataclass(frozen=True)
class NodeCost:
    """Of the node with that probe, without the mark at its end. stack_bytes: deepest below the caller
    of NAME_run while it ran, frames that stay on the stack included."""

    probe: int
    instructions: int
    cycles: int
    stack_bytes: int


@dataclass(frozen=True)
class NetProfile:
    """instructions, cycles: of the whole run without the marks. More than the sum of the nodes by
    what leaving NAME_run takes; entering it is part of the first node. mark: the cost of one call,
    which was taken off for each."""

    target: str
    flags: str
    instructions: int
    cycles: int
    mark: Mark
    nodes: tuple[NodeCost, ...]


def profile_dir(folder: Path, target: Target) -> NetProfile:
    """Builds the net of a folder with marks and counts one run on the target's emulator.

    TargetError: nothing is counted on the host, or the program does not fit; VerificationError: an
    output was wrong; ToolError says what is missing.
    """
    shipped = open_folder(folder)
    if target.emulator.kind == "host":
        raise TargetError(
            "nothing is counted on the host", hint="profile an emulated core: --target cortex-m4"
        )
    probes = sorted(n["probe"] for n in shipped.report["nodes"] if n["probe"] is not None)
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as scratch:
        run = _run(shipped, target, Path(scratch), len(probes) + _EXTRA_MARKS)
    _check(run, target)
    return _profile(shipped, target, run, probes)


def _run(shipped: Shipped, target: Target, scratch: Path, marks: int) -> Run:
    main = scratch / "profile_main.c"
    template = (template_dir() / "profile_main.c.j2").read_text(encoding="utf-8")
    main.write_text(template.replace("{{ name }}", shipped.name), encoding="utf-8")
    image = build_image(
        target,
        [*shipped.sources, shipped.selftest, main, HARNESS / "profile_mark.c"],
        include_dirs=(shipped.folder,),
        defines=(f"TML_PROFILE_MARKS={marks}",),
        opt=shipped.opt,
        cflags=("-include", "profile_mark.h"),
        workdir=scratch,
    )
    return run_image(image, mark=_MARK)


def _check(run: Run, target: Target) -> None:
    verdict = _WRONG.search(run.output)
    if run.fault or verdict is None:
        said = run.fault or f"no verdict, exit code {run.exit_code}"
        raise VerificationError(f"the profile did not end on {target.name}: {said}")
    if verdict[1] != "0":
        raise VerificationError(
            f"{verdict[1]} values of the outputs are wrong on {target.name}",
            hint="tinyml verify says which tensor is the first",
        )


def _profile(shipped: Shipped, target: Target, run: Run, probes: Sequence[int]) -> NetProfile:
    marks, stacks = run.marks, _stacks(run)
    if len(marks) != len(probes) + _EXTRA_MARKS or run.instructions is None or run.cycles is None:
        raise ToolError(f"{len(probes)} nodes have a probe, but {len(marks)} marks were counted")
    call, start = _between(marks[0], marks[1]), marks[_EXTRA_MARKS - 1]
    nodes = []
    for k, probe in enumerate(probes, start=_EXTRA_MARKS):
        cost = _between(marks[k - 1], marks[k])
        nodes.append(
            NodeCost(
                probe,
                cost.instructions - call.instructions,
                cost.cycles - call.cycles,
                stacks[k],
            )
        )
    return NetProfile(
        target.name,
        shipped.opt,
        run.instructions - start.instructions - len(probes) * call.instructions,
        run.cycles - start.cycles - len(probes) * call.cycles,
        call,
        tuple(nodes),
    )


def _between(first: Mark, second: Mark) -> Mark:
    return Mark(second.instructions - first.instructions, second.cycles - first.cycles)


def _stacks(run: Run) -> list[int]:
    """Bytes by mark: printed by the marks themselves, or seen from outside (AVR)."""
    printed = _STACKS.search(run.output)
    if printed:
        return [int(text) for text in printed[1].split()]
    return [mark.stack_bytes or 0 for mark in run.marks]
