"""From a user's file to a Graph: the file's ending decides which front end reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import ModelError
from ..ir.graph import Graph


def load(path: Path, dims: Mapping[str, int] | None = None) -> Graph:
    """Read a model. `dims` binds symbolic dimensions by name. ModelError when it can't be served."""
    if not path.is_file():
        raise ModelError(f"no such model: {path}")
    if path.suffix.lower() != ".onnx":
        raise ModelError(f"{path.name}: wanted a model in an .onnx file")
    from .onnx import load as load_onnx

    return load_onnx(path, dims=dims)
