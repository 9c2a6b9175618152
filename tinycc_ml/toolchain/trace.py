"""The shipped C on the host, called through cffi, with or without its probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import cffi
import numpy as np

from ..backend.program import Port, Program
from .host import build_library

_HOOK = """
#include <stddef.h>
void (*tml_trace_hook)(int, const void *, size_t);
void tml_trace(int id, const void *data, size_t bytes);
void tml_trace(int id, const void *data, size_t bytes) { if (tml_trace_hook) tml_trace_hook(id, data, bytes); }
"""


class Interface(Protocol):
    """What calling NAME_run takes: of a Program, or of a folder that was written before."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[Port, ...]: ...
    @property
    def outputs(self) -> tuple[Port, ...]: ...
    @property
    def io_in_arena(self) -> bool: ...


def declarations(name: str, parameters: Sequence[str]) -> str:
    """What cffi must know of a model: the arena is any aligned memory."""
    arguments = ", ".join(["void *arena", *parameters[1:]])
    return f"void {name}_run({arguments});"


class TracedModel:
    """A model built with its probes, to look at every tensor that the shipped C makes."""

    def __init__(
        self,
        program: Program,
        files: Mapping[str, str],
        folder: Path,
        flags: Sequence[str] = ("-O2",),
    ):
        self.program = program
        sources = _write(files, folder)
        hook = folder / "tml_trace_hook.c"
        hook.write_text(_HOOK)
        library = build_library(
            [*sources, hook],
            include_dirs=(folder,),
            defines=("TML_TRACE",),
            cflags=tuple(flags),
            workdir=folder,
        )
        self._ffi = cffi.FFI()
        self._ffi.cdef(declarations(program.name, program.parameters))
        self._ffi.cdef("extern void (*tml_trace_hook)(int, const void *, size_t);")
        self._lib = self._ffi.dlopen(str(library))
        self.arena = np.zeros(max(program.arena_bytes, 8) // 8 + 1, np.int64)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The value of every probed tensor."""
        seen: dict[int, bytes] = {}
        keep = self._ffi.callback(
            "void(int, const void *, size_t)",
            lambda id_, data, size: seen.__setitem__(id_, self._ffi.buffer(data, size)[:]),
        )
        self._lib.tml_trace_hook = keep
        outputs = call(self._ffi, self._lib, self.program, self.arena, inputs)
        self._lib.tml_trace_hook = self._ffi.NULL
        values = {
            s.probe.tensor: s.probe.view.format.decode(seen[s.probe.id]) for s in self.program.steps
        }
        return {**values, **outputs}


def _write(files: Mapping[str, str], folder: Path) -> list[Path]:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return [folder / p for p in files if p.endswith(".c") and not p.endswith("_selftest.c")]


def call(
    ffi: cffi.FFI,
    lib: object,
    program: Interface,
    arena: np.ndarray,
    inputs: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """NAME_run on contiguous arrays of the API's types; gives the outputs."""
    held = [
        np.ascontiguousarray(inputs[p.tensor], p.type.dtype.stored).reshape(-1)
        for p in program.inputs
    ]
    results = [np.zeros(p.size, p.type.dtype.stored) for p in program.outputs]
    run = getattr(lib, f"{program.name}_run")
    memory = ffi.cast("void *", arena.ctypes.data)
    if program.io_in_arena:
        raw = arena.view(np.uint8)
        for port, array in zip(program.inputs, held, strict=True):
            _window(raw, port)[:] = array.view(np.uint8)
        run(memory)
        for port, array in zip(program.outputs, results, strict=True):
            array.view(np.uint8)[:] = _window(raw, port)
    else:
        ports = (*program.inputs, *program.outputs)
        arrays = (*held, *results)
        run(
            memory,
            *(ffi.cast(f"{p.c_type} *", a.ctypes.data) for p, a in zip(ports, arrays, strict=True)),
        )
    return {
        p.tensor: a.reshape(p.type.shape).astype(p.type.dtype.numpy, copy=False)
        for p, a in zip(program.outputs, results, strict=True)
    }


def _window(raw: np.ndarray, port: Port) -> np.ndarray:
    assert port.offset is not None
    return raw[port.offset : port.offset + port.bytes]
