"""Sums of products over named axes, of any plain type: Einsum, and every MatMul and Gemm that has no kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from string import ascii_letters

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import TensorType
from .base import Arrays, Case, Const, Loop, Nest, Op, Site
from .einsum_product import from_product
from .elementwise import emit as elementwise
from .importing import OnnxNode
from .indexing import affine, nested, read, strides_of, typed_c


def _sizes(shapes: Sequence[tuple[int, ...]], attrs: Attrs) -> dict[str, int]:
    """The size of each axis by letter; 1 goes with any other."""
    sizes: dict[str, int] = {}
    for labels, shape in zip(attrs["terms"], shapes, strict=True):
        if len(labels) != len(shape):
            raise ModelError(f"einsum of {list(shape)} as {labels!r}")
        if len(set(zip(labels, shape, strict=True))) != len(set(labels)):
            raise ModelError(f"einsum: one axis of {list(shape)} as {labels!r} has two sizes")
        for label, size in zip(labels, shape, strict=True):
            if sizes.setdefault(label, size) != size and 1 not in (size, sizes[label]):
                raise ModelError(f"einsum: axis {label!r} has {sizes[label]} and {size} elements")
            sizes[label] = size if sizes[label] == 1 else sizes[label]
    return sizes


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Attributes: terms (a letter for each axis of each operand), result."""
    if len({t.dtype for t in types}) != 1 or types[0].dtype.kind == "bool":
        raise ModelError(f"einsum of {', '.join(map(str, types))}")
    sizes = _sizes([t.shape for t in types], attrs)
    return (types[0].with_shape(tuple(sizes[label] for label in attrs["result"])),)


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    equation = f"{','.join(attrs['terms'])}->{attrs['result']}"
    wide = np.float64 if arrays[0].dtype.kind == "f" else arrays[0].dtype
    return (np.einsum(equation, *(a.astype(wide) for a in arrays)).astype(arrays[0].dtype),)


