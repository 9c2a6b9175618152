"""The .npz file beside a spec: arrays by name, quantised weights, and what tensors of the text are called in the net."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Arrays [n, 2] of texts: the name by the text, the name in the net; no array of a net has such a name
NAMES = "#names"
NODE_NAMES = "#nodes"
# A weight of integers has these beside it: real = scale * (q - zero_point), where the arrays broadcast
SCALE = ".scale"
ZERO_POINT = ".zero_point"


@dataclass(frozen=True)
class Quantised:
    """A weight of integers; `axis`: along which there are several scales, None: there is one."""

    array: np.ndarray
    scale: np.ndarray
    zero_point: np.ndarray
    axis: int | None

    def stored(self, name: str) -> dict[str, np.ndarray]:
        """The arrays that say it."""
        return {
            name: self.array,
            f"{name}{SCALE}": self._broadcast(self.scale),
            f"{name}{ZERO_POINT}": self._broadcast(self.zero_point),
        }

    def _broadcast(self, values: np.ndarray) -> np.ndarray:
        if self.axis is None:
            return values.reshape(())
        return values.reshape([-1 if k == self.axis else 1 for k in range(self.array.ndim)])


def quantised(name: str, arrays: Mapping[str, np.ndarray]) -> Quantised | None:
    """The weight of integers of a name, if there is one. ValueError when its scales don't fit it."""
    array, scale = arrays.get(name), arrays.get(f"{name}{SCALE}")
    if array is None or scale is None or array.dtype.kind not in "iu":
        return None
    zero = arrays.get(f"{name}{ZERO_POINT}", np.zeros(scale.shape))
    axes = [k for k, size in enumerate(scale.shape) if size != 1]
    fits = not axes or (len(axes) == 1 and scale.ndim == array.ndim)
    if not fits or any(scale.shape[k] != array.shape[k] for k in axes) or zero.size != scale.size:
        raise ValueError(f"{name}{SCALE} {list(scale.shape)} does not fit {list(array.shape)}")
    flat = (lambda a: a.ravel()) if axes else (lambda a: a.reshape(()))
    zeros = flat(zero).astype(array.dtype)
    return Quantised(array, flat(scale).astype(np.float32), zeros, axes[0] if axes else None)


def pairs(table: np.ndarray) -> dict[str, str]:
    """A table of names as a dictionary."""
    return {str(row[0]): str(row[1]) for row in table}


def table(names: Mapping[str, str]) -> np.ndarray:
    return np.array(list(names.items()), str).reshape(-1, 2)


def write_arrays(path: Path, arrays: Iterable[tuple[str, np.ndarray]]) -> None:
    """An .npz file. Other than np.savez writes it, the same arrays are the same bytes, and any name may be."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays:
            buffer = io.BytesIO()
            np.lib.format.write_array(
                buffer, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False
            )
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, buffer.getvalue())
