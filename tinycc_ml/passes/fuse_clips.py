"""A clip whose input nothing else reads joins the op that makes it, where that op can clamp its result.

On integers this needs one quantisation before and after the clip, so that no rounding moves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..ir.graph import Attrs, Graph, Node
from ..ir.rewrite import Draft
from ..ops import op_of


def fuse_clips(graph: Graph) -> Graph:
    draft = Draft(graph)
    for former in graph.nodes:
        node = draft.nodes.get(former.name)
        if node is not None and node.op == "clip":
            _fuse(draft, node)
    return draft.graph()


def _fuse(draft: Draft, clip: Node) -> None:
    x, y = clip.inputs[0], clip.outputs[0]
    maker = draft.producer(x)
    if maker is None or not op_of(maker).clamps or draft.sole_reader(x) is None:
        return
    if draft.tensors[x].type != draft.tensors[y].type:
        return
    low, high = ("q_min", "q_max") if "q_min" in clip.attrs else ("min", "max")
    if low == "q_min" and low not in maker.attrs:
        return
    attrs = {**maker.attrs, **_joined(maker.attrs, clip.attrs, low, high)}
    draft.set_tensor(replace(draft.tensors[y], statistics=draft.tensors[x].statistics))
    draft.remove_node(clip)
    draft.replace_node(maker, outputs=(y,), attrs=attrs)


def _joined(first: Attrs, second: Attrs, low: str, high: str) -> dict[str, Any]:
    """clip(clip(x, a, b), c, d) == clip(x, clip(a, c, d), clip(b, c, d)); infinite bounds are left out."""
    c, d = second.get(low, -np.inf), second.get(high, np.inf)
    bounds = {
        low: min(max(first.get(low, -np.inf), c), d),
        high: min(max(first.get(high, np.inf), c), d),
    }
    return {k: v for k, v in bounds.items() if np.isfinite(v)}
