"""`tinyml decompile`: an ONNX model as a readable spec and the arrays beside it.

What is written is read again before it is handed out: the graph is that of the model, tensor by tensor and name by
name. Where it would not be, a plainer text is tried; what even raw calls can't say is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ....errors import ModelError
from ....ir.graph import Graph
from ....ir.text import canonical_text
from .. import syntax as s
from ..files import prelude
from ..functions import FUNCTIONS
from ..onnx_calls import operators
from ..read import read_spec
from ..recipe import CALLS
from ..stored import write_arrays
from .format import format_text
from .friendly import friendly_item
from .items import Item
from .raw import raw_item
from .recording import recorded
from .repeats import with_blocks
from .source_net import SourceNet, read_net
from .wording import VALUES, Scope, block_lines, blocks_of, body_lines, quoted

_KEYWORDS = {
    "model", "import", "include", "recipe", "block", "for", "in", "if", "else", "return", "as",
    "and", "or", "not", "true", "false", "none", "w", "weights", *VALUES,
}  # fmt: skip


@dataclass(frozen=True)
class Decompiled:
    """`style`: how readable the text could be made: "blocks", "friendly" or "raw"."""

    text: str
    arrays: Mapping[str, np.ndarray]
    style: str


def decompile(path: Path, out: Path, dims: Mapping[str, int] | None = None) -> Decompiled:
    """Write a model as a spec `out`, and its arrays beside it. ModelError when it can't be said."""
    net = read_net(path, dims)
    problem: ModelError | None = None
    for style in ("blocks", "friendly", "raw"):
        try:
            made = _decompiled(net, path, out.with_suffix(".npz").name, style)
        except ModelError as error:
            problem = error
            continue
        out.parent.mkdir(parents=True, exist_ok=True)
        _write(made, out)
        return made
    assert problem is not None
    raise problem


def _write(made: Decompiled, out: Path) -> None:
    out.write_text(made.text, encoding="utf-8")
    write_arrays(out.with_suffix(".npz"), made.arrays.items())


def _decompiled(net: SourceNet, path: Path, arrays_name: str, style: str) -> Decompiled:
    items = _items(net, style != "raw")
    taken = set(_KEYWORDS)
    ends = _end_names(net, taken)
    if style == "blocks":
        items = with_blocks(items, net.outputs, taken, _called())
    lines = [
        *_head(net, path),
        *_body(net, items, ends, taken),
        f'weights("{arrays_name}", names=true)',
    ]
    text = format_text(s.Source(path.name, "\n".join(lines) + "\n"))
    arrays = recorded(text, net, items)
    made = Decompiled(text, arrays, style)
    _check(made, arrays_name, net.graph)
    return made


def _items(net: SourceNet, friendly: bool) -> list[Item]:
    """All nodes as calls. The dequantised constants that a friendly layer takes as its weights are part of it."""
    found: list[Item] = []
    inside: set[int] = set()
    running = [node for node in net.nodes if not _is_weight(node, net)]
    index = 0
    while index < len(running):
        match = friendly_item(running[index : index + 2], net) if friendly else None
        item, count = match or (raw_item(running[index], net), 1)
        found.append(item)
        inside.update(id(node) for node in item.nodes)
        index += count
    # Others stand in front of everything: what they give is read further down
    rest = [node for node in net.nodes if _is_weight(node, net) and id(node) not in inside]
    return [*(raw_item(node, net) for node in rest), *found]


def _is_weight(node: object, net: SourceNet) -> bool:
    return any(weight.node is node for weight in net.weights.values())


def _called() -> set[str]:
    """What can be called already: no name for a block."""
    return {*prelude(), *FUNCTIONS, *operators(), *CALLS}


def _end_names(net: SourceNet, taken: set[str]) -> dict[str, str]:
    """Names for inputs and outputs, near to what they are called."""
    found: dict[str, str] = {}
    for name in (*net.graph.inputs, *net.outputs):
        if name in found:
            continue
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "value"
        plain = f"t{plain}" if plain[0].isdigit() else plain
        while plain in taken - set(VALUES) or plain in found.values():
            plain += "_"
        found[name] = plain
    taken.difference_update(VALUES)
    taken.update(found.values())
    return found


def _head(net: SourceNet, path: Path) -> Iterator[str]:
    name = net.graph.name
    is_name = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name not in _KEYWORDS
    yield f"# {re.sub('[^ -~]', '?', path.name)}, {len(net.nodes)} nodes, written by tinyml decompile"
    yield f"model {name if is_name else quoted(name)}"
    yield ""


def _body(
    net: SourceNet, items: Sequence[Item], ends: Mapping[str, str], taken: set[str]
) -> Iterator[str]:
    for block in blocks_of(items):
        yield from block_lines(block, taken)
        yield ""
    for name in net.graph.inputs:
        type_ = net.graph.type(name)
        label = f" as {quoted(name)}" if ends[name] != name else ""
        yield f"input {ends[name]}: {type_.dtype.name}[{', '.join(map(str, type_.shape))}]{label}"
    single = net.outputs[0] if len(net.outputs) == 1 else ""
    last = bool(items) and items[-1].results == (single,) and net.uses[single] == 1
    label = f" as {quoted(single)}" if single and ends[single] != single else ""
    ending = {single: f"output {ends[single]} = {{}}{label}"} if last else {}
    scope = Scope(taken, dict(ends), net.outputs)
    lines = list(body_lines(items, scope, ending))
    yield from lines
    # A loop gives nothing
    if not last or lines[-1] == "}":
        yield f"output {', '.join(_output(name, ends[name]) for name in net.outputs)}"
    yield ""


def _output(name: str, called: str) -> str:
    return called if called == name else f"{called} as {quoted(name)}"


def _check(made: Decompiled, arrays_name: str, graph: Graph) -> None:
    """Read what was made. ModelError when it is another net."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / Path(arrays_name).with_suffix(".tml").name
        _write(made, path)
        again = read_spec(path).graph
    difference = _difference(again, graph)
    if difference is not None:
        text = f"the language can't say this net exactly; it would have {difference}"
        raise ModelError(text, hint='import "net.onnx" takes the file itself as the model')


def _difference(made: Graph, wanted: Graph) -> str | None:
    """A line of one graph that the other has not. Where constants are dequantised makes no difference."""
    lines = [_lines(graph) for graph in (made, wanted)]
    if sorted(lines[0]) != sorted(lines[1]):
        return next((line for line in lines[0] if line not in lines[1]), "other constants")
    order = [[line for line in each if not _constant_line(line, wanted)] for each in lines]
    return None if order[0] == order[1] else "another order"


def _lines(graph: Graph) -> list[str]:
    return canonical_text(graph).splitlines()


def _constant_line(line: str, graph: Graph) -> bool:
    """It declares a constant, or dequantises one."""
    if line.startswith("constant "):
        return True
    read = re.search(r'= dequantize\("((?:\\.|[^"\\])*)"\)$', line)
    return read is not None and read[1] in graph.tensors and graph.tensors[read[1]].is_constant
