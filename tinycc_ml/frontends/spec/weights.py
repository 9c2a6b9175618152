"""Where weights come from: .npz files, the initialisers of ONNX files, or a seed; and what does not fit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import onnx

from ...errors import ModelError
from ..onnx.load import to_array
from ..onnx.nodes import attribute_value
from .problems import Problem, nearest
from .stored import SCALE, ZERO_POINT, Quantised, quantised
from .syntax import Source, Span

_LARGEST_FILE = 1 << 30


@dataclass
class Arrays:
    """One weights(...) line. `order`: the names in the order in which they are taken, None: by name."""

    label: str
    arrays: Mapping[str, np.ndarray]
    source: Source
    span: Span
    order: Iterator[str] | None = None
    extra: bool = False  # arrays may be left over
    used: set[str] = field(default_factory=set)
    broken: bool = False  # in order, everything after the first mistake is another


@dataclass(frozen=True)
class Misfit:
    """A weight that was not found, or whose array has another shape: a line of the message."""

    text: str
    missing: bool


@dataclass
class Weights:
    """All the weights of a net, and what is wrong with them."""

    files: list[Arrays] = field(default_factory=list)
    seed: int | None = None
    misfits: list[Misfit] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)  # shapes and such, which may be left over

    def take(self, name: str, shape: tuple[int, ...], init: str, where: str) -> np.ndarray:
        """The weight of a name; zeros when there is none, which `problems` will say."""
        self.wanted.append(name)
        for file in self.files:
            key = self._key(file, name)
            if key is not None:
                return self._shaped(file, key, name, shape, where)
        if self.seed is not None:
            return seeded(self.seed, name, shape, init)
        near = nearest(name, [n for f in self.files for n in f.arrays if n not in f.used])
        hint = f" ({near})" if near else ""
        self.misfits.append(Misfit(f"missing:  {name} {list(shape)}, {where}{hint}", True))
        return np.zeros(shape, np.float32)

    def quantised(self, name: str, shape: tuple[int, ...] | None) -> Quantised | None:
        """A weight that is stored as integers with scales beside it. ValueError when they don't fit."""
        for file in self.files:
            found = quantised(name, file.arrays) if file.order is None else None
            if found is not None and shape in (None, found.array.shape):
                file.used |= {name, f"{name}{SCALE}", f"{name}{ZERO_POINT}"}
                return found
            if name in file.arrays:
                return None
        return None

    def stored(self, name: str, where: str) -> np.ndarray | None:
        """A weight of whatever shape and type it is stored in."""
        array = self.named(name)
        if array is None:
            self.misfits.append(Misfit(f"missing:  {name}, {where}", True))
        return array

    def _key(self, file: Arrays, name: str) -> str | None:
        if file.order is not None:
            return next(file.order, None)
        return name if name in file.arrays else None

    def _shaped(
        self, file: Arrays, key: str, name: str, shape: tuple[int, ...], where: str
    ) -> np.ndarray:
        file.used.add(key)
        array = file.arrays[key]
        if array.shape == shape or (array.size == 1 and shape == (1,)):
            return array.astype(np.float32).reshape(shape)
        if not file.broken:
            file.broken = file.order is not None
            called = f" ({key!r})" if key != name else ""
            turned = (
                ' (it is transposed: order="io"?)'
                if array.ndim == 2 and array.shape == shape[::-1]
                else ""
            )
            text = f"shape:    {name} is {list(shape)}, {where}, the array{called} is {list(array.shape)}{turned}"
            self.misfits.append(Misfit(text, False))
        return np.zeros(shape, np.float32)

    def named(self, name: str) -> np.ndarray | None:
        """`w["name"]`."""
        for file in self.files:
            if name in file.arrays:
                file.used.add(name)
                return file.arrays[name]
        return None

    def names(self) -> list[str]:
        return [name for file in self.files for name in file.arrays]

    def problems(self, source: Source, used: Span) -> list[Problem]:
        """One problem that lists everything that does not fit, at the weights line (`used`: the first call
        that has weights, when there is no such line)."""
        left = [
            f"left over: {name} {list(file.arrays[name].shape)}{self._near(name)}"
            for file in self.files
            for name in self._left(file)
        ]
        if not self.misfits and not left:
            return []
        if not self.files:
            hint = 'weights("FILE.npz"), or weights(random(1)) to size the net before it is trained'
            message = (
                f"the net has {len(self.wanted)} weights, and nothing says where they come from"
            )
            return [Problem(message, source, used, hint)]
        missing = sum(m.missing for m in self.misfits)
        counts = {
            "missing": missing,
            "of another shape": len(self.misfits) - missing,
            "left over": len(left),
        }
        said = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
        file = self.files[0]
        label = " and ".join(f.label for f in self.files)
        lines = [*(m.text for m in self.misfits), *left]
        more = [f"... and {len(lines) - 20} more"] if len(lines) > 20 else []
        return [
            Problem(
                f"{label} and the net differ: {said}",
                file.source,
                file.span,
                None,
                [*lines[:20], *more],
            )
        ]

    def _left(self, file: Arrays) -> list[str]:
        if file.extra or file.broken:
            return []
        return [n for n in file.arrays if n not in file.used and n not in self.unlisted]

    def _near(self, name: str) -> str:
        taken = {n for f in self.files for n in f.used}
        near = nearest(name, [n for n in self.wanted if n not in taken])
        return f" ({near})" if near else ""


def seeded(seed: int, name: str, shape: tuple[int, ...], init: str) -> np.ndarray:
    """Random weights that depend on the name only, so that another layer more changes no other."""
    if init in ("ones", "zeros"):
        return np.full(shape, float(init == "ones"), np.float32)
    rng = np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(name.encode())])
    terms = max(int(np.prod(shape[1:])), 1)
    return (rng.standard_normal(shape, np.float32) / np.float32(np.sqrt(terms))).astype(np.float32)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, or the initialisers of an .onnx file in the order of their use. ModelError."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ModelError(f"{path.name} is larger than {_LARGEST_FILE >> 20} MB")
        return _of_onnx(path) if path.suffix.lower() == ".onnx" else _of_npz(path)
    except OSError as error:
        raise ModelError(f"can't read {path.name}: {error.strerror or error}") from error


def _of_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise ModelError(f"{path.name}: wanted an .npz file of named arrays")
        with file:
            return {name: _plain(file[name]) for name in file.files}
    except (ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise ModelError(f"{path.name} is no .npz file of plain arrays") from error


def _of_onnx(path: Path) -> dict[str, np.ndarray]:
    try:
        graph = onnx.load(path).graph
    except OSError:
        raise
    except Exception as error:  # protobuf raises types of its own
        raise ModelError(f"{path.name} is no ONNX model") from error
    found = {proto.name: to_array(proto) for proto in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            found[node.output[0]] = np.asarray(attribute_value(node.attribute[0]))
    used = dict.fromkeys(name for node in graph.node for name in node.input if name in found)
    return {name: _plain(found[name]) for name in [*used, *(n for n in found if n not in used)]}


def _plain(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype in (np.float64, np.float16) else array


def is_weight(array: np.ndarray) -> bool:
    """Of an ONNX file, shapes and scalars are no weights."""
    return array.dtype.kind == "f" and array.ndim > 0
