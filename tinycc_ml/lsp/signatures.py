"""What can be called in a spec, with its arguments: for hovers, completion and the reference pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import onnx

from ..frontends.spec import syntax as s
from ..frontends.spec.arithmetic import shown
from ..frontends.spec.binding import NO_DEFAULT, Parameter
from ..frontends.spec.files import prelude
from ..frontends.spec.functions import FUNCTIONS
from ..frontends.spec.onnx_calls import operators, schema_of
from ..frontends.spec.recipe import CALLS
from ..frontends.spec.sources import MATCHES, PARAMETERS
from ..frontends.spec.values import Block
from ..ops import table

BLOCK, FUNCTION, OPERATOR, RECIPE = "block", "function", "ONNX operator", "recipe call"
# Texts that parameters of a kind may be
_OF_KIND = {"padding": ("same", "same_lower", "valid")}
_WRITTEN = {
    "INT": "int", "INTS": "list", "FLOAT": "number", "FLOATS": "list", "STRING": "text", "STRINGS": "list",
}  # fmt: skip


@dataclass(frozen=True)
class Argument:
    """`default`: as it is written, None when the argument must be given. `choices`: the texts it may be."""

    name: str
    kind: str = "any"
    default: str | None = None
    choices: tuple[str, ...] = ()
    many: bool = False

    def text(self) -> str:
        kind = "" if self.kind == "any" else f": {self.kind}"
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.name}{'...' if self.many else ''}{kind}{default}"


@dataclass(frozen=True)
class Signature:
    """`calls`: the ONNX operators that a block stands on."""

    name: str
    what: str
    arguments: tuple[Argument, ...]
    summary: str = ""
    calls: tuple[str, ...] = ()

    def text(self) -> str:
        """conv(x: tensor, channels: size, kernel: sizes = 3, ...)."""
        return f"{self.name}({', '.join(a.text() for a in self.arguments)})"

    def argument(self, name: str) -> Argument | None:
        return next((a for a in self.arguments if a.name == name), None)


def signature_of(name: str, blocks: Mapping[str, Block]) -> Signature | None:
    """Of a call in a net: a block of the user's, the prelude, a function, an ONNX operator."""
    block = blocks.get(name) or prelude().get(name)
    if block is not None:
        return of_block(block)
    if name in FUNCTIONS:
        return of_function(name)
    if name in operators():
        return of_operator(name)
    return of_recipe("weights") if name == "weights" else None


def of_block(block: Block) -> Signature:
    lines = block.source.text.split("\n")
    arguments = tuple(_parameter(p, lines) for p in block.node.parameters)
    calls = tuple(_onnx_calls(block))
    summary = _comment_above(block, lines) or (
        _op_summary(calls[0]) if block.prelude and calls else ""
    )
    return Signature(block.name, BLOCK, arguments, summary, calls)


def _parameter(node: s.Parameter, lines: list[str]) -> Argument:
    kind = node.kind.id if node.kind else "any"
    default = None if node.default is None else _written(node.default.span, lines)
    return Argument(node.name.id, kind, default, _OF_KIND.get(kind, ()))


def _written(span: s.Span, lines: list[str]) -> str:
    """The text of a span, on one line."""
    parts = lines[span.line - 1 : span.end_line]
    parts[-1] = parts[-1][: span.end_column - 1]
    parts[0] = parts[0][span.column - 1 :]
    return " ".join(part.strip() for part in parts)


def _onnx_calls(block: Block) -> Iterator[str]:
    """ONNX operators that the body calls, each once."""
    called = [n.callee.id for n in s.walk(block.node.body) if isinstance(n, s.Call)]
    yield from dict.fromkeys(name for name in called if name in operators())


def _comment_above(block: Block, lines: list[str]) -> str:
    """The comment lines right above a block are its summary."""
    found: list[str] = []
    for line in reversed(lines[: block.node.span.line - 1]):
        if not line.lstrip().startswith("#"):
            break
        found.insert(0, line.lstrip().lstrip("#").strip())
    return " ".join(found)


@cache
def _op_summaries() -> Mapping[str, str]:
    """Summaries of the op table by ONNX name; the operator of ONNX goes before that of ONNX Runtime."""
    rows = [(key, op.summary) for op in table().values() for key in op.onnx]
    return {
        key.rpartition(".")[2]: summary
        for key, summary in sorted(rows, key=lambda r: "." not in r[0])
    }


def _op_summary(name: str) -> str:
    return _op_summaries().get(name, "")


def of_function(name: str) -> Signature:
    parameters, _ = FUNCTIONS[name]
    return Signature(name, FUNCTION, tuple(map(_declared, parameters)))


def _declared(parameter: Parameter, choices: tuple[str, ...] = ()) -> Argument:
    default = None if parameter.default is NO_DEFAULT else shown(parameter.default)
    return Argument(
        parameter.name, parameter.kind, default, choices or _OF_KIND.get(parameter.kind, ())
    )


def of_recipe(name: str) -> Signature:
    """A call of the recipe, or the weights line."""
    if name == "weights":
        arguments = tuple(_declared(p, MATCHES if p.name == "match" else ()) for p in PARAMETERS)
        return Signature(name, RECIPE, arguments, "Where the weights come from.")
    row = CALLS[name]
    arguments = tuple(_declared(p, row.choices.get(p.name, ())) for p in row.parameters)
    if row.any_name:
        arguments = (Argument("NAME", "size", many=True),)
    return Signature(name, RECIPE, arguments, row.summary)


@cache
def of_operator(name: str) -> Signature:
    schema = schema_of(name, operators()[name])
    if schema is None:
        return Signature(name, OPERATOR, (), _op_summary(name))
    operands = tuple(_operand(p) for p in schema.inputs)
    written = [a for a in schema.attributes.values() if a.type.name in _WRITTEN]
    attributes = tuple(
        _attribute(a) for a in sorted(written, key=lambda a: (not a.required, a.name))
    )
    return Signature(name, OPERATOR, operands + attributes, _op_summary(name))


def _operand(formal: Any) -> Argument:
    option = onnx.defs.OpSchema.FormalParameterOption
    default = "none" if formal.option == option.Optional else None
    return Argument(formal.name, "tensor", default, many=formal.option == option.Variadic)


def _attribute(attribute: Any) -> Argument:
    default = None if attribute.required else _default(attribute.default_value)
    return Argument(attribute.name, _WRITTEN[attribute.type.name], default)


def _default(proto: onnx.AttributeProto) -> str:
    """As it is written in a spec; an attribute without a default is none."""
    if not proto.type:
        return "none"
    value = onnx.helper.get_attribute_value(proto)
    if isinstance(value, (list, tuple)):
        return shown(tuple(v.decode() if isinstance(v, bytes) else v for v in value))
    return shown(value.decode() if isinstance(value, bytes) else value)
