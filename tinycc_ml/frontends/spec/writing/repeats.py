"""Repeated structure: runs of calls that are the same but for literals become calls of a block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .items import Arg, Block, Item, Named, Param, Ref, Refs, same_value

_LONGEST = 40
# What the tensors of a block are called
_TENSORS = ("x", "y", "z")
# Saved lines below which a block only makes a text harder to read
_WORTH = 4


@dataclass(frozen=True)
class _Pattern:
    """Runs of calls [start, start + length) that are alike."""

    length: int
    starts: tuple[int, ...]

    @property
    def saved(self) -> int:
        return (self.length - 1) * (len(self.starts) - 1)


def with_blocks(
    items: Sequence[Item], outputs: Sequence[str], taken: set[str], known: set[str]
) -> list[Item]:
    """The calls with repeated runs as calls of blocks; blocks may hold blocks. `taken`: names that mean
    something in the text, `known`: those of other blocks."""
    found, blocks = list(items), set(known)
    while True:
        pattern = _best(found, outputs)
        if pattern is None:
            return found
        found = _replaced(found, pattern, taken, blocks)


def _best(items: Sequence[Item], outputs: Sequence[str]) -> _Pattern | None:
    """The pattern that saves most; of those that save the same, one that starts with a layer, then the first."""
    readers = Counter(name for item in items for name in item.operands)
    readers.update(outputs)
    best: tuple[tuple[float, bool, int], _Pattern] | None = None
    for length in range(2, min(_LONGEST, len(items) // 2) + 1):
        for starts in _alike(items, length, readers, set(outputs)):
            pattern = _Pattern(length, starts)
            if pattern.saved < _WORTH:
                continue
            runs = [items[start : start + length] for start in starts]
            cost = 1.5 * len(_columns(runs))
            rank = (pattern.saved - cost, bool(items[starts[0]].weights), -starts[0])
            if best is None or rank > best[0]:
                best = rank, pattern
    return best[1] if best else None


def _alike(
    items: Sequence[Item], length: int, readers: Counter[str], outputs: set[str]
) -> Iterator[tuple[int, ...]]:
    """The starts of runs of a length that are alike and don't overlap."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    callees = [item.callee for item in items]
    names = [tuple(callees[k : k + length]) for k in range(len(items) - length + 1)]
    often = Counter(names)
    for start, name in enumerate(names):
        run = items[start : start + length]
        key = _key(run) if often[name] > 1 else None
        if key is None or not _closed(run, readers, outputs):
            continue
        starts = groups.setdefault(key, [])
        if not starts or start >= starts[-1] + length:
            starts.append(start)
    for starts in groups.values():
        if len(starts) > 1:
            yield tuple(starts)


def _closed(run: Sequence[Item], readers: Counter[str], outputs: set[str]) -> bool:
    """Only the last result of a run is read outside of it."""
    inside = Counter(name for item in run for name in item.operands)
    hidden = [name for item in run[:-1] for name in item.results if name]
    if any(readers[name] != inside[name] or name in outputs for name in hidden):
        return False
    return len(run[-1].results) == 1


def _key(run: Sequence[Item]) -> tuple[Any, ...] | None:
    """What runs that are alike have in common; None for one that repeats itself, or reads many tensors."""
    places: dict[str, tuple[Any, ...]] = {}
    keys = []
    for index, item in enumerate(run):
        keys.append((item.callee, *(_arg_key(arg, places) for arg in item.args)))
        for number, name in enumerate(item.results):
            places[name] = ("made", index, number)
    outside = sum(place[0] == "outside" for place in places.values())
    if not 0 < outside <= len(_TENSORS) or _periodic([item.callee for item in run]):
        return None
    return tuple(keys)


