"""Resize in full: each axis by a constant matrix, which is ONNX's own reference applied to the unit vectors.
The common kinds have loops of their own (resize.py); this serves cubic, antialias, crops and aspect ratios."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import numpy as np

from .base import Case, Const, Op
from .einsum import emit as einsum
from .elementwise import emit as elementwise
from .importing import OnnxNode, never_emitted
from .resize_import import check_corners

_PASSED_ON = ("antialias", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside", "extrapolation_value", "mode", "nearest_mode")  # fmt: skip


def from_resize(node: OnnxNode) -> None:
    x = node.type(0)
    if not x.dtype.is_float and node.attr("mode", "nearest") != "nearest":
        node.refuse(f"Resize of {x} in the mode {node.attr('mode')!r}")
    axes = [a % x.rank for a in node.attr("axes", range(x.rank))]
    scales, sizes = _wanted(node, [x.shape[a] for a in axes])
    roi = node.const(1, "roi").ravel() if node.has(1) and node.type(1).size else None
    y = node.inputs[0]
    for k, axis in enumerate(axes):
        n = x.shape[axis]
        crop = None if roi is None else (float(roi[k]), float(roi[k + len(axes)]))
        if sizes[k] == n and scales[k] in (None, 1.0) and crop in (None, (0.0, 1.0)):
            continue
        if node.attr("coordinate_transformation_mode", "") == "align_corners":
            check_corners(node, n, scales[k] or sizes[k] / n, sizes[k])
        y = _along(node, y, axis, (n, scales[k], sizes[k], crop))
    node.rename(0, y)


def _wanted(node: OnnxNode, shape: list[int]) -> tuple[list[float | None], list[int]]:
    """Scales (None: the size says it) and sizes of the axes."""
    if not (node.has(3) and node.type(3).size):
        scales = node.const(2, "scales").astype(np.float32).ravel()
        return [float(s) for s in scales], [int(np.floor(s * d)) for s, d in zip(scales, shape, strict=True)]  # fmt: skip
    sizes = [int(s) for s in node.const(3, "sizes").ravel()]
    policy = node.attr("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch":
        ratios = [s / d for s, d in zip(sizes, shape, strict=True)]
        ratio = min(ratios) if policy == "not_larger" else max(ratios)
        sizes = [int(np.floor(ratio * d + 0.5)) for d in shape]
        return [ratio] * len(shape), sizes
    return [None] * len(shape), sizes


def _along(
    node: OnnxNode,
    x: str,
    axis: int,
    how: tuple[int, float | None, int, tuple[float, float] | None],
) -> str:
    type_ = node.draft.tensors[x].type
    attrs = {k: node.attrs[k] for k in _PASSED_ON if k in node.attrs}
    offset = _resized(np.zeros((how[0], 1)), how, attrs, node.opset)
    matrix = _resized(np.eye(how[0]), how, attrs, node.opset) - offset
    letters = ascii_lowercase[: type_.rank]
    result = letters[:axis] + "z" + letters[axis + 1 :]
    weights = node.constant("weights", matrix.astype(type_.dtype.numpy))
    y = einsum(node, [x, weights], f"{letters},z{letters[axis]}->{result}")
    if offset.any():
        outside = offset.astype(type_.dtype.numpy).reshape(-1, *(1,) * (type_.rank - 1 - axis))
        y = elementwise(node, "add", y, node.constant("outside", outside))
    return y


def _resized(
    columns: np.ndarray, how: tuple[int, float | None, int, tuple[float, float] | None],
    attrs: dict[str, Any], opset: int,
) -> np.ndarray:  # fmt: skip
    """Each column resized along the first axis."""
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    _, scale, size, crop = how
    one = np.float32(1)
    given = {"x": columns.astype(np.float32)}
    given["roi"] = np.asarray([crop[0], 0, crop[1], 1] if crop else [], np.float32)
    if scale is None or int(np.floor(np.float32(scale) * columns.shape[0])) != size:
        given["sizes"] = np.asarray([size, columns.shape[1]], np.int64)
        names = ["x", "roi", "", "sizes"]
    else:
        given["scales"], names = np.asarray([scale, one], np.float32), ["x", "roi", "scales"]
    op = helper.make_node("Resize", names, ["y"], **attrs)
    kinds = [
        helper.make_tensor_value_info(
            k, TensorProto.INT64 if k == "sizes" else TensorProto.FLOAT, v.shape
        )
        for k, v in given.items()
    ]
    graph = helper.make_graph([op], "axis", kinds, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", max(opset, 13))])
    made: Any = ReferenceEvaluator(model).run(None, given)
    return np.asarray(made[0], np.float64)


OP = Op(
    "resize_matrix",
    never_emitted,
    generic={"Resize": from_resize},
    summary="Resize: cubic, antialias, tf_crop_and_resize, aspect ratios (as products with matrices)",
    cases=(
        Case("cubic", "Resize", ((1, 1, 4, 4), None, Const([1, 1, 2, 2])), {"mode": "cubic"}, integer=False),
    ),
)  # fmt: skip
