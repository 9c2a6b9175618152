"""Calls as lines of text: pipes, names for values that are read more than once, loops. The formatter lays them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .items import Arg, Block, Item, Named, Param, Ref, Refs, same_value

# Names for values, in this order
VALUES = ("x", "y", "z", "u", "v")


@dataclass
class Scope:
    """The calls of a file or block while they are written. `fixed`: values that have a name that stays:
    inputs, outputs, parameters. `ends`: values that are read at the end."""

    taken: set[str]
    fixed: dict[str, str]
    ends: tuple[str, ...]
    in_block: bool = False
    names: dict[str, str] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)  # how often a value will still be read

    def name(self, value: str) -> str:
        return self.fixed.get(value) or self.names[value]


def blocks_of(items: Sequence[Item]) -> Iterator[Block]:
    """All blocks, those first that others call."""
    seen: set[str] = set()
    for item in items:
        if item.body is not None and item.body.name not in seen:
            seen.add(item.body.name)
            for inner in blocks_of(item.body.items):
                if inner.name not in seen:
                    seen.add(inner.name)
                    yield inner
            yield item.body


def block_lines(block: Block, taken: set[str]) -> Iterator[str]:
    result = block.items[-1].results[0]
    scope = Scope(
        {*taken, *block.tensors, *block.parameters}, {n: n for n in block.tensors}, (result,), True
    )
    yield f"block {block.name}({', '.join((*block.tensors, *block.parameters))}) {{"
    yield from body_lines(block.items, scope, {result: "return"})
    yield "}"


def body_lines(items: Sequence[Item], scope: Scope, ending: dict[str, str]) -> Iterator[str]:
    """The lines of calls. `ending`: the value that the last line gives, and the words before it."""
    scope.left = Counter(name for item in items for name in item.operands)
    scope.left.update(scope.ends)
    index = 0
    while index < len(items):
        count = _loop_length(items, index, scope)
        if count > 1:
            yield from _loop_lines(items[index : index + count], scope)
            result = items[index + count - 1].results[0]
            if ending.get(result) == "return":
                yield f"return {scope.name(result)}"
        else:
            count = _chain_length(items, index, scope)
            yield _chain_line(items[index : index + count], scope, ending)
        index += count


def _chain_length(items: Sequence[Item], index: int, scope: Scope) -> int:
    """How many calls go into one pipe: each reads the result of the one before, which nothing else does."""
    count = 1
    while index + count < len(items):
        before, item = items[index + count - 1], items[index + count]
        if not _goes_on(before, item, scope) or _loop_length(items, index + count, scope) > 1:
            break
        count += 1
    return count


def _goes_on(before: Item, item: Item, scope: Scope) -> bool:
    if len(before.results) != 1 or item.infix or not item.args:
        return False
    first = item.args[0].value
    once = scope.left[before.results[0]] == 1 and before.results[0] not in scope.fixed
    return once and isinstance(first, Ref) and first.name == before.results[0]


def _chain_line(items: Sequence[Item], scope: Scope, ending: dict[str, str]) -> str:
    text = " |> ".join([_head(items[0], scope), *(_step(item, scope) for item in items[1:])])
    results = items[-1].results
    for item in items:
        scope.left.subtract(item.operands)
    if len(results) == 1 and results[0] in ending:
        word = ending[results[0]]
        return f"{word} {text}" if word == "return" else word.format(text)
    names = [_named(result, _reads(items), scope) for result in results]
    return f"{', '.join(names)} = {text}"


def _reads(items: Sequence[Item]) -> list[str]:
    return [name for item in items for name in item.operands]


def _named(value: str, reads: Sequence[str], scope: Scope) -> str:
    """A name for a value: that of one which was read here for the last time, or a new one."""
    if value in scope.fixed:
        return scope.fixed[value]
    for name in reads:
        if name in scope.names and scope.left[name] <= 0:
            scope.names[value] = scope.names.pop(name)
            return scope.names[value]
    used = {*scope.taken, *scope.names.values(), *scope.fixed.values()}
    several = (f"x{k}" for k in range(2, 10**6))
    scope.names[value] = next(n for n in (*VALUES, *_first(several, used)) if n not in used)
    return scope.names[value]


def _first(names: Iterator[str], used: set[str]) -> list[str]:
    return [next(name for name in names if name not in used)]


def _head(item: Item, scope: Scope) -> str:
    """The start of a line: x |> f(...), a + b, or f(a, b)."""
    if item.infix:
        a, b = (scope.name(name) for name in item.operands)
        return f"{a} {item.infix} {b}"
    if item.args and isinstance(item.args[0].value, Ref):
        return f"{scope.name(item.args[0].value.name)} |> {_step(item, scope)}"
    return f"{item.callee}({_arguments(item.args, scope)})"


def _step(item: Item, scope: Scope) -> str:
    arguments = _arguments(item.args[1:], scope)
    return f"{item.callee}({arguments})" if arguments else item.callee


def _arguments(args: Sequence[Arg], scope: Scope) -> str:
    """By position as far as nothing is left out, then by name."""
    found, positional = [], True
    for arg in args:
        if arg.left_out:
            positional = False
            continue
        text = _value(arg.value, scope)
        found.append(text if positional and arg.positional else f"{arg.name}={text}")
    return ", ".join(found)


def _value(value: Any, scope: Scope) -> str:
    if isinstance(value, Ref):
        return scope.name(value.name)
    if isinstance(value, Refs):
        return f"[{', '.join(map(scope.name, value.names))}]"
    if isinstance(value, Named):
        return value.name
    if isinstance(value, Param):
        return f'param("{value.label}")' if scope.in_block else f"w[{quoted(value.weight)}]"
    return written(value)


def written(value: Any) -> str:
    """A literal."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e9:
        return f"{int(value)}.0"
    return repr(value)


