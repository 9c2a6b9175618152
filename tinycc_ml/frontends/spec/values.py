"""The values that a spec computes with, what they are called in messages, and the kinds a parameter may ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .syntax import Block as BlockNode
from .syntax import Source

Value = Any  # int, float, bool, str, None, tuple, Tensor, Block, Weights or LOST


@dataclass(frozen=True)
class Tensor:
    """A tensor of the net by name; `text`: its type as people write it."""

    name: str
    shape: tuple[int, ...]
    text: str
    constant: bool = False


@dataclass(frozen=True)
class Block:
    """A block of the user or of the prelude, with the text it stands in."""

    node: BlockNode
    source: Source
    prelude: bool = False
    has_weights: bool = True

    @property
    def name(self) -> str:
        return self.node.name.id


class Table:
    """`w`: the arrays of the weights by name."""


@dataclass(frozen=True)
class Random:
    """random(seed): weights to size a net with."""

    seed: int


class _Lost:
    """What a statement would have made that failed: whatever reads it fails silently."""


LOST = _Lost()


class Lost(Exception):
    """Something was read that an earlier mistake has spoilt: nothing more need be said."""


def describe(value: Value) -> str:
    """ "the number 3", "a tensor f32[1,64,25,5]"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {value:g}" if isinstance(value, float) else f"the number {value}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return f"the list {shown(value)}"
    if isinstance(value, Tensor):
        return f"a {'constant' if value.constant else 'tensor'} {value.text}"
    if isinstance(value, Block):
        return f"the block {value.name!r}"
    return {Table: "the table of weights", Random: "random weights"}.get(type(value), "a value")


def shown(value: Value) -> str:
    """As it would be written, shortened."""
    if isinstance(value, str):
        text = '"' + value.replace('"', '\\"').replace("\n", "\\n") + '"'
    elif isinstance(value, tuple):
        text = f"[{', '.join(shown(v) for v in value[:9])}{', ...' if len(value) > 9 else ''}]"
    elif isinstance(value, Tensor):
        text = value.text
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = (
            "none"
            if value is None
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_int(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def whole(value: Value) -> Value:
    """16kHz * 20ms is 320.0: a float that is an integer but for rounding becomes one."""
    if (
        isinstance(value, float)
        and abs(value) < 2**53
        and abs(value - round(value)) < 1e-9 * max(1, abs(value))
    ):
        return round(value)
    return value


def _is_size(value: Value) -> bool:
    return is_int(whole(value)) and whole(value) >= 1


def _is_sizes(value: Value) -> bool:
    return _is_size(value) or (
        isinstance(value, tuple) and bool(value) and all(map(_is_size, value))
    )


def _is_pad(value: Value) -> bool:
    if isinstance(value, str):
        return value in ("same", "same_lower", "valid")
    many = value if isinstance(value, tuple) else (value,)
    return bool(many) and all(is_int(v) and v >= 0 for v in many)


def _is_weight(value: Value) -> bool:
    return (
        value is None
        or isinstance(value, tuple)
        or is_number(value)
        or (isinstance(value, Tensor) and value.constant)
    )


# What a parameter may ask for: the words for it, and the test
KINDS: dict[str, tuple[str, Callable[[Value], bool]]] = {
    "any": ("a value", lambda v: True),
    "tensor": ("a tensor", lambda v: isinstance(v, Tensor)),
    "int": ("a whole number", lambda v: is_int(whole(v))),
    "size": ("a whole number of at least 1", _is_size),
    "sizes": ("a whole number of at least 1, or a list of such", _is_sizes),
    "number": ("a number", is_number),
    "bool": ("true or false", lambda v: isinstance(v, bool)),
    "text": ("a text", lambda v: isinstance(v, str)),
    "list": ("a list", lambda v: isinstance(v, tuple)),
    "padding": ('"same", "same_lower", "valid", a number, or a list [top, left, bottom, right]', _is_pad),
    "weight": ('a constant (w["name"]), a list of numbers, or none', _is_weight),
}  # fmt: skip


def as_kind(value: Value, kind: str) -> Value:
    """A value that passed the test of its kind, with whole floats as integers."""
    if kind in ("int", "size"):
        return whole(value)
    if kind == "sizes":
        return tuple(map(whole, value)) if isinstance(value, tuple) else whole(value)
    return value
