"""Programs of ours that are compiled on first use and kept for the next session."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..errors import ToolError


def cached_build(name: str, folder: Path, build: Callable[[Path], Path]) -> Path:
    """What `build(workdir)` makes from the C files in `folder`, from the cache when it is there.

    The sources' hash is in the name, so another version never finds a stale one. The finished
    file is renamed into place, so a second process never finds half of one.
    """
    output = _cache_dir() / f"{name}-{_fingerprint(folder)}"
    if output.is_file():
        return output
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix="build-") as workdir:
            build(Path(workdir)).replace(output)
    except OSError as error:
        raise ToolError(
            f"can't write to the cache {output.parent}: {error.strerror}",
            hint="set XDG_CACHE_HOME to a folder that can be written",
        ) from error
    return output


def _cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tinycc_ml"


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256(platform.platform().encode())
    for path in sorted(folder.rglob("*.[ch]")):
        name = path.relative_to(folder).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
