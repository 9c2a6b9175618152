"""Determinants of square matrices [..., N, N], by elimination with the largest pivot of each column; float only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import F32, TensorType
from .base import Arrays, Case, Loop, Nest, Op, Site
from .importing import OnnxNode
from .indexing import nested, read


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    x = types[0]
    if x.dtype != F32 or x.rank < 2 or x.shape[-1] != x.shape[-2] or not x.shape[-1]:
        raise ModelError(f"det takes f32 [..., N, N], got {x}")
    return (x.with_shape(x.shape[:-2]),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    return (np.asarray(np.linalg.det(arrays[0].astype(np.float64)), np.float32),)


def _nest(site: Site) -> Nest:
    n = site.x.shape[-1]
    largest = f"if (i > k && fabsf(m[{n}U * i + k]) > fabsf(m[{n}U * p + k])) {{ p = i; }}"
    swap = (
        f"const float upper = m[{n}U * k + j];",
        f"m[{n}U * k + j] = m[{n}U * p + j];",
        f"m[{n}U * p + j] = upper;",
    )
    below = (
        f"const float part = i > k && pivot != 0.0F ? m[{n}U * i + k] / pivot : 0.0F;",
        Loop("j", n, (f"m[{n}U * i + j] -= part * m[{n}U * k + j];",)),
    )
    column = (
        "size_t p = k;", Loop("i", n, (largest,)), Loop("j", n, swap),
        f"const float pivot = m[{n}U * k + k];", "det *= p == k ? pivot : -pivot;", Loop("i", n, below),
    )  # fmt: skip
    body: tuple[Loop | str, ...] = (
        Loop("i", n * n, (f"m[i] = {read(site, 0, f'{n * n}U * b + i')};",)),
        "float det = 1.0F;", Loop("k", n, column), "y0[b] = det;",
    )  # fmt: skip
    matrices = site.x.size // (n * n)
    loops = nested(("b",), (matrices,), body)
    cycles = matrices * (12.0 * n**3 + 40.0 * n**2)
    return Nest(loops, includes=("math.h",), cycles=cycles, scratch=(("m", F32, n * n),))


def from_onnx(node: OnnxNode) -> None:
    node.emit("det", [node.inputs[0]], out=0)


OP = Op(
    "det",
    infer,
    reference,
    nest=_nest,
    onnx={"Det": from_onnx},
    summary="Determinant: Det",
    cases=(
        Case("one", "Det", ((2, 1, 1),), integer=False),
        Case("matrix", "Det", ((4, 4),), integer=False),
        Case("batch", "Det", ((3, 2, 5, 5),), integer=False),
    ),
)
