"""Transposes sink towards the outputs until they meet their inverse.

The front end wraps every image op in transposes to and from channels-last. Moving each one down
through the ops that don't mind (their op file says which: Op.transposed) makes neighbours cancel.
Reshapes that only add or drop axes of size 1 sink through element-wise ops in the same way, so that
one-dimensional nets, whose images get H = 1, cancel too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..ir.graph import Graph, Node, Origin, Tensor
from ..ir.rewrite import Draft
from ..ir.statistics import Statistics
from ..ir.types import TensorType
from ..ops import infer, op_of
from ..ops.base import Site

Perm = tuple[int, ...]


def channels_last(graph: Graph) -> Graph:
    for _ in range(2 * len(graph.nodes) + 2):
        after, changed = _sweep(graph)
        if not changed:
            return after
        graph = after
    return graph


def _sweep(graph: Graph) -> tuple[Graph, bool]:
    draft = Draft(graph)
    changed = False
    for former in graph.nodes:
        node = draft.nodes.get(former.name)
        if node is not None:
            changed |= (
                _cancel(draft, node) or _sink_transposes(draft, node) or _sink_reshapes(draft, node)
            )
    return draft.graph(), changed


def _cancel(draft: Draft, node: Node) -> bool:
    """transpose(transpose(x)) becomes one transpose or none; reshape(reshape(x)) likewise."""
    maker = draft.producer(node.inputs[0]) if node.inputs else None
    if node.op not in ("transpose", "reshape"):
        return False
    x, y = draft.tensors[node.inputs[0]], draft.tensors[node.outputs[0]]
    if node.op == "transpose" and node.attrs["perm"] == tuple(range(x.type.rank)):
        return draft.redirect(y.name, x.name)
    if node.op == "reshape" and x.shape == y.shape:
        return draft.redirect(y.name, x.name)
    if maker is None or maker.op != node.op:
        return False
    attrs = dict(node.attrs)
    if node.op == "transpose":
        attrs["perm"] = tuple(maker.attrs["perm"][p] for p in node.attrs["perm"])
    draft.replace_node(node, inputs=maker.inputs, attrs=attrs)
    return True


def _sink_transposes(draft: Draft, node: Node) -> bool:
    """op(T(x)) becomes T(op'(x)) when every run-time input comes through the same transpose, or is
    there without it, too."""
    rule = op_of(node).transposed
    if rule is None or node.op == "transpose":
        return False
    perm = _common(draft, node, "transpose", "perm") or _met(draft, node)
    if perm is None:
        return False
    rank = len(perm)
    if any(draft.tensors[out].type.rank != rank for out in node.outputs):
        return False
    site = _site(draft, node)
    attrs = rule(site, perm)
    if attrs is None:
        return False
    inverse = _inverse(perm)
    inputs = tuple(_untransposed(draft, name, inverse) for name in node.inputs)
    outputs = [_moved_tensor(draft.tensors[out], inverse, perm, draft) for out in node.outputs]
    _replace(
        draft, node, inputs, dict(attrs), outputs, "transpose", [{"perm": perm}] * len(outputs)
    )
    return True


def _common(draft: Draft, node: Node, op: str, attr: str) -> tuple[int, ...] | None:
    """The attribute that the makers of all run-time inputs share; None when they are not all `op`."""
    found: set[tuple[int, ...]] = set()
    for name in node.inputs:
        if not name or draft.tensors[name].is_constant:
            continue
        maker = draft.producer(name)
        if maker is None or maker.op != op:
            return None
        found.add(maker.attrs[attr])
    return found.pop() if len(found) == 1 else None


def _met(draft: Draft, node: Node) -> Perm | None:
    """The permutation of the transposes that some inputs come through, when all others are transposed
    the other way for someone else: add(T(a), x) beside U(x), U being the inverse of T."""
    runtime = [name for name in node.inputs if _runtime(draft, name)]
    found = {p for p in (_perm_of(draft, name) for name in runtime) if p is not None}
    if len(found) != 1:
        return None
    (perm,) = found
    there = all(_perm_of(draft, n) == perm or _turned(draft, n, _inverse(perm)) for n in runtime)
    return perm if there else None


def _perm_of(draft: Draft, name: str) -> Perm | None:
    maker = draft.producer(name)
    return maker.attrs["perm"] if maker is not None and maker.op == "transpose" else None


def _turned(draft: Draft, name: str, perm: Perm) -> str | None:
    """The result of a transpose of `name` by `perm` that is there already."""
    readers = (r for r in draft.readers(name) if r.op == "transpose" and r.attrs["perm"] == perm)
    return next((reader.outputs[0] for reader in readers), None)


def _inverse(perm: Perm) -> Perm:
    return tuple(int(i) for i in np.argsort(perm))


def _site(draft: Draft, node: Node) -> Site:
    return Site(
        node,
        tuple(draft.tensors[name] for name in node.inputs if name),
        tuple(draft.tensors[name] for name in node.outputs),
    )


def _untransposed(draft: Draft, name: str, inverse: Perm) -> str:
    """The input as it is before the transpose; a constant is transposed back, padded to full rank."""
    tensor = draft.tensors[name] if name else None
    if tensor is None or (tensor.is_constant and tensor.type.size == 1):
        return name
    if tensor.data is None:
        maker = draft.producer(name)
        through = maker is not None and _perm_of(draft, name) == _inverse(inverse)
        return maker.inputs[0] if maker and through else _turned(draft, name, inverse) or name
    if op_keeps_constant(tensor, inverse):
        return name
    full = tensor.data.reshape((1,) * (len(inverse) - tensor.type.rank) + tensor.shape)
    return draft.add_constant(f"{name}.nhwc", full.transpose(inverse), origin=tensor.origin)


def op_keeps_constant(tensor: Tensor, inverse: Perm) -> bool:
    """Tables and the like: one axis, longer than any broadcast could use, are no image operands."""
    return tensor.type.rank == 1 and tensor.type.dtype.name != "f32"


def _moved_tensor(tensor: Tensor, inverse: Perm, perm: Perm, draft: Draft) -> Tensor:
    """The result before the transpose: its own name, its origin one permutation further away, and what is known of
    its channels."""
    type_ = tensor.type.with_shape(tuple(tensor.shape[i] for i in inverse))
    if type_.quant is not None:
        type_ = replace(type_, quant=type_.quant.moved(inverse))
    origin = tensor.origin
    if origin is not None:
        onward = origin.permutation or tuple(range(len(perm)))
        origin = Origin(origin.name, tuple(perm[i] for i in onward), origin.channels)
    known = tensor.statistics
    name = draft.fresh(f"{tensor.name}.nhwc")
    return Tensor(name, type_, None, origin, known and known.moved(inverse))


def _replace(
    draft: Draft,
    node: Node,
    inputs: tuple[str, ...],
    attrs: dict,
    outputs: list[Tensor],
    op: str,
    moves: list[dict],
) -> None:
    """`node` on other inputs makes `outputs`, which take over the statistics; an `op` node turns each into what it was."""
    draft.remove_node(node)
    for former in node.outputs:
        draft.set_tensor(replace(draft.tensors[former], statistics=None))
    names = [draft.add_tensor(tensor) for tensor in outputs]
    draft.add_node(node.op, inputs, names, attrs, node.name)
    for former, name, move in zip(node.outputs, names, moves, strict=True):
        draft.add_node(op, [name], [former], move, f"{node.name}.{op}")


def _sink_reshapes(draft: Draft, node: Node) -> bool:
    """An element-wise op after a reshape that only adds or drops axes of size 1 goes before it."""
    target = _common(draft, node, "reshape", "shape")
    if target is None or not op_of(node).elementwise or len(node.outputs) != 1:
        return False
    makers = [draft.producer(name) for name in node.inputs if _runtime(draft, name)]
    sources = {draft.tensors[maker.inputs[0]].shape for maker in makers if maker is not None}
    y = draft.tensors[node.outputs[0]]
    if len(sources) != 1 or y.shape != target:
        return False
    (source,) = sources
    if [d for d in source if d != 1] != [d for d in target if d != 1]:
        return False
    inputs = []
    for name in node.inputs:
        changed = _unshaped(draft, name, source, target)
        if changed is None:
            return False
        inputs.append(changed)
    type_ = TensorType(source, y.type.dtype, y.type.quant)
    if type_.quant is not None and not type_.quant.is_per_tensor:
        return False
    infer(node.op, [draft.tensors[n].type for n in inputs], node.attrs)
    origin = _reshaped_origin(y.origin, source, target)
    known = _reshaped_statistics(y.statistics, source, target)
    moved = Tensor(draft.fresh(f"{y.name}.image"), type_, None, origin, known)
    _replace(draft, node, tuple(inputs), dict(node.attrs), [moved], "reshape", [{"shape": target}])
    return True


def _reshaped_origin(origin: Origin | None, source: Perm, target: Perm) -> Origin | None:
    """The origin of a tensor of shape `target` for its values in shape `source`: other axes of size 1."""
    if origin is None or origin.permutation is None:
        return origin and Origin(origin.name)
    place = _places(source, target)
    ones = tuple(k for k, size in enumerate(source) if size == 1)
    order = tuple(place[k] for k in origin.permutation if k in place)
    return Origin(origin.name, (*ones, *order), origin.channels)


def _places(source: Perm, target: Perm) -> dict[int, int]:
    """Axes of `target` to those of `source`, but for those of size 1, in which alone they differ."""
    long = iter(k for k, size in enumerate(source) if size != 1)
    return {k: next(long) for k, size in enumerate(target) if size != 1}


def _reshaped_statistics(known: Statistics | None, source: Perm, target: Perm) -> Statistics | None:
    """Those of a tensor of shape `target` for its values in shape `source`; of one channel, along any axis of size 1."""
    if known is None:
        return None
    places = _places(source, target)
    axis = places.get(known.axis, source.index(1) if 1 in source else None)
    return None if axis is None else known.along(axis)


def _runtime(draft: Draft, name: str) -> bool:
    return bool(name) and not draft.tensors[name].is_constant


def _unshaped(draft: Draft, name: str, source: Perm, target: Perm) -> str | None:
    """The operand before the reshape; None when a constant does not broadcast along the same axes."""
    if not name:
        return name
    tensor = draft.tensors[name]
    if tensor.data is None:
        maker = draft.producer(name)
        assert maker is not None
        return maker.inputs[0]
    if op_keeps_constant(tensor, ()) or (tensor.type.size == 1 and tensor.type.rank <= len(source)):
        return name
    full = (1,) * (len(target) - tensor.type.rank) + tensor.shape
    if any(f != 1 and t == 1 for f, t in zip(full, target, strict=True)):
        return None
    kept = iter(f for f, t in zip(full, target, strict=True) if t != 1)
    shape = tuple(1 if d == 1 else next(kept) for d in source)
    return draft.add_constant(f"{name}.image", tensor.data.reshape(shape), origin=tensor.origin)
