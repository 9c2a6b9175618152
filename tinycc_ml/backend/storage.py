"""Which tensors share bytes: a reshape is its operand, a slice may be a part of it, the operands of a concat
may be parts of its result; and the tensors that lie in the caller's memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from ..ir.graph import Graph, Node
from ..ops import op_of
from ..ops.base import Site

Span = tuple[int, int]


@dataclass(frozen=True)
class Storage:
    """`buffer_of`: tensor to buffer; `offset_of`: its first byte in there; `external`: buffers that are an
    input, an output or a constant of this name; `vanished`: nodes that need no code, since their results
    are their operands' bytes; `copies`: alias nodes whose ends both lie outside, so that bytes must move."""

    buffer_of: Mapping[str, str]
    offset_of: Mapping[str, int]
    external: Mapping[str, str]
    vanished: frozenset[str]
    copies: frozenset[str]
    bytes: Mapping[str, int]

    def is_arena(self, buffer: str) -> bool:
        return buffer not in self.external


@dataclass(frozen=True)
class _Class:
    """Tensors in one piece of memory. at: byte of each, counted from any origin; written: what steps
    write; outside: the tensor of it that is an input, an output or a constant."""

    at: Mapping[str, int]
    written: tuple[Span, ...] = ()
    outside: str | None = None

    def joined(self, other: _Class, ahead: int) -> _Class | None:
        """With another one whose origin lies `ahead` of this one's; None when both lie outside, or a byte
        would be written twice: the second value would destroy the first."""
        moved = tuple((first + ahead, end + ahead) for first, end in other.written)
        if (self.outside and other.outside) or _meet(self.written, moved):
            return None
        at = {**self.at, **{name: place + ahead for name, place in other.at.items()}}
        return _Class(at, (*self.written, *moved), self.outside or other.outside)


def _meet(some: Iterable[Span], others: Iterable[Span]) -> bool:
    """Whether a span of one kind has a byte of one of the other kind; those of a kind are apart."""
    spans = sorted((*some, *others))
    full = [(first, end) for first, end in spans if first < end]
    return any(second[0] < first[1] for first, second in pairwise(full))


def parts_of(graph: Graph, node: Node) -> tuple[int, ...] | None:
    """For each operand the byte of the result at which it begins, where its values may lie in the very
    bytes of the result (or those of the result in its own: then it begins before); else None."""
    op = op_of(node)
    if op.alias:
        return (0,)
    if op.parts is None:
        return None
    site = Site.of(graph, node)
    places = op.parts(site)
    return None if places is None else tuple(place * site.y.dtype.bytes for place in places)


def storage_of(graph: Graph, steps: Collection[str] = ()) -> Storage:
    """As few bytes moved as can be. steps: nodes that are to move bytes even where they could vanish."""
    classes = {name: _own(graph, name) for name in graph.tensors}
    vanished, copies = set(), set()
    for node in graph.nodes:
        places = parts_of(graph, node)
        joined = None
        if places is not None and (op_of(node).alias or node.name not in steps):
            joined = _joined(graph, classes, node, places)
        if joined is not None:
            vanished.add(node.name)
            classes.update(dict.fromkeys(joined.at, joined))
        elif op_of(node).alias:
            copies.add(node.name)
    return _storage(graph, classes, frozenset(vanished), frozenset(copies))


def _own(graph: Graph, name: str) -> _Class:
    """A tensor by itself."""
    given = name in graph.inputs or graph.tensors[name].is_constant
    written = () if given else ((0, graph.type(name).bytes),)
    return _Class({name: 0}, written, name if given or name in graph.outputs else None)


def _joined(
    graph: Graph, classes: Mapping[str, _Class], node: Node, places: tuple[int, ...]
) -> _Class | None:
    """The result of a node in one class with all operands; None when that can't be."""
    (result,) = node.outputs
    made = replace(classes[result], written=())
    for name, place in zip(node.inputs, places, strict=True):
        if name in made.at:
            if made.at[name] != made.at[result] + place:
                return None
            continue
        ahead = made.at[result] + place - classes[name].at[name]
        joined = made.joined(classes[name], ahead)
        if joined is None:
            return None
        made = joined
    return made if _is_sound(graph, made) else None


def _is_sound(graph: Graph, made: _Class) -> bool:
    """Nothing reaches beyond the caller's tensor, no input or constant is written, and every tensor lies at
    a multiple of its element's size."""
    first, end = _extent(graph, made)
    if made.outside:
        start = made.at[made.outside]
        inside = start <= first and end <= start + graph.type(made.outside).bytes
        if not inside or (made.written and made.outside not in graph.outputs):
            return False
    return all((at - first) % graph.type(name).dtype.bytes == 0 for name, at in made.at.items())


def _extent(graph: Graph, made: _Class) -> Span:
    ends = [at + graph.type(name).bytes for name, at in made.at.items()]
    return min(made.at.values()), max(ends)


def _storage(
    graph: Graph,
    classes: Mapping[str, _Class],
    vanished: frozenset[str],
    copies: frozenset[str],
) -> Storage:
    buffer_of: dict[str, str] = {}
    offset_of, sizes, external = dict[str, int](), dict[str, int](), dict[str, str]()
    for made in _distinct(classes):
        first, end = _extent(graph, made)
        buffer = max(made.at, key=lambda name: graph.type(name).bytes)
        sizes[buffer] = end - first
        if made.outside:
            external[buffer] = made.outside
        for name, at in made.at.items():
            buffer_of[name], offset_of[name] = buffer, at - first
    return Storage(buffer_of, offset_of, external, vanished, copies, sizes)


def _distinct(classes: Mapping[str, _Class]) -> Iterator[_Class]:
    seen: set[int] = set()
    for made in classes.values():
        if id(made) not in seen:
            seen.add(id(made))
            yield made
