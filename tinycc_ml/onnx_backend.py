"""ONNX's backend interface: a model compiled to C, built by the host's compiler, and called.

Inputs that decide shapes become constants: when an operator asks for their value, the model is compiled
anew with those of the run at hand. All other inputs stay inputs of the C.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import onnx
from onnx import helper
from onnx.backend.base import Backend, BackendRep, Device, DeviceType

from .compiler import Compiled, Options
from .compiler import compile as compile_model
from .errors import ModelError, NeedsValue, UnsupportedError
from .frontends.onnx import load
from .toolchain.cache import cached_build
from .toolchain.host import build_library
from .toolchain.trace import call, declarations

_OPTIONS = Options(
    name="net", io_type="float", allow_float=True, keep_dead_work=True, self_test=False
)
_FLAGS = ("-O1", "-w")
Arrays = Mapping[str, np.ndarray]


class CBackend(Backend):
    """`import tinycc_ml.backend as backend` gives these functions as ONNX's own runner wants them."""

    @classmethod
    def prepare(
        cls, model: onnx.ModelProto, device: str = "CPU", *, bind: bool = True, **options: Any
    ) -> Prepared:
        """bind: values that decide shapes may come with the first run. ModelError when it can't be served."""
        return Prepared(model, bind=bind)

    @classmethod
    def run_node(
        cls,
        node: onnx.NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Sequence[Any] | None = None,
        **options: Any,
    ) -> tuple[Any, ...]:
        """One node alone, of the newest opset or of `opset_version`."""
        given = [(n, np.asarray(a)) for n, a in zip(node.input, inputs, strict=True) if n]
        values = [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in given
        ]
        made = [helper.make_empty_tensor_value_info(n) for n in node.output]
        opset = options.get("opset_version", onnx.defs.onnx_opset_version())
        imports = [helper.make_opsetid("", opset)]
        if node.domain:
            imports.append(helper.make_opsetid(node.domain, 1))
        model = helper.make_model(
            helper.make_graph([node], "node", values, made), opset_imports=imports
        )
        return Prepared(model).run([a for _, a in given])

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return Device(device).type == DeviceType.CPU


class Prepared(BackendRep):  # type: ignore[misc]
    """A model; compiled when it is prepared, or at the first run where shapes wait for values."""

    def __init__(self, model: onnx.ModelProto, *, bind: bool = True):
        self.model = model
        self.bound: tuple[str, ...] = ()  # inputs that are constants of the C
        known = {t.name for t in model.graph.initializer}
        self.inputs = [value.name for value in model.graph.input if value.name not in known]
        self._built: dict[tuple[Any, ...], _Library] = {}
        try:
            self._built[()] = _Library(_compiled(model, {}))
        except ModelError as error:
            if not bind or not (_needed(error) or _is_open(model)):
                raise

    def run(self, inputs: Any, **options: Any) -> tuple[Any, ...]:
        """The outputs, in the model's order, for inputs in the model's order or by name."""
        given = inputs if isinstance(inputs, Mapping) else dict(zip(self.inputs, inputs))  # noqa: B905
        given = {name: _array(name, value) for name, value in given.items()}
        if () in self._built:
            return self._built[()].run(given)
        if self._key(given) not in self._built:
            library = self._compiled_for(given)
            self._built[self._key(given)] = library
        return self._built[self._key(given)].run(given)

    def _key(self, values: Arrays) -> tuple[Any, ...]:
        bytes_ = (a.tobytes() if n in self.bound else b"" for n, a in values.items())
        return (*zip(values, (a.shape for a in values.values()), bytes_, strict=True),)

    def _compiled_for(self, values: Arrays) -> _Library:
        """Compile with these values bound as operators ask for them."""
        model = _shaped(self.model, values)
        while True:
            try:
                return _Library(_compiled(model, {name: values[name] for name in self.bound}))
            except ModelError as error:
                fresh = [name for name in _needed(error) if name not in self.bound]
                if not fresh:
                    raise
                self.bound = (*self.bound, *fresh)


def _array(name: str, value: Any) -> np.ndarray:
    if value is None or isinstance(value, (list, tuple, str)):
        raise ModelError(f"input {name!r} is no tensor")
    return np.asarray(value)


def _needed(error: ModelError) -> tuple[str, ...]:
    """The inputs whose values operators ask for, as far as that is all they miss."""
    problems = error.problems if isinstance(error, UnsupportedError) else (error,)
    if not all(isinstance(p, NeedsValue) and p.inputs for p in problems):
        return ()
    return tuple(dict.fromkeys(n for p in problems for n in p.inputs))  # type: ignore[attr-defined]


def _is_open(model: onnx.ModelProto) -> bool:
    """An input has a shape that is not known beforehand."""
    kinds = [value.type.tensor_type for value in model.graph.input]
    return any(
        not t.HasField("shape") or any(not d.HasField("dim_value") for d in t.shape.dim)
        for t in kinds
    )


def _shaped(model: onnx.ModelProto, values: Arrays) -> onnx.ModelProto:
    """The model with the shapes of these inputs."""
    shaped = onnx.ModelProto()
    shaped.CopyFrom(model)
    for value in shaped.graph.input:
        if value.name in values and value.type.HasField("tensor_type"):
            del value.type.tensor_type.shape.dim[:]
            for size in values[value.name].shape:
                value.type.tensor_type.shape.dim.add().dim_value = size
    return shaped


def _compiled(model: onnx.ModelProto, bind: Arrays) -> Compiled:
    return compile_model(load(model, bind=bind), "host", options=_OPTIONS)


class _Library:
    """The C of a compiled model, built and opened."""

    def __init__(self, compiled: Compiled):
        self._program = compiled.program
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            sources = _written(compiled.files, folder)
            path = cached_build(
                "onnx",
                folder,
                lambda workdir: build_library(
                    sources, include_dirs=(folder,), cflags=_FLAGS, workdir=workdir
                ),
            )
        self._ffi = cffi.FFI()
        self._ffi.cdef(declarations(self._program.name, self._program.parameters))
        self._lib = self._ffi.dlopen(str(path))
        self._arena = np.zeros(self._program.arena_bytes // 8 + 2, np.int64)

    def run(self, values: Arrays) -> tuple[np.ndarray, ...]:
        made = call(self._ffi, self._lib, self._program, self._arena, values)
        return tuple(made[port.tensor] for port in self._program.outputs)


def _written(files: Mapping[str, str], folder: Path) -> list[Path]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return [folder / path for path in files if path.endswith(".c")]
