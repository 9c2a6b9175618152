"""Element-wise operators that nothing else reads in between, in one loop nest: no tensor is written but the last.

Attribute steps: for each operator its name, its operands and its attributes as pairs. Operand k is input k of the
chain; from the number of inputs on, they are the results of the steps before. Every step is computed as its operator
alone would be, in its own element type, so that no value moves. Made by the pass fuse_chains, never read from a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import numpy as np

from ..errors import InternalError, ModelError
from ..ir.graph import Attrs, Node, Tensor
from ..ir.types import TensorType, dtype_of
from .base import Arrays, Element, Nest, Op, Site
from .elementwise import nest_of
from .rows import pixelwise

# Cycles of a store and a load between two steps, and of the loop
_SAVED = 4.0

Step = tuple[str, tuple[int, ...], tuple[tuple[str, object], ...]]


def step(op: str, operands: Sequence[int], attrs: Attrs) -> Step:
    """An entry of the attribute `steps`."""
    return op, tuple(operands), tuple(attrs.items())


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    return (_types(types, attrs)[-1],)


def _types(types: Sequence[TensorType], attrs: Attrs) -> list[TensorType]:
    """Of the inputs, then of each step."""
    from . import infer as infer_op

    found = list(types)
    for op, operands, pairs in attrs["steps"]:
        if max(operands, default=0) >= len(found):
            raise ModelError(f"{op} in a chain reads what comes after it")
        found += infer_op(op, [found[k] for k in operands], dict(pairs))
    return found


def reference(arrays: Arrays, attrs: Attrs) -> tuple[np.ndarray, ...]:
    from . import table

    types = _types([TensorType(a.shape, dtype_of(a)) for a in arrays], attrs)
    values = list(arrays)
    for (op, operands, pairs), type_ in zip(attrs["steps"], types[len(arrays) :], strict=True):
        function = table()[op].reference
        if function is None:
            raise ModelError(f"{op} has no reference")
        (made,) = function([values[k] for k in operands], dict(pairs))
        values.append(np.asarray(made, type_.dtype.numpy))
    return (values[-1],)


def _nest(site: Site) -> Nest:
    """The values of steps but the last are t0, t1, ..."""
    steps, count = site.attrs["steps"], len(site.inputs)
    types = _types([t.type for t in site.inputs], site.attrs)
    names = [f"v{k}" for k in range(count)] + [f"t{k}" for k in range(len(steps))]
    tensors = [*site.inputs, *map(Tensor, names[count:], types[count:])]
    elements = [_element(entry, tensors, tensors[count + k]) for k, entry in enumerate(steps)]
    values = [
        re.sub(r"\bv(\d+)\b", partial(_named, [names[o] for o in operands]), element.c)
        for (_, operands, _), element in zip(steps, elements, strict=True)
    ]
    before = [
        f"const {made.type.dtype.c} {made.name} = {value};"
        for made, value in zip(tensors[count:], values[:-1], strict=False)
    ]
    cycles = sum(e.cycles for e in elements) - _SAVED * len(before)
    return nest_of(site, Element(values[-1], cycles), before)


def _element(entry: Step, tensors: Sequence[Tensor], made: Tensor) -> Element:
    """What a step's operator says of its value."""
    from . import table

    op, operands, pairs = entry
    inputs, rule = tuple(tensors[k] for k in operands), table()[op].element
    if rule is None:
        raise InternalError(f"{op} is in a chain, but has no element")
    node = Node(made.name, op, tuple(t.name for t in inputs), (made.name,), dict(pairs))
    return rule(Site(node, inputs, (made,)))


def _word(entry: Step) -> str:
    """The function of an operator that has several."""
    return str(dict(entry[2]).get("function", entry[0]))


def _named(names: Sequence[str], found: re.Match[str]) -> str:
    return names[int(found[1])]


OP = Op(
    "chain",
    infer,
    reference,
    nest=_nest,
    rows=pixelwise,
    halves=True,
    title=lambda attrs: ", ".join(_word(entry) for entry in attrs["steps"]),
    summary="Element-wise operators in one loop nest",
)
