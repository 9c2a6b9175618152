"""Arguments to parameters: by position, by name, by default, each of the kind that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .problems import Problem, listed, nearest
from .syntax import Call, Source, Span
from .values import KINDS, Value, as_kind, describe

NO_DEFAULT = object()


@dataclass(frozen=True)
class Given:
    """An evaluated argument; `span` is where its value stands."""

    name: str | None
    value: Value
    span: Span
    name_span: Span | None = None
    piped: bool = False


@dataclass(frozen=True)
class Parameter:
    """`default`: NO_DEFAULT when it must be given."""

    name: str
    kind: str = "any"
    default: Value = NO_DEFAULT


def bind(
    what: str, parameters: Sequence[Parameter], given: Sequence[Given], call: Call, source: Source
) -> dict[str, Given]:
    """The arguments by parameter; what is left to its default is absent. Problem at the argument to blame."""
    by_name = {p.name: p for p in parameters}
    found: dict[str, Given] = {}
    position = 0
    for argument in given:
        if argument.name is None:
            name = _positional(what, parameters, position, argument, call, source)
            position += 1
        else:
            name = argument.name
            _check_known(what, by_name, argument, source)
        if name in found:
            span = argument.name_span or argument.span
            hint = "the pipe gives it" if found[name].piped else None
            raise Problem(f"{what} gets {name!r} twice", source, span, hint)
        found[name] = _checked(what, by_name[name], argument, call, source)
    _check_complete(what, parameters, found, call, source)
    return found


def _positional(
    what: str, parameters: Sequence[Parameter], position: int, argument: Given, call: Call, source: Source
) -> str:  # fmt: skip
    if position < len(parameters):
        return parameters[position].name
    takes = listed(p.name for p in parameters) or "nothing"
    span = call.callee.span if argument.piped else argument.span
    raise Problem(f"{what} takes {takes}: this is one argument too many", source, span)


def _check_known(
    what: str, by_name: Mapping[str, Parameter], argument: Given, source: Source
) -> None:
    assert argument.name is not None and argument.name_span is not None
    if argument.name not in by_name:
        hint = nearest(argument.name, by_name) or f"it takes {listed(by_name) or 'none'}"
        raise Problem(f"{what} has no argument {argument.name!r}", source, argument.name_span, hint)


def _checked(what: str, parameter: Parameter, argument: Given, call: Call, source: Source) -> Given:
    words, fits = KINDS[parameter.kind]
    if argument.value is None and parameter.default is None:
        return argument
    if not fits(argument.value):
        hint = None
        if parameter.kind == "tensor" and not argument.piped:
            hint = f"a net is piped in: x |> {call.callee.id}(...)"
        span = call.callee.span if argument.piped else argument.span
        message = f"{what}: {parameter.name!r} is {words}, got {describe(argument.value)}"
        raise Problem(message, source, span, hint)
    value = as_kind(argument.value, parameter.kind)
    return Given(argument.name, value, argument.span, argument.name_span, argument.piped)


def _check_complete(
    what: str, parameters: Sequence[Parameter], found: Mapping[str, Given], call: Call, source: Source
) -> None:  # fmt: skip
    missing = [p for p in parameters if p.default is NO_DEFAULT and p.name not in found]
    if missing:
        first = missing[0]
        hint = (
            f"a net is piped in: x |> {call.callee.id}"
            if first.kind == "tensor"
            else f"{KINDS[first.kind][0]}"
        )
        names = " and ".join(repr(p.name) for p in missing)
        raise Problem(f"{what} needs {names}", source, call.callee.span, hint)
