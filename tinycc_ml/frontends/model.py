"""A model as the user's file gives it: its graph and, from a spec, the recipe that came with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..ir.graph import Graph

_ADD_UP = {"dims", "input_scales", "input_ranges"}


@dataclass(frozen=True)
class Opened:
    """`settings`: what a spec's recipe says, by the names of api.compile's options; None: there is no recipe
    because the file is no spec. `spec`: the whole of it."""

    path: Path
    graph: Graph
    settings: Mapping[str, Any] | None = None
    spec: Any = field(default=None, repr=False)
    bind: Mapping[str, Any] = field(default_factory=dict)

    def merged(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """What the file and the caller say together, and which settings of the file the caller overrides."""
        settings = self.settings or {}
        merged = {**settings, **given}
        for key in _ADD_UP & set(settings) & set(given):
            merged[key] = {**settings[key], **given[key]}
        changed = (key for key, value in settings.items() if merged[key] != value)
        return merged, tuple(sorted(changed))

    @contextmanager
    def runnable(self) -> Iterator[Path]:
        """An ONNX file of the same net, for other runtimes."""
        proto = self.spec.proto() if self.spec is not None else None
        if self.bind:
            from .onnx import bound

            proto = bound(self.path, self.bind)
        if proto is None:
            yield self.path if self.spec is None else self.spec.imported
            return
        import onnx

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.onnx"
            onnx.save(proto, path)
            yield path


def open_model(
    path: Path,
    dims: Mapping[str, int] | None = None,
    *,
    bind: Mapping[str, Any] | None = None,
    outside: bool = False,
) -> Opened:
    """Read a model. `dims` binds symbolic dimensions by name, `bind` inputs to values, which makes them
    constants. ModelError when it can't be served.

    outside: a spec may include files from outside its folder.
    """
    if not path.is_file():
        raise ModelError(f"no such model: {path}")
    ending = path.suffix.lower()
    if ending == ".tml" and bind:
        raise ModelError(f"--bind {next(iter(bind))}: a spec has its constants in the file")
    if ending == ".tml":
        from .spec import read_spec

        spec = read_spec(path, dims=dims, outside=outside)
        return Opened(path, spec.graph, spec.settings, spec)
    if ending != ".onnx":
        raise ModelError(f"{path.name}: wanted a model in an .onnx file or a spec in a .tml file")
    from .onnx import load as load_onnx

    return Opened(path, load_onnx(path, dims=dims, bind=bind), bind=bind or {})


def load(
    path: Path, dims: Mapping[str, int] | None = None, bind: Mapping[str, Any] | None = None
) -> Graph:
    """The graph of a model file."""
    return open_model(path, dims, bind=bind).graph