def quoted(text: str) -> str:
    marks = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(marks.get(c, c) for c in text) + '"'


def _loop_length(items: Sequence[Item], index: int, scope: Scope) -> int:
    """How many calls of one block, each of the result of the one before."""
    count = 1
    while index + count < len(items):
        before, item = items[index + count - 1], items[index + count]
        alike = item.body is not None and item.callee == items[index].callee
        tensors = len(list(item.operands)) == len(list(items[index].operands)) == 1
        if not alike or not tensors or not _goes_on(before, item, scope):
            break
        count += 1
    return count


def _loop_lines(items: Sequence[Item], scope: Scope) -> Iterator[str]:
    first = next(iter(items[0].operands))
    for item in items:
        scope.left.subtract(item.operands)
    source = scope.name(first)
    name = _named(items[-1].results[0], [first], scope)
    if name != source:
        yield f"{name} = {source}"
    columns = list(zip(*(item.args[1:] for item in items), strict=True))
    varied = [c for c in columns if any(not same_value(c[0].value, arg.value) for arg in c)]
    used = {*scope.taken, *scope.names.values(), *scope.fixed.values()}
    heads = {c[0].name: _unused(c[0].name, used) for c in varied}
    args = [Arg(c[0].name, Named(heads[c[0].name]) if c in varied else c[0].value) for c in columns]
    yield f"for {', '.join(heads.values()) or _unused('i', used)} in {_rows(varied, len(items))} {{"
    call = _arguments(args, scope)
    yield f"{name} = {name} |> {items[0].callee}{f'({call})' if call else ''}"
    yield "}"


def _unused(name: str, used: set[str]) -> str:
    while name in used:
        name += "_"
    return name


def _rows(columns: Sequence[Sequence[Arg]], count: int) -> str:
    """What a loop goes over."""
    if not columns:
        return f"range({count})"
    rows = [tuple(arg.value for arg in row) for row in zip(*columns, strict=True)]
    return written(tuple(row[0] for row in rows) if len(columns) == 1 else tuple(rows))