def _arg_key(arg: Arg, places: dict[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    value = arg.value
    names = (
        (value.name,) if isinstance(value, Ref) else value.names if isinstance(value, Refs) else ()
    )
    for name in names:
        if name not in places:
            number = sum(place[0] == "outside" for place in places.values())
            places[name] = ("outside", number)
    kind = value.label if isinstance(value, Param) else type(value).__name__ if names else ""
    return (arg.name, kind, *(places[name] for name in names))


def _periodic(callees: Sequence[str]) -> bool:
    count = len(callees)
    return any(
        count % part == 0 and list(callees[:part]) * (count // part) == list(callees)
        for part in range(1, count // 2 + 1)
    )


def _replaced(
    items: list[Item], pattern: _Pattern, taken: set[str], blocks: set[str]
) -> list[Item]:
    """The calls with those of a pattern as calls of one block."""
    runs = [items[start : start + pattern.length] for start in pattern.starts]
    columns = _columns(runs)
    parameters = dict(zip(columns, _parameters(runs, columns, taken), strict=True))
    tensors = dict(zip(_tensors(runs[0]), _TENSORS, strict=False))
    body = _with_names(_body(runs[0], parameters), tensors)
    every = tuple(dict.fromkeys(parameters.values()))
    block = Block(_block_name(runs[0], taken, blocks), tuple(tensors.values()), every, body)
    calls = {
        start: _call(block, run, parameters)
        for start, run in zip(pattern.starts, runs, strict=True)
    }
    result, index = [], 0
    while index < len(items):
        result.append(calls.get(index, items[index]))
        index += pattern.length if index in calls else 1
    return result


def _columns(runs: Sequence[Sequence[Item]]) -> list[tuple[int, int]]:
    """Where literals differ from run to run: index of the call and of its argument."""
    return [
        (i, j)
        for i, item in enumerate(runs[0])
        for j, arg in enumerate(item.args)
        if arg.is_literal and not all(same_value(arg.value, run[i].args[j].value) for run in runs)
    ]


def _parameters(
    runs: Sequence[Sequence[Item]], columns: Sequence[tuple[int, int]], taken: set[str]
) -> tuple[str, ...]:
    """The parameter for each column; columns that are called the same and always are the same share one."""
    shared: dict[tuple[Any, ...], str] = {}
    found = []
    for i, j in columns:
        name = runs[0][i].args[j].name
        key = (name, *(repr(run[i].args[j].value) for run in runs))
        if key not in shared:
            shared[key] = _free(name, {*taken, *shared.values(), *_TENSORS})
        found.append(shared[key])
    return tuple(found)


def _free(name: str, taken: set[str]) -> str:
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name}{count}"
    return free


def _body(run: Sequence[Item], names: dict[tuple[int, int], str]) -> tuple[Item, ...]:
    """The calls with parameters in the place of what differs, and weights with names of their own."""
    labels: Counter[str] = Counter()
    made = []
    for i, item in enumerate(run):
        args = []
        for j, arg in enumerate(item.args):
            if (i, j) in names:
                arg = replace(arg, value=Named(names[i, j]))
            elif isinstance(arg.value, Param):
                labels[arg.value.label] += 1
                count = labels[arg.value.label]
                label = arg.value.label + (f"_{count}" if count > 1 else "")
                arg = replace(arg, value=Param(label, arg.value.weight))
            args.append(arg)
        made.append(replace(item, args=tuple(args)))
    return tuple(made)


def _tensors(run: Sequence[Item]) -> tuple[str, ...]:
    """What a run reads from outside, in the order in which it is met."""
    made = {name for item in run for name in item.results}
    return tuple(dict.fromkeys(n for item in run for n in item.operands if n not in made))


def _with_names(items: Sequence[Item], names: dict[str, str]) -> tuple[Item, ...]:
    """Calls that read tensors of a block by the names of its parameters."""

    def renamed(value: Any) -> Any:
        if isinstance(value, Ref):
            return Ref(names.get(value.name, value.name))
        return (
            Refs(tuple(names.get(n, n) for n in value.names)) if isinstance(value, Refs) else value
        )

    return tuple(
        replace(item, args=tuple(replace(arg, value=renamed(arg.value)) for arg in item.args))
        for item in items
    )


def _block_name(run: Sequence[Item], taken: set[str], blocks: set[str]) -> str:
    """After what it has: a second branch, a depthwise layer, any layer."""
    if any(item.infix == "+" for item in run):
        word = "residual"
    elif any(item.callee == "dw" for item in run):
        word = "separable"
    else:
        word = "layer" if any(item.weights for item in run) else "step"
    name = _free(word, taken | blocks)
    blocks.add(name)
    return name


def _call(block: Block, run: Sequence[Item], parameters: dict[tuple[int, int], str]) -> Item:
    tensors = tuple(Arg(n, Ref(t)) for n, t in zip(block.tensors, _tensors(run), strict=True))
    values = {name: run[i].args[j].value for (i, j), name in parameters.items()}
    few = len(block.parameters) <= 2
    args = (*tensors, *(Arg(name, values[name], positional=few) for name in block.parameters))
    nodes = tuple(node for item in run for node in item.nodes)
    weights = tuple(name for item in run for name in item.weights)
    return Item(block.name, args, run[-1].results, nodes, weights, body=block)
