"""An Einsum of two operands that is a matrix product, perhaps of a batch: then it has kernels, and an integer form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from ..ir.types import F32
from .dense import from_matmul
from .importing import OnnxNode


@dataclass(frozen=True)
class Product:
    """The letters of a product: [batch, rows, summed] by [batch, summed, columns]."""

    batch: str
    rows: str
    columns: str
    summed: str

    @property
    def left(self) -> tuple[str, ...]:
        return (*((self.batch,) if self.batch else ()), self.rows, self.summed)

    @property
    def right(self) -> tuple[str, ...]:
        return (*((self.batch,) if self.batch else ()), self.summed, self.columns)


def from_product(node: OnnxNode, terms: Sequence[str], result: str) -> bool:
    """Emits transposes and reshapes around a MatMul; False, and nothing done, where it is none."""
    types = [node.type(k) for k in range(len(node.inputs))]
    found = _product(terms, result) if all(t.dtype == F32 for t in types) else None
    if found is None or any(len(t) != k.rank for t, k in zip(terms, types, strict=True)):
        return False
    pairs = [p for t, k in zip(terms, types, strict=True) for p in zip(t, k.shape, strict=True)]
    sizes = dict(pairs)
    if len(set(pairs)) != len(sizes) or 0 in sizes.values():
        return False
    left = _arranged(node, 0, terms[0], found.left, sizes)
    right = _arranged(node, 1, terms[1], found.right, sizes)
    made = node.draft.fresh(f"{node.outputs[0]}.product")
    from_matmul(replace(node, inputs=(left, right), outputs=(made,)))
    axes = found.batch + found.rows + found.columns
    whole = node.emit("reshape", [made], {"shape": tuple(sizes[v] for v in axes)}, hint="axes")
    node.emit("transpose", [whole], {"perm": tuple(map(axes.index, result))}, out=0)
    return True


def _product(terms: Sequence[str], result: str) -> Product | None:
    """None for a letter that comes twice in a term, or is summed over in one operand alone."""
    if len(terms) != 2 or any(len(set(t)) != len(t) for t in (*terms, result)):
        return None
    a, b = terms
    batch = "".join(v for v in result if v in a and v in b)
    rows, columns = ("".join(v for v in one if v not in other) for one, other in ((a, b), (b, a)))
    summed = "".join(v for v in a if v in b and v not in result)
    if not summed or set(batch + rows + columns) != set(result):
        return None
    return Product(batch, rows, columns, summed)


def _arranged(
    node: OnnxNode, index: int, term: str, groups: tuple[str, ...], sizes: Mapping[str, int]
) -> str:
    """The operand with its axes in groups, each of them one axis."""
    perm = tuple(term.index(v) for v in "".join(groups))
    shape = tuple(prod(sizes[v] for v in group) for group in groups)

    def change(data: np.ndarray) -> np.ndarray:
        return data.transpose(perm).reshape(shape)

    if _is_fixed(node, index):
        return node.rearranged(index, change)
    moved = node.inputs[index]
    if perm != tuple(range(len(perm))):
        moved = node.emit("transpose", [moved], {"perm": perm}, hint="ordered")
    return node.emit("reshape", [moved], {"shape": shape}, hint="matrix")


def _is_fixed(node: OnnxNode, index: int) -> bool:
    """A constant, or a dequantised one with one scale."""
    tensor, maker = node.tensor(index), node.draft.producer(node.inputs[index])
    if maker is not None and maker.op == "dequantize":
        tensor = node.draft.tensors[maker.inputs[0]]
    return tensor.is_constant and (tensor.type.quant is None or tensor.type.quant.is_per_tensor)