def _strides(labels: str, shape: tuple[int, ...], sizes: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for label, size, stride in zip(labels, shape, strides_of(shape), strict=True):
        found[label] = found.get(label, 0) + (0 if size == 1 and sizes[label] != 1 else stride)
    return found


def _nest(site: Site) -> Nest:
    sizes = _sizes([t.shape for t in site.inputs], site.attrs)
    result, dtype = site.attrs["result"], site.y.dtype
    summed = [label for label in sizes if label not in result]
    factors = []
    for k, (labels, tensor) in enumerate(zip(site.attrs["terms"], site.inputs, strict=True)):
        strides = _strides(labels, tensor.shape, sizes)
        at = affine([f"i_{label}" for label in strides], list(strides.values()))
        factors.append(read(site, k, at))
    target = affine([f"i_{label}" for label in result], strides_of(site.y.shape))
    acc, product = (dtype.c, " * ".join(factors))
    if not dtype.is_float:
        acc, product = (
            typed_c("{u}", dtype),
            " * ".join(typed_c(f"({{u}}){f}", dtype) for f in factors),
        )
    body: tuple[Loop | str, ...] = (f"acc += {product};",)
    body = nested([f"i_{v}" for v in summed], [sizes[v] for v in summed], body)
    lines = (f"{acc} acc = 0;", *body, f"y0[{target}] = ({dtype.c})acc;")
    cycles = 10.0 * prod(sizes.values())
    return Nest(nested([f"i_{v}" for v in result], site.y.shape, lines), cycles=cycles)


def emit(node: OnnxNode, inputs: Sequence[str], equation: str, out: int | None = None) -> str:
    terms, _, result = equation.partition("->")
    attrs = {"terms": tuple(terms.split(",")), "result": result}
    return node.emit("einsum", inputs, attrs, out=out)


def from_einsum(node: OnnxNode) -> None:
    text = node.attr("equation").replace(" ", "")
    given, arrow, result = text.partition("->")
    terms = given.split(",")
    if len(terms) != len(node.inputs):
        node.refuse(f"Einsum of {len(node.inputs)} operands as {text!r}")
    free = [letter for letter in ascii_letters if letter not in text]
    ranks = [node.type(k).rank - len(t.replace("...", "")) for k, t in enumerate(terms)]
    rank = max((r for r, t in zip(ranks, terms, strict=True) if "..." in t), default=0)
    rest = "".join(free[:rank])
    terms = [t.replace("...", rest[rank - r :]) for t, r in zip(terms, ranks, strict=True)]
    if not arrow:
        letters = "".join(terms)
        result = rest + "".join(
            sorted(v for v in set(letters) - set(rest) if letters.count(v) == 1)
        )
    result = result.replace("...", rest)
    if not from_product(node, terms, result):
        emit(node, node.inputs, f"{','.join(terms)}->{result}", 0)


def emit_matmul(node: OnnxNode, a: str, b: str, out: int | None = None) -> str:
    """NumPy's matmul of two tensors of one type."""
    left, right = (node.draft.tensors[t].type.rank for t in (a, b))
    if not left or not right:
        node.refuse(
            f"{node.op_type} of {node.draft.tensors[a].type} and {node.draft.tensors[b].type}"
        )
    batch = "abcdefgh"[: max(left - 2, right - 2, 0)]
    rows, columns = "m" if left > 1 else "", "n" if right > 1 else ""
    terms = (batch[len(batch) - max(left - 2, 0) :] + rows + "k", batch[len(batch) - max(right - 2, 0) :] + "k" + columns)  # fmt: skip
    return emit(node, [a, b], f"{','.join(terms)}->{batch}{rows}{columns}", out)


def _from_matmul(node: OnnxNode) -> None:
    emit_matmul(node, node.inputs[0], node.inputs[1], 0)


def _from_gemm(node: OnnxNode) -> None:
    a = "km" if node.attr("transA", 0) else "mk"
    b = "nk" if node.attr("transB", 0) else "kn"
    y = emit(node, node.inputs[:2], f"{a},{b}->mn")
    dtype = node.type(0).dtype.numpy
    y = scaled(node, y, node.attr("alpha", 1.0), dtype)
    if node.has(2):
        y = elementwise(node, "add", y, scaled(node, node.inputs[2], node.attr("beta", 1.0), dtype))
    node.rename(0, y)


def scaled(node: OnnxNode, x: str, factor: float, dtype: np.dtype) -> str:
    if factor == 1.0:
        return x
    return elementwise(node, "mul", x, node.constant("factor", np.asarray(factor, dtype)))


def _from_matmul_integer(node: OnnxNode) -> None:
    """int32 throughout; a zero point may be one for each row (of a) or column (of b)."""
    operands = []
    for k in (0, 1):
        x = node.emit("cast", [node.inputs[k]], {"dtype": "i32"})
        if node.has(k + 2):
            zero = node.emit("cast", [node.inputs[k + 2]], {"dtype": "i32"})
            shape = node.type(k + 2).shape
            if k == 0 and len(shape) == 1 and shape != (1,):
                zero = node.emit("reshape", [zero], {"shape": (*shape, 1)})
            x = elementwise(node, "sub", x, zero)
        operands.append(x)
    emit_matmul(node, operands[0], operands[1], 0)


OP = Op(
    "einsum",
    infer,
    reference,
    nest=_nest,
    macs=lambda site: prod(_sizes([t.shape for t in site.inputs], site.attrs).values()),
    onnx={"Einsum": from_einsum, "MatMulInteger": _from_matmul_integer},
    generic={"MatMul": _from_matmul, "Gemm": _from_gemm},
    summary="Einsum, MatMulInteger; MatMul and Gemm of any plain type",
    cases=(
        Case("matrices", "Einsum", ((3, 4), (4, 5)), {"equation": "ij,jk->ik"}),
        Case("batch", "Einsum", ((2, 3, 4), (2, 4, 5)), {"equation": "...ij,...jk"}),
        Case("heads", "Einsum", ((1, 5, 2, 4), (1, 6, 2, 4)), {"equation": "bqhd,bkhd->bhqk"}),
        Case("weights", "Einsum", ((2, 3, 4), Const(shape=(5, 4, 3))), {"equation": "bij,oji->ob"}),
        Case("outer", "Einsum", ((3,), (4,)), {"equation": "i,j->ji"}, integer=False),
        Case("summed_alone", "Einsum", ((3, 4), (4, 5)), {"equation": "ij,jk->i"}, integer=False),
        Case("trace", "Einsum", ((4, 4),), {"equation": "ii->"}, integer=False),
    ),
)
