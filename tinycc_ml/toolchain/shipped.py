"""A folder that was written before, as its report.json tells: nothing of the compilation is in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..backend.program import Port
from ..errors import ModelError
from ..ir.types import DTYPES, Quant, TensorType

SCHEMA = 1


@dataclass(frozen=True)
class Shipped:
    """An out/ folder with its report."""

    folder: Path
    report: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.report["model"]["name"])

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        return tuple(_port(entry) for entry in self.report["io"] if entry["direction"] == "input")

    @cached_property
    def outputs(self) -> tuple[Port, ...]:
        return tuple(_port(entry) for entry in self.report["io"] if entry["direction"] == "output")

    @property
    def io_in_arena(self) -> bool:
        return bool(self.report["options"]["io"] == "arena")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of NAME_run in C."""
        ports = () if self.io_in_arena else (*self.inputs, *self.outputs)
        return (f"{self.name}_arena_t *arena", *(f"{port.c_type} *{port.ident}" for port in ports))

    @property
    def opt(self) -> str:
        """The compiler's flag that goes with --optimize."""
        return "-Os" if self.report["options"]["optimize"] == "size" else "-O2"

    @property
    def arena_bytes(self) -> int:
        return int(self.report["totals"]["arena_bytes"])

    @property
    def selftest(self) -> Path:
        return self.folder / f"{self.name}_selftest.c"

    @cached_property
    def sources(self) -> tuple[Path, ...]:
        """The C files of the model, without the self-test."""
        paths = [self.folder / entry["path"] for entry in self.report["files"]]
        return tuple(path for path in paths if path.suffix == ".c" and path != self.selftest)

    def changed_files(self) -> tuple[str, ...]:
        """Files that are gone or differ from what was written."""
        return tuple(
            entry["path"]
            for entry in self.report["files"]
            if _sha256(self.folder / entry["path"]) != entry["sha256"]
        )


def open_folder(folder: Path) -> Shipped:
    """The folder that tinyml-compile has written; ModelError when it is none."""
    path = folder / "report.json"
    if not folder.is_dir():
        raise ModelError(f"no such folder: {folder}")
    if not path.is_file():
        raise ModelError(
            f"{folder} holds no report.json", hint="tinyml-compile MODEL -o DIR writes one"
        )
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"can't read {path}: {error}") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise ModelError(f"{path} is no report of this version", hint="compile the model again")
    return Shipped(folder, report)


def _port(entry: Mapping[str, Any]) -> Port:
    quant = (
        None if entry["scale"] is None else Quant.per_tensor(entry["scale"], entry["zero_point"])
    )
    type_ = TensorType(tuple(entry["shape"]), DTYPES[entry["dtype"]], quant)
    return Port(entry["name"], entry["ident"], entry["ident"].upper(), type_, entry["arena_offset"])


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
