"""A draft: the working copy inside a pass. Passes take a Graph and return a Graph; only they see drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InternalError
from .graph import Graph, Node, Origin, Tensor, constant
from .types import Quant, TensorType, dtype_of


class Draft:
    """A graph being changed. `graph()` sorts it, drops what nothing reads and gives a Graph back."""

    def __init__(self, graph: Graph):
        self.name = graph.name
        self.inputs = list(graph.inputs)
        self.outputs = list(graph.outputs)
        self.nodes: dict[str, Node] = {node.name: node for node in graph.nodes}
        self.tensors: dict[str, Tensor] = dict(graph.tensors)
        self._producers = {out: n.name for n in graph.nodes for out in n.outputs}
        self._readers: dict[str, dict[str, None]] = {}
        # names of tensors still to come, which `fresh` keeps away from
        self.reserved: frozenset[str] = frozenset()
        for node in graph.nodes:
            self._note_reads(node)

    def fresh(self, hint: str) -> str:
        """A tensor and node name that is not taken, near to `hint`."""
        name, count = hint, 0
        while name in self.tensors or name in self.nodes or name in self.reserved:
            count += 1
            name = f"{hint}_{count}"
        return name

    def producer(self, tensor: str) -> Node | None:
        name = self._producers.get(tensor)
        return None if name is None else self.nodes[name]

    def readers(self, tensor: str) -> tuple[Node, ...]:
        return tuple(self.nodes[name] for name in self._readers.get(tensor, ()))

    def sole_reader(self, tensor: str) -> Node | None:
        """The only node that reads a tensor that is no output, else None."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and tensor not in self.outputs else None

    def add_tensor(self, tensor: Tensor) -> str:
        if tensor.name in self.tensors:
            raise InternalError(f"tensor {tensor.name!r} exists already")
        self.tensors[tensor.name] = tensor
        return tensor.name

    def set_tensor(self, tensor: Tensor) -> None:
        self.tensors[tensor.name] = tensor

    def add_constant(
        self, hint: str, data: np.ndarray, quant: Quant | None = None, origin: Origin | None = None
    ) -> str:
        """A new constant with the element type of `data`; its name is returned."""
        array = np.asarray(data)
        type_ = TensorType(array.shape, dtype_of(array), quant)
        tensor = constant(self.fresh(hint), type_, array)
        return self.add_tensor(replace(tensor, origin=origin))

    def add_node(
        self,
        op: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        attrs: Mapping[str, Any],
        name: str,
    ) -> Node:
        """A new node; its output tensors must have been added (or be taken over from a removed node)."""
        node = Node(self.fresh_node(name), op, tuple(inputs), tuple(outputs), dict(attrs))
        self.nodes[node.name] = node
        self._note_reads(node)
        for out in node.outputs:
            self._producers[out] = node.name
        return node

    def fresh_node(self, hint: str) -> str:
        name, count = hint, 0
        while name in self.nodes:
            count += 1
            name = f"{hint}_{count}"
        return name

    def mark(self) -> tuple[int, int]:
        """The state to come back to, while nothing but additions are made."""
        return len(self.nodes), len(self.tensors)

    def rollback(self, mark: tuple[int, int]) -> None:
        """Take back all nodes and tensors that were added since."""
        for name in list(self.nodes)[mark[0] :]:
            self.remove_node(self.nodes[name])
        for name in list(self.tensors)[mark[1] :]:
            del self.tensors[name]

    def remove_node(self, node: Node) -> None:
        """Take a node out; its output tensors stay for the node that takes its place."""
        del self.nodes[node.name]
        self._forget(node)

    def restore_node(self, node: Node) -> None:
        """Put a removed node back, in the place of what makes its outputs by now."""
        for out in node.outputs:
            maker = self.producer(out)
            if maker is not None:
                self.remove_node(maker)
        self.nodes[node.name] = node
        self._note_reads(node)
        for out in node.outputs:
            self._producers[out] = node.name

    def replace_node(self, node: Node, **changes: Any) -> Node:
        """The same node, in the same place, with other inputs, outputs, op or attrs."""
        changed = replace(node, **changes)
        self._forget(node)
        self.nodes[changed.name] = changed
        self._note_reads(changed)
        for out in changed.outputs:
            self._producers[out] = changed.name
        return changed

    def redirect(self, old: str, new: str) -> bool:
        """Let everything that reads `old` read `new`. False, and nothing done, if `old` is an output
        that can't simply be `new` (an input, a constant or another output)."""
        if old in self.outputs:
            maker = self.producer(new)
            if maker is None or new in self.outputs:
                return False
            self._rename_output(maker, old, new)
            return True
        for node in self.readers(old):
            self.replace_node(node, inputs=tuple(new if n == old else n for n in node.inputs))
        return True

    def _rename_output(self, maker: Node, old: str, new: str) -> None:
        """`maker` now makes `old`, the public name; the readers of `new` follow."""
        former = self.producer(old)
        if former is not None:
            self.remove_node(former)
        self.tensors[old] = replace(self.tensors[new], name=old, origin=self.tensors[old].origin)
        self.replace_node(maker, outputs=tuple(old if n == new else n for n in maker.outputs))
        for node in self.readers(new):
            self.replace_node(node, inputs=tuple(old if n == new else n for n in node.inputs))
        self.tensors.pop(new)

    def _forget(self, node: Node) -> None:
        for name in node.inputs:
            self._readers.get(name, {}).pop(node.name, None)
        for out in node.outputs:
            if self._producers.get(out) == node.name:
                del self._producers[out]

    def _note_reads(self, node: Node) -> None:
        for name in node.inputs:
            if name:
                self._readers.setdefault(name, {})[node.name] = None

    def graph(self) -> Graph:
        """The finished graph: nodes in executable order, only what an output needs."""
        nodes = self._sorted_live_nodes()
        used = set(self.inputs) | set(self.outputs)
        used |= {name for node in nodes for name in (*node.inputs, *node.outputs) if name}
        tensors = {name: t for name, t in self.tensors.items() if name in used}
        return Graph(self.name, tuple(self.inputs), tuple(self.outputs), tuple(nodes), tensors)

    def _sorted_live_nodes(self) -> list[Node]:
        """Depth first from the outputs, in the order the nodes were written where that is free."""
        live = self._live_names()
        done: dict[str, Node] = {}
        for root in self.nodes:
            if root in live:
                self._visit(root, done)
        return list(done.values())

    def _live_names(self) -> set[str]:
        live: set[str] = set()
        todo = [self._producers[name] for name in self.outputs if name in self._producers]
        while todo:
            name = todo.pop()
            if name not in live:
                live.add(name)
                reads = self.nodes[name].inputs
                todo += [self._producers[n] for n in reads if n in self._producers]
        return live

    def _visit(self, root: str, done: dict[str, Node]) -> None:
        stack = [(root, False)]
        while stack:
            name, ready = stack.pop()
            if ready:
                done.setdefault(name, self.nodes[name])
            elif name not in done:
                stack.append((name, True))
                reads = [
                    self._producers[n] for n in self.nodes[name].inputs if n in self._producers
                ]
                stack += [(n, False) for n in reversed(reads) if n not in done]
