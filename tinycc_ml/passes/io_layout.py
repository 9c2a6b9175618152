"""The layout of image inputs and outputs at the API: as the model has it, or NHWC, or NCHW."""

from __future__ import annotations

from dataclasses import replace

from ..ir.graph import Graph, Origin
from ..ir.rewrite import Draft

_FROM_NCHW_TO_NHWC = (0, 2, 3, 1)
_FROM_NHWC_TO_NCHW = (0, 3, 1, 2)


def io_layout(graph: Graph, layout: str) -> Graph:
    """`layout`: "nhwc" says that the model's images are N, C, H, W and the API shall take N, H, W, C;
    "nchw" the other way round. Tensors of another rank keep their axes."""
    to_api = _FROM_NCHW_TO_NHWC if layout == "nhwc" else _FROM_NHWC_TO_NCHW
    to_model = _FROM_NHWC_TO_NCHW if layout == "nhwc" else _FROM_NCHW_TO_NHWC
    draft = Draft(graph)
    for name in graph.inputs:
        if graph.type(name).rank == 4:
            _permute_input(draft, name, to_api, to_model)
    for name in graph.outputs:
        if graph.type(name).rank == 4:
            _permute_output(draft, name, to_api, to_model)
    return draft.graph()


def _permute_input(
    draft: Draft, name: str, to_api: tuple[int, ...], to_model: tuple[int, ...]
) -> None:
    tensor = draft.tensors[name]
    inner = draft.add_tensor(replace(tensor, name=draft.fresh(f"{name}.model")))
    for reader in draft.readers(name):
        inputs = tuple(inner if n == name else n for n in reader.inputs)
        draft.replace_node(reader, inputs=inputs)
    shape = tuple(tensor.shape[p] for p in to_api)
    moved = replace(tensor, type=tensor.type.with_shape(shape), origin=Origin(name, to_model))
    draft.set_tensor(moved)
    draft.add_node("transpose", [name], [inner], {"perm": to_model}, f"{name}.layout")


def _permute_output(
    draft: Draft, name: str, to_api: tuple[int, ...], to_model: tuple[int, ...]
) -> None:
    tensor, maker = draft.tensors[name], draft.producer(name)
    if maker is None:
        return
    inner = draft.add_tensor(replace(tensor, name=draft.fresh(f"{name}.model")))
    draft.replace_node(maker, outputs=tuple(inner if n == name else n for n in maker.outputs))
    for reader in draft.readers(name):
        inputs = tuple(inner if n == name else n for n in reader.inputs)
        draft.replace_node(reader, inputs=inputs)
    shape = tuple(tensor.shape[p] for p in to_api)
    moved = replace(tensor, type=tensor.type.with_shape(shape), origin=Origin(name, to_model))
    draft.set_tensor(replace(moved, statistics=None))
    draft.add_node("transpose", [inner], [name], {"perm": to_api}, f"{name}.layout")
