"""Random graphs for the planner of memory: steps with sizes, scratch, aliases and rules for lying over an
operand, made up without regard to any real operator. The same seed gives the same graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from tinycc_ml.backend.arena import executed_nodes
from tinycc_ml.backend.candidates import Candidate
from tinycc_ml.ir.graph import Graph, Node, Tensor
from tinycc_ml.ir.types import DTYPES, TensorType
from tinycc_ml.ops.base import Overlap


@dataclass(frozen=True)
class Case:
    """What plan_arena takes."""

    graph: Graph
    nodes: tuple[Node, ...]
    chosen: Mapping[str, Candidate]
    io: str


def random_case(seed: int, steps: int, largest: int) -> Case:
    """A graph of `steps` nodes, its tensors of up to about `largest` bytes."""
    rng = Random(seed)
    graph = _graph(rng, steps, largest)
    nodes, copies = executed_nodes(graph)
    chosen = {n.name: _candidate(rng, graph, n) for n in nodes if n.name not in copies}
    return Case(graph, tuple(nodes), chosen, rng.choice(("caller", "arena")))


def _graph(rng: Random, steps: int, largest: int) -> Graph:
    sizes = {f"x{k}": _size(rng, largest) for k in range(rng.randint(1, 2))}
    inputs, nodes = tuple(sizes), []
    for k in range(steps):
        reach = list(sizes)[-rng.choice((1, 2, 6)) :]
        reads = tuple(rng.choices(reach, k=rng.choice((1, 1, 1, 2, 3))))
        alias = len(reads) == 1 and rng.random() < 0.15
        sizes[f"t{k}"] = sizes[reads[0]] if alias else _size(rng, largest)
        nodes.append(Node(f"n{k}", "reshape" if alias else "add", reads, (f"t{k}",)))
    read = {name for node in nodes for name in node.inputs}
    ends = [n.outputs[0] for n in nodes if n.outputs[0] not in read or rng.random() < 0.05]
    types = {name: TensorType((size,), DTYPES["i8"]) for name, size in sizes.items()}
    tensors = {name: Tensor(name, type_) for name, type_ in types.items()}
    return Graph("random", inputs, tuple(ends), tuple(nodes), tensors)


def _size(rng: Random, largest: int) -> int:
    size = rng.randint(1, largest)
    return size if rng.random() < 0.3 else -(-size // 4) * 4


def _candidate(rng: Random, graph: Graph, node: Node) -> Candidate:
    y = graph.type(node.outputs[0]).bytes
    rules = []
    for index, name in enumerate(node.inputs):
        beyond = y - graph.type(name).bytes
        lead = rng.choice((0, 0, 0, beyond, max(beyond, 0), 4 * rng.randint(-2, 6)))
        if rng.random() < 0.7:
            rules.append(Overlap(index, lead, rng.random() < 0.3))
    scratch = rng.choice((0, 0, 0, rng.randint(1, y)))
    return Candidate(node.name, None, scratch, tuple(rules), 0.0)
