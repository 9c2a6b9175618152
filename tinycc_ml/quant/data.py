"""Calibration files: arrays [N, ...] by input name, in the model's own layout (docs/calibration.md)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np

from ..errors import DataError, Location
from ..ir.graph import Graph, Tensor
from ..ir.types import I8, U8, DType, Quant, TensorType

Given = TypeVar("Given")


@dataclass(frozen=True)
class InputScale:
    """real = scale * (q - offset), as the user says it of raw sensor data."""

    scale: float
    offset: int = 0


@dataclass(frozen=True)
class Data:
    """`samples`: [N, ...] by input, real values in float32, those of integer inputs as they are. `quants`:
    quantisation and element type that the file or the user fixed for an input. `labels`: [N] or None. `drawn`:
    the samples stand for data that were not given, within these ranges."""

    samples: Mapping[str, np.ndarray]
    quants: Mapping[str, tuple[Quant, DType]] = field(default_factory=dict)
    labels: np.ndarray | None = None
    drawn: Mapping[str, tuple[float, float]] | None = None


def load_data(
    source: Path | Mapping[str, np.ndarray],
    graph: Graph,
    scales: Mapping[str, InputScale] | None = None,
) -> Data:
    """Read and check a calibration file, or its arrays, against the inputs of a float graph. DataError
    otherwise.

    `scales`: what --input-scale and --input-offset say, by input; "" for the only one.
    """
    arrays = (
        _read(source) if isinstance(source, Path) else {n: np.asarray(a) for n, a in source.items()}
    )
    loc = Location(source.name if isinstance(source, Path) else "calibration arrays")
    if not graph.inputs:
        raise DataError("the model has no inputs that data could be for", loc=loc)
    scales = by_input("--input-scale", scales or {}, graph)
    samples: dict[str, np.ndarray] = {}
    quants: dict[str, tuple[Quant, DType]] = {}
    for name in graph.inputs:
        key = _key(name, arrays, graph, loc)
        array = _in_api_layout(arrays[key], graph.tensors[name], loc)
        scale = _scale(name, key, arrays, scales.get(name), graph, loc)
        if scale is not None:
            quants[name] = (_quant(scale, array, name, loc), _dtype(array))
            array = (array.astype(np.float64) - scale.offset) * scale.scale
        samples[name] = _as_input(array, graph.type(name), name, loc)
    _same_count(samples, loc)
    return Data(samples, quants, _labels(arrays, samples, loc))


def _as_input(array: np.ndarray, type_: TensorType, name: str, loc: Location) -> np.ndarray:
    """In the element type of the reference: indices, conditions and the like stay what they are."""
    if type_.dtype.is_real:
        return array.astype(np.float32)
    made = array.astype(type_.dtype.numpy)
    if not np.array_equal(made, array):
        raise DataError(f"{name!r} wants values of {type_.dtype}, got others", loc=loc)
    return made


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise DataError(f"{path.name}: wanted an .npz file of named arrays")
        with file:
            return {name: file[name] for name in file.files}
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise DataError(f"{path.name} is no .npz file of plain arrays: {error}") from error


def by_input(option: str, given: Mapping[str, Given], graph: Graph) -> dict[str, Given]:
    """What an option says of inputs, by their names; "" is the only one."""
    found = dict(given)
    if "" in found:
        if len(graph.inputs) != 1:
            raise DataError(
                f"{option} without a name, but the inputs are {', '.join(graph.inputs)}",
                hint=f"say {option} NAME=...",
            )
        found[graph.inputs[0]] = found.pop("")
    unknown = [name for name in found if name not in graph.inputs]
    if unknown:
        raise DataError(f"{option} for {unknown[0]!r}, the inputs are {', '.join(graph.inputs)}")
    return found


def _key(name: str, arrays: Mapping[str, np.ndarray], graph: Graph, loc: Location) -> str:
    if name in arrays:
        return name
    if len(graph.inputs) == 1 and "inputs" in arrays:
        return "inputs"
    has = ", ".join(arrays) or "nothing"
    alone = " or 'inputs'" if len(graph.inputs) == 1 else ""
    raise DataError(f"wanted an array {name!r}{alone}, the file has {has}", loc=loc)


def _in_api_layout(array: np.ndarray, tensor: Tensor, loc: Location) -> np.ndarray:
    """Samples in the model's own layout, checked, as samples of the graph's input (--io-layout)."""
    permutation = tensor.origin.permutation if tensor.origin else None
    if permutation is None:
        return _checked(array, tensor.name, tensor.shape, loc)
    checked = _checked(array, tensor.name, tuple(tensor.shape[p] for p in permutation), loc)
    return checked.transpose(0, *(1 + np.argsort(permutation)))


def _checked(array: np.ndarray, name: str, shape: tuple[int, ...], loc: Location) -> np.ndarray:
    """[N, ...] with or without the leading 1 of the model's shape."""
    wanted = (shape, shape[1:]) if shape[:1] == (1,) else (shape,)
    if (
        array.ndim == 0
        or array.dtype.kind not in "fiub"
        or array.shape[1:] not in wanted
        or not len(array)
    ):
        raise DataError(
            f"{name!r} wants samples [N, {', '.join(map(str, shape))}], got {array.dtype}{list(array.shape)}",
            loc=loc,
        )
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32))
    if not finite.all():
        where = np.argwhere(~finite)[0].tolist()
        raise DataError(f"{name!r} holds a value that is no number at {where}", loc=loc)
    return array.reshape(len(array), *shape)


