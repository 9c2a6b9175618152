"""What may be written at a cursor: operators after a pipe, arguments in a call, names, calls of the recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..backend.target import list_targets
from ..frontends.spec.files import prelude
from ..frontends.spec.functions import FUNCTIONS
from ..frontends.spec.onnx_calls import operators
from ..frontends.spec.recipe import CALLS
from ..frontends.spec.values import KINDS, LOST, Block, describe
from ..ir.types import DTYPES
from .analysis import Analysis
from .context import Context, Open, context_at
from .find import Position, block_at, local_binders
from .hover import about_argument
from .signatures import Argument, Signature, of_recipe, signature_of

KEYWORDS = ("model", "input", "output", "block", "for", "if", "else", "return", "weights", "import", "include", "recipe")  # fmt: skip
_CONSTANTS = ("true", "false", "none", "not", "and", "or")
# Blocks and functions that only the prelude needs
INNER = {"auto_pad", "pads", "each", "kind", "is_list", "plus", "minus", "times", "over"}


@dataclass(frozen=True)
class Item:
    """`kind`: argument, name, block, function, operator, recipe, keyword or text. `rank` sorts."""

    label: str
    kind: str
    rank: int
    detail: str = ""
    about: str = ""


def complete(analysis: Analysis, before: str, at: Position) -> list[Item]:
    """What fits behind the text `before`. `analysis` may be that of an older text."""
    context = context_at(before)
    found = list(_items(analysis, context, at))
    return list({item.label: item for item in reversed(found)}.values())[::-1]


def _items(analysis: Analysis, context: Context, at: Position) -> Iterator[Item]:
    if context.place == "string":
        yield from _texts(analysis, context)
    elif context.place == "pipe":
        yield from _callables(analysis)
    elif context.place == "recipe":
        yield from (_called(of_recipe(name), "recipe", 0) for name in CALLS)
    elif context.place == "kind":
        yield from (Item(name, "keyword", 0, words) for name, (words, _) in KINDS.items())
    elif context.place == "dtype":
        yield from (Item(name, "keyword", 0) for name in DTYPES)
    elif context.place == "statement":
        yield from (Item(word, "keyword", 0) for word in KEYWORDS)
        yield from _names(analysis, at)
    elif context.place in ("argument", "value"):
        yield from _values(analysis, context, at)


def _values(analysis: Analysis, context: Context, at: Position) -> Iterator[Item]:
    if context.place == "argument" and context.call is not None:
        yield from _arguments(analysis, context.call, context.in_recipe)
    yield from _names(analysis, at)
    yield from (Item(word, "keyword", 6) for word in _CONSTANTS)
    if not context.in_recipe:
        yield from _callables(analysis)


def _signature(analysis: Analysis, call: Open, in_recipe: bool) -> Signature | None:
    name = call.callee or ""
    if name in CALLS and in_recipe:
        return of_recipe(name)
    return signature_of(name, analysis.blocks)


def _arguments(analysis: Analysis, call: Open, in_recipe: bool) -> Iterator[Item]:
    """Those that are not given yet, by position, name or pipe."""
    signature = _signature(analysis, call, in_recipe)
    if signature is None:
        return
    for argument in signature.arguments[call.position + call.piped :]:
        if argument.name not in call.named and not argument.many:
            yield Item(
                f"{argument.name}=", "argument", 0, argument.text(), about_argument(argument)
            )
    if signature.what == "block" and "name" not in call.named:
        yield Item("name=", "argument", 1, "name: text", "What its weights are called.")


def _texts(analysis: Analysis, context: Context) -> Iterator[Item]:
    """The texts that an argument may be."""
    call = context.call
    argument = None if call is None else _current(analysis, call, context.in_recipe)
    if argument is None or call is None:
        return
    if call.callee == "target" and argument.name == "name":
        yield from (Item(t.name, "text", 0, t.description) for t in list_targets())
    yield from (Item(text, "text", 0) for text in argument.choices)


def _current(analysis: Analysis, call: Open, in_recipe: bool) -> Argument | None:
    """The argument that is being written."""
    signature = _signature(analysis, call, in_recipe)
    if signature is None:
        return None
    if call.argument is not None:
        return signature.argument(call.argument)
    left = signature.arguments[call.position + call.piped :]
    return left[0] if left else None


def _names(analysis: Analysis, at: Position) -> Iterator[Item]:
    """Names that have a value: those of the block around, then those of the file."""
    block = block_at(analysis.file, at) if analysis.file else None
    if block is not None:
        yield from (Item(name.id, "name", 1) for name in local_binders(block))
    for name, value in analysis.values.items():
        if not isinstance(value, Block):
            yield Item(name, "name", 2, "" if value is LOST else describe(value))


def _callables(analysis: Analysis) -> Iterator[Item]:
    yield from (_item(analysis, name, "block", 3) for name in analysis.blocks)
    yield from (_item(analysis, name, "block", 4) for name in _shown(prelude()))
    yield from (_item(analysis, name, "function", 5) for name in _shown(FUNCTIONS))
    yield from (_item(analysis, name, "operator", 7) for name in operators())


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in INNER]


def _item(analysis: Analysis, name: str, kind: str, rank: int) -> Item:
    signature = signature_of(name, analysis.blocks)
    return _called(signature, kind, rank) if signature else Item(name, kind, rank)


def _called(signature: Signature, kind: str, rank: int) -> Item:
    return Item(signature.name, kind, rank, signature.text(), signature.summary)
