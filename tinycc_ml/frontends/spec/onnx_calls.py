"""Calls of ONNX operators by their own names: operands and attributes as the operator's schema has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import helper

from ...ops import onnx_importers
from .binding import Given
from .net import OPSET
from .problems import listed, nearest
from .values import Tensor, Value, describe, is_int, is_number, whole

_MICROSOFT = "com.microsoft"
_NOT_CALLED = {"Upsample"}  # its schema ended before our opset: Resize does the same
_KIND = onnx.AttributeProto
# Attributes: the words for a type, and whether a value fits it
_WORDS: dict[int, str] = {
    _KIND.INT: "a whole number", _KIND.FLOAT: "a number", _KIND.STRING: "a text", _KIND.INTS: "a list of whole numbers",
    _KIND.FLOATS: "a list of numbers", _KIND.STRINGS: "a list of texts",
}  # fmt: skip


class Refused(Exception):
    """A call that makes no sense; `given`: the argument to blame, None for the call."""

    def __init__(self, message: str, given: Given | None = None, hint: str | None = None):
        super().__init__(message)
        self.message, self.given, self.hint = message, given, hint


@cache
def operators() -> Mapping[str, str]:
    """The ONNX operators that may be called: name to domain."""
    found: dict[str, str] = {}
    for key in sorted(onnx_importers()):
        domain, _, name = key.rpartition(".")
        if name not in _NOT_CALLED and (not domain or name not in onnx_importers()):
            found[name] = domain
    return found


@cache
def schema_of(op_type: str, domain: str) -> Any:
    """The operator's schema; None for ONNX Runtime's own."""
    if domain:
        return None
    # Operators that are younger than our opset are what their first version is
    known = onnx.defs.has(op_type, OPSET)
    return onnx.defs.get_schema(op_type, OPSET) if known else onnx.defs.get_schema(op_type)


def split_arguments(
    op_type: str, domain: str, given: Sequence[Given]
) -> tuple[list[Given | None], dict[str, Given]]:
    """Operands in order, None for an absent one, and attributes."""
    schema = schema_of(op_type, domain)
    names = [p.name for p in schema.inputs] if schema else []
    operands: list[Given | None] = [g for g in given if g.name is None]
    attributes: dict[str, Given] = {}
    for argument in (g for g in given if g.name is not None):
        name = str(argument.name)
        if name in attributes:
            raise Refused(f"{op_type} gets {name!r} twice", argument)
        if name in names:
            _place_operand(op_type, operands, names.index(name), argument)
        elif schema is None or name in schema.attributes:
            attributes[name] = argument
        else:
            known = [*names[:1], *names[1:], *schema.attributes]
            hint = nearest(name, known) or f"it takes {listed(known)}"
            raise Refused(f"{op_type} has no argument {name!r}", argument, hint)
    _check_count(op_type, schema, operands, attributes)
    return operands, attributes


def _place_operand(op_type: str, operands: list[Given | None], index: int, given: Given) -> None:
    operands += [None] * (index + 1 - len(operands))
    if operands[index] is not None:
        raise Refused(f"{op_type} gets {given.name!r} twice", given)
    operands[index] = given


def _check_count(
    op_type: str, schema: Any, operands: Sequence[Given | None], attributes: Mapping[str, Given]
) -> None:
    if schema is None:
        return
    if len(operands) > schema.max_input:
        raise Refused(
            f"{op_type} takes {schema.max_input} operands, got {len(operands)}", operands[-1]
        )
    needed = [p.name for p in schema.inputs[: schema.min_input]]
    absent = [n for k, n in enumerate(needed) if k >= len(operands) or operands[k] is None]
    absent += [n for n, a in schema.attributes.items() if a.required and n not in attributes]
    if absent:
        raise Refused(f"{op_type} needs {' and '.join(map(repr, absent))}")


def flat_operands(
    op_type: str, domain: str, operands: Sequence[Given | None]
) -> list[Given | None]:
    """A list given for operands that may be many becomes those: Concat([a, b], axis=1)."""
    schema = schema_of(op_type, domain)
    many = (
        schema is not None
        and bool(schema.inputs)
        and schema.inputs[-1].option == onnx.defs.OpSchema.FormalParameterOption.Variadic
    )
    found: list[Given | None] = []
    for given in operands:
        if given is not None and many and isinstance(given.value, tuple):
            found += [Given(None, value, given.span) for value in given.value]
        else:
            found.append(given)
    return found


def operand_dtype(
    op_type: str,
    domain: str,
    index: int,
    operands: Sequence[Given | None],
    dtypes: Mapping[str, np.dtype],
) -> np.dtype | None:
    """The element type that a number written as operand `index` must have; None: that of the number itself."""
    schema = schema_of(op_type, domain)
    if schema is None or not schema.inputs:
        return None
    formal = schema.inputs[min(index, len(schema.inputs) - 1)]
    for k, given in enumerate(operands):
        other = schema.inputs[min(k, len(schema.inputs) - 1)]
        if (
            other.type_str == formal.type_str
            and given is not None
            and isinstance(given.value, Tensor)
        ):
            return dtypes[given.value.name]
    if "tensor(float)" in formal.types:
        return np.dtype(np.float32)
    return np.dtype(np.int64) if "tensor(int64)" in formal.types else None


def literal(op_type: str, given: Given, dtype: np.dtype | None) -> np.ndarray:
    """A number or a list of numbers as the constant that an operand wants."""
    try:
        array = np.array(given.value)
    except ValueError:
        array = np.array("")
    if array.dtype.kind not in "biuf":
        raise Refused(
            f"{op_type}: an operand is a tensor, a number or a list of numbers, got {describe(given.value)}",
            given,
        )
    if dtype is None:
        dtype = np.dtype(np.float32) if array.dtype.kind == "f" else np.dtype(np.int64)
    if dtype.kind in "iu" and array.dtype.kind == "f":
        if not np.array_equal(array, np.round(array)):
            raise Refused(
                f"{op_type}: this operand takes whole numbers, got {describe(given.value)}", given
            )
        array = np.round(array)
    return array.astype(dtype)


def attributes_of(
    op_type: str, domain: str, given: Mapping[str, Given]
) -> list[onnx.AttributeProto]:
    """ONNX attributes; those that are none are left out."""
    schema = schema_of(op_type, domain)
    made = []
    for name, argument in given.items():
        if argument.value is None:
            continue
        kind = int(schema.attributes[name].type.value) if schema else None
        made.append(_attribute(op_type, name, argument, kind))
    return made


def _attribute(op_type: str, name: str, given: Given, kind: int | None) -> onnx.AttributeProto:
    value = _attribute_value(given.value, kind)
    try:
        if value is None or kind in (_KIND.GRAPH, _KIND.TENSOR):
            raise ValueError
        return helper.make_attribute(name, value, attr_type=kind)
    except (ValueError, TypeError, OverflowError):
        words = (
            _WORDS.get(kind, "of a type that the language can't write")
            if kind
            else "a number, a text or a list"
        )  # type: ignore
        raise Refused(
            f"{op_type}: {name!r} is {words}, got {describe(given.value)}", given
        ) from None


def _attribute_value(value: Value, kind: int | None) -> Any:
    """The value as the attribute wants it; None when it does not fit."""
    if isinstance(value, bool):
        value = int(value)
    if kind in (_KIND.INTS, _KIND.FLOATS, _KIND.STRINGS) or (
        kind is None and isinstance(value, tuple)
    ):
        one = {_KIND.INTS: _KIND.INT, _KIND.FLOATS: _KIND.FLOAT, _KIND.STRINGS: _KIND.STRING}.get(
            kind
        )  # type: ignore
        if not isinstance(value, tuple):
            return None
        items = [_attribute_value(v, one) for v in value]
        return None if None in items else items
    if kind == _KIND.INT:
        return whole(value) if is_int(whole(value)) else None
    if kind == _KIND.FLOAT:
        return float(value) if is_number(value) else None
    if kind == _KIND.STRING:
        return value if isinstance(value, str) else None
    return value if is_number(value) or isinstance(value, str) else None
