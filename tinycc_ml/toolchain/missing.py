"""What is not installed, by name and by what brings it."""

from __future__ import annotations

import shutil

from ..backend.target import Target
from ..errors import ToolError
from .host import HostCompiler, find_compiler
from .tools import try_tool

_HOST_COMPILER = "a C compiler of this machine (Debian package gcc)"


def missing_tools(target: Target, *, emulator: bool = True) -> tuple[str, ...]:
    """What building for a target lacks, and running on its emulator; empty: all is there."""
    if target.emulator.kind == "host":
        return () if _host_compiler() else (_HOST_COMPILER,)
    missing = [
        f"{name} (Debian package {package})"
        for name, package in _programs(target, emulator)
        if shutil.which(name) is None
    ]
    return (*missing, *_missing_for_counting(target)) if emulator else tuple(missing)


def _programs(target: Target, emulator: bool) -> list[tuple[str, str]]:
    prefix, packages = target.toolchain.prefix, target.packages
    programs = [(prefix + "gcc", packages.compiler)]
    programs += [(prefix + name, packages.binutils) for name in ("size", "nm")]
    if emulator and target.emulator.program:
        programs.append((target.emulator.program, packages.emulator))
    return programs


def _missing_for_counting(target: Target) -> tuple[str, ...]:
    """The QEMU plugin and the simavr runner are compiled here, on first use."""
    compiler = _host_compiler()
    if compiler is None:
        return (_HOST_COMPILER,)
    if target.emulator.kind != "simavr":
        return ()
    probe = (*compiler.command, "-x", "c", "-E", "-include", "simavr/sim_avr.h", "/dev/null")
    found = try_tool(probe).returncode == 0
    return () if found else (f"libsimavr (Debian package {target.packages.emulator})",)


def _host_compiler() -> HostCompiler | None:
    try:
        return find_compiler()
    except ToolError:
        return None
