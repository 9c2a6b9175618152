"""A shipped folder as a Python callable: its C, built for this machine and called with arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cffi
import numpy as np

from ..backend.program import Port
from ..errors import DataError
from ..numerics.quantization import dequantize, quantize
from ..ops.formulas import converted
from .cache import cached_build
from .host import build_library
from .shipped import Shipped, open_folder
from .trace import call, declarations


def load(folder: str | Path) -> Model:
    """The network of an out/ folder. ModelError when it is none, ToolError without a C compiler."""
    shipped = open_folder(Path(folder))
    # the library's name must not end in .c or .h, which the cache's fingerprint reads
    library = cached_build(
        f"model-{shipped.name}", shipped.folder, lambda workdir: _build(shipped, workdir)
    )
    return Model(shipped, library)


def _build(shipped: Shipped, workdir: Path) -> Path:
    return build_library(shipped.sources, include_dirs=(shipped.folder,), workdir=workdir)


@dataclass(frozen=True)
class _Given:
    """An input as the C takes it; `real`: it came as floats; `whole`: it had the model's full shape."""

    array: np.ndarray
    real: bool
    whole: bool


class Model:
    """A compiled network. Call it with one array per input, in order or by name (keywords, or one
    mapping): floats are quantised and floats come out, integers are raw and integers come out."""

    def __init__(self, shipped: Shipped, library: Path):
        self.name = shipped.name
        self.inputs: tuple[Port, ...] = shipped.inputs
        self.outputs: tuple[Port, ...] = shipped.outputs
        self._shipped = shipped
        self._ffi = cffi.FFI()
        self._ffi.cdef(declarations(shipped.name, shipped.parameters))
        self._lib = self._ffi.dlopen(str(library))
        self._arena = np.zeros(max(shipped.arena_bytes, 8) // 8 + 1, np.int64)

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """One array when there is one output, else a dict by name. Shapes may lack the leading 1; the
        results then lack it too. DataError for a wrong name, shape or element type."""
        given = {p.tensor: _accepted(p, value) for p, value in self._by_port(arrays, named)}
        raw = call(
            self._ffi, self._lib, self._shipped, self._arena, {n: g.array for n, g in given.items()}
        )
        real = any(g.real for g in given.values())
        whole = any(g.whole for g in given.values())
        results = {p.tensor: _result(p, raw[p.tensor], real, whole) for p in self.outputs}
        return results if len(results) > 1 else next(iter(results.values()))

    def run_all(
        self, samples: Mapping[str, np.ndarray], progress: Callable[[int, int], None] | None = None
    ) -> dict[str, np.ndarray]:
        """The outputs [N, ...] by name for samples [N, ...] by input."""
        counts = {len(array) if np.ndim(array) else 0 for array in samples.values()}
        if len(counts) != 1 or counts == {0}:
            raise DataError(
                f"wanted the same number of samples for each input, got {sorted(counts)}"
            )
        (count,) = counts
        made = []
        for k in range(count):
            result = self({name: array[k] for name, array in samples.items()})
            made.append(result if isinstance(result, dict) else {self.outputs[0].tensor: result})
            if progress:
                progress(k + 1, count)
        return {p.tensor: np.stack([m[p.tensor] for m in made]) for p in self.outputs}

    def _by_port(self, arrays: tuple[Any, ...], named: Mapping[str, Any]) -> list[tuple[Port, Any]]:
        if len(arrays) == 1 and isinstance(arrays[0], Mapping) and not named:
            return self._by_port((), arrays[0])
        names = [port.tensor for port in self.inputs]
        if len(arrays) > len(names):
            raise DataError(f"wanted {len(names)} arrays ({', '.join(names)}), got {len(arrays)}")
        found = dict(zip(names, arrays, strict=False))
        by_name = {
            **{port.ident: port.tensor for port in self.inputs},
            **{name: name for name in names},
        }
        for name, value in named.items():
            tensor = by_name.get(name)
            if tensor is None or tensor in found:
                what = "is no input" if tensor is None else "is given twice"
                raise DataError(f"{name!r} {what}; the inputs are {', '.join(names)}")
            found[tensor] = value
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(f"input {missing[0]!r} is missing; the inputs are {', '.join(names)}")
        return [(port, found[port.tensor]) for port in self.inputs]


def _accepted(port: Port, value: Any) -> _Given:
    array, shape = np.asarray(value), port.type.shape
    whole = array.shape == shape
    if not whole and not (shape[:1] == (1,) and array.shape == shape[1:]):
        raise DataError(f"{port.tensor!r} wants {port.text}, got {array.dtype}{list(array.shape)}")
    return _Given(_typed(port, array.reshape(shape)), array.dtype.kind == "f", whole)


def _typed(port: Port, array: np.ndarray) -> np.ndarray:
    """`array` in the element type of the API."""
    dtype = port.type.dtype
    if array.dtype.kind not in "fiub" and array.dtype != dtype.numpy:
        raise DataError(f"{port.tensor!r} wants numbers, got an array of {array.dtype}")
    if array.dtype == dtype.numpy:
        return array
    if dtype.is_real:
        return converted(array, dtype.numpy)
    if array.dtype.kind == "f" and port.quantised:
        if np.isnan(array).any():
            raise DataError(f"{port.tensor!r} holds a value that is no number")
        return quantize(array, port.type)
    return _narrowed(port, array)


def _narrowed(port: Port, array: np.ndarray) -> np.ndarray:
    """Plain Python integers are int64; other types would be a misunderstanding of what the bytes mean."""
    low, high = port.type.dtype.range if port.type.dtype.is_integer else (0, 1)
    fits = array.dtype.kind == "i" and (
        array.size == 0 or (low <= array.min() and array.max() <= high)
    )
    if not fits:
        floats = " or floats" if port.quantised else ""
        raise DataError(
            f"{port.tensor!r} wants {port.type.dtype.numpy} ({low}..{high}){floats}, got {array.dtype}"
        )
    return array.astype(port.type.dtype.numpy)


def _result(port: Port, array: np.ndarray, real: bool, whole: bool) -> np.ndarray:
    if real and port.quantised:
        array = dequantize(array, port.type)
    leading_one = array.ndim > 0 and array.shape[0] == 1
    return array if whole or not leading_one else array.reshape(array.shape[1:])
