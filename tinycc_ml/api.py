"""What Python programs call: compile a model as the command line does, and load the C that was written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import frontends
from .backend.emit import write_files
from .backend.target import Target
from .compiler import Compiled, Options
from .compiler import compile as compile_model
from .errors import ToolError
from .frontends import Opened
from .quant.data import InputScale
from .quant.draw import InputRange, input_range
from .report import Source, build_report, report_files
from .toolchain.loaded import Model, load
from .toolchain.verify import Verified, verify_compiled
from .tuning import tuned

__all__ = ["Model", "Result", "compile", "load"]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Result:
    """`files`: text by path, the reports included; `report`: the contents of report.json."""

    compiled: Compiled
    report: Mapping[str, Any]
    files: Mapping[str, str]
    out: Path | None = None


def compile(
    model: str | Path,
    out: str | Path | None = None,
    *,
    target: str | Path | Target | None = None,
    calibrate: str | Path | Mapping[str, np.ndarray] | None = None,
    verify: bool | None = None,
    outside: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Compile a model to C, verify the C on this machine and, when `out` is given, write it there.

    model: an .onnx file, or a .tml spec; what is given here overrides the spec's recipe. Without
    either, the target is host and the C is verified.
    outside: a spec may include files from outside its folder.
    calibrate: sample inputs, an .npz file or arrays [N, ...] by input; int8 needs them.
    progress: is told (what, done, all) on the way.
    options: fields of compiler.Options; `input_scales` takes (scale, offset) by input too,
    `input_ranges` (low, high), or keywords of InputRange.
    Nothing is written unless verification passed, was not asked for, or no C compiler is there; the
    report says which. TinymlError says what the caller can put right.
    """
    given = {"target": target, "calibrate": calibrate, "verify": verify, "out": out, **options}
    asked = {key: value for key, value in given.items() if value is not None}
    opened = frontends.open_model(
        Path(model), asked.get("dims"), bind=asked.get("bind"), outside=outside
    )
    return _compiled(opened, *opened.merged(asked), progress)


def _compiled(
    opened: Opened, asked: dict[str, Any], overridden: tuple[str, ...], progress: Progress | None
) -> Result:
    """Compile what was opened as `asked`, which is what the file and the caller say together."""
    target, verify = asked.pop("target", "host"), asked.pop("verify", True)
    out, data = asked.pop("out", None), asked.pop("calibrate", None)
    data = Path(data) if isinstance(data, str) else data
    scales, ranges = _scales(asked.get("input_scales")), _ranges(asked.get("input_ranges"))
    chosen = Options(**{**asked, "input_scales": scales, "input_ranges": ranges})
    compiled = compile_model(opened.graph, target, data, chosen, _steps(progress, "calibrate"))
    if overridden:
        note = f"overridden, though {opened.path.name} says them: {', '.join(overridden)}"
        compiled = replace(compiled, notes=(*compiled.notes, note))
    source = _source(opened, data, overridden)
    if chosen.tune:
        compiled = tuned(compiled, source, _steps(progress, "tune"))
    verified, unverified = _verified(compiled, opened, verify, progress)
    report = build_report(compiled, source, verified, unverified)
    files = {**compiled.files, **report_files(report)}
    if out is None:
        return Result(compiled, report, files)
    write_files(files, Path(out))
    return Result(compiled, report, files, Path(out))


def _scales(given: Mapping[str, Any] | None) -> dict[str, InputScale]:
    return {n: s if isinstance(s, InputScale) else InputScale(*s) for n, s in (given or {}).items()}


def _ranges(given: Mapping[str, Any] | None) -> dict[str, InputRange]:
    return {name: input_range(said) for name, said in (given or {}).items()}


def _steps(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return (lambda done, count: progress(what, done, count)) if progress else None


def _verified(
    compiled: Compiled, opened: Opened, wanted: bool, progress: Progress | None
) -> tuple[tuple[Verified, ...], str | None]:
    """What was verified, or why nothing was."""
    if not wanted:
        return (), "not asked for"
    try:
        with opened.runnable() as model:
            return verify_compiled(compiled, model, _steps(progress, "verify")), None
    except ToolError as error:  # only: there is no C compiler
        return (), str(error)


def _source(
    opened: Opened, data: Path | Mapping[str, np.ndarray] | None, overridden: tuple[str, ...]
) -> Source:
    calibration = data.name if isinstance(data, Path) else ("arrays" if data is not None else None)
    digest = hashlib.sha256(opened.path.read_bytes()).hexdigest()
    recipe = None if opened.settings is None else tuple(sorted(opened.settings))
    return Source(opened.path.name, digest, calibration, recipe, overridden)
