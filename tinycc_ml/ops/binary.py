"""Functions of two values with NumPy broadcasting, a line each: add, sub, mul, div, pow, minimum, maximum.

Float: x0, x1 and, for some, a fused clamp (`min`, `max`). The integer forms, what their attributes and
constants mean and how they are lowered stand in binary_integer.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs
from ..ir.types import F32, TensorType
from . import binary_integer as forms
from . import runs
from .base import Arrays, Case, Const, Element, Kernel, Nest, Op, QuantizeRule, Site, clamped
from .binary_kernels import KERNELS
from .channels import channelwise
from .importing import OnnxNode
from .indexing import (
    affine,
    broadcast_strides,
    clamped_c,
    elementwise_loops,
    nested,
    read,
    strides_of,
)
from .intervals import at_corners
from .lowering import Lowering
from .rows import pixelwise


@dataclass(frozen=True)
class Function:
    """`numpy(x0, x1)`; `c` is a C expression of the floats `v0` and `v1`; `form`: its integer arithmetic."""

    numpy: Callable[[np.ndarray, np.ndarray], np.ndarray]
    c: str
    onnx: str
    form: forms.Form
    clamps: bool = False
    cycles: float = 9.0
    low: float = -3.0  # range of the test cases
    integer_cases: bool = True
    kernels: tuple[Kernel, ...] = ()


FUNCTIONS: Mapping[str, Function] = {
    "add": Function(np.add, "v0 + v1", "Add", forms.ADD, clamps=True, kernels=KERNELS),
    "sub": Function(np.subtract, "v0 - v1", "Sub", forms.SUB, clamps=True, kernels=KERNELS),
    "mul": Function(np.multiply, "v0 * v1", "Mul", forms.MUL, clamps=True),
    "div": Function(np.divide, "v0 / v1", "Div", forms.DIV, clamps=True, cycles=22.0, low=0.5),
    "pow": Function(
        np.power, "powf(v0, v1)", "Pow", forms.POW, cycles=200.0, low=0.5, integer_cases=False
    ),
    "minimum": Function(np.minimum, "fminf(v0, v1)", "Min", forms.MINIMUM),
    "maximum": Function(np.maximum, "fmaxf(v0, v1)", "Max", forms.MAXIMUM),
}


def infer(name: str, types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    """Operands beyond the second are tables of an integer form."""
    a, b = types[0], types[1]
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError as error:
        raise ModelError(f"{name} of {a} and {b}: the shapes don't broadcast") from error
    return (TensorType(tuple(int(d) for d in shape), a.dtype),)


def _reference(function: Function, arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    with np.errstate(all="ignore"):
        y = function.numpy(np.asarray(arrays[0], np.float32), np.asarray(arrays[1], np.float32))
    return (clamped(y, attrs),)


def _transposed(site: Site, permutation: tuple[int, ...]) -> Mapping[str, Any] | None:
    """Element by element, so the order of axes is free where run-time operands have all of them.
    A constant operand is brought to full rank and untransposed by whoever moves the transpose."""
    full = all(t.type.rank == len(permutation) for t in site.inputs if not t.is_constant)
    return site.attrs if full and site.y.rank == len(permutation) else None


def _in_place(site: Site) -> tuple[int, ...]:
    """Run-time operands that are read at the very index that is written."""
    return tuple(
        k
        for k, t in enumerate(site.inputs[:2])
        if not t.is_constant and t.shape == site.y.shape and t.type.dtype == site.y.dtype
    )


def _nest(function: Function, site: Site) -> Nest:
    shape = site.y.shape
    operands = (strides_of(shape), *(broadcast_strides(t.shape, shape) for t in site.inputs[:2]))
    variables, dims, strides = elementwise_loops(shape, operands)
    out, left, right = (affine(variables, s) for s in strides)
    includes: tuple[str, ...] = ()
    body: tuple[str, ...]
    if site.is_float:
        values = (
            f"const float v0 = {read(site, 0, left)};",
            f"const float v1 = {read(site, 1, right)};",
        )
        body = (*values, f"y0[{out}] = {clamped_c(function.c, site.attrs)};")
        includes = ("math.h",) if "f(" in body[-1] else ()
        cycles = function.cycles
    else:
        body = forms.statements(function.form, site, left, right, f"y0[{out}]")
        cycles = 19.0
    return Nest(
        nested(variables, dims, body),
        includes=includes,
        in_place=_in_place(site),
        cycles=cycles * site.y.size,
    )


def _element(function: Function, site: Site) -> Element:
    return Element(clamped_c(function.c, site.attrs), function.cycles)


def _lower(function: Function, low: Lowering) -> None:
    forms.lower(low, function.form, lambda a, b: _reference(function, (a, b), low.attrs)[0])


def _check_floats(node: OnnxNode) -> None:
    for k in range(len(node.inputs)):
        if node.type(k).dtype != F32:
            node.refuse(f"{node.op_type} takes f32, got {node.type(k)}")


def _from_onnx(name: str, node: OnnxNode) -> None:
    """Two operands; Min and Max take any number, as a chain."""
    _check_floats(node)
    chain(node, name, node.inputs, out=0)


def chain(node: OnnxNode, name: str, inputs: Sequence[str], out: int | None) -> str:
    """f(f(x0, x1), x2)...; one input alone is passed on. The name of the result."""
    if node.opset < 7 and node.attr("broadcast", 0):
        node.refuse(f"{node.op_type} with the attribute broadcast of opsets before 7")
    if len(inputs) == 1:
        return node.emit("identity", inputs, out=out)
    y = inputs[0]
    for k, x in enumerate(inputs[1:], start=1):
        y = node.emit(name, [y, x], out=out if k == len(inputs) - 1 else None)
    return y


def from_sum(node: OnnxNode) -> None:
    _check_floats(node)
    chain(node, "add", node.inputs, out=0)


def from_mean(node: OnnxNode) -> None:
    _check_floats(node)
    total = chain(node, "add", node.inputs, out=None)
    count = node.constant(f"{node.outputs[0]}.weight", np.asarray(1 / len(node.inputs), np.float32))
    node.emit("mul", [total, count], out=0)


def _cases(name: str, f: Function) -> tuple[Case, ...]:
    def case(kind: str, *inputs: Any) -> Case:
        return Case(f"{name}_{kind}", f.onnx, inputs, low=f.low, integer=f.integer_cases)

    channel = Const((0.5 + np.arange(3, dtype=np.float32)).reshape(1, 3, 1, 1))
    cases: tuple[Case, ...] = (
        case("one", (1,), (1,)),
        case("same_shape", (2, 3, 5), (2, 3, 5)),
        case("broadcast_row", (2, 3, 5), (5,)),
        case("broadcast_both", (2, 1, 4), (3, 1)),
        Case(f"{name}_scalar", f.onnx, ((2, 7), Const(np.float32(1.5))), low=f.low),
        Case(f"{name}_scalar_left", f.onnx, (Const(np.float32(2.5)), (2, 7)), low=f.low),
        case("channel", (1, 3, 4, 5), channel),
        case("images", (2, 5, 3, 3), (2, 5, 3, 3)),
    )
    if name in ("add", "sub", "mul", "minimum", "maximum"):
        cases += (
            case("channel_left", channel, (1, 3, 4, 5)),
            case("matrix", (4, 5), Const(shape=(4, 5))),
        )
    return cases + _EXTRA.get(name, ())


_EXTRA = {
    "add": (
        Case("sum_of_three", "Sum", ((2, 4), (2, 4), (4,))),
        Case("mean_of_three", "Mean", ((2, 4), (2, 4), (2, 4))),
        Case("sum_of_one", "Sum", ((2, 4),)),
    ),
    "minimum": (Case("min_of_three", "Min", ((2, 4), (2, 4), Const(0.25))),),
    "maximum": (Case("max_of_three", "Max", ((2, 4), (4,), (2, 1))),),
}


def _op(name: str, f: Function) -> Op:
    onnx = {f.onnx: partial(_from_onnx, name)}
    if name == "add":
        onnx |= {"Sum": from_sum, "Mean": from_mean}  # type: ignore[dict-item]
    return Op(
        name,
        partial(infer, name),
        partial(_reference, f),
        partial(forms.integer, f.form),
        interval=at_corners(partial(forms.integer, f.form)) if f.form.monotone else None,
        channels=channelwise(0, 1),
        quantize=QuantizeRule(partial(_lower, f)),
        kernels=f.kernels,
        nest=partial(_nest, f),
        element=partial(_element, f),
        rows=pixelwise,
        runs=runs.aligned,
        elementwise=True,
        clamps=f.clamps,
        transposed=_transposed,
        onnx=onnx,
        cases=_cases(name, f),
        summary=f"Element-wise {name} of two tensors, with broadcasting",
    )


OPS = tuple(_op(name, function) for name, function in FUNCTIONS.items())
