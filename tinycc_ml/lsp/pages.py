"""The reference pages that are made from tables: docs/operators.md, and tables in docs/language_reference.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..frontends.spec.arithmetic import UNITS
from ..frontends.spec.files import prelude
from ..frontends.spec.limits import LIMITS
from ..frontends.spec.onnx_calls import operators
from ..frontends.spec.recipe import CALLS
from ..frontends.spec.values import KINDS
from .complete import INNER
from .signatures import Argument, Signature, of_block, of_operator, of_recipe

# Whether an ONNX operator has a float32 and an int8 form; None: it is taken apart into others
Forms = Mapping[str, tuple[bool | None, bool | None]]
_HEAD = """# Operators

What can be called in a [spec](language_reference.md). This page is made by `tinyml ops --markdown`, from
[grammar/prelude.tml](../grammar/prelude.tml) and the op table.

`x: tensor` is piped in: `x |> conv(8, 3)`. An argument with `= default` may be left out. The kinds are listed in the
[reference](language_reference.md#kinds).

## Friendly names

"""
_ONNX = """
## ONNX operators

Called by their own names; operands come first, by position or name, then attributes by name: `Concat([a, b], axis=1)`. They are
those of opset 20, and of ONNX Runtime where it says so. Some operators become others on import: their columns say "others".

| call | float32 | int8 | what |
|---|---|---|---|
"""


def operators_page(forms: Forms) -> str:
    """docs/operators.md."""
    blocks = (of_block(b) for name, b in prelude().items() if name not in INNER)
    friendly = "\n".join(_block(b) for b in blocks)
    onnx = "".join(_onnx_row(of_operator(name), *forms[name]) for name in operators())
    return f"{_HEAD}{friendly}{_ONNX}{onnx}"


def _block(signature: Signature) -> str:
    stands_on = ", ".join(f"`{name}`" for name in signature.calls)
    summary = signature.summary.rstrip(".")
    more = ". ".join(
        part for part in (summary, f"Stands on {stands_on}" if stands_on else "") if part
    )
    return f"### {signature.name}\n\n`{signature.text()}`\n\n{more}.\n"


def _onnx_row(signature: Signature, float32: bool | None, int8: bool | None) -> str:
    text = f"`{signature.text()}`" if signature.arguments else f"`{signature.name}` (ONNX Runtime)"
    return f"| {text} | {_form(float32)} | {_form(int8)} | {signature.summary} |\n"


def _form(known: bool | None) -> str:
    return "others" if known is None else "yes" if known else ""


def recipe_table() -> str:
    """The calls of a recipe, with a row for each argument."""
    rows = (row for name in CALLS for row in _recipe_rows(of_recipe(name)))
    return _table(("call", "argument", "default", "what"), rows)


def _recipe_rows(signature: Signature) -> Iterator[tuple[str, ...]]:
    yield f"`{signature.name}`", "", "", signature.summary
    for argument in signature.arguments:
        yield "", f"`{argument.name}`", _default(argument), _takes(argument)


def _default(argument: Argument) -> str:
    return "" if argument.default is None else f"`{argument.default}`"


def _takes(argument: Argument) -> str:
    if argument.choices:
        return ", ".join(f'`"{choice}"`' for choice in argument.choices)
    return KINDS[argument.kind][0]


def weights_table() -> str:
    rows = ((f"`{a.name}`", _default(a), _takes(a)) for a in of_recipe("weights").arguments)
    return _table(("argument", "default", "what"), rows)


def kinds_table() -> str:
    return _table(("kind", "what it takes"), ((f"`{k}`", words) for k, (words, _) in KINDS.items()))


def units_table() -> str:
    return _table(("unit", "times"), ((f"`{u}`", f"{n:,}") for u, n in UNITS.items() if u))


def limits_table() -> str:
    words = {
        "text_bytes": "characters of a text", "brackets": "brackets of one kind in each other", "depth": "depth of an expression",
        "calls": "blocks that call each other, deep", "steps": "steps of evaluation", "nodes": "nodes of the net",
        "includes": "includes in a chain", "files": "files in all", "items": "items of a list, or letters of a text",
        "elements": "values of a tensor, and of all weights", "problems": "mistakes that are shown at once",
    }  # fmt: skip
    return _table(("what", "most"), ((words.get(k, k), f"{v:,}") for k, v in vars(LIMITS).items()))


TABLES = {
    "recipe": recipe_table, "weights": weights_table, "kinds": kinds_table, "units": units_table, "limits": limits_table,
}  # fmt: skip


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