def _scale(
    name: str,
    key: str,
    arrays: Mapping[str, np.ndarray],
    given: InputScale | None,
    graph: Graph,
    loc: Location,
) -> InputScale | None:
    alone = [""] if len(graph.inputs) == 1 else []
    prefixes = [f"{name}.", f"{key}.", *alone]
    scale = next((f"{p}scale" for p in prefixes if f"{p}scale" in arrays), None)
    zero = next((f"{p}zero_point" for p in prefixes if f"{p}zero_point" in arrays), None)
    if scale is None:
        if zero is not None:
            raise DataError(f"{zero!r} without a scale", loc=loc)
        return given
    if given is not None:
        raise DataError(
            f"{scale!r} is in the file and --input-scale is given too: say it once", loc=loc
        )
    offset = _number(arrays[zero], zero, loc) if zero else 0.0
    if not offset.is_integer():
        raise DataError(f"{zero!r} wants a whole number, got {offset:g}", loc=loc)
    return InputScale(_number(arrays[scale], scale, loc), int(offset))


def _number(array: np.ndarray, name: str, loc: Location) -> float:
    if array.size != 1 or array.dtype.kind not in "fiu":
        raise DataError(f"{name!r} wants one number, got {array.dtype}{list(array.shape)}", loc=loc)
    return float(array.ravel()[0])


def _quant(scale: InputScale, array: np.ndarray, name: str, loc: Location) -> Quant:
    if not scale.scale > 0 or not np.isfinite(scale.scale):
        raise DataError(f"the scale of {name!r} must be positive, got {scale.scale}", loc=loc)
    low, high = _dtype(array).range
    if not low <= scale.offset <= high:
        raise DataError(
            f"the zero point of {name!r} must lie in {low}..{high}, got {scale.offset}", loc=loc
        )
    return Quant.per_tensor(scale.scale, scale.offset)


def _dtype(array: np.ndarray) -> DType:
    """Raw data says its own type; uint8 pixels are uint8 at the API."""
    return U8 if array.dtype == np.uint8 else I8


def _same_count(samples: Mapping[str, np.ndarray], loc: Location) -> None:
    counts = {name: len(a) for name, a in samples.items()}
    if len(set(counts.values())) > 1:
        raise DataError(f"the inputs have different numbers of samples: {counts}", loc=loc)


def _labels(
    arrays: Mapping[str, np.ndarray], samples: Mapping[str, np.ndarray], loc: Location
) -> np.ndarray | None:
    labels = arrays.get("labels")
    count = len(next(iter(samples.values())))
    if labels is None:
        return None
    if labels.shape[:1] != (count,) or labels.size != count or labels.dtype.kind not in "fiub":
        raise DataError(
            f"'labels' wants {count} class numbers, got {labels.dtype}{list(labels.shape)}", loc=loc
        )
    return labels
