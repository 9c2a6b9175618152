"""Finding and running other people's programs; what goes wrong is told by the tool's name."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Sequence

from ..errors import ToolError

_LOG = logging.getLogger(__name__)
_SHOWN_LINES = 12


def find_tool(name: str, *, package: str) -> str:
    """The path of a program, or a ToolError that names it and what brings it."""
    path = shutil.which(name)
    if path is None:
        raise ToolError(
            f"{name} is not installed or not on the PATH",
            hint=f"Debian and Ubuntu: apt install {package}",
        )
    return path


def run_tool(command: Sequence[str], *, doing: str) -> subprocess.CompletedProcess[str]:
    """Runs a build tool to its end; ToolError with the first lines it printed when it fails.

    doing: what the error says could not be done: "compile net.c".
    """
    result = try_tool(command)
    if result.returncode != 0:
        raise ToolError(f"could not {doing}:\n{first_lines(result.stderr or result.stdout)}")
    return result


def try_tool(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs a build tool; the caller looks at the return code."""
    _LOG.debug("run %s", " ".join(command))
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise ToolError(f"can't run {command[0]}: {error.strerror}") from error


def first_lines(text: str, count: int = _SHOWN_LINES) -> str:
    """The head of a tool's complaint: what comes later mostly follows from it."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    left_off = len(lines) - count
    more = [f"... {left_off} more lines"] if left_off > 0 else []
    return "\n".join(lines[:count] + more)
