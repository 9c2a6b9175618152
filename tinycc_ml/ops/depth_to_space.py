"""Channels to pixels and back. Written with reshape and transpose: there is no such node in a graph."""

from __future__ import annotations

from .base import Case, Op
from .importing import OnnxNode, never_emitted

_DCR = (0, 3, 4, 1, 5, 2)
_CRD = (0, 1, 4, 2, 5, 3)
_BACK = (0, 3, 5, 1, 2, 4)
_BACK_CRD = (0, 1, 3, 5, 2, 4)


def from_depth_to_space(node: OnnxNode) -> None:
    (n, c, h, w), size, mode = _shape(node), node.attr("blocksize"), node.attr("mode", "DCR")
    if size < 1 or c % (size * size) or mode not in ("DCR", "CRD"):
        node.refuse(f"DepthToSpace of {node.type(0)} in blocks of {size}, mode {mode!r}")
    depth = c // (size * size)
    split = (n, size, size, depth, h, w) if mode == "DCR" else (n, depth, size, size, h, w)
    _emit(node, split, _DCR if mode == "DCR" else _CRD, (n, depth, h * size, w * size))


def from_space_to_depth(node: OnnxNode) -> None:
    (n, c, h, w), size = _shape(node), node.attr("blocksize")
    if size < 1 or h % size or w % size:
        node.refuse(f"SpaceToDepth of {node.type(0)} in blocks of {size}")
    split = (n, c, h // size, size, w // size, size)
    back = _BACK_CRD if node.attr("mode", "DCR") == "CRD" else _BACK
    _emit(node, split, back, (n, c * size * size, h // size, w // size))


def _shape(node: OnnxNode) -> tuple[int, int, int, int]:
    if node.type(0).rank != 4:
        node.refuse(f"{node.op_type} takes an image [N, C, H, W], got {node.type(0)}")
    return node.type(0).shape  # type: ignore[return-value]


def _emit(
    node: OnnxNode, split: tuple[int, ...], perm: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    blocks = node.emit("reshape", [node.inputs[0]], {"shape": split}, hint="blocks")
    moved = node.emit("transpose", [blocks], {"perm": perm}, hint="moved")
    node.emit("reshape", [moved], {"shape": shape}, out=0)


OP = Op(
    "depth_to_space",
    never_emitted,
    onnx={"DepthToSpace": from_depth_to_space, "SpaceToDepth": from_space_to_depth},
    summary="DepthToSpace, SpaceToDepth (as reshape and transpose)",
    cases=(
        Case("dcr", "DepthToSpace", ((1, 8, 2, 3),), {"blocksize": 2}),
        Case("crd", "DepthToSpace", ((2, 9, 1, 2),), {"blocksize": 3, "mode": "CRD"}),
        Case("space_to_depth", "SpaceToDepth", ((1, 3, 4, 6),), {"blocksize": 2}),
    ),
)
