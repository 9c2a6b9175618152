"""The verbs that work on a model or a folder: compile, verify, run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..api import compile
from ..backend.target import load_target
from ..errors import DataError, TinymlError
from ..ir.types import Quant, TensorType, dtype_of
from ..numerics.quantization import dequantize, quantize
from ..report import update_folder
from ..toolchain.loaded import Model, load
from ..toolchain.verify import verify_dir
from .screen import Screen
from .text import compile_summary, verify_summary


def compile_model(
    screen: Screen, *, model: Path, out: Path | None = None, **options: Any
) -> dict[str, Any]:
    if out is None and model.suffix.lower() != ".tml":
        raise click.UsageError("Missing option '-o' / '--out'.")
    with screen.progress() as progress:
        result = compile(model, out, progress=progress, **options)
    if result.out is None:
        raise click.UsageError("Missing option '-o' / '--out', and the recipe has no output(...).")
    out = result.out
    for note in result.compiled.notes:
        screen.note(note)
    for line in compile_summary(result.report, out):
        screen.out(line)
    unverified = result.report["unverified"]
    if unverified and unverified != "not asked for":
        screen.note(f"NOT VERIFIED: {unverified}")
    return {
        "out": str(out),
        "verified": not unverified,
        "files": sorted(result.files),
        "report": result.report,
    }


def verify_folder(screen: Screen, folder: Path, target_name: str) -> dict[str, Any]:
    target = load_target(target_name)
    verified, measured = verify_dir(folder, target)
    report = update_folder(folder, verified, measured)
    for line in verify_summary(verified, measured):
        screen.out(line)
    own = report["target"]["name"]
    if own not in (target.name, "host"):
        screen.out(f"it was compiled for {own}: --target {own} runs it on that core")
    return {
        "verified": report["verified"][-1],
        "measured": vars(measured),
        "totals": report["totals"],
    }


def run_folder(screen: Screen, folder: Path, source: Path, result: Path) -> dict[str, Any]:
    model = load(folder)
    arrays = _samples(model, _read(source), source.name)
    with screen.progress() as progress:
        made = model.run_all(
            arrays, (lambda done, count: progress("run", done, count)) if progress else None
        )
    _write(result, made)
    shapes = {name: f"{array.dtype}{list(array.shape)}" for name, array in made.items()}
    for name, text in shapes.items():
        screen.out(f"{name}: {text} -> {result}")
    return {"output": str(result), "arrays": shapes}


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in getattr(file, "files", ())}
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise DataError(f"{path.name} is no .npz file of plain arrays: {error}") from error


def _samples(model: Model, arrays: Mapping[str, np.ndarray], file: str) -> dict[str, np.ndarray]:
    """Arrays [N, ...] by input: by its name, or `inputs` when there is one. Other arrays are left alone."""
    found = {}
    for port in model.inputs:
        only = len(model.inputs) == 1
        key = next((k for k in (port.tensor, *(["inputs"] if only else [])) if k in arrays), None)
        if key is None:
            has = ", ".join(arrays) or "nothing"
            raise DataError(f"{file}: wanted an array {port.tensor!r}, the file has {has}")
        found[port.tensor] = _meant(arrays, key, port.type, only)
    return found


def _meant(arrays: Mapping[str, np.ndarray], key: str, type_: TensorType, only: bool) -> np.ndarray:
    """Integers with a scale beside them stand for other numbers than the API's unless both agree."""
    array = arrays[key]
    prefix = f"{key}." if f"{key}.scale" in arrays else ""
    if array.dtype.kind not in "iu" or f"{prefix}scale" not in arrays or not (prefix or only):
        return array
    zero = int(np.ravel(arrays.get(f"{prefix}zero_point", np.zeros(1)))[0])
    quant = Quant.per_tensor(float(np.ravel(arrays[f"{prefix}scale"])[0]), zero)
    own = TensorType(array.shape, dtype_of(array), quant)
    if type_.quant is None:
        return dequantize(array, own)
    every = np.arange(own.dtype.range[0], own.dtype.range[1] + 1)
    same = own.dtype == type_.dtype and np.array_equal(
        quantize(dequantize(every, own), type_), every
    )
    return array if same else dequantize(array, own)


def _write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """The whole file or nothing."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        with scratch.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise TinymlError(f"can't write {path}: {error.strerror or error}") from error
