"""What a word of a text is: the tensor or value of a name, or what is called, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from ..frontends.spec import syntax as s
from ..frontends.spec.recipe import CALLS
from ..frontends.spec.values import KINDS, LOST, Block, Tensor, Value, describe, shown
from .analysis import Analysis
from .find import Position, Word, word_at
from .signatures import Argument, Signature, of_recipe, signature_of
from .watch import Made

_MOST_LINES = 6


def hover(analysis: Analysis, at: Position) -> tuple[str, s.Span] | None:
    """Markdown about the word at a position, and where the word stands."""
    word = word_at(analysis.file, at) if analysis.file else None
    if word is None or not isinstance(word.node, s.Name):
        return None
    text = _about(analysis, word)
    return None if not text else (text, word.node.span)


def _about(analysis: Analysis, word: Word) -> str:
    if word.is_callee:
        return _call(analysis, word)
    if word.is_argument_name:
        return _argument(analysis, word)
    if isinstance(word.parent, s.Operation) and word.node in word.parent.ops:
        return "\n\n".join(_results(analysis, word))
    if isinstance(word.parent, s.Block):
        return _signature(signature_of(word.text, analysis.blocks))
    if isinstance(word.parent, s.Parameter) and word.parent.kind is word.node:
        return _kind(word.text)
    return _name(analysis, word)


def _called(analysis: Analysis, word: Word, call: s.Call) -> Signature | None:
    name = call.callee.id
    if word.within(s.Recipe) and name in CALLS:
        return of_recipe(name)
    return signature_of(name, analysis.blocks)


def _call(analysis: Analysis, word: Word) -> str:
    assert isinstance(word.parent, s.Call)
    signature = _called(analysis, word, word.parent)
    if signature is None:
        return ""
    return "\n\n".join([_signature(signature), *_results(analysis, word)])


def _results(analysis: Analysis, word: Word) -> list[str]:
    """What the calls of a word gave."""
    made = _different(_made(analysis, word.node.span))
    return [f"Gives {describe(m.value)}{_cost(analysis, m)}" for m in made if m.value is not LOST]


def _signature(signature: Signature | None) -> str:
    if signature is None:
        return ""
    stands_on = f"Stands on {', '.join(signature.calls)}." if signature.calls else ""
    lines = [_code(f"{signature.what} {signature.text()}"), _sentence(signature.summary), stands_on]
    return "\n\n".join(line for line in lines if line)


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _argument(analysis: Analysis, word: Word) -> str:
    call = word.within(s.Call)
    signature = _called(analysis, word, call) if isinstance(call, s.Call) else None
    argument = signature.argument(word.text) if signature else None
    return about_argument(argument) if argument else ""


def about_argument(argument: Argument) -> str:
    parts = [_code(argument.text())]
    if argument.choices:
        parts.append("One of " + ", ".join(f'`"{c}"`' for c in argument.choices) + ".")
    elif argument.kind in KINDS and argument.kind != "any":
        parts.append(f"{KINDS[argument.kind][0].capitalize()}.")
    return "\n\n".join(parts)


def _kind(name: str) -> str:
    return f"`{name}`: {KINDS[name][0]}" if name in KINDS else ""


def _name(analysis: Analysis, word: Word) -> str:
    """A name with its value, or its first few in a loop or in calls of a block."""
    made = _made(analysis, _value_span(word))
    if made and isinstance(made[0].value, Block):
        return _signature(signature_of(made[0].value.name, analysis.blocks))
    lines = [_value(analysis, word, m) for m in _different(made)]
    if lines or not isinstance(word.node, s.Name):
        return "\n\n".join(lines)
    return _last_value(analysis, word.node)


def _last_value(analysis: Analysis, name: s.Name) -> str:
    """Of names that no expression stands for: inputs."""
    value = analysis.values.get(name.id, LOST)
    return "" if value is LOST else _code(f"{name.id}: {_typed(value)}")


def _value_span(word: Word) -> s.Span:
    """The expression that is worth what a word is: on the left of =, that on the right."""
    parent = word.parent
    if isinstance(parent, s.Assign) and len(parent.names) == 1 and parent.names[0] is word.node:
        return parent.value.span
    if isinstance(parent, s.Output) and parent.name is word.node and parent.value is not None:
        return parent.value.span
    return word.node.span


def _made(analysis: Analysis, span: s.Span) -> Sequence[Made]:
    return analysis.watcher.seen.get(span, ()) if analysis.watcher else ()


def _different(made: Sequence[Made]) -> list[Made]:
    """One of each value."""
    return list({describe(m.value): m for m in reversed(made)}.values())[::-1][:_MOST_LINES]


def _value(analysis: Analysis, word: Word, made: Made) -> str:
    text = _code(f"{word.text}: {_typed(made.value)}")
    if not isinstance(made.value, Tensor) or analysis.watcher is None:
        return text
    maker = analysis.watcher.maker(made.value, made.depth)
    if maker is None:
        return text
    return f"{text}\n\nMade in line {maker.span.line}{_cost(analysis, maker)}"


def _typed(value: Value) -> str:
    if isinstance(value, Tensor):
        return f"constant {value.text}" if value.constant else value.text
    return shown(value)


def _cost(analysis: Analysis, made: Made) -> str:
    if analysis.watcher is None or made.nodes[0] == made.nodes[1]:
        return ""
    cost = analysis.watcher.cost(made)
    return f": {cost.macs:,} MACs, {cost.parameters:,} parameters"


def _code(text: str) -> str:
    return f"```tinyml\n{text}\n```"
